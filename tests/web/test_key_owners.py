"""An `Idempotency-Key` belongs to somebody: the same key of somebody else is another key."""

import secrets
import uuid
from typing import Any

import pytest
from django.urls import get_resolver
from django.utils import timezone
from rest_framework.permissions import AllowAny

from lavka.carts.models import Cart
from lavka.checkout.models import RefundClaim
from lavka.kernel.idempotency import is_unguessable
from lavka.kernel.money import Money
from lavka.orders.models import Order
from lavka.payments import services
from lavka.payments.models import Operation, Payment, ProviderEvent
from lavka.payments.sandbox import provider
from lavka.web.idempotency import KeyReused
from lavka.web.models import IdempotentRequest
from lavka.web.views import View
from tests.accounts.factories import make_customer, make_staff, token_of
from tests.carts.factories import make_cart
from tests.catalog.factories import make_variant
from tests.checkout.factories import Buyer, make_ready_cart
from tests.client import Api
from tests.happening import SYSTEM
from tests.inventory.factories import make_stock
from tests.orders.factories import make_order
from tests.payments.factories import make_captured, order_of
from tests.racing import race_each
from tests.webhooks.factories import make_endpoint

pytestmark = pytest.mark.django_db

WEAK = [
    "order-1",
    "1",
    "cart",
    "my-cart-of-today-number-000001",
    "2026-11-30T12:00:00Z-checkout-1",
    "a" * 40,
    "abc" * 12,
    "0123456789abcdef0123456789abcdef",
    "1234567890123456789012",
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef",
    "00000000-0000-0000-0000-000000000000",
    "00000000-0000-4000-8000-000000000001",
    "ffffffff-ffff-4fff-bfff-ffffffffffff",
    str(uuid.uuid5(uuid.NAMESPACE_URL, "order-1")),
    "d41d8cd9-8f00",
    "createCartForGuestCheckout",
    "openCartOfTheMobileAppV2Release",
    "Q2FydE9mR3Vlc3RDaGVja291dA",
    "CREATECARTFORGUESTCHECKOUT",
    "7CREATECARTFRGVESTCHECKKEY",
    "cart-7c1f6a52-3b0e-4d8f-9a61-2e5d90c4b7f3",
    "7c1f6a52-3b0e-1d8f-9a61-2e5d90c4b7f3",
    "9f2c61d07be84a35f1",
    "20261130221530000000000000000042",
    "00112233445566778899aabbccddeeff",
    "deadbeef" * 4,
]


@pytest.fixture(autouse=True)
def _limits_off(settings: Any) -> None:
    settings.LAVKA = settings.LAVKA | {"THROTTLES": False}


def refund(path: str, amount: int | None, token: str, key: str = "refund-1", **body: Any):
    said = body | ({"amount": {"amount": amount, "currency": "USD"}} if amount else {})
    return Api().post(f"/manage/{path}/refund/", said, token=token, Idempotency_Key=key)


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


# --- guests --------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", WEAK)
def test_a_guest_who_opens_a_cart_needs_a_key_that_nobody_guesses(api, key):
    answer = api.post("/carts/", {}, Idempotency_Key=key)

    assert problem(answer) == (400, "idempotency_key_guessable")
    assert "UUID" in answer.json()["detail"]
    assert not Cart.objects.exists()
    assert not IdempotentRequest.objects.exists()


def test_guests_behind_one_address_do_not_get_each_others_cart(api):
    keys = [str(uuid.uuid4()) for _ in range(3)]

    carts = [api.post("/carts/", {}, Idempotency_Key=key).json()["id"] for key in keys]
    again = [api.post("/carts/", {}, Idempotency_Key=key) for key in keys]

    assert len(set(carts)) == Cart.objects.count() == 3
    assert [each.json()["id"] for each in again] == carts
    assert [each["Idempotent-Replayed"] for each in again] == ["true"] * 3


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ("203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.9", False),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
    ],
)
def test_a_key_from_an_example_is_nobody_elses_elsewhere(api, first, second, is_same):
    carts = []
    for address in (first, second):
        api.client.defaults["REMOTE_ADDR"] = address
        key = "550e8400-e29b-41d4-a716-446655440000"
        carts.append(api.post("/carts/", {}, Idempotency_Key=key).json()["id"])

    assert (carts[0] == carts[1]) is is_same
    assert Cart.objects.count() == (1 if is_same else 2)


