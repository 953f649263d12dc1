"""Documents come to what an order's customer owes, whatever happened and in whatever order."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lavka.invoices.corrections import corrected_positions
from lavka.invoices.rules import (
    Account,
    Cause,
    Document,
    InvoiceKind,
    Refund,
    Row,
    documents_due,
    price_without_tax,
    rate_totals,
)
from lavka.tax.rules import TaxShare


def row(line: str, quantity: int, gross: int, percent: str = "20") -> Row:
    tax = (2 * gross * int(percent) + 100 + int(percent)) // (2 * (100 + int(percent)))
    taxes = [{"percent": percent, "amount": tax}]
    return Row(line_id=line, name=line, quantity=quantity, net=gross - tax, taxes=taxes)


def untaxed(line: str, gross: int, reason: str) -> Row:
    taxes: list[TaxShare] = [{"percent": "0", "amount": 0, "reason": reason}]
    return Row(line_id=line, name=line, quantity=1, net=gross, taxes=taxes)


def account(*rows: Row, captured: int | None = None, **change: object) -> Account:
    total = sum(each.gross for each in rows)
    values = {"is_cancelled": False, "refunded": 0}
    paid = total if captured is None else captured
    return Account(rows=rows, total=total, captured=paid, **values | change)


def balance(documents: list[Document]) -> int:
    return sum(each.sign * each.gross for each in documents)


def kinds(documents: list[Document]) -> list[tuple[str, str, int]]:
    return [(str(each.kind), str(each.cause), each.gross) for each in documents]


def by_rate(documents: list[Document]) -> dict[str, tuple[int, int]]:
    sums: dict[str, tuple[int, int]] = {}
    for document in documents:
        for rate in rate_totals(document.rows):
            net, tax = sums.get(rate.percent, (0, 0))
            sums[rate.percent] = (net + document.sign * rate.net, tax + document.sign * rate.tax)
    return sums


KETTLE, LID = row("kettle", 3, 3000), row("lid", 1, 1000, "7")


def test_what_is_sold_is_invoiced_once():
    sold = account(KETTLE, LID)

    first = documents_due(sold, [])

    assert kinds(first) == [("invoice", "sale", 4000)]
    assert documents_due(sold, first) == []


def test_a_refund_of_pieces_is_credited_with_their_tax():
    issued = documents_due(account(KETTLE, LID), [])
    refund = Refund(source="refund a", amount=1000, pieces={"kettle": 1})

    [credit] = documents_due(account(KETTLE, LID, refunded=1000, refunds=[refund]), issued)

    assert (credit.kind, credit.cause, credit.source) == ("credit_note", "refund", "refund a")
    [piece] = credit.rows
    assert (piece.line_id, piece.quantity, piece.net, piece.tax) == ("kettle", 1, 833, 167)


def test_the_pieces_of_a_line_are_credited_to_the_last_unit():
    """A third of 10.00 is no whole number of cents, and three thirds are."""
    thing = row("thing", 3, 1000)
    issued = documents_due(account(thing), [])
    refunds: list[Refund] = []
    for number, amount in enumerate([333, 334, 333]):
        refunds.append(Refund(source=f"refund {number}", amount=amount, pieces={"thing": 1}))
        refunded = sum(each.amount for each in refunds)
        issued += documents_due(account(thing, refunded=refunded, refunds=refunds), issued)

    assert [each.gross for each in issued] == [1000, 333, 334, 333]
    assert by_rate(issued) == {"20": (0, 0)}


def test_a_refund_of_a_sum_is_spread_over_the_rates():
    issued = documents_due(account(KETTLE, LID), [])
    refund = Refund(source="refund a", amount=400)

    [credit] = documents_due(account(KETTLE, LID, refunded=400, refunds=[refund]), issued)

    assert [(each.rates, each.gross) for each in credit.rows] == [(("20",), 300), (("7",), 100)]
    assert credit.gross == 400


def test_a_refund_that_is_under_way_waits_for_the_rest_of_it():
    issued = documents_due(account(KETTLE), [])
    begun = Refund(source="refund a", amount=400, pieces={"kettle": 1}, is_open=True)
    done = replace(begun, amount=1000, is_open=False)

    assert documents_due(account(KETTLE, refunded=400, refunds=[begun]), issued) == []
    [credit] = documents_due(account(KETTLE, refunded=1000, refunds=[done]), issued)
    assert credit.gross == 1000


def test_an_edit_is_a_further_invoice_for_more_and_a_credit_note_for_less():
    issued = documents_due(account(KETTLE, LID), [])
    fewer, mug = row("kettle", 2, 2000), row("mug", 1, 500)

    more = documents_due(account(fewer, mug, captured=4000), issued)

    assert kinds(more) == [("invoice", "edit", 500), ("credit_note", "edit", 2000)]
    dropped = {each.line_id: each.quantity for each in more[1].rows}
    assert dropped == {"kettle": 1, "lid": 1}
    assert documents_due(account(fewer, mug, captured=4000, refunded=1500), [*issued, *more]) == []


def test_money_that_was_too_much_goes_back_without_a_document():
    issued = documents_due(account(KETTLE), [])

    assert documents_due(account(KETTLE, captured=3500, refunded=500), issued) == []


def test_a_cancellation_takes_back_all_that_is_left():
    refund = Refund(source="refund a", amount=400)
    issued = documents_due(account(KETTLE, LID), [])
    issued += documents_due(account(KETTLE, LID, refunded=400, refunds=[refund]), issued)

    gone = account(KETTLE, LID, is_cancelled=True, refunded=4000, refunds=[refund])
    [credit] = documents_due(gone, issued)

    assert (credit.cause, credit.gross) == (Cause.CANCELLATION, 3600)
    assert by_rate([*issued, credit]) == {"20": (0, 0), "7": (0, 0)}


def test_reasons_of_no_tax_stay_with_their_sums():
    """Also when sums of two reasons are refunded, and when an edit changes the words."""
    abroad = untaxed("abroad", 300, "Reverse charge")
    exempt = untaxed("exempt", 100, "Article 132")
    issued = documents_due(account(abroad, exempt), [])
    refund = Refund(source="refund a", amount=40)

    [credit] = documents_due(account(abroad, exempt, refunded=40, refunds=[refund]), issued)
    reworded = account(untaxed("abroad", 300, "Reverse charge, article 196"), exempt)

    for document, amounts in ((issued[0], (300, 100)), (credit, (30, 10))):
        totals = [(each.reason, each.net) for each in rate_totals(document.rows)]
        assert totals == list(zip(("Reverse charge", "Article 132"), amounts, strict=True))
    assert documents_due(reworded, issued) == []


def test_what_was_cancelled_before_its_invoice_has_none():
    assert documents_due(account(KETTLE, is_cancelled=True), []) == []


def test_a_refund_that_was_paid_again_is_owed_again():
    refund = Refund(source="refund a", amount=400)
    issued = documents_due(account(KETTLE), [])
    issued += documents_due(account(KETTLE, refunded=400, refunds=[refund]), issued)

    again = documents_due(account(KETTLE, captured=3400, refunded=400, refunds=[refund]), issued)

    assert kinds(again) == [("invoice", "edit", 400)]
    assert balance([*issued, *again]) == 3000


def test_a_price_without_tax_has_digits_enough():
    assert price_without_tax(1190, "EUR", ["19"]) == "10.00"
    assert price_without_tax(999, "EUR", ["19"]) == "8.3950"
    assert price_without_tax(1000, "JPY", ["10"]) == "909.09"
    assert price_without_tax(12345, "KWD", []) == "12.345"
    assert price_without_tax(1000, "CAD", ["5", "7"]) == "8.9286"


AMOUNTS, RATES = st.integers(0, 100_000), st.sampled_from(["0", "7", "20"])
LINES = st.lists(st.tuples(st.integers(1, 5), AMOUNTS, RATES), min_size=1, max_size=4)


@st.composite
def happenings(draw: st.DrawFn) -> list[Account]:
    """States of one order, each after the one before, as the shop would make them."""
    rows = [
        row(f"line {number}", count, gross, percent)
        for number, (count, gross, percent) in enumerate(draw(LINES))
    ]
    state = account(*rows, captured=0)
    states, refunds = [state], []
    for step in draw(st.lists(st.sampled_from("cpresex"), max_size=6)):
        held = state.captured - state.refunded
        if step == "c":
            state = replace(state, captured=max(state.captured, state.total + state.refunded))
        elif step == "p":
            state = replace(state, captured=state.captured + draw(st.integers(0, state.total)))
        elif step == "r" and held > 0:
            refund = Refund(source=f"refund {len(refunds)}", amount=draw(st.integers(1, held)))
            refunds.append(refund)
            refunded = state.refunded + refund.amount
            state = replace(state, refunded=refunded, refunds=tuple(refunds))
        elif step == "s" and held > state.total:
            state = replace(state, refunded=state.captured - state.total)
        elif step == "e":
            number, (count, gross, percent) = draw(st.integers(0, 4)), draw(LINES)[0]
            kept = {each.line_id: each for each in state.rows}
            kept[f"line {number}"] = row(f"line {number}", count, gross, percent)
            state = replace(
                state, rows=tuple(kept.values()), total=sum(each.gross for each in kept.values())
            )
        elif step == "x":
            state = replace(state, is_cancelled=True, refunded=state.captured)
            states.append(state)
            break
        states.append(state)
    return states


@given(happenings(), st.sets(st.integers(0, 7)))
def test_documents_come_to_what_is_owed_and_end_there(states: list[Account], missed: set[int]):
    """Also when a worker sees only some of the states, and each of them twice."""
    issued: list[Document] = []
    for number, state in enumerate(states):
        if number in missed and number < len(states) - 1:
            continue
        issued += documents_due(state, issued)
        assert documents_due(state, issued) == []
        assert balance(issued) == (state.owed if issued else 0)

    for each, corrected in zip(issued, corrected_positions(issued), strict=True):
        assert bool(corrected) is (each.kind == InvoiceKind.CREDIT_NOTE)
        assert {issued[position].kind for position in corrected} <= {InvoiceKind.INVOICE}
    assert all(each.gross >= 0 for each in issued)
    assert [each.kind for each in issued[:1]] in ([], [InvoiceKind.INVOICE])
    if states[-1].is_cancelled:
        assert set(by_rate(issued).values()) <= {(0, 0)}


@given(AMOUNTS, st.integers(1, 9), RATES)
def test_all_pieces_of_a_row_are_the_row(gross: int, pieces: int, percent: str):
    whole = row("line", pieces, gross, percent)
    parts = [whole.pieces(each, each + 1) for each in range(pieces)]

    assert whole.part(gross) == whole
    assert sum(each.net for each in parts) == whole.net
    assert sum(each.tax for each in parts) == whole.tax
