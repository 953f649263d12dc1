import datetime
from collections import Counter
from itertools import pairwise

import pytest

from lavka.accounts.models import User
from lavka.addresses.validation import clean_address
from lavka.demo import goods, orders, people, products, reviews, shelves, stock, year
from lavka.fulfilment.models import ReturnRequest, Shipment
from lavka.inventory.models import Allocation, Hold, StockLevel, StockMovement
from lavka.inventory.reconcile import drifted_levels
from lavka.invoices.models import Invoice
from lavka.kernel.models import OutboxEvent
from lavka.notifications.models import SentMail
from lavka.orders.models import Order
from lavka.payments.models import LedgerEntry, Payment
from lavka.reviews.models import Review
from lavka.shipping.models import ShippingRate
from tests.accounts.factories import make_customer, make_staff
from tests.inventory.factories import make_warehouse

pytestmark = pytest.mark.django_db

AT = datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
# Enough goods for whatever does not look at a whole year.
FEW = 25


@pytest.fixture
def customer() -> User:
    return make_customer(name="Ada")


@pytest.fixture
def _small_shop(monkeypatch: pytest.MonkeyPatch) -> None:
    some = goods.products()[:FEW]
    monkeypatch.setattr(goods, "products", lambda: some)
    monkeypatch.setattr(orders, "REVIEWED", 3)
    monkeypatch.setattr(orders, "OTHERS", 3)
    stock_up()


def stock_up() -> None:
    make_warehouse()
    products.add_products(shelves.ensure_shelves(), at=AT)
    stock.count_variants()
    stock.add_rates()


def play(customer: User, *, has_reviews: bool = False, at: datetime.datetime = AT) -> Counter[str]:
    """The demo's year; reviews are planned, and may be left out."""
    others = people.ensure_reviewers(at=AT)
    opinions = reviews.planned_reviews(others, at=at)
    purchases = orders.planned_purchases(customer, others, opinions, at=at)
    happened = year.play(
        purchases, opinions if has_reviews else [], staff=make_staff(), voters=others, at=at
    )
    return Counter(happened)


def test_a_year_is_spread_over_its_days_and_everything_has_its_instant(customer: User):
    stock_up()

    done = play(customer, has_reviews=True)

    assert done == {"order": Order.objects.count(), "review": reviews.REVIEWS}
    assert done["order"] > 50
    _require_every_state(customer)
    _require_a_lively_year()
    _require_each_story_in_its_order()
    _require_instants_of_orders()
    _require_buyers_to_review_what_they_had()
    _require_no_mail_about_last_year()


def _require_every_state(customer: User) -> None:
    found = Order.objects.filter(customer=customer).order_by("number")
    assert [(order.status, order.payment_status) for order in found] == [
        ("completed", "paid"),
        ("completed", "partially_refunded"),
        ("completed", "paid"),
        ("fulfilled", "paid"),
        ("partially_fulfilled", "paid"),
        ("placed", "paid"),
        ("placed", "authorised"),
    ]
    assert {each.status for each in ReturnRequest.objects.all()} == {"requested", "refunded"}
    cancelled = Order.objects.filter(status="cancelled")
    assert {order.payment_status for order in cancelled} == {"refunded"}
    assert not Hold.objects.exists()
    assert drifted_levels() == {}


def _require_a_lively_year() -> None:
    placed = list(Order.objects.order_by("number").values_list("placed_at", flat=True))
    months = Counter((each.year, each.month) for each in placed)
    assert all(before < after for before, after in pairwise(placed))
    assert AT - placed[0] > 300 * DAY
    assert AT > placed[-1] > AT - DAY
    assert len(months) >= 12
    assert max(months.values()) < len(placed) / 3
    assert len({each.date() for each in placed}) > 40


def _require_each_story_in_its_order() -> None:
    for order in Order.objects.all():
        history = list(order.history.order_by("id").values_list("happened_at", flat=True))
        assert history == sorted(history)
        assert (history[0], order.created_at) == (order.placed_at, order.placed_at)
        assert history[-1] < AT
        for end in (order.completed_at, order.cancelled_at):
            assert end is None or order.placed_at < end <= history[-1]
    for shipment in Shipment.objects.select_related("order"):
        assert shipment.order.placed_at < shipment.sent_at < (shipment.delivered_at or AT)


