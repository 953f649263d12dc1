"""What a document looks like, and that it can be printed again."""

import datetime
import io
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from pypdf import PdfReader

from lavka.invoices.models import Invoice
from lavka.invoices.services import issue_invoices
from lavka.invoices.typesetting import pdf_of
from lavka.orders.models import Order
from tests.orders.factories import ADDRESS, make_line, make_order

pytestmark = pytest.mark.django_db


def text_of(pdf: bytes) -> str:
    """What a reader sees, its white space made one."""
    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def issue(order: Order) -> Invoice:
    [invoice] = issue_invoices(order_id=order.pk, at=timezone.now())
    return invoice


def text(*lines: Any, **overrides: Any) -> str:
    return text_of(pdf_of(issue(make_order(*lines, **overrides))))


def test_an_invoice_says_what_the_directive_asks_for():
    """Source: Directive 2006/112/EC, article 226."""
    order = make_order(make_line(discount=98, tax=500), vat_number="FRXX999999999")
    day = timezone.localdate().strftime("%b. ")

    printed = text_of(pdf_of(issue(order)))

    assert "Invoice № INV-000001" in printed
    assert "Date of issue" in printed
    assert day[:3] in printed
    assert "Date of supply upon dispatch" in printed
    assert "Tea & Kettles Ltd 1 Market Street London E1 6AN United Kingdom" in printed
    assert "VAT number: GB123456789 Tax number: 12/345/67890" in printed
    assert "Ada Lovelace 12 St James's Square LONDON SW1Y 4JH United Kingdom" in printed
    assert "VAT number: FRXX999999999" in printed
    assert "Whistling kettle (Color: Red) KETTLE-RED 2 12.99 0.98 25.00 20 % 5.00" in printed
    assert "Shipping: Standard 1 5.00 5.00 20 % 1.00" in printed
    assert "Total without tax 30.00 USD Tax at 20 % on 30.00 USD 6.00 USD" in printed
    assert "Total 36.00 USD" in printed
    assert "Tea & Kettles Ltd · Companies House 01234567 · hello@kettles.example" in printed


def test_an_order_that_waits_for_its_money_says_until_when(settings: Any):
    settings.TIME_ZONE = "Asia/Tokyo"
    due_at = datetime.datetime(2027, 3, 2, 22, 30, tzinfo=datetime.UTC)
    orders = [make_order(), make_order(), make_order(language="ru"), make_order()]
    waiting, paid, _russian, none = orders
    Order.objects.exclude(pk=none.pk).update(payment_due_at=due_at)
    Order.objects.filter(pk=paid.pk).update(captured_amount=F("total_amount"))

    texts = [text_of(pdf_of(issue(each))) for each in orders]

    assert "Payment due by March 3, 2027, 7:30 a.m." in texts[0]
    assert "Оплатить до 3 марта 2027 г. 7:30" in texts[2]
    for text in (texts[1], texts[3]):
        assert "Payment due by" not in text
    issued = Invoice.objects.get(order=waiting).content["payment_due_at"]
    assert datetime.datetime.fromisoformat(issued) == due_at


def test_each_rate_has_its_amount_and_its_tax():
    tea = make_line(name="Tea", sku="TEA", unit_price=1000, quantity=1, tax=70, percent="7")

    printed = text(make_line(tax=520), tea)

    assert "Tax at 20 % on 30.98 USD 6.20 USD Tax at 7 % on 10.00 USD 0.70 USD" in printed


def test_two_taxes_on_one_line_are_both_there():
    taxes = [{"percent": "5", "amount": 50}, {"percent": "9.975", "amount": 100}]

    printed = text(make_line(unit_price=1000, quantity=1, taxes=taxes), shipping=0, shipping_tax=0)

    assert "10.00 5 % + 9.975 % 1.50" in printed
    assert "Tax at 9.975 % on 10.00 USD 1.00 USD Tax at 5 % on 10.00 USD 0.50 USD" in printed


def test_prices_that_contain_their_tax_are_told_without_it():
    line = make_line(unit_price=1190, quantity=2, tax=361, percent="19", discount=120)

    printed = text(line, is_tax_included=True, shipping=0, shipping_tax=0, currency="EUR")

    assert "KETTLE-RED 2 10.00 1.01 18.99 19 % 3.61" in printed
    assert "Total without tax 18.99 EUR" in printed
    assert "Total 22.60 EUR" in printed


@pytest.mark.parametrize(
    ("currency", "price", "line", "total"),
    [
        ("JPY", 1299, "2 1,299 2,598 20 % 520", "Total 3,118 JPY"),
        ("USD", 1299, "2 12.99 25.98 20 % 5.20", "Total 31.18 USD"),
        ("KWD", 1299, "2 1.299 2.598 20 % 0.520", "Total 3.118 KWD"),
    ],
)
def test_money_has_the_digits_of_its_currency(currency: str, price: int, line: str, total: str):
    kettle = make_line(unit_price=price, quantity=2, tax=520)

    printed = text(kettle, currency=currency, shipping=0, shipping_tax=0)

    assert line in printed
    assert total in printed


def test_a_russian_order_has_a_russian_invoice():
    address = ADDRESS | {"name": "Ада Лавлейс", "city": "Санкт-Петербург"}
    line = make_line(name="Чайник со свистком", unit_price=129_900)

    printed = text(line, language="ru", shipping_address=address, currency="RUB")

    assert "Счёт № INV-000001" in printed
    assert "Чайник со свистком" in printed
    assert "Ада Лавлейс" in printed
    assert "Дата выставления" in printed
    assert "Налог 20 % с 2 603,00 RUB" in printed.replace("\xa0", " ")


def test_what_customers_write_is_not_read_as_markup():
    address = ADDRESS | {"name": '*Ada* #read("/etc/passwd") $x$'}

    assert '*Ada* #read("/etc/passwd") $x$' in text(shipping_address=address)


def test_long_orders_take_more_pages():
    invoice = issue(make_order(*(make_line(sku=f"SKU-{number}") for number in range(100))))

    reader = PdfReader(io.BytesIO(pdf_of(invoice)))

    assert len(reader.pages) > 2
    assert "SKU-99" in reader.pages[-1].extract_text()


def test_a_document_is_printed_alike_whatever_has_changed_since(settings: Any):
    order = make_order(language="ru")
    invoice = issue(order)
    before = pdf_of(Invoice.objects.get(pk=invoice.pk))

    settings.LAVKA = settings.LAVKA | {"SELLER": {"name": "Somebody Else"}, "SHOP_NAME": "Else"}
    settings.TIME_ZONE = "Pacific/Kiritimati"
    Order.objects.filter(pk=order.pk).update(email="other@example.com", language="en")
    order.lines.update(name="Something else")

    assert pdf_of(Invoice.objects.get(pk=invoice.pk)) == before


def test_a_document_is_never_changed_or_deleted():
    invoice = issue(make_order())

    with pytest.raises(IntegrityError), transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).update(total_amount=1, net_amount=1, tax_amount=0)
    with pytest.raises(IntegrityError), transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).delete()

    assert Invoice.objects.get(pk=invoice.pk).total_amount == invoice.total_amount


def test_an_order_from_before_rates_were_kept_shows_what_its_tax_comes_to():
    order = make_order(make_line(tax=520))
    order.lines.update(taxes=[])
    Order.objects.filter(pk=order.pk).update(shipping_taxes=[])

    assert "25.98 20 % 5.20" in text_of(pdf_of(issue(order)))
