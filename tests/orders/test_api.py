import uuid

import pytest

from lavka.orders import tokens
from tests.accounts.factories import make_customer, make_staff, token_of
from tests.client import Api
from tests.orders.factories import ADDRESS, make_draft, make_order

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_customer_reads_their_order(api: Api):
    customer = make_customer()
    order = make_order(customer=customer)

    found = api.get(f"/orders/{order.pk}/", token=token_of(customer)).json()

    assert (found["id"], found["number"], found["status"]) == (str(order.pk), "1", "placed")
    assert found["totals"] == {
        "subtotal": {"amount": 2598, "currency": "USD"},
        "discount": {"amount": 0, "currency": "USD"},
        "shipping": {"amount": 500, "currency": "USD"},
        "tax": {"amount": 620, "currency": "USD"},
        "total": {"amount": 3718, "currency": "USD"},
        "is_tax_included": False,
    }
    assert [(line["sku"], line["quantity"]) for line in found["lines"]] == [("KETTLE-RED", 2)]
    assert found["shipping_address"] == ADDRESS
    assert found["payment"]["status"] == "unpaid"


def test_a_guest_reads_their_order_with_its_key_only(api: Api):
    order, other = make_order(), make_order()
    key = tokens.key_of(order.pk)

    assert api.get(f"/orders/{order.pk}/?key={key}").json()["id"] == str(order.pk)
    assert api.get(f"/orders/{other.pk}/?key={key}").status_code == 404
    assert api.get(f"/orders/{order.pk}/?key=wrong").status_code == 404
    assert api.get(f"/orders/{order.pk}/").status_code == 404


def test_another_customers_order_is_not_there(api: Api):
    order = make_order(customer=make_customer())

    answer = api.get(f"/orders/{order.pk}/", token=token_of(make_customer()))

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_draft_is_no_order_yet(api: Api):
    customer, staff = make_customer(), make_staff()
    draft = make_draft(customer=customer)

    assert api.get(f"/orders/{draft.pk}/", token=token_of(customer)).status_code == 404
    assert api.get("/orders/", token=token_of(customer)).json()["items"] == []
    assert api.get(f"/manage/orders/{draft.pk}/", token=token_of(staff)).status_code == 404


@pytest.mark.parametrize("orders", [1, 3])
def test_a_list_of_orders_costs_two_queries(api: Api, orders: int, django_assert_num_queries):
    customer = make_customer()
    for _ in range(orders):
        make_order(customer=customer)
    make_order()

    with django_assert_num_queries(2):
        found = api.get("/orders/", token=token_of(customer)).json()

    assert [each["number"] for each in found["items"]] == [str(n) for n in range(orders, 0, -1)]


def test_staff_filter_orders(api: Api):
    token = token_of(make_staff("orders.view_order"))
    first, second = make_order(), make_order(email="eve@example.com")

    def ids(query: str) -> list[str]:
        return [
            each["id"] for each in api.get(f"/manage/orders/?{query}", token=token).json()["items"]
        ]

    assert ids("") == [str(second.pk), str(first.pk)]
    assert ids("q=1") == [str(first.pk)]
    assert ids("q=Eve@example.com") == [str(second.pk)]
    assert ids("status=cancelled") == []
    assert ids("payment_status=unpaid&status=placed") == [str(second.pk), str(first.pk)]
    assert ids("q=99999999999999999999") == []


@pytest.mark.parametrize("query", ["status=draft", "status=x", "status=", "payment_status=x"])
def test_an_unknown_state_is_refused(api: Api, query: str):
    token = token_of(make_staff())

    answer = api.get(f"/manage/orders/?{query}", token=token)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "invalid_choice")


def test_staff_see_an_orders_history(api: Api):
    order = make_order()

    found = api.get(f"/manage/orders/{order.pk}/", token=token_of(make_staff())).json()

    assert [(entry["kind"], entry["by"], entry["actor"]) for entry in found["history"]] == [
        ("placed", "system", "tests")
    ]
    assert (
        api.get(f"/manage/orders/{uuid.uuid4()}/", token=token_of(make_staff())).status_code == 404
    )


def test_a_note_of_the_staff_is_in_the_history(api: Api):
    order, staff = make_order(), make_staff("orders.change_order")

    answer = api.post(f"/manage/orders/{order.pk}/notes/", {"text": "Call."}, token=token_of(staff))

    entry = answer.json()["history"][-1]
    assert (answer.status_code, entry["kind"], entry["actor"]) == (201, "note", staff.email)
    assert entry["details"] == {"text": "Call."}


def test_an_order_is_found_by_its_number_for_whoever_may_see_it(api):
    customer = make_customer()
    order, other = make_order(customer=customer), make_order()
    path, key = f"/orders/by-number/{order.number}/", tokens.key_of(order.pk)

    by_key = api.get(f"{path}?key={key}")
    own = api.get(path, token=token_of(customer))

    assert by_key.json()["id"] == own.json()["id"] == str(order.pk)
    for refused in (
        api.get(path),
        api.get(f"{path}?key={tokens.key_of(other.pk)}"),
        api.get(path, token=token_of(make_customer())),
        api.get(f"/orders/by-number/{other.number + 1}/?key={key}"),
        api.get(f"/orders/by-number/{'9' * 30}/?key={key}"),
    ):
        assert refused.status_code == 404