def test_a_carts_id_is_a_secret_that_owns_keys_of_its_own(api):
    variant = make_variant()
    body = {"variant_id": str(variant.pk), "quantity": 1}
    carts = [make_cart(), make_cart()]

    for _ in range(2):
        answers = [
            api.post(f"/carts/{cart.pk}/lines/", body, Idempotency_Key="line-1") for cart in carts
        ]

    assert [each.status_code for each in answers] == [201, 201]
    assert [each["Idempotent-Replayed"] for each in answers] == ["true", "true"]
    assert [cart.lines.get().quantity for cart in carts] == [1, 1]


def test_one_key_of_two_customers_and_a_guest_is_three_keys(api):
    tokens = [token_of(make_customer()), token_of(make_customer()), ""]
    key = str(uuid.uuid4())

    answers = [api.post("/carts/", {}, token=token, Idempotency_Key=key) for token in tokens]

    assert len({each.json()["id"] for each in answers}) == 3
    assert not any("Idempotent-Replayed" in each for each in answers)


@pytest.mark.parametrize(
    "make",
    [
        lambda: str(uuid.uuid4()),
        lambda: str(uuid.uuid4()).upper(),
        lambda: uuid.uuid4().hex,
        lambda: secrets.token_hex(16).upper(),
        lambda: secrets.token_hex(32),
        lambda: "01a20adc-bec6-7edd-9eea-85eaf4679678",
        lambda: "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        lambda: "01k8m2vqxw7tkc9d4ghnrpsyzb",
    ],
    ids=["uuid4", "capitals", "hex", "hex capitals", "long hex", "fixed", "ulid", "lower"],
)
def test_what_random_generators_make_is_taken(make):
    assert is_unguessable(make())


def views() -> dict[str, type[View]]:
    """Every view of the API by its path."""
    found: dict[str, type[View]] = {}

    def walk(patterns: Any, prefix: str) -> None:
        for each in patterns:
            path = prefix + str(each.pattern)
            if hasattr(each, "url_patterns"):
                walk(each.url_patterns, path)
            elif issubclass(view := getattr(each.callback, "view_class", object), View):
                found[path] = view

    walk(get_resolver("config.urls").url_patterns, "")
    return found


def test_every_write_of_guests_has_a_secret_in_its_path_or_asks_for_a_random_key(api):
    open_to_guests = {
        path: view
        for path, view in views().items()
        if AllowAny in view.permission_classes
        and view.keeps_answers
        and any(hasattr(view, method) for method in ("post", "put", "patch", "delete"))
    }
    without = {path for path, view in open_to_guests.items() if not view.guest_proof}

    assert without == {"api/v1/carts/", "api/v1/products/<slug:slug>/reviews/"}
    for path, view in open_to_guests.items():
        in_path = f"<uuid:{view.guest_proof}>" in path
        assert in_path or view.guest_proof in {"", "key"}, path


# --- staff ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["orders/{order}", "payments/{payment}"])
def test_two_of_the_staff_with_one_key_each_refund(path):
    payment = make_captured(5000)
    target = path.format(order=payment.order_id, payment=payment.pk)
    staff = [token_of(make_staff()), token_of(make_staff())]

    answers = [refund(target, 1000, token) for token in staff for _ in range(2)]

    assert [each.status_code for each in answers] == [200] * 4
    assert Payment.objects.get().refunded == 2000
    assert Operation.objects.filter(kind="refund").count() == 2


def test_two_of_the_staff_with_one_key_each_refund_pieces(api):
    placed = Buyer(api, make_ready_cart(make_stock(10), quantity=3)).check_out().json()["order"]
    lines = [{"line_id": placed["lines"][0]["id"], "quantity": 1}]
    staff = [token_of(make_staff()), token_of(make_staff())]

    answers = [refund(f"orders/{placed['id']}", None, token, lines=lines) for token in staff]

    refunded = [each.json()["payment"]["refunded"]["amount"] for each in answers]
    assert refunded == [1559, 3117]
    assert RefundClaim.objects.count() == 2


def test_a_key_of_a_colleague_captures_nothing_for_me_and_mine_does(settings):
    settings.LAVKA = settings.LAVKA | {"CAPTURES_AT_ONCE": False}
    placed = Buyer(Api(), make_ready_cart(make_stock(10), quantity=3)).check_out().json()
    path, body = (
        f"/manage/payments/{placed['payment']['id']}/capture/",
        {"amount": {"amount": 500, "currency": "USD"}},
    )
    staff = [token_of(make_staff()), token_of(make_staff())]

    answers = [Api().post(path, body, token=token, Idempotency_Key="1") for token in staff]

    assert [each.json()["captured"]["amount"] for each in answers] == [500, 1000]


