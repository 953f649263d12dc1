"""Invents a month of invoices with the shape, and the oddities, of the real Online Retail file."""

import calendar
import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

PRICES = (29, 42, 65, 85, 125, 145, 165, 195, 208, 255, 295, 375, 495, 595, 795, 850, 1275, 1495)
QUANTITIES = (1, 1, 1, 1, 2, 2, 2, 3, 4, 4, 6, 6, 8, 10, 12, 12, 12, 24, 25, 48, 96)
WHOLESALE_FROM = 48
COUNTRIES = {
    "United Kingdom": 900, "Germany": 26, "France": 24, "EIRE": 18, "Spain": 6, "Netherlands": 6,
    "Belgium": 5, "Switzerland": 4, "Portugal": 4, "Australia": 3, "Norway": 3, "Italy": 2,
    "Channel Islands": 2, "Poland": 1, "Sweden": 1, "USA": 1, "RSA": 1, "Unspecified": 1,
}  # fmt: skip
COLOURS = ("RED", "WHITE", "PINK", "BLUE", "IVORY", "VINTAGE", "RETROSPOT", "SPACEBOY")
THINGS = ("HANGING HEART T-LIGHT HOLDER", "JUMBO BAG", "PARTY BUNTING", "CAKE TINS", "MUG")


@dataclass(frozen=True)
class Goods:
    code: str
    description: str
    price: int


@dataclass
class Invoice:
    """Its lines are `(code, description, quantity, price)`, the price as the file writes it."""

    number: str
    at: datetime.datetime
    customer: str = ""
    country: str = "United Kingdom"
    lines: list[tuple[str, str, int, str]] = field(default_factory=list)

    def rows(self) -> Iterator[dict[str, str]]:
        for code, description, quantity, price in self.lines:
            yield {
                "invoice": self.number, "code": code, "description": description,
                "quantity": str(quantity), "at": self.at.isoformat(" "), "price": price,
                "customer": self.customer, "country": self.country,
            }  # fmt: skip


def made_up_month(year: int, month: int, scale: float) -> Iterator[dict[str, str]]:
    """Rows by column; the same ones every time."""
    shop = _Shop(scale)
    for day in range(1, calendar.monthrange(year, month)[1] + 1):
        # The shop was closed on Saturdays, as in the file.
        if calendar.weekday(year, month, day) != calendar.SATURDAY:
            for invoice in shop.day(datetime.datetime(year, month, day, tzinfo=datetime.UTC)):
                yield from invoice.rows()


