"""Which invoices a credit note corrects: those whose rows hold what it takes back.

Source: Directive 2006/112/EC, articles 219 and 226: a specific and unambiguous reference.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lavka.invoices.rules import Document, InvoiceKind, Row


def corrected_positions(documents: Sequence[Document]) -> list[list[int]]:
    """For each document of an order the positions of the invoices that it corrects.

    The invoice of which most is taken back comes first, of several alike the latest; an invoice
    corrects none. `documents` are in the order of their issue.
    """
    remainders: list[_Remainder] = []  # those of the latest invoice first
    corrected = []
    for position, document in enumerate(documents):
        taken: Counter[int] = Counter()
        if document.kind == InvoiceKind.INVOICE:
            remainders[:0] = [_remainder(position, row) for row in document.rows]
        else:
            for row in document.rows:
                taken.update(_take_back(row, remainders))
        corrected.append(sorted(taken, key=lambda each: (-taken[each], -each)))
    return corrected


@dataclass(kw_only=True, slots=True)
class _Remainder:
    """What of a row of the invoice at this position no credit note has taken back yet."""

    position: int
    line_id: str
    rates: tuple[str, ...]
    quantity: int
    gross: int

    def take(self, pieces: int, gross: int) -> tuple[int, int]:
        """Take pieces with their share of the money, or money alone; returns what was taken.

        With the last piece all money is gone: shares are rounded.
        """
        count = min(pieces, self.quantity)
        amount = min(gross, self.gross * count // self.quantity if count else self.gross)
        self.quantity -= count
        self.gross = 0 if count and not self.quantity else self.gross - amount
        return count, amount


def _remainder(position: int, row: Row) -> _Remainder:
    return _Remainder(
        position=position,
        line_id=row.line_id,
        rates=row.rates,
        quantity=_pieces(row),
        gross=row.gross,
    )


def _take_back(row: Row, remainders: Sequence[_Remainder]) -> dict[int, int]:
    """Take a credited row off those that hold it; positions of their invoices and amounts."""
    holding = _holding(row, remainders)
    pieces, gross = _pieces(row), max(row.gross, 0)
    is_by_piece = pieces > 0
    taken: Counter[int] = Counter()
    for remainder in holding:
        if not (pieces if is_by_piece else gross):
            break
        count, amount = remainder.take(pieces, gross)
        pieces, gross = pieces - count, gross - amount
        if count or amount:
            taken[remainder.position] += amount
    return taken or {each.position: gross for each in holding[:1]}


def _holding(row: Row, remainders: Sequence[_Remainder]) -> Sequence[_Remainder]:
    """The line at these rates, or the line; for a sum what was sold at these rates, or all."""
    line = [each for each in remainders if row.line_id and each.line_id == row.line_id]
    at_rates = [each for each in remainders if each.rates == row.rates]
    both = [each for each in line if each.rates == row.rates]
    return both or line or at_rates or remainders


def _pieces(row: Row) -> int:
    """A sum has none, and neither has a line of which an edit changed the amount alone."""
    return max(row.quantity, 0) if row.line_id else 0
