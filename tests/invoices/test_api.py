"""Who gets which document."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from lavka.invoices.models import Invoice
from lavka.invoices.services import issue_invoices
from lavka.orders import services as orders
from lavka.orders import tokens
from tests.accounts.factories import make_customer, make_staff, token_of
from tests.client import Api
from tests.happening import SYSTEM
from tests.orders.factories import make_draft, make_order, make_stocked_order

pytestmark = pytest.mark.django_db(transaction=True)


def test_customers_guests_and_staff_get_it_and_nobody_else(api: Api):
    customer = make_customer()
    order, draft = make_order(customer=customer), make_draft(customer=customer)
    path = f"/orders/{order.pk}/invoice/"

    own = api.get(path, token=token_of(customer))
    tag = own["ETag"]

    assert (own.status_code, own["Content-Type"]) == (200, "application/pdf")
    assert own["Content-Disposition"] == 'inline; filename="INV-000001.pdf"'
    assert api.get(path, token=token_of(customer), If_None_Match=tag).status_code == 304
    assert api.get(f"{path}?key={tokens.key_of(order.pk)}").content == own.content
    assert api.get(f"/manage{path}", token=token_of(make_staff())).content == own.content
    assert api.get(path).status_code == 404
    assert api.get(path, token=token_of(make_customer())).status_code == 404
    assert api.get(f"/orders/{draft.pk}/invoice/", token=token_of(customer)).status_code == 404
    assert Invoice.objects.count() == 1


def cancelled_order(**whose: object):
    order = make_stocked_order(2, **whose)
    issue_invoices(order_id=order.pk, at=timezone.now())
    orders.cancel_order(order_id=order.pk, actor=SYSTEM, at=timezone.now())
    issue_invoices(order_id=order.pk, at=timezone.now())
    return order


def test_an_order_lists_its_documents(api: Api):
    customer = make_customer()
    order = cancelled_order(customer=customer)
    path = f"/orders/{order.pk}/invoices/"

    invoice, credit = api.get(path, token=token_of(customer)).json()["items"]

    assert (invoice["kind"], invoice["number"], invoice["cause"]) == (
        "invoice", "INV-000001", "sale",
    )  # fmt: skip
    assert (credit["kind"], credit["number"], credit["cause"]) == (
        "credit_note", "CN-000001", "cancellation",
    )  # fmt: skip
    assert credit["corrects"] == [
        {"id": invoice["id"], "number": "INV-000001", "issued_on": invoice["issued_on"]}
    ]
    assert credit["total"] == invoice["total"] == order.total.as_json()
    printed = api.get(f"{path}{credit['id']}/pdf/", token=token_of(customer))
    assert printed["Content-Disposition"] == 'inline; filename="CN-000001.pdf"'
    assert api.get(f"{path}{credit['id']}/pdf/").status_code == 404
    other = f"/orders/{make_order(customer=customer).pk}/invoices/{credit['id']}/pdf/"
    assert api.get(other, token=token_of(customer)).status_code == 404


def test_staff_find_documents_and_read_all_that_they_say(api: Api):
    staff, order = token_of(make_staff()), cancelled_order()
    issue_invoices(order_id=make_order().pk, at=timezone.now())

    listed = api.get("/manage/invoices/", token=staff).json()["items"]
    credits = api.get("/manage/invoices/?kind=credit_note", token=staff).json()["items"]
    of_order = api.get(f"/manage/invoices/?order={order.pk}", token=staff).json()["items"]
    by_number = api.get("/manage/invoices/?number=INV-000002", token=staff).json()["items"]
    content = api.get(f"/manage/invoices/{credits[0]['id']}/", token=staff).json()
    printed = api.get(f"/manage/invoices/{credits[0]['id']}/pdf/", token=staff)

    assert [len(each) for each in (listed, credits, of_order, by_number)] == [3, 1, 2, 1]
    assert content["seller"]["vat_number"] == "GB123456789"
    assert content["rows"][0]["taxes"] == [
        {"percent": "20", "reason": "", "amount": {"amount": 520, "currency": "USD"}}
    ]
    assert content["rows"][1]["line_id"] is None
    assert content["rates"][0]["net"] == {"amount": 3098, "currency": "USD"}
    assert printed["Content-Type"] == "application/pdf"


def test_staff_without_the_right_and_customers_get_none(api: Api):
    issue_invoices(order_id=make_order().pk, at=timezone.now())
    path = f"/manage/invoices/{Invoice.objects.get().pk}/pdf/"

    assert api.get(path, token=token_of(make_staff("catalog.view_product"))).status_code == 403
    assert api.get(path, token=token_of(make_staff("orders.view_order"))).status_code == 200


def test_the_admin_shows_documents_and_prints_them(client: Client):
    issue_invoices(order_id=make_order().pk, at=timezone.now())
    invoice = Invoice.objects.get()
    client.force_login(make_staff())

    listed = client.get(reverse("admin:invoices_invoice_changelist")).content.decode()
    page = client.get(reverse("admin:invoices_invoice_change", args=[invoice.pk]))
    printed = client.get(reverse("admin:invoices_invoice_pdf", args=[invoice.pk]))

    assert "INV-000001" in listed
    assert "37.18 USD" in listed
    assert 'name="_save"' not in page.content.decode()
    assert printed["Content-Type"] == "application/pdf"
    client.force_login(make_staff("catalog.view_product"))
    assert client.get(reverse("admin:invoices_invoice_pdf", args=[invoice.pk])).status_code == 403