@pytest.mark.parametrize("first", [1000, None])
@pytest.mark.parametrize("path", ["orders/{order}", "payments/{payment}"])
def test_a_key_with_another_meaning_is_refused_when_its_answer_is_forgotten(path, first):
    payment = make_captured(5000)
    target = path.format(order=payment.order_id, payment=payment.pk)
    token = token_of(make_staff())
    assert refund(target, first, token).status_code == 200
    refunded = Payment.objects.get().refunded
    IdempotentRequest.objects.all().delete()

    other = refund(target, 700, token)
    same = refund(target, first, token)

    assert problem(other) == (422, "idempotency_key_reused")
    assert same.status_code == 200
    assert Payment.objects.get().refunded == refunded


@pytest.mark.parametrize("amount", [1000, None], ids=["a part", "all"])
@pytest.mark.parametrize("first", ["orders", "payments"])
def test_a_key_of_one_operation_means_nothing_in_another(first, amount):
    """Else the second refund of the same amount would be answered and not paid out."""
    payment, token = make_captured(5000), token_of(make_staff())
    targets = [f"orders/{payment.order_id}", f"payments/{payment.pk}"]
    one, other = targets if first == "orders" else targets[::-1]
    assert refund(one, amount, token).status_code == 200
    refunded = Payment.objects.get().refunded
    IdempotentRequest.objects.all().delete()

    assert problem(refund(other, amount, token)) == (422, "idempotency_key_reused")
    assert refund(one, amount, token).status_code == 200
    assert Payment.objects.get().refunded == refunded


def test_a_key_whose_refund_was_declined_does_not_become_another_refund():
    payment = make_captured(5000, token="refund_declined")
    token, target = token_of(make_staff()), f"orders/{payment.order_id}"
    declined = refund(target, 1000, token)
    IdempotentRequest.objects.all().delete()

    other, same = refund(target, 700, token), refund(target, 1000, token)

    assert problem(declined) == problem(same) == (402, "payment_declined")
    assert problem(other) == (422, "idempotency_key_reused")
    assert Operation.objects.filter(kind="refund", amount=700).count() == 0


def test_a_key_means_an_amount_or_pieces_and_never_both(api):
    placed = Buyer(api, make_ready_cart(make_stock(10), quantity=3)).check_out().json()["order"]
    line, path = placed["lines"][0]["id"], f"orders/{placed['id']}"
    one, two = ([{"line_id": line, "quantity": each}] for each in (1, 2))
    token = token_of(make_staff())
    assert refund(path, None, token, "pieces", lines=one).status_code == 200
    assert refund(path, 1559, token, "amount").status_code == 200
    IdempotentRequest.objects.all().delete()

    others = [
        refund(path, 1559, token, "pieces"),
        refund(path, None, token, "pieces", lines=two),
        refund(path, None, token, "amount", lines=one),
        refund(path, None, token, "amount"),
    ]

    assert [problem(each) for each in others] == [(422, "idempotency_key_reused")] * 4
    assert Order.objects.get().refunded_amount == 2 * 1559


def test_a_clients_key_is_none_of_the_shops_own():
    payment = make_captured(5000)
    own = f"give back of {payment.captured}"
    services.begin_refund(
        payment_id=payment.pk, amount=None, key=own, actor=SYSTEM, at=timezone.now()
    )

    answer = refund(f"payments/{payment.pk}", 100, token_of(make_staff()), own.replace(" ", "-"))
    named = refund(f"payments/{payment.pk}", 100, token_of(make_staff()), "all")

    assert problem(answer) == problem(named) == (409, "not_refundable")


def test_the_currency_is_part_of_what_a_key_means():
    payment = make_captured(5000)
    ask = {"payment_id": payment.pk, "key": "k", "actor": SYSTEM, "at": timezone.now()}
    services.begin_refund(amount=Money(300, "USD"), **ask)

    for other in (Money(301, "USD"), Money(300, "EUR"), None):
        with pytest.raises(KeyReused):
            services.begin_refund(amount=other, **ask)

    assert Operation.objects.filter(kind="refund").count() == 1


