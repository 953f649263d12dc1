"""An invoice without tax says why. Source: Directive 2006/112/EC, article 226 (11) and (11a)."""

from typing import Any

import pytest
from django.utils import timezone

from lavka.invoices.models import Invoice
from lavka.invoices.services import issue_invoices
from lavka.invoices.typesetting import pdf_of
from lavka.orders.models import Order
from lavka.tax.models import TaxRate
from lavka.tax.rules import TaxShare
from tests.accounts.factories import make_staff, token_of
from tests.checkout.factories import Buyer, make_ready_cart
from tests.client import Api
from tests.happening import follow_events
from tests.inventory.factories import make_stock
from tests.invoices.test_issuing import Shop
from tests.invoices.test_printing import text_of
from tests.orders.factories import make_line, make_order


class ReverseCharge:
    """A calculator of a shop that sells to companies of other countries."""

    def taxes(self, *, parts: Any, **_: Any) -> list[list[TaxShare]]:
        """Nothing of goods, whose buyer pays the tax; nothing is said about shipping."""
        charged: TaxShare = {"percent": "0", "amount": 0, "reason": "Reverse charge"}
        return [[charged if each.variant_id else {"percent": "0", "amount": 0}] for each in parts]


@pytest.mark.django_db(transaction=True)
def test_the_reason_of_a_calculator_is_frozen_and_printed(api: Api, settings: Any):
    name = f"{__name__}.{ReverseCharge.__name__}"
    settings.LAVKA = settings.LAVKA | {"TAX_CALCULATOR": name}

    shop = Shop(api)
    shop.refund(100)
    shop.edit({"add": [{"variant_id": str(make_stock(5).pk), "quantity": 1}]})

    assert shop.first.taxes == [{"percent": "0", "amount": 0, "reason": "Reverse charge"}]
    assert shop.order.shipping_taxes == [{"percent": "0", "amount": 0}]
    sale, credit, added = Invoice.objects.order_by("id")
    rates = api.get(f"/manage/invoices/{sale.pk}/", token=shop.staff).json()["rates"]
    assert [(each["percent"], each["reason"]) for each in rates] == [
        ("0", "Reverse charge"), ("0", ""),
    ]  # fmt: skip
    for document in (sale, credit, added):
        printed = text_of(pdf_of(document))
        assert "Tax at 0 % on " in printed
        assert " USD: Reverse charge 0.00 USD" in printed


@pytest.mark.django_db(transaction=True)
def test_the_reason_of_a_rate_is_printed_as_it_was_sold(api: Api):
    cart = make_ready_cart(make_stock(9))
    TaxRate.objects.update(percent=0, reason="Вывоз, статья 164 НК РФ")
    buyer = Buyer(api, cart)
    order = Order.objects.get(pk=buyer.check_out().json()["order"]["id"])
    TaxRate.objects.update(reason="Other words")
    follow_events()

    printed = text_of(pdf_of(Invoice.objects.get(order=order)))

    assert "Вывоз, статья 164 НК РФ 0.00 USD" in printed
    assert "Other words" not in printed


@pytest.mark.django_db
def test_a_document_from_before_reasons_stays_readable(api: Api):
    order = make_order(make_line(tax=0, percent="0"), shipping=0, shipping_tax=0)
    [issued] = issue_invoices(order_id=order.pk, at=timezone.now())
    assert "reason" not in issued.content["rows"][0]["taxes"][0]
    earlier = Invoice.objects.get(pk=issued.pk)
    earlier.pk, earlier.number, earlier.name, earlier.cause = None, 2, "INV-000002", "edit"
    del earlier.content["rates"][0]["reason"]
    earlier.save(force_insert=True)

    content = api.get(f"/manage/invoices/{earlier.pk}/", token=token_of(make_staff())).json()

    assert content["rates"][0]["reason"] == content["rows"][0]["taxes"][0]["reason"] == ""
