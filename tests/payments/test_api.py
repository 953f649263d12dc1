"""Customers, and guests with the order's key, pay an order."""

import uuid

import pytest

from lavka.orders.tokens import key_of
from lavka.payments import flows
from lavka.payments.models import Payment
from lavka.payments.sandbox import provider
from lavka.payments.sandbox.models import Charge
from tests.accounts.factories import make_customer, token_of
from tests.payments.factories import make_captured, make_payment, order_of, run

pytestmark = pytest.mark.django_db


def means(token: str = "success", method: str = "sandbox") -> dict:
    return {"payment": {"method": method, "token": token}}


@pytest.fixture
def customer():
    return make_customer()


@pytest.fixture
def order(customer):
    return order_of(1299, customer=customer)


def pay(api, order, customer, token: str = "success", key: str = "a"):
    path = f"/orders/{order.pk}/payments/"
    return api.post(path, means(token), token=token_of(customer), Idempotency_Key=key)


def test_a_customer_pays_what_is_due(api, order, customer):
    answer = pay(api, order, customer)

    payment = Payment.objects.get()
    assert answer.status_code == 201
    assert answer.json() | {"created_at": ""} == {
        "id": str(payment.pk),
        "method": "sandbox",
        "status": "captured",
        "amount": {"amount": 1299, "currency": "USD"},
        "captured": {"amount": 1299, "currency": "USD"},
        "refunded": {"amount": 0, "currency": "USD"},
        "action": None,
        "reason": "",
        "created_at": "",
    }


def test_the_same_key_pays_once(api, order, customer):
    first, again = (pay(api, order, customer) for _ in range(2))

    assert first.content == again.content
    assert (again["Idempotent-Replayed"], Charge.objects.count()) == ("true", 1)


def test_a_payment_needs_a_key(api, order, customer):
    answer = api.post(f"/orders/{order.pk}/payments/", means(), token=token_of(customer))

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_required")
    assert not Payment.objects.exists()


def test_after_a_decline_another_card_pays(api, order, customer):
    refused = pay(api, order, customer, "insufficient_funds", key="a")
    paid = pay(api, order, customer, "success", key="b")

    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (402, "payment_declined")
    assert problem["details"]["reason"] == "insufficient_funds"
    assert paid.status_code == 201


def test_what_is_paid_is_not_paid_again(api, order, customer):
    pay(api, order, customer, key="a")

    again = pay(api, order, customer, key="b")

    assert (again.status_code, again.json()["code"]) == (409, "nothing_due")
    assert Charge.objects.count() == 1


def test_3d_secure_goes_on_when_the_customer_is_back(api, order, customer):
    asked = pay(api, order, customer, "requires_action").json()
    path = f"/orders/{order.pk}/payments/{asked['id']}/confirm/"
    early = api.post(path, token=token_of(customer))
    provider.confirm_charge(charge_id=Charge.objects.get().pk, is_confirmed=True)

    back = api.post(path, token=token_of(customer))

    assert asked["action"]["type"] == "redirect"
    assert early.json()["status"] == "requires_action"
    assert (back.status_code, back.json()["status"], back.json()["action"]) == (
        200, "captured", None,
    )  # fmt: skip


def test_3d_secure_that_the_customer_refused_is_402(api, order, customer):
    asked = pay(api, order, customer, "requires_action").json()
    provider.confirm_charge(charge_id=Charge.objects.get().pk, is_confirmed=False)

    back = api.post(f"/orders/{order.pk}/payments/{asked['id']}/confirm/", token=token_of(customer))

    assert back.status_code == 402


def test_another_card_gives_up_the_payment_that_waits(api, order, customer):
    waiting = pay(api, order, customer, "requires_action", key="a").json()

    paid = pay(api, order, customer, "success", key="b")

    assert paid.status_code == 201
    assert Payment.objects.get(pk=waiting["id"]).status == "voided"
    assert Charge.objects.order_by("created_at").first().status == "cancelled"


def test_a_payment_whose_provider_is_silent_stands_in_the_way_of_another(api, order, customer):
    silent = pay(api, order, customer, "error", key="a")

    other = pay(api, order, customer, "success", key="b")

    assert (silent.status_code, silent.json()["status"]) == (201, "pending")
    assert (other.status_code, other.json()["code"]) == (409, "payment_open")
    assert other.json()["details"] == {"payment": silent.json()["id"]}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/payment"),
        ({"payment": {"token": "success"}}, "#/payment/method"),
        ({"payment": {"method": "shells", "token": ""}}, "#/payment/method"),
        ({"payment": {"method": "sandbox", "token": 7}}, "#/payment/token"),
        ({"payment": {"method": "sandbox", "cvc": "123"}}, "#/payment/cvc"),
    ],
)
def test_a_bad_body_is_refused_by_its_field(api, order, customer, body, pointer):
    answer = api.post(
        f"/orders/{order.pk}/payments/", body, token=token_of(customer), Idempotency_Key="a"
    )

    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]
    assert not Payment.objects.exists()


def test_a_guest_pays_with_the_orders_key(api):
    order = order_of(1299)

    paid = api.post(
        f"/orders/{order.pk}/payments/?key={key_of(order.pk)}", means(), Idempotency_Key="a"
    )
    listed = api.get(f"/orders/{order.pk}/payments/?key={key_of(order.pk)}")

    assert paid.status_code == 201
    assert [each["id"] for each in listed.json()["items"]] == [paid.json()["id"]]


def test_another_customers_payments_are_not_found(api, order, customer):
    payment = make_payment(1299, order_id=order.pk, token="requires_action")
    run(flows.authorise, payment_id=payment.pk)
    own = order_of(1000, customer=make_customer())
    stranger = token_of(own.customer)

    answers = [
        api.get(f"/orders/{order.pk}/payments/", token=stranger),
        api.post(f"/orders/{order.pk}/payments/", means(), token=stranger, Idempotency_Key="a"),
        api.post(f"/orders/{order.pk}/payments/{payment.pk}/confirm/", token=stranger),
        api.post(f"/orders/{own.pk}/payments/{payment.pk}/confirm/", token=stranger),
        api.get(f"/orders/{order.pk}/payments/"),
        api.get(f"/orders/{order.pk}/payments/?key={key_of(own.pk)}"),
        api.get(f"/orders/{uuid.uuid4()}/payments/", token=stranger),
    ]

    assert [each.status_code for each in answers] == [404] * 7
    assert Payment.objects.get().status == "requires_action"


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_takes_the_same_queries_for_one_and_for_many(
    api, customer, count, django_assert_num_queries
):
    order = order_of(3000, customer=customer)
    for _ in range(count):
        make_captured(1000, order_id=order.pk)

    with django_assert_num_queries(4):
        page = api.get(f"/orders/{order.pk}/payments/", token=token_of(customer)).json()

    assert len(page["items"]) == count
