"""Who keeps stock from others before paying, for how long, and how much of it."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from lavka.inventory import services as inventory
from lavka.inventory.models import Hold
from lavka.payments.models import Payment
from lavka.payments.sandbox import provider
from lavka.payments.sandbox.models import Charge
from tests.accounts.factories import make_customer, make_staff, token_of
from tests.carts.factories import put_in
from tests.checkout.factories import Buyer, make_ready_cart
from tests.checkout.test_api import resolve_all
from tests.client import Api
from tests.inventory.factories import counters, make_stock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _limits_off(settings: Any) -> None:
    settings.LAVKA = settings.LAVKA | {"THROTTLES": False}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> "Clock":
    return Clock(monkeypatch)


class Clock:
    """What the shop takes for now."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = timezone.now()
        monkeypatch.setattr(timezone, "now", lambda: self.now)

    def forward(self, seconds: int) -> None:
        self.now += datetime.timedelta(seconds=seconds)


def test_a_customers_quote_holds_its_stock(api: Api):
    variant, ada = make_stock(50), make_customer()
    buyer = Buyer(api, make_ready_cart(variant, quantity=2, owner=ada), token_of(ada))

    quote = buyer.quote().json()

    assert counters(variant.pk) == (50, 2)
    assert quote["stock_held_until"] == quote["expires_at"]
    assert str(Hold.objects.get().customer_id) == str(ada.pk)


def test_a_quote_beyond_the_limits_is_given_and_holds_nothing(api: Api):
    variant, ada = make_stock(50), make_customer()
    buyer = Buyer(api, make_ready_cart(variant, quantity=40, owner=ada), token_of(ada))

    quote = buyer.quote()

    assert (quote.status_code, quote.json()["stock_held_until"]) == (201, None)
    assert counters(variant.pk) == (50, 0)
    assert buyer.check_out(quote.json()["id"]).json()["order"]["status"] == "placed"
    assert counters(variant.pk) == (50, 40)


def test_a_shop_may_let_guests_hold_with_their_quotes(api: Api, settings: Any):
    settings.LAVKA = settings.LAVKA | {"GUEST_QUOTES_HOLD_STOCK": True}
    variant = make_stock(50)

    quotes = [Buyer(api, make_ready_cart(variant, quantity=2)).quote().json() for _ in range(9)]

    held = [quote["stock_held_until"] is not None for quote in quotes]
    assert held == [True, True, *[False] * 7]
    assert counters(variant.pk) == (50, 4)


def test_a_guest_holds_while_paying_and_no_touch_prolongs_it(api: Api, clock: Clock):
    variant = make_stock(10)
    buyer = Buyer(api, make_ready_cart(variant, quantity=2))
    buyer.check_out(means="requires_action")
    held = [counters(variant.pk)[1]]

    for _ in range(4):
        clock.forward(30)
        put_in(buyer.cart, 1, variant)
        buyer.check_out(means="requires_action")
        inventory.release_expired(at=clock.now, limit=10)
        held.append(counters(variant.pk)[1])

    assert held == [2, 3, 4, 0, 0]


def test_a_customer_whose_hold_ended_still_buys_what_is_there(api: Api, clock: Clock):
    variant = make_stock(2)
    buyer = Buyer(api, make_ready_cart(variant, quantity=2))
    buyer.check_out(means="requires_action")
    clock.forward(600)
    inventory.release_expired(at=clock.now, limit=10)

    confirm_all()
    order = buyer.check_out(means="requires_action").json()["order"]

    assert order["status"] == "placed"
    assert counters(variant.pk) == (2, 2)


def test_a_hold_that_ended_is_bought_by_somebody_else_before_anybody_sweeps(api: Api, clock: Clock):
    variant = make_stock(2)
    slow = Buyer(api, make_ready_cart(variant, quantity=2))
    quote = slow.quote().json()["id"]
    slow.check_out(quote, means="requires_action")
    refused = api.post(f"/carts/{make_ready_cart(make_stock(5)).pk}/lines/", line(variant))
    clock.forward(90)

    order = Buyer(api, make_ready_cart(variant, quantity=2)).check_out().json()["order"]
    confirm_all()
    late = slow.check_out(quote, means="requires_action")

    assert (refused.status_code, order["status"]) == (409, "placed")
    assert (late.status_code, late.json()["code"]) == (409, "out_of_stock")
    assert Payment.objects.exclude(order_id=order["id"]).get().amounts.held == 0
    assert counters(variant.pk) == (2, 2)