def new_key() -> tuple[str, dict[str, Any]]:
    return "/manage/api-keys/", {"name": "erp", "scopes": ["orders:read"]}


def new_endpoint() -> tuple[str, dict[str, Any]]:
    return "/manage/webhooks/endpoints/", {"name": "erp", "url": "https://erp.example/hooks"}


def new_keys_of_an_endpoint() -> tuple[str, None]:
    return f"/manage/webhooks/endpoints/{make_endpoint().pk}/keys/", None


@pytest.mark.parametrize("operation", [new_key, new_endpoint, new_keys_of_an_endpoint])
def test_what_is_told_once_is_kept_for_nobody_who_reads_the_database(api, operation):
    staff = make_staff()
    path, body = operation()
    again = {"token": token_of(staff), "Idempotency_Key": "once"}

    first, second = (api.post(path, body, **again) for _ in range(2))

    said = first.json()
    secret = said.get("key") or said["secret"]
    kept = IdempotentRequest.objects.get()
    assert len(secret) > 20
    assert secret.encode() not in bytes(kept.body)
    assert secret not in str(kept.headers)
    assert (first.status_code, second.json()) == (201, said)
    assert second["Idempotent-Replayed"] == "true"


# --- customers, providers ------------------------------------------------------------------------


def test_a_key_pays_by_the_means_it_came_with_and_gives_up_no_other_payment(api):
    customer = make_customer()
    order = order_of(1000, customer=customer)

    def pay(means: str, key: str):
        body = {"payment": {"method": "sandbox", "token": means}}
        path = f"/orders/{order.pk}/payments/"
        return api.post(path, body, token=token_of(customer), Idempotency_Key=key)

    assert pay("declined", "a").status_code == 402
    assert pay("requires_action", "b").status_code == 201
    IdempotentRequest.objects.all().delete()

    other = pay("success", "a")

    assert problem(other) == (422, "idempotency_key_reused")
    assert list(order.payments.order_by("id").values_list("status", flat=True)) == [
        "failed",
        "requires_action",
    ]


def test_two_who_pay_one_order_under_one_key_do_not_get_each_others_payment(api):
    from lavka.orders.tokens import key_of

    customer = make_customer()
    order = make_order(customer=customer)
    body = {"payment": {"method": "sandbox", "token": "declined"}}
    path = f"/orders/{order.pk}/payments/"

    api.post(path, body, token=token_of(customer), Idempotency_Key="pay-1")
    api.post(f"{path}?key={key_of(order.pk)}", body, Idempotency_Key="pay-1")

    assert order.payments.count() == 2


def test_a_providers_id_of_another_event_is_told_and_not_swallowed(api):
    charge, key = str(uuid.uuid4()), str(uuid.uuid4())

    def send(kind: str, about: str = charge):
        event = f'{{"id": "e1", "kind": "{kind}", "charge": "{about}", "key": "{key}"}}'.encode()
        signed = provider.signature_of(event)
        return api.post("/payments/webhooks/sandbox/", event, Sandbox_Signature=signed)

    answers = [send("charge.approved") for _ in range(2)]
    others = [send("charge.captured"), send("charge.approved", str(uuid.uuid4()))]

    assert [each.status_code for each in answers] == [200, 200]
    assert [problem(each) for each in others] == [(422, "idempotency_key_reused")] * 2
    assert ProviderEvent.objects.count() == 1


# --- races ---------------------------------------------------------------------------------------


def two_refund_at_once() -> list[int]:
    """Two of the staff with the same key and body at one instant; returns the statuses."""
    payment = make_captured(5000)
    staff = [token_of(make_staff()), token_of(make_staff())]
    asks = [
        lambda token=token: refund(f"orders/{payment.order_id}", 1000, token).status_code
        for token in staff
    ]
    return sorted(race_each(*asks))


@pytest.mark.django_db(transaction=True)
def test_two_people_with_one_key_at_once_both_refund():
    assert two_refund_at_once() == [200, 200]
    assert Payment.objects.get().refunded == 2000


@pytest.mark.django_db(transaction=True)
def test_control_keys_without_owners_make_one_refund_of_two(monkeypatch):
    """If this fails, the test above does not show that owners keep keys apart."""
    monkeypatch.setattr(View, "key_owner", property(lambda _self: "anybody"))

    two_refund_at_once()

    assert Payment.objects.get().refunded == 1000
