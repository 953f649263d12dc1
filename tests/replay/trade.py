"""What a file of invoices means for a shop: who buys what, what comes back, what staff count."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from itertools import chain, groupby, islice
from typing import NamedTuple
from zlib import crc32

from django_countries import countries

from tests.data.online_retail import Row

# Postage, carriage, vouchers, samples, what was keyed in by hand: sold, and in no warehouse.
SERVICES = {"POST", "DOT", "C2", "M", "D", "S", "PADS"}
VOUCHER = "GIFT_"
# What the shop owes others: no customer pays it.
BOOKKEEPING = {"AMAZONFEE", "BANK CHARGES", "CRUK", "B"}
# Where the file's names are not those of ISO 3166; who says nothing lives in the shop's country.
COUNTRIES = {
    "EIRE": "IE", "USA": "US", "RSA": "ZA", "Channel Islands": "JE", "European Community": "BE",
    "Unspecified": "GB", "Czech Republic": "CZ",
}  # fmt: skip
# Every so many goods are ordered short: half of what the file sells.
SHORT_ONE_IN = 25
SPARE = 200
CART_LINES, CART_PIECES = 100, 999


class Item(NamedTuple):
    """Goods at one price: a variant. `price` is in pence."""

    code: str
    price: int

    @property
    def is_service(self) -> bool:
        """Whether there is no stock of it."""
        return self.code in SERVICES or self.code.startswith(VOUCHER)


@dataclass(eq=False)
class Purchase:
    """One invoice: `pieces` of each item, however many lines it had them on.

    `country` is ISO 3166-1 alpha-2; a guest is the empty `customer`.
    """

    number: str
    customer: str
    country: str
    pieces: Counter[Item] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """In pence."""
        return worth(self.pieces)

    def carts(self) -> list[dict[Item, int]]:
        """What fits into carts: so many lines each, and so many pieces a line."""
        carts: list[dict[Item, int]] = []
        for item, quantity in self.pieces.items():
            portions = [CART_PIECES] * (quantity // CART_PIECES) + [quantity % CART_PIECES]
            for portion in filter(None, portions):
                fitting = (cart for cart in carts if item not in cart and len(cart) < CART_LINES)
                cart = next(fitting, None)
                if cart is None:
                    carts.append(cart := {})
                cart[item] = portion
        return carts


@dataclass(eq=False)
class Cancellation:
    """One invoice with a C: `pieces` come back, and `amount` pence more are given back."""

    number: str
    customer: str
    pieces: Counter[Item] = field(default_factory=Counter)
    amount: int = 0


@dataclass(eq=False)
class Adjustment:
    """Staff found units, or lost them."""

    number: str
    code: str
    by: int


type Happening = Purchase | Cancellation | Adjustment


@dataclass
class Trade:
    """Everything that happens, in the file's order."""

    happenings: list[Happening] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    below_a_penny: Decimal = Decimal(0)
    left_out: Counter[str] = field(default_factory=Counter)

    @cached_property
    def purchases(self) -> list[Purchase]:
        """Invoices that sell something."""
        return [each for each in self.happenings if isinstance(each, Purchase)]

    @cached_property
    def cancellations(self) -> list[Cancellation]:
        """Invoices that take something back."""
        return [each for each in self.happenings if isinstance(each, Cancellation)]

    @cached_property
    def adjustments(self) -> list[Adjustment]:
        """What staff counted."""
        return [each for each in self.happenings if isinstance(each, Adjustment)]

    @cached_property
    def requested(self) -> Counter[Item]:
        """How many pieces all purchases want."""
        return sum((each.pieces for each in self.purchases), Counter())

    @cached_property
    def shelves(self) -> dict[str, Item]:
        """Where the units of a stock code lie that staff find or lose: its most sold item."""
        shelves = {each.code: Item(each.code, 0) for each in self.adjustments}
        for item, _ in reversed(self.requested.most_common()):
            shelves[item.code] = item
        return shelves

    @cached_property
    def items(self) -> list[Item]:
        """All variants that the shop needs."""
        return sorted({*self.requested, *self.shelves.values()})

    @cached_property
    def short(self) -> set[Item]:
        """Of which there is too little."""
        return {
            item
            for item, quantity in self.requested.items()
            if quantity > 1 and not item.is_service and crc32(item.code.encode()) % SHORT_ONE_IN < 1
        }

    @cached_property
    def start(self) -> dict[Item, int]:
        """Units on hand before the first customer comes; services are not counted."""
        start = {}
        for item in self.items:
            if item in self.short:
                start[item] = self.requested[item] // 2
            elif not item.is_service:
                start[item] = self.requested[item] + SPARE
        for each in self.adjustments:
            if each.by < 0 and self.shelves[each.code] not in self.short:
                start[self.shelves[each.code]] -= each.by
        return start