def test_beyond_the_limits_a_paying_guest_holds_nothing_and_buys(api: Api):
    """An office where many are at the bank at once: nobody is refused."""
    variant = make_stock(50)
    waiting = [Buyer(api, make_ready_cart(variant)) for _ in range(15)]
    for buyer in waiting:
        assert buyer.check_out(means="requires_action").status_code == 201
    held = counters(variant.pk)[1]

    bought = [Buyer(api, make_ready_cart(variant)).check_out() for _ in range(10)]
    confirm_all()
    placed = [buyer.check_out(means="requires_action").json()["order"] for buyer in waiting]

    assert held == 10
    assert {answer.status_code for answer in bought} == {201}
    assert {order["status"] for order in placed} == {"placed"}
    assert counters(variant.pk) == (50, 25)


def test_a_refusal_does_not_tell_what_the_shop_has(api: Api):
    variant = make_stock(37)
    cart = make_ready_cart(make_stock(5))

    many = api.post(f"/carts/{cart.pk}/lines/", line(variant, 999)).json()
    few = api.post(f"/carts/{cart.pk}/lines/", line(make_stock(3), 5)).json()

    assert many["details"]["variants"][0]["available"] == 10
    assert "37" not in str(many["details"]["variants"][0]["available"])
    assert few["details"]["variants"][0]["available"] == 3


def test_staff_list_and_release_what_carts_keep(api: Api):
    variant, other, ada = make_stock(50), make_stock(50), make_customer()
    staff = token_of(make_staff("inventory.view_hold", "inventory.delete_hold"))
    buyer = Buyer(api, make_ready_cart(variant, quantity=2, owner=ada), token_of(ada))
    buyer.quote()
    Buyer(api, make_ready_cart(other)).check_out(means="requires_action")

    listed = api.get(f"/manage/stock-reservations/?variant_id={variant.pk}", token=staff).json()
    [kept] = listed["items"]
    released = api.delete(f"/manage/stock-reservations/{kept['id']}/", token=staff)
    again = api.delete(f"/manage/stock-reservations/{kept['id']}/", token=staff)
    quote = buyer.quote()

    assert (kept["customer_id"], kept["address"]) == (str(ada.pk), "127.0.0.1")
    assert [(each["sku"], each["quantity"]) for each in kept["units"]] == [(variant.sku, 2)]
    assert str(buyer.cart.pk) not in str(listed)
    assert (released.status_code, again.status_code) == (204, 404)
    assert (counters(variant.pk)[1], counters(other.pk)[1]) == (0, 1)
    assert (quote.status_code, quote.json()["stock_held_until"]) == (201, None)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 2),
        ("address=127.0.0.1", 2),
        ("address=203.0.113.9", 0),
        ("customer_id={ada}", 1),
        ("customer_id=nobody", None),
    ],
)
def test_what_carts_keep_is_found_by_who_keeps_it(api: Api, query: str, count: int | None):
    ada = make_customer()
    Buyer(api, make_ready_cart(owner=ada), token_of(ada)).quote()
    Buyer(api, make_ready_cart()).check_out(means="requires_action")
    staff = token_of(make_staff("inventory.view_hold"))

    answer = api.get(f"/manage/stock-reservations/?{query.format(ada=ada.pk)}", token=staff)

    if count is None:
        assert answer.status_code == 422
    else:
        assert len(answer.json()["items"]) == count


def test_who_may_not_releases_nothing(api: Api):
    Buyer(api, make_ready_cart()).check_out(means="requires_action")
    path = f"/manage/stock-reservations/{Hold.objects.get().reference}/"

    answers = [
        api.delete(path).status_code,
        api.delete(path, token=token_of(make_customer())).status_code,
        api.delete(path, token=token_of(make_staff("inventory.view_hold"))).status_code,
    ]

    assert answers == [401, 403, 403]
    assert Hold.objects.count() == 1


def line(variant: Any, quantity: int = 1) -> dict[str, Any]:
    return {"variant_id": str(variant.pk), "quantity": quantity}


def confirm_all() -> None:
    """Everybody says yes at their bank."""
    for charge in Charge.objects.all():
        provider.confirm_charge(charge_id=charge.pk, is_confirmed=True)
    resolve_all()
