"""Staff find orders, and what belongs to them, by what a customer says on the telephone."""

import datetime
import uuid
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from lavka.accounts.selectors import customers
from lavka.fulfilment.models import ReturnRequest
from lavka.orders import selectors
from lavka.orders.models import Order
from tests.accounts.factories import make_customer, make_staff, token_of
from tests.client import Api
from tests.orders.factories import ADDRESS, make_draft, make_line, make_order

pytestmark = pytest.mark.django_db

GRACE = ADDRESS | {
    "name": "Grace Brewster Hopper",
    "city": "Санкт-Петербург",
    "postal_code": "190000",
    "phone": "+7 (812) 555-01-47",
}
FOUND = [
    "hopper", "Grace hopper", "BREWSTER", "санкт-петербург", "grace Петербург", "190000",
    "+7 812 555 01 47", "8125550147", "555-01-47", "teapot-9", "TEAPOT-9-BLUE",
    "amazing@navy.example", "Amazing@Navy", "№ 2", "#2", " 2 ",
]  # fmt: skip
COPIED = [
    "email", "status", "currency", "subtotal_amount", "shipping_amount", "tax_amount",
    "total_amount", "shipping_option", "placed_at",
]  # fmt: skip
NOT_FOUND = ["Grace Lovelace", "teapots", "5550148", "3", "%", "_", "0147", "99999999999999999999"]


def make_graces() -> Order:
    make_order()
    line = make_line(sku="TEAPOT-9-BLUE")
    return make_order(line, email="amazing@navy.example", shipping_address=GRACE)


def ids(api: Api, query: str, path: str = "orders") -> list[str]:
    answer = api.get(f"/manage/{path}/?{query}", token=token_of(make_staff()))
    assert answer.status_code == 200, answer.content
    return [each["id"] for each in answer.json()["items"]]


def test_orders_are_found_by_name_city_phone_sku_address_and_number(api: Api):
    order = make_graces()
    make_draft(email="amazing@navy.example", shipping_address=GRACE)

    found = {text: ids(api, f"q={quote(text)}") for text in [*FOUND, *NOT_FOUND]}

    assert {text: found[text] for text in FOUND} == {text: [str(order.pk)] for text in FOUND}
    assert [text for text in NOT_FOUND if found[text]] == []


def test_the_page_of_orders_finds_as_much(client: Client):
    order = make_graces()
    client.force_login(make_staff())
    page = reverse("admin:orders_order_changelist")

    for text in FOUND:
        listed = client.get(page, {"q": text}).context["cl"].queryset
        assert [each.pk for each in listed] == [order.pk], text
    for text in [*NOT_FOUND, "x" * 500]:
        assert list(client.get(page, {"q": text}).context["cl"].queryset) == [], text


def test_orders_are_found_by_the_days_on_which_they_were_placed(api: Api):
    orders = [make_order() for _ in range(3)]
    for day, order in enumerate(orders, start=1):
        placed_at = datetime.datetime(2026, 3, day, 23, 59, 59, tzinfo=datetime.UTC)
        Order.objects.filter(pk=order.pk).update(placed_at=placed_at)
    first, second, third = (str(order.pk) for order in orders)

    assert ids(api, "placed_since=2026-03-02") == [third, second]
    assert ids(api, "placed_until=2026-03-02") == [second, first]
    assert ids(api, "placed_since=2026-03-02&placed_until=2026-03-02&q=lovelace") == [second]
    assert ids(api, "placed_since=1900-01-01&placed_until=2999-12-31") == [third, second, first]


@pytest.mark.parametrize(
    "query",
    [
        "placed_since=yesterday", "placed_since=2026-02-30", "placed_since=20260301",
        "placed_since=", "placed_until=9999-12-31", "placed_until=0001-01-01",
        "placed_since=2026-03-02&placed_until=2026-03-01", "placed_since=2026-03-01T00:00:00Z",
        f"q={'x' * 255}",
    ],
)  # fmt: skip
def test_what_is_no_day_and_what_is_too_long_is_refused(api: Api, query: str):
    answer = api.get(f"/manage/orders/?{query}", token=token_of(make_staff()))

    assert answer.status_code == 422, answer.content


def test_returns_and_documents_are_found_like_their_orders(api: Api):
    order, at = make_graces(), datetime.datetime.now(datetime.UTC)
    asked = ReturnRequest.objects.create(order=order, reason="damaged", requested_at=at)

    assert ids(api, "q=hopper", "returns") == [str(asked.pk)]
    assert ids(api, "q=lovelace", "returns") == []
    assert ids(api, "q=hopper", "invoices") == []


def test_customers_are_found_by_name_and_address(api: Api):
    grace = make_customer(email="amazing@navy.example", name="Grace Brewster Hopper")

    for text in ("hopper grace", "AMAZING@", "navy.example", "brew"):
        assert ids(api, f"q={quote(text)}", "customers") == [str(grace.pk)], text
    assert ids(api, f"q={quote('grace lovelace')}", "customers") == []


def test_customers_are_found_with_accents_and_without(api: Api, client: Client):
    people = {
        name: make_customer(email=f"{number}@example.com", name=name)
        for number, name in enumerate(("Пётр Семёнов", "Jürgen Müller", "Jurgen Muller", "Lodz"))
    }
    client.force_login(make_staff(email="page@example.com"))
    page = reverse("admin:accounts_user_changelist")

    for text, names in {
        "семенов петр": ["Пётр Семёнов"],
        "СЕМЁНОВ": ["Пётр Семёнов"],
        "muller": ["Jürgen Müller", "Jurgen Muller"],
        "Jürgen MÜLLER": ["Jürgen Müller", "Jurgen Muller"],
        "łódź": ["Lodz"],
        "1@éxample.com": [],
        "%": [],
        "🫖": [],
    }.items():
        wanted = {str(people[name].pk) for name in names}
        assert set(ids(api, f"q={quote(text)}", "customers")) == wanted, text
        listed = client.get(page, {"q": text}).context["cl"].queryset
        assert {str(user.pk) for user in listed} == wanted, text


def plan_of(rows: Any) -> str:
    """How PostgreSQL would read them if tables were larger: small ones it reads as they are."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        return str(rows.explain())


def test_a_search_reads_an_index_for_each_way_to_find():
    order = make_graces()
    Order.objects.bulk_create(
        Order(
            number=number,
            cart_id=uuid.uuid4(),
            **{name: getattr(order, name) for name in COPIED},
            shipping_address=ADDRESS | {"name": f"Customer {number}"},
        )
        for number in range(1000, 3000)
    )
    with connection.cursor() as cursor:
        # As autovacuum does: what waits to be indexed is read through by every search.
        cursor.execute("SELECT gin_clean_pending_list('order_found_by')")
        cursor.execute("ANALYZE orders_order, orders_orderline")

    words = plan_of(Order.objects.filter(pk__in=selectors.ids_matching("grace hopper")))
    digits = plan_of(Order.objects.filter(pk__in=selectors.ids_matching("8125550147")))
    code = plan_of(Order.objects.filter(pk__in=selectors.ids_matching("1010")))

    for index in ("order_email", "order_line_sku", "order_found_by"):
        assert index in words, words
        assert index in digits, digits
        assert index in code, code
    assert "order_number_once" in digits, digits
    assert "Seq Scan" not in words + digits + code


def test_a_search_of_customers_reads_both_indexes():
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")
        plan = customers(query="grace hopper").explain()

    assert "user_name_folded" in plan, plan
    assert "user_email_contains" in plan, plan