def worth(pieces: Mapping[Item, int]) -> int:
    """In pence."""
    return sum(item.price * quantity for item, quantity in pieces.items())


def country_code(name: str) -> str:
    """ISO 3166-1 alpha-2."""
    code = COUNTRIES.get(name) or countries.by_name(name)
    assert code, f"no country is called {name!r}"
    return code


def read(rows: Iterable[Row]) -> Trade:
    """Sort rows into what a shop can do with them."""
    trade = Trade()
    for number, lines in groupby(rows, key=lambda row: row.invoice):
        _add(trade, number, list(lines))
    return trade


def small_part(rows: Iterable[Row], invoices: int, longest: int) -> Iterator[Row]:
    """The rows of the first so many invoices that have at most `longest` rows."""
    parts = (list(lines) for _, lines in groupby(rows, key=lambda row: row.invoice))
    short = (lines for lines in parts if len(lines) <= longest)
    return chain.from_iterable(islice(short, invoices))


def _add(trade: Trade, number: str, rows: list[Row]) -> None:
    head = rows[0]
    purchase = Purchase(number, head.customer, country_code(head.country))
    cancellation = Cancellation(number, head.customer)
    found: dict[str, int] = defaultdict(int)
    for row in rows:
        trade.rows += 1
        if reason := _left_out(row):
            trade.left_out[reason] += 1
            continue
        trade.names.setdefault(row.code, row.description or row.code)
        item = _item(trade, row)
        if _is_counted(row):
            found[row.code] += row.quantity
        elif row.quantity > 0:
            purchase.pieces[item] += row.quantity
        elif item.is_service:
            cancellation.amount -= row.quantity * item.price
        else:
            cancellation.pieces[item] -= row.quantity
    if purchase.pieces:
        trade.happenings.append(purchase)
    if cancellation.pieces or cancellation.amount:
        trade.happenings.append(cancellation)
    trade.happenings += [Adjustment(number, code, by) for code, by in found.items() if by]


def _left_out(row: Row) -> str:
    """Why a shop has nothing to do with a row, if so."""
    if row.invoice.startswith("A"):
        return "bad debts (invoice A…)"
    if row.code in BOOKKEEPING:
        return "the shop's own costs (fees, charges, donations)"
    if row.quantity == 0:
        return "lines of no pieces"
    is_cancelled = row.invoice.startswith("C")
    if row.quantity < 0 and row.price and not is_cancelled:
        return "negative lines at a price, without C"
    if is_cancelled and row.quantity > 0:
        return "positive lines of cancellations"
    if _is_counted(row) and Item(row.code, 0).is_service:
        return "services at no price, sold to nobody"
    return ""


def _is_counted(row: Row) -> bool:
    """Whether staff wrote it because they counted: no price, and nobody who bought it."""
    is_cancelled = row.invoice.startswith("C")
    return not row.price and not is_cancelled and (row.quantity < 0 or not row.customer)


def _item(trade: Trade, row: Row) -> Item:
    """What is below a penny is given away, and added up."""
    pence = int((row.price * 100).quantize(Decimal(1), ROUND_HALF_UP))
    trade.below_a_penny += row.quantity * (row.price - Decimal(pence) / 100)
    return Item(row.code, pence)
