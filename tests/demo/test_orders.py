import pytest
from django.utils import timezone

from lavka.demo import orders, products, shelves, stock
from lavka.fulfilment.models import ReturnRequest
from lavka.inventory.models import Hold, StockLevel
from lavka.inventory.reconcile import drifted_levels
from lavka.orders.models import Order
from lavka.shipping.models import ShippingRate
from tests.accounts.factories import make_customer, make_staff
from tests.inventory.factories import make_warehouse

pytestmark = pytest.mark.django_db


@pytest.fixture
def _stocked() -> None:
    make_warehouse()
    products.add_products(shelves.ensure_shelves(), at=timezone.now())
    stock.count_variants()
    stock.add_rates()


@pytest.mark.usefixtures("_stocked")
def test_orders_wait_for_the_staff_in_every_state():
    customer, staff = make_customer(), make_staff()

    placed = orders.place_orders(customer, staff, at=timezone.now())

    found = Order.objects.filter(customer=customer).order_by("number")
    assert placed == len(found) == 7
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
    assert not Hold.objects.exists()
    assert drifted_levels() == {}


@pytest.mark.usefixtures("_stocked")
def test_a_second_time_buys_nothing():
    customer, staff, at = make_customer(), make_staff(), timezone.now()
    orders.place_orders(customer, staff, at=at)
    on_hand = list(StockLevel.objects.order_by("pk").values_list("on_hand", "reserved"))

    assert orders.place_orders(customer, staff, at=at) == 0

    assert list(StockLevel.objects.order_by("pk").values_list("on_hand", "reserved")) == on_hand


@pytest.mark.usefixtures("_stocked")
def test_without_the_sandbox_everything_is_paid_by_invoice(settings):
    settings.LAVKA = settings.LAVKA | {
        "PAYMENT_GATEWAYS": {"invoice": "lavka.payments.gateways.manual.Manual"}
    }
    customer = make_customer()

    assert orders.place_orders(customer, make_staff(), at=timezone.now()) == 7

    last = Order.objects.filter(customer=customer).order_by("number").last()
    assert [last.status, last.payment_status, last.payments.get().method] == [
        "placed", "authorised", "invoice",
    ]  # fmt: skip
    assert Order.objects.filter(payment_status="paid").count() == 5


@pytest.mark.usefixtures("_stocked")
@pytest.mark.parametrize("lacks", ["invoice", "shipping"])
def test_a_shop_that_cannot_sell_so_gets_no_orders(lacks: str, settings):
    if lacks == "shipping":
        ShippingRate.objects.all().delete()
    else:
        settings.LAVKA = settings.LAVKA | {"PAYMENT_GATEWAYS": {}}

    assert orders.place_orders(make_customer(), make_staff(), at=timezone.now()) == 0

    assert not Order.objects.exists()
    assert StockLevel.objects.exclude(reserved=0).count() == 0
