"""A credit note names the invoices whose rows hold what it takes back."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from lavka.invoices.corrections import corrected_positions
from lavka.invoices.models import Invoice
from lavka.invoices.rules import Cause, Document, InvoiceKind, Row
from lavka.invoices.typesetting import pdf_of
from tests.accounts.factories import make_staff
from tests.client import Api
from tests.inventory.factories import make_stock
from tests.invoices.test_issuing import Shop
from tests.invoices.test_printing import text_of
from tests.invoices.test_rules import row


def invoice(*rows: Row) -> Document:
    cause = Cause.SALE
    return Document(kind=InvoiceKind.INVOICE, cause=cause, rows=rows)


def credit(*rows: Row) -> Document:
    return Document(kind=InvoiceKind.CREDIT_NOTE, cause=Cause.REFUND, rows=rows)


def named(*documents: Document) -> list[list[int]]:
    """What each credit note among them corrects."""
    found = corrected_positions(documents)
    notes = [each.kind == InvoiceKind.CREDIT_NOTE for each in documents]
    assert all(bool(corrected) is note for corrected, note in zip(found, notes, strict=True))
    return [corrected for corrected in found if corrected]


KETTLE, LID, MUG = row("kettle", 3, 3000), row("lid", 1, 1000, "7"), row("mug", 1, 500)


def test_a_line_is_found_on_the_invoice_that_has_it():
    sold, added = invoice(KETTLE, LID), invoice(MUG)

    assert named(sold, added, credit(MUG)) == [[1]]
    assert named(sold, added, credit(LID)) == [[0]]
    assert named(sold, added, credit(LID, MUG)) == [[0, 1]]
    assert named(sold, added, credit(LID), invoice(row("pot", 1, 10)), credit(MUG)) == [[0], [1]]


def test_pieces_of_one_line_are_taken_back_from_the_latest_invoice_first():
    sold, added = invoice(KETTLE), invoice(row("kettle", 1, 1001))
    one = credit(row("kettle", 1, 1000))

    assert named(sold, added, one, one, one) == [[1], [0], [0]]
    assert named(sold, added, credit(row("kettle", 3, 3000))) == [[0, 1]]


def test_a_line_whose_rate_has_changed_is_found_at_its_rate():
    sold, anew = invoice(KETTLE), invoice(row("kettle", 3, 2850, "7"))

    assert named(sold, anew, credit(KETTLE)) == [[0]]


def test_an_edit_of_the_amount_alone_is_found():
    sold, dearer = invoice(KETTLE), invoice(row("kettle", 0, 30))

    assert named(sold, dearer, credit(row("kettle", 0, 20))) == [[1]]
    assert named(sold, dearer, credit(row("kettle", 3, 3030))) == [[0, 1]]


def test_a_sum_is_found_by_its_rate():
    sold, added = invoice(KETTLE, LID), invoice(MUG)

    assert named(sold, added, credit(row("", 1, 400, "7"))) == [[0]]
    assert named(sold, added, credit(row("", 1, 400))) == [[1]]
    assert named(sold, added, credit(row("", 1, 400)), credit(row("", 1, 300))) == [[1], [0, 1]]
    assert named(sold, added, credit(row("", 1, 400, "7"), row("", 1, 3000))) == [[0, 1]]


def test_what_no_invoice_holds_any_more_is_still_referred_to_one():
    sold, added = invoice(KETTLE), invoice(MUG)

    assert named(sold, added, credit(MUG), credit(MUG)) == [[1], [1]]
    assert named(sold, credit(row("", 1, 10, "0"))) == [[0]]


@pytest.fixture
def shop(api: Api) -> Shop:
    """An order with a second invoice for what staff added."""
    shop = Shop(api)
    shop.edit({"add": [{"variant_id": str(make_stock(5).pk), "quantity": 1}]})
    assert shop.documents()[1][:2] == ("invoice", "edit")
    shop.pay()
    return shop


def credit_of(shop: Shop) -> Invoice:
    return Invoice.objects.get(order=shop.order, kind="credit_note")


@pytest.mark.django_db(transaction=True)
def test_a_refund_of_what_was_added_names_the_invoice_that_has_it(shop: Shop, client: Client):
    added = shop.order.lines.order_by("position").last()

    shop.on_order("refund", {"lines": [{"line_id": str(added.pk), "quantity": 1}]})

    credit = credit_of(shop)
    assert credit.credited.name == "INV-000002"
    assert [each["name"] for each in credit.corrects] == ["INV-000002"]
    assert "Corrects invoice № INV-000002" in text_of(pdf_of(credit))
    client.force_login(make_staff())
    page = client.get(reverse("admin:invoices_invoice_change", args=[credit.pk])).content.decode()
    assert f'<a href="/admin/invoices/invoice/{credit.credited_id}/change/">INV-000002</a>' in page


@pytest.mark.django_db(transaction=True)
def test_a_cancellation_names_every_invoice(shop: Shop, api: Api):
    shop.on_order("cancel", {})

    credit, sale = credit_of(shop), Invoice.objects.get(cause="sale")
    listed = api.get(f"/manage/invoices/{credit.pk}/", token=shop.staff).json()
    assert credit.credited == sale
    assert [each["number"] for each in listed["corrects"]] == ["INV-000001", "INV-000002"]
    assert listed["corrects"][0] == {
        "id": str(sale.pk), "number": "INV-000001", "issued_on": sale.content["issued_on"],
    }  # fmt: skip
    printed = text_of(pdf_of(credit))
    assert "Corrects invoices № INV-000001, " in printed
    assert "; № INV-000002, " in printed


@pytest.mark.django_db(transaction=True)
def test_a_credit_note_of_the_earlier_shape_stays_readable(api: Api):
    shop = Shop(api)
    shop.refund(500)
    earlier = credit_of(shop)
    corrects: dict[str, Any] = {"name": "INV-000001", "issued_on": earlier.content["issued_on"]}
    earlier.pk, earlier.number, earlier.name = None, 2, "CN-000002"
    earlier.content["corrects"] = corrects
    earlier.save(force_insert=True)
    sale = Invoice.objects.get(cause="sale")
    Invoice.objects.filter(name="CN-000002").get()

    listed = api.get(f"/manage/invoices/{earlier.pk}/", token=shop.staff).json()["corrects"]

    assert listed == [
        {"id": str(sale.pk), "number": "INV-000001", "issued_on": corrects["issued_on"]}
    ]
    assert "Corrects invoice № INV-000001" in text_of(pdf_of(Invoice.objects.get(pk=earlier.pk)))


@pytest.mark.django_db(transaction=True)
def test_an_invoice_corrects_none_in_either_shape(api: Api):
    sale = Shop(api) and Invoice.objects.get()

    assert sale.corrects == []
    sale.content["corrects"] = None
    assert sale.corrects == []
