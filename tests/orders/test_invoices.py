import io

import pytest
from pypdf import PdfReader

from lavka.orders import tokens
from lavka.orders.invoices import invoice_of
from lavka.orders.selectors import with_lines
from tests.accounts.factories import make_customer, make_staff, token_of
from tests.client import Api
from tests.orders.factories import ADDRESS, make_draft, make_line, make_order

pytestmark = pytest.mark.django_db(transaction=True)


def text_of(pdf: bytes) -> str:
    """What a reader sees, its white space made one."""
    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def test_an_invoice_names_lines_sums_and_number():
    order = make_order(make_line(discount=98))

    text = text_of(invoice_of(with_lines(order.pk)))

    assert "Invoice № 1" in text
    assert "Whistling kettle (Color: Red) KETTLE-RED 2 12.99 USD 0.98 USD 25.00 USD" in text
    assert "Goods 25.98 USD Discount -0.98 USD Shipping 5.00 USD Tax 6.20 USD" in text
    assert "Total 36.20 USD" in text
    assert "12 St James's Square LONDON SW1Y 4JH United Kingdom" in text


def test_a_russian_order_has_a_russian_invoice():
    address = ADDRESS | {"name": "Ада Лавлейс", "city": "Санкт-Петербург"}
    line = make_line(name="Чайник со свистком")
    order = make_order(line, language="ru", shipping_address=address)

    text = text_of(invoice_of(with_lines(order.pk)))

    assert "Счёт № 1" in text
    assert "Чайник со свистком" in text
    assert "Ада Лавлейс" in text
    assert "Итого 37.18 USD" in text


def test_what_customers_write_is_not_read_as_markup():
    address = ADDRESS | {"name": '*Ada* #read("/etc/passwd") $x$'}
    order = make_order(shipping_address=address)

    assert '*Ada* #read("/etc/passwd") $x$' in text_of(invoice_of(with_lines(order.pk)))


def test_an_invoice_is_the_same_each_time():
    order = with_lines(make_order().pk)

    assert invoice_of(order) == invoice_of(order)


def test_long_orders_take_more_pages():
    order = make_order(*(make_line(sku=f"SKU-{number}") for number in range(100)))

    reader = PdfReader(io.BytesIO(invoice_of(with_lines(order.pk))))

    assert len(reader.pages) > 1
    assert "SKU-99" in reader.pages[-1].extract_text()


def test_customers_guests_and_staff_get_it_and_nobody_else(api: Api):
    customer = make_customer()
    order, draft = make_order(customer=customer), make_draft(customer=customer)
    path = f"/orders/{order.pk}/invoice/"

    own = api.get(path, token=token_of(customer))
    tag = own["ETag"]

    assert (own.status_code, own["Content-Type"]) == (200, "application/pdf")
    assert own["Content-Disposition"] == 'inline; filename="invoice-1.pdf"'
    assert api.get(path, token=token_of(customer), If_None_Match=tag).status_code == 304
    assert api.get(f"{path}?key={tokens.key_of(order.pk)}").content == own.content
    assert api.get(f"/manage{path}", token=token_of(make_staff())).content == own.content
    assert api.get(path).status_code == 404
    assert api.get(path, token=token_of(make_customer())).status_code == 404
    assert api.get(f"/orders/{draft.pk}/invoice/", token=token_of(customer)).status_code == 404