class _Shop:
    def __init__(self, scale: float) -> None:
        self.dice = Random(2011)
        self.invoices_a_day = max(20, round(70 * scale))
        self.goods = [self._goods(n) for n in range(max(80, round(2700 * scale)))]
        names, weights = list(COUNTRIES), list(COUNTRIES.values())
        self.customers = [
            (str(12346 + 7 * n), self.dice.choices(names, weights)[0])
            for n in range(max(12, round(900 * scale)))
        ]
        self.number = 551_500
        self.sold: list[Invoice] = []

    def _goods(self, n: int) -> Goods:
        code = f"{20_000 + 7 * n}{self.dice.choice(['', '', '', 'A', 'B', 'L'])}"
        name = f"{self.dice.choice(COLOURS)} {self.dice.choice(THINGS)}"
        return Goods(code, name, self.dice.choice(PRICES))

    def day(self, date: datetime.datetime) -> Iterator[Invoice]:
        """Odd invoices first, so that each day has every oddity; then whatever comes."""
        odd = [
            self._with_odd_lines, self._free, self._huge, self._piecemeal, self._found_and_lost,
            self._bookkeeping, self._all_back, self._part_back, self._discount, self._never_sold,
        ]  # fmt: skip
        for place in range(self.invoices_a_day):
            minute = 8 * 60 + place * 10 * 60 // self.invoices_a_day
            at = date + datetime.timedelta(minutes=minute)
            # Nobody can bring back what was not sold yet.
            make = odd.pop(0) if odd and place % 2 else self._whatever()
            self.number += 1
            yield make(at)

    def _whatever(self) -> Callable[[datetime.datetime], Invoice]:
        kinds = {
            self._usual: 80, self._by_guest: 6, self._part_back: 7, self._all_back: 2,
            self._never_sold: 1, self._discount: 1, self._found_and_lost: 3,
        }  # fmt: skip
        return self.dice.choices(list(kinds), list(kinds.values()))[0]

    def _sale(self, at: datetime.datetime) -> Invoice:
        customer, country = self.dice.choices(
            self.customers, [1 / (n + 3) for n in range(len(self.customers))]
        )[0]
        invoice = Invoice(str(self.number), at, customer, country)
        self.sold.append(invoice)
        return invoice

    def _usual(self, at: datetime.datetime) -> Invoice:
        invoice = self._sale(at)
        self._fill(invoice, min(300, int(self.dice.lognormvariate(2.5, 0.9)) + 1))
        if invoice.country != "United Kingdom":
            price = self.dice.choice(["18.00", "28.00", "40.00"])
            invoice.lines.append(("POST", "POSTAGE", self.dice.randint(1, 5), price))
        return invoice

    def _fill(self, invoice: Invoice, lines: int, dearer: float = 1) -> None:
        """Popular goods most; the same ones may come again, for the same price or another."""
        for _ in range(lines):
            goods = self.goods[int(len(self.goods) * self.dice.random() ** 3)]
            quantity = self.dice.choice(QUANTITIES)
            if self.dice.random() < 0.05 and invoice.lines:
                code = invoice.lines[-1][0]
                goods = next((each for each in self.goods if each.code == code), goods)
            cheaper = 0.85 if quantity >= WHOLESALE_FROM else 1
            price = round(goods.price * cheaper * dearer)
            invoice.lines.append((goods.code, goods.description, quantity, _pounds(price)))

    def _by_guest(self, at: datetime.datetime, lines: int = 30) -> Invoice:
        """Sold by another web shop: no customer, dearer, postage as it came."""
        invoice = Invoice(str(self.number), at)
        self._fill(invoice, lines, dearer=1.93)
        postage = _pounds(self.dice.randint(500, 30_000))
        invoice.lines.append(("DOT", "DOTCOM POSTAGE", 1, postage))
        return invoice

    def _piecemeal(self, at: datetime.datetime) -> Invoice:
        return self._by_guest(at, lines=170)

    def _huge(self, at: datetime.datetime) -> Invoice:
        invoice = self._usual(at)
        goods = self.goods[self.dice.randrange(40)]
        invoice.lines.append((goods.code, goods.description, 2400, _pounds(goods.price)))
        return invoice

    def _with_odd_lines(self, at: datetime.datetime) -> Invoice:
        invoice = self._usual(at)
        goods = self.goods[self.dice.randrange(40)]
        invoice.lines += [
            ("PADS", "PADS TO MATCH ALL CUSHIONS", 1, "0.001"),
            ("M", "Manual", 1, _pounds(self.dice.randint(50, 9000))),
            ("C2", "CARRIAGE", 1, "50.00"),
            ("GIFT_0001_20", "Dotcomgiftshop Gift Voucher £20.00", 1, "17.02"),
            (goods.code, goods.description, 3, "0.00"),
        ]
        return invoice

    def _free(self, at: datetime.datetime) -> Invoice:
        invoice = self._sale(at)
        goods = self.goods[self.dice.randrange(40)]
        invoice.lines.append((goods.code, goods.description, 12, "0.0"))
        return invoice

    def _found_and_lost(self, at: datetime.datetime) -> Invoice:
        """Staff count the stock: nobody bought anything."""
        invoice, goods = Invoice(str(self.number), at), self.dice.choice(self.goods[:200])
        by = self.dice.choice([-40, -12, -3, 5, 20, 100])
        invoice.lines.append((goods.code, "damages" if by < 0 else "found", by, "0.0"))
        return invoice

    def _bookkeeping(self, at: datetime.datetime) -> Invoice:
        invoice = Invoice(f"C{self.number}", at)
        invoice.lines.append(("AMAZONFEE", "AMAZON FEE", -1, "5876.40"))
        invoice.lines.append(("BANK CHARGES", "Bank Charges", -1, "15.00"))
        if at.day == 10:
            invoice.number = f"A{self.number}"
            invoice.lines = [("B", "Adjust bad debt", 1, "-11062.06")]
        return invoice

    def _back(self, at: datetime.datetime) -> tuple[Invoice, Invoice]:
        of = self.dice.choice(self.sold[-15:])
        return Invoice(f"C{self.number}", at, of.customer, of.country), of

    def _part_back(self, at: datetime.datetime) -> Invoice:
        back, of = self._back(at)
        for code, description, quantity, price in self.dice.sample(of.lines, min(2, len(of.lines))):
            back.lines.append((code, description, -self.dice.randint(1, quantity), price))
        return back

    def _all_back(self, at: datetime.datetime) -> Invoice:
        back, of = self._back(at)
        back.lines = [(code, name, -quantity, price) for code, name, quantity, price in of.lines]
        return back

    def _discount(self, at: datetime.datetime) -> Invoice:
        back, _ = self._back(at)
        back.lines.append(("D", "Discount", -1, _pounds(self.dice.randint(100, 3000))))
        return back

    def _never_sold(self, at: datetime.datetime) -> Invoice:
        """Bought before the month began."""
        back, _ = self._back(at)
        goods = self.dice.choice(self.goods)
        back.lines.append((goods.code, goods.description, -1, _pounds(goods.price + 1)))
        return back


def _pounds(pence: int) -> str:
    return f"{pence // 100}.{pence % 100:02}"
