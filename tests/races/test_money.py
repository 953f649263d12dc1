"""Money that many move at once: never more goes back than came, and books that add up."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import Sum

from lavka.checkout import tasks
from lavka.orders.models import Order
from lavka.payments import tasks as payment_tasks
from lavka.payments.models import Operation, Payment
from lavka.payments.sandbox.models import Charge
from tests.accounts.factories import make_staff, token_of
from tests.checkout.factories import Buyer, make_ready_cart
from tests.client import Api
from tests.inventory.factories import make_stock
from tests.races.conftest import Page, Times
from tests.racing import race_each

pytestmark = pytest.mark.django_db(transaction=True)

# 12.99 with 20 % tax, and 6.00 for shipping.
PAID = 1299 + 260 + 600
AT_MOST = 100


@pytest.fixture(autouse=True)
def _limits_off(settings: Any) -> None:
    settings.LAVKA = settings.LAVKA | {"THROTTLES": False}


@pytest.fixture
def token() -> str:
    return token_of(make_staff())


def placed_order() -> Order:
    answer = Buyer(Api(), make_ready_cart(make_stock(1))).check_out().json()["order"]
    order = Order.objects.get(pk=answer["id"])
    assert order.total_amount == PAID
    return order


def asks(order: Order, token: str, what: str, amount: int | None = None) -> Callable[[], int]:
    """Staff ask for something by a request of its own; called, it gives the answer's status."""
    body = {"amount": {"amount": amount, "currency": "USD"}} if amount else {}

    def ask() -> int:
        path = f"/manage/orders/{order.pk}/{what}/"
        return Api().post(path, body, token=token, Idempotency_Key=str(uuid4())).status_code

    return ask


def asked_for(order: Order, *kinds: str) -> int:
    """What the provider was asked for in all, whatever it answered."""
    asked = Operation.objects.filter(payment__order=order, kind__in=kinds)
    return int(asked.aggregate(sum=Sum("amount"))["sum"] or 0)


def require_books(order: Order, *, refunded: int) -> None:
    order.refresh_from_db()
    payment, charge = Payment.objects.get(order=order), Charge.objects.latest("created_at")
    assert order.refunded_amount == payment.refunded == charge.refunded == refunded
    assert order.captured_amount == payment.captured == charge.captured == PAID
    assert payment.refunding == 0


def test_two_refunds_of_everything_give_it_back_once(token: str, page: Page, times: Times):
    rounds = times(20)
    for _ in range(rounds):
        order = placed_order()

        outcomes = Counter(race_each(*[asks(order, token, "refund", PAID)] * 2))

        assert outcomes == {200: 1, 409: 1}
        assert asked_for(order, "refund") == PAID
        require_books(order, refunded=PAID)
    page.tell(
        "Two refunds of one payment",
        "2 requests of staff, each for all the money, each with a key of its own",
        rounds,
        "each time 1 refund and 1 × `not_refundable`; the provider was asked once",
    )


@pytest.mark.usefixtures("unlocked")
def test_control_without_the_lock_it_is_asked_for_twice(token: str, page: Page):
    """If this fails, the races of refunds overlap nothing and prove nothing."""
    asked, rounds = 0, 0
    while asked <= PAID and rounds < AT_MOST:
        order, rounds = placed_order(), rounds + 1
        race_each(*[asks(order, token, "refund", PAID)] * 2)
        asked = asked_for(order, "refund")

    assert asked > PAID
    page.tell(
        "Two refunds of one payment, control",
        "the same against a copy without row locks, until it fails",
        rounds,
        f"the provider was asked to give {asked} back of {PAID}",
    )


def test_partial_refunds_add_up_and_stop_at_what_was_captured(token: str, page: Page, times: Times):
    rounds, part = times(10), PAID // 5
    for _ in range(rounds):
        order = placed_order()

        outcomes = Counter(race_each(*[asks(order, token, "refund", part)] * 8))

        assert outcomes == {200: 5, 409: 3}
        require_books(order, refunded=5 * part)
    page.tell(
        "Partial refunds",
        "8 refunds of a fifth each at once",
        rounds,
        "each time 5 were paid and 3 were `not_refundable`; shop and provider agree to the cent",
    )


@pytest.mark.usefixtures("unlocked")
def test_control_without_the_lock_partial_refunds_do_not_add_up(token: str, page: Page):
    """If this fails, the race above overlaps nothing and proves nothing."""
    kept, gone, part, rounds = 0, 0, PAID // 5, 0
    while kept == gone and rounds < AT_MOST:
        order, rounds = placed_order(), rounds + 1
        race_each(*[asks(order, token, "refund", part)] * 8)
        order.refresh_from_db()
        kept, gone = order.refunded_amount, Charge.objects.latest("created_at").refunded

    assert kept != gone
    page.tell(
        "Partial refunds, control",
        "the same against a copy without row locks, until it fails",
        rounds,
        f"the provider gave {gone} back, and the shop's books say {kept}",
    )


def call_off(order: Order, token: str, *, is_cancelled: bool) -> Counter[Any]:
    """Capture against cancel, or against the workers that give a cancelled order's money back."""
    cancel = asks(order, token, "cancel")
    give_back = partial(tasks.return_money, order_id=str(order.pk))
    if is_cancelled:
        assert cancel() == 200
    rivals = [give_back if is_cancelled else cancel] * 3
    outcomes = Counter(race_each(*[asks(order, token, "capture")] * 3, *rivals))
    give_back()
    payment_tasks.sweep()
    return outcomes


def test_cancel_against_capture_leaves_no_money_behind(
    token: str, page: Page, settings: Any, times: Times
):
    settings.LAVKA = settings.LAVKA | {"CAPTURES_AT_ONCE": False}
    captured, rounds = 0, times(20)
    for number in range(rounds):
        order = placed_order()

        outcomes = call_off(order, token, is_cancelled=bool(number % 2))

        assert outcomes.keys() <= {200, 409, None}
        order.refresh_from_db()
        charge = Charge.objects.latest("created_at")
        assert order.status == "cancelled"
        assert order.captured_amount == order.refunded_amount == charge.captured == charge.refunded
        assert (order.authorised_amount, charge.amount - charge.voided - charge.captured) == (0, 0)
        assert asked_for(order, "capture", "void") == PAID
        captured += order.captured_amount > 0
    page.tell(
        "Cancel against capture",
        "3 requests to capture what is authorised and 3 to cancel the order, or 3 workers that "
        "return a cancelled order's money",
        rounds,
        f"captured and refunded {captured} times, voided {rounds - captured} times; each time the "
        "order is cancelled and the shop holds nothing",
    )


@pytest.mark.usefixtures("unlocked")
def test_control_without_the_lock_the_same_money_is_captured_and_voided(
    token: str, page: Page, settings: Any
):
    """If this fails, the race above overlaps nothing and proves nothing."""
    settings.LAVKA = settings.LAVKA | {"CAPTURES_AT_ONCE": False}
    asked, rounds = 0, 0
    while asked <= PAID and rounds < AT_MOST:
        order, rounds = placed_order(), rounds + 1
        call_off(order, token, is_cancelled=True)
        asked = asked_for(order, "capture", "void")

    assert asked > PAID
    page.tell(
        "Cancel against capture, control",
        "the same against a copy without row locks, until it fails",
        rounds,
        f"the provider was asked to capture and to void {asked} of {PAID}",
    )
