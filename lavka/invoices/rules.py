"""Which documents an order needs: pure arithmetic over what was sold, refunded and issued.

Documents never change. A sum of an order that no document shows yet is shown by a further one, so
that invoices minus credit notes come to what the order's customer owes or has paid.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypedDict

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lavka.carts.rules import split
from lavka.kernel.money import exponent_of
from lavka.orders.rules import share
from lavka.tax.rules import TaxShare, sum_of

SHIPPING = "shipping"
# Further digits of a price without tax that is no whole minor unit.
PRICE_DIGITS = 2


class InvoiceKind(TextChoices):
    """A credit note takes back what an invoice says, and names it."""

    INVOICE = "invoice", _("invoice")
    CREDIT_NOTE = "credit_note", _("credit note")


class Cause(TextChoices):
    """Why a document was issued."""

    SALE = "sale", pgettext_lazy("of an invoice", "sale")
    EDIT = "edit", pgettext_lazy("of an invoice", "change of the order")
    CANCELLATION = "cancellation", pgettext_lazy("of an invoice", "cancellation")
    RETURN = "return", pgettext_lazy("of an invoice", "return")
    REFUND = "refund", pgettext_lazy("of an invoice", "refund")


class CorrectedInvoice(TypedDict):
    """What is stored of an invoice that a credit note corrects."""

    id: str
    name: str
    issued_on: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One row of a document: goods, shipping, or a sum at one rate. Amounts are in minor units.

    `line_id` is that of the order's line, `SHIPPING`, or empty for a sum. `unit_price` is a decimal
    in major units without tax; `discount` is without tax, too.
    """

    line_id: str = ""
    sku: str = ""
    name: str = ""
    quantity: int = 1
    unit_price: str = ""
    discount: int = 0
    net: int
    taxes: Sequence[TaxShare]

    @property
    def tax(self) -> int:
        """At every rate."""
        return sum_of(self.taxes)

    @property
    def gross(self) -> int:
        """What is paid for it."""
        return self.net + self.tax

    @property
    def rates(self) -> tuple[str, ...]:
        """Its percentages, which rows are grouped by."""
        return tuple(tax["percent"] for tax in self.taxes)

    def part(self, gross: int) -> "Row":
        """A sum of the row, its taxes in proportion; the whole of it is exactly the row."""
        taxes: list[TaxShare] = [
            {**tax, "amount": _share(tax["amount"], gross, self.gross)} for tax in self.taxes
        ]
        return replace(self, net=gross - sum_of(taxes), taxes=taxes)

    def pieces(self, start: int, end: int) -> "Row":
        """The pieces from `start` to `end`; all pieces, in any parts, are exactly the row."""

        def of(amount: int) -> int:
            return _share(amount, end, self.quantity) - _share(amount, start, self.quantity)

        taxes: list[TaxShare] = [{**tax, "amount": of(tax["amount"])} for tax in self.taxes]
        return replace(
            self,
            quantity=end - start,
            discount=of(self.discount),
            net=of(self.gross) - sum_of(taxes),
            taxes=taxes,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """One document, issued or to be issued; `source` says which refund it is for."""

    kind: InvoiceKind
    cause: Cause
    source: str = ""
    rows: Sequence[Row]

    @property
    def sign(self) -> int:
        """Whether it adds to what is owed or takes away from it."""
        return 1 if self.kind == InvoiceKind.INVOICE else -1

    @property
    def gross(self) -> int:
        """Its total, which is never below zero."""
        return sum(row.gross for row in self.rows)


@dataclass(frozen=True, kw_only=True, slots=True)
class Refund:
    """Money that went back on purpose: `pieces` maps order line ids to counts, if it was by line.

    While `is_open` more of it may follow, and no document is issued for it yet.
    """

    source: str
    cause: Cause = Cause.REFUND
    amount: int
    pieces: Mapping[str, int] = field(default_factory=dict)
    is_open: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """An order as its documents have to show it."""

    rows: Sequence[Row]
    is_cancelled: bool
    total: int
    captured: int
    refunded: int
    refunds: Sequence[Refund] = ()

    @property
    def owed(self) -> int:
        """What all documents come to: the total without what went back on purpose.

        Never less than the shop keeps of it: of an order that became cheaper after a refund, or
        was paid again. What is not paid yet is owed all the same, and what was paid too much goes
        back without making the order cheaper.
        """
        if self.is_cancelled:
            return 0
        kept = min(self.captured - self.refunded, self.total)
        return max(self.total - sum(each.amount for each in self.refunds), kept)


def documents_due(account: Account, issued: Sequence[Document]) -> list[Document]:
    """What is still to be issued, in its order; nothing when asked again after that.

    An order that was cancelled before its first invoice gets none.
    """
    if not issued and account.is_cancelled:
        return []
    documents = [*issued]
    if not issued:
        documents.append(_invoice(Cause.SALE, account.rows))
    added, dropped = ([], []) if account.is_cancelled else _edited(account.rows, documents)
    if added:
        documents.append(_invoice(Cause.EDIT, added))
    _take_back(account, dropped, documents)
    return documents[len(issued) :]


def _take_back(account: Account, dropped: Sequence[Row], documents: list[Document]) -> None:
    """Append credit notes, each for what it is about, until the documents come to what is owed."""
    excess = _balance(documents) - account.owed
    if excess > 0:
        # What is under way has its own document once all of it went.
        excess = max(excess - sum(each.amount for each in account.refunds if each.is_open), 0)
    for credit in _credits(account, documents, dropped):
        amount = min(credit.gross, excess)
        if amount > 0:
            is_whole = amount == credit.gross
            documents.append(credit if is_whole else _sum(credit, amount, documents))
            excess -= amount
    if excess > 0:
        documents.append(_sum(_credit(Cause.REFUND, ()), excess, documents))
    elif excess < 0:
        # A refund was paid again since: the order is owed as before it.
        sold = [each for each in documents if each.kind == InvoiceKind.INVOICE]
        documents.append(_sum(_invoice(Cause.EDIT, ()), -excess, sold))


def _credits(
    account: Account, documents: Sequence[Document], dropped: Sequence[Row]
) -> Iterator[Document]:
    """What may take away of what is documented, in the order in which it does."""
    if account.is_cancelled:
        yield _credit(Cause.CANCELLATION, _remaining(documents))
        return
    for refund in account.refunds:
        if not refund.is_open:
            yield _refunded(account, refund, documents)
    yield _credit(Cause.EDIT, dropped)


def _refunded(account: Account, refund: Refund, documents: Sequence[Document]) -> Document:
    """The credit note of a refund: its pieces, or what is new of its sum."""
    earlier = [each for each in documents if each.source == refund.source]
    amount = refund.amount - sum(each.gross for each in earlier)
    empty = _credit(refund.cause, (), refund.source)
    if amount <= 0:
        return empty
    if not refund.pieces or earlier:
        return _sum(empty, amount, documents)
    return replace(empty, rows=_pieces(account, refund, documents))


def _pieces(account: Account, refund: Refund, documents: Sequence[Document]) -> list[Row]:
    """So many pieces of lines; together they are exactly the refund."""
    before: dict[str, int] = {}
    for document in documents:
        if document.source:
            for row in document.rows:
                before[row.line_id] = before.get(row.line_id, 0) + row.quantity
    rows = []
    for row in account.rows:
        count = refund.pieces.get(row.line_id, 0)
        start = min(before.get(row.line_id, 0), row.quantity - count)
        if count and start >= 0:
            rows.append(row.pieces(start, start + count))
    if not rows:
        return list(_sum(_credit(refund.cause, ()), refund.amount, documents).rows)
    # Halves were rounded by what had been refunded when the money went: the last row evens it out.
    missing = refund.amount - sum(row.gross for row in rows)
    return [*rows[:-1], replace(rows[-1], net=rows[-1].net + missing)]


def _edited(rows: Sequence[Row], documents: Iterable[Document]) -> tuple[list[Row], list[Row]]:
    """What these rows have more than was sold by documents, and what they have less."""
    sold: dict[tuple[str, tuple[str, ...]], Row] = {}
    for document in documents:
        if document.cause in {Cause.SALE, Cause.EDIT}:
            for row in filter(lambda row: row.line_id, document.rows):
                key = (row.line_id, row.rates)
                signed = row if document.sign > 0 else _negated(row)
                sold[key] = _added(sold[key], signed) if key in sold else signed
    added, dropped = [], []
    now = {(row.line_id, row.rates): row for row in rows}
    for key in dict.fromkeys([*now, *sold]):
        parts = [now[key]] if key in now else []
        parts += [_negated(sold[key])] if key in sold else []
        row = parts[0] if len(parts) == 1 else _added(*parts)
        if row.gross > 0:
            added.append(row)
        elif row.gross < 0:
            dropped.append(_negated(row))
    return added, dropped


def _added(row: Row, more: Row) -> Row:
    """Two rows of the same thing at the same rates."""
    return replace(
        row,
        quantity=row.quantity + more.quantity,
        discount=row.discount + more.discount,
        net=row.net + more.net,
        taxes=[
            {**tax, "amount": tax["amount"] + other["amount"]}
            for tax, other in zip(row.taxes, more.taxes, strict=True)
        ],
    )


def _negated(row: Row) -> Row:
    return replace(
        row,
        quantity=-row.quantity,
        discount=-row.discount,
        net=-row.net,
        taxes=[{**tax, "amount": -tax["amount"]} for tax in row.taxes],
    )


def _remaining(documents: Sequence[Document]) -> list[Row]:
    """All that is documented and not credited: by line where that is exact, else by rate."""
    is_by_line = all(row.line_id and not each.source for each in documents for row in each.rows)
    if is_by_line:
        _none, lines = _edited((), documents)
        return lines
    return [row for row in _by_rate(documents) if row.gross]


def _by_rate(documents: Iterable[Document]) -> list[Row]:
    """What documents come to, a row for each set of rates and reasons."""
    groups: dict[tuple[tuple[str, str], ...], Row] = {}
    for document in documents:
        for row in document.rows:
            signed = row if document.sign > 0 else _negated(row)
            key = tuple(_rate_of(tax) for tax in row.taxes)
            empty = Row(net=0, taxes=[{**tax, "amount": 0} for tax in row.taxes])
            group = _added(groups.get(key, empty), signed)
            groups[key] = replace(group, quantity=1, discount=0)
    return list(groups.values())


def _sum(document: Document, amount: int, documents: Sequence[Document]) -> Document:
    """The document with a sum, spread over the rates of what is documented."""
    groups = [row for row in _by_rate(documents) if row.gross > 0]
    shares = split(amount, [row.gross for row in groups])
    rows = [row.part(gross) for row, gross in zip(groups, shares, strict=True) if gross]
    return replace(document, rows=rows)


def _balance(documents: Iterable[Document]) -> int:
    return sum(each.sign * each.gross for each in documents)


def _invoice(cause: Cause, rows: Sequence[Row]) -> Document:
    return Document(kind=InvoiceKind.INVOICE, cause=cause, rows=list(rows))


def _credit(cause: Cause, rows: Sequence[Row], source: str = "") -> Document:
    return Document(kind=InvoiceKind.CREDIT_NOTE, cause=cause, source=source, rows=list(rows))


def _share(amount: int, part: int, whole: int) -> int:
    """As `share`, also of nothing and of what is below zero."""
    if whole == 0:
        return 0
    if amount < 0:
        return -share(-amount, part=part, whole=whole)
    return share(amount, part=part, whole=whole)


@dataclass(frozen=True, kw_only=True, slots=True)
class RateTotal:
    """What a document takes at one rate; `reason` says why that is nothing."""

    percent: str
    reason: str = ""
    net: int
    tax: int


def rate_totals(rows: Iterable[Row]) -> list[RateTotal]:
    """Taxable amount and tax for each rate and reason, the highest rate first."""
    totals: dict[tuple[str, str], RateTotal] = {}
    for row in rows:
        for tax in row.taxes:
            percent, reason = rate = _rate_of(tax)
            before = totals.get(rate) or RateTotal(percent=percent, reason=reason, net=0, tax=0)
            totals[rate] = replace(before, net=before.net + row.net, tax=before.tax + tax["amount"])
    return sorted(totals.values(), key=lambda each: -Decimal(each.percent))


def _rate_of(tax: TaxShare) -> tuple[str, str]:
    return tax["percent"], tax.get("reason", "")


def without_tax(amount: Decimal, percents: Iterable[str]) -> Decimal:
    """An amount without the taxes that it contains, not rounded."""
    return amount / (1 + sum(map(Decimal, percents), Decimal(0)) / 100)


def price_without_tax(amount: int, currency: str, percents: Iterable[str]) -> str:
    """What a price that contains taxes at these rates comes to without them, in major units."""
    digits = exponent_of(currency)
    price = without_tax(Decimal(amount).scaleb(-digits), percents)
    exact = price.quantize(Decimal(1).scaleb(-digits - PRICE_DIGITS), ROUND_HALF_UP)
    plain = exact.quantize(Decimal(1).scaleb(-digits))
    return f"{plain if plain == exact else exact:f}"


def as_json(row: Row) -> dict[str, Any]:
    """What is stored of a row."""
    return {
        "line_id": row.line_id,
        "sku": row.sku,
        "name": row.name,
        "quantity": row.quantity,
        "unit_price": row.unit_price,
        "discount": row.discount,
        "net": row.net,
        "taxes": [dict(tax) for tax in row.taxes],
    }