def _require_instants_of_orders() -> None:
    placed = dict(Order.objects.values_list("pk", "placed_at"))
    assert all(each.created_at == placed[each.order_id] for each in Payment.objects.all())
    assert all(each.created_at == placed[each.order_id] for each in Allocation.objects.all())
    assert all(placed[each.order_id] <= each.entered_at < AT for each in LedgerEntry.objects.all())
    for invoice in Invoice.objects.all():
        assert placed[invoice.order_id] <= invoice.issued_at < AT
    assert {each.order_id for each in Invoice.objects.all()} == set(placed)
    told = OutboxEvent.objects.filter(name="orders.order_placed")
    assert dict(told.values_list("aggregate", "occurred_at")) == placed
    assert not OutboxEvent.objects.filter(
        name__regex="^(orders|payments|fulfilment|reviews)", occurred_at__gte=AT
    ).exists()
    # What a level has was counted before any of it was sent.
    firsts: dict[object, str] = {}
    for movement in StockMovement.objects.order_by("created_at", "pk"):
        assert movement.created_at < AT
        assert firsts.setdefault(movement.level_id, movement.reason) == "count"


def _require_buyers_to_review_what_they_had() -> None:
    bought = Review.objects.filter(is_verified_purchase=True)
    had = 0
    for review in bought:
        orders_of_it = Order.objects.filter(
            customer=review.author, lines__product_id=review.product_id
        )
        had += any(
            order.completed_at and order.completed_at < review.created_at for order in orders_of_it
        )
    assert had >= orders.REVIEWED * 0.9
    instants = list(Review.objects.order_by("pk").values_list("created_at", flat=True))
    assert instants == sorted(instants)


def _require_no_mail_about_last_year() -> None:
    told = OutboxEvent.objects.filter(name__in=year.MAILS)
    old = told.filter(occurred_at__lt=AT - year.MAILED_FOR)
    mailed = SentMail.objects.exclude(sent_at=None).values_list("event_id", flat=True)
    assert set(old.values_list("pk", flat=True)) == set(mailed)
    assert told.count() > old.count() > 100


@pytest.mark.usefixtures("_small_shop")
def test_the_same_is_planned_each_time(customer: User):
    others = people.ensure_reviewers(at=AT)

    def planned() -> list[object]:
        opinions = reviews.planned_reviews(others, at=AT)
        return [
            (each.placed_at, each.customer, each.basket, each.method)
            for each in orders.planned_purchases(customer, others, opinions, at=AT)
        ]

    assert planned() == planned()


@pytest.mark.usefixtures("_small_shop")
def test_a_second_time_buys_nothing(customer: User):
    play(customer)
    on_hand = list(StockLevel.objects.order_by("pk").values_list("on_hand", "reserved"))

    assert play(customer, at=AT + DAY)["order"] == 0

    assert list(StockLevel.objects.order_by("pk").values_list("on_hand", "reserved")) == on_hand


@pytest.mark.usefixtures("_small_shop")
def test_without_the_sandbox_everything_is_paid_by_invoice(customer: User, settings):
    settings.LAVKA = settings.LAVKA | {
        "PAYMENT_GATEWAYS": {"invoice": "lavka.payments.gateways.manual.Manual"}
    }

    play(customer)

    last = Order.objects.filter(customer=customer).order_by("number").last()
    assert [last.status, last.payment_status, last.payments.get().method] == [
        "placed", "authorised", "invoice",
    ]  # fmt: skip
    assert set(Payment.objects.values_list("method", flat=True)) == {"invoice"}


@pytest.mark.usefixtures("_small_shop")
@pytest.mark.parametrize("lacks", ["invoice", "shipping"])
def test_a_shop_that_cannot_sell_so_gets_no_orders(customer: User, lacks: str, settings):
    if lacks == "shipping":
        ShippingRate.objects.all().delete()
    else:
        settings.LAVKA = settings.LAVKA | {"PAYMENT_GATEWAYS": {}}

    assert play(customer)["order"] == 0

    assert not Order.objects.exists()
    assert StockLevel.objects.exclude(reserved=0).count() == 0


def test_customers_live_where_the_post_finds_them():
    for place in [each for group in goods.read("addresses").values() for each in group]:
        address = {"line2": "", "region": "", "phone": "", "name": "Ada"} | place
        assert clean_address(address) == address
