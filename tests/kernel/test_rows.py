import datetime
import sys
from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import FETCH_RAISE, QuerySet
from django.db.models.expressions import DatabaseDefault
from django.utils import timezone

from lavka.carts.models import Cart, CartLine
from lavka.inventory.models import Reservation, StockLevel
from lavka.kernel import rows
from lavka.orders.models import Order
from lavka.payments.sandbox.models import Charge
from tests.inventory.factories import make_stock
from tests.racing import race

ROUNDS = 20

pytestmark = pytest.mark.django_db


def make_cart(**fields: object) -> Cart:
    now = timezone.now()
    return Cart.objects.create(currency="USD", changed_at=now, expires_at=now, **fields)


def new_order(**fields: object) -> Order:
    return Order(
        cart_id=uuid4(), email="ada@example.com", currency="USD", subtotal_amount=700,
        shipping_amount=0, tax_amount=0, total_amount=700, shipping_address={"city": "London"},
        shipping_option={}, **fields,
    )  # fmt: skip


def new_line(cart: Cart, **fields: object) -> CartLine:
    return CartLine(
        cart=cart, variant_id=uuid4(), quantity=1, sku="A", product_slug="a", product_name="A",
        unit_price_amount=700, **fields,
    )  # fmt: skip


@rows.Compiled
def carts_like(currency: str, carts: list[object]) -> QuerySet[Cart]:
    return Cart.objects.filter(rows.one_of("pk", carts), currency=currency).order_by("changed_at")


def levels_of(variant_id: object) -> QuerySet[StockLevel]:
    found = StockLevel.objects.filter(variant_id=variant_id).select_related("warehouse")
    return found.fetch_mode(FETCH_RAISE)


@pytest.fixture
def eager_threads() -> Iterator[None]:
    """Threads that interrupt each other a thousand times as often."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(before / 1000)
    yield
    sys.setswitchinterval(before)


def test_a_compiled_queryset_gives_what_the_queryset_gives():
    first, second = make_cart(shipping_address={"city": "London"}), make_cart()
    make_cart()
    asked = [second.pk, first.pk]

    found = carts_like.all("USD", asked)

    assert (
        found == [first, second] == list(Cart.objects.filter(pk__in=asked).order_by("changed_at"))
    )
    assert vars(found[0]) | {"_state": None} == vars(Cart.objects.get(pk=first.pk)) | {
        "_state": None
    }
    assert (found[0]._state.adding, found[0]._state.db) == (False, "default")
    assert carts_like.all("EUR", asked) == carts_like.all(currency="USD", carts=[]) == []
    assert carts_like.first("EUR", asked) is None
    with pytest.raises(Cart.DoesNotExist):
        carts_like.get("EUR", asked)


def test_it_is_made_once():
    made = []

    @rows.Compiled
    def all_carts() -> QuerySet[Cart]:
        made.append(1)
        return Cart.objects.all()

    assert (all_carts.all(), all_carts.all(), made) == ([], [], [1])


@pytest.mark.django_db(transaction=True)
def test_threads_that_come_first_at_once_all_get_their_rows(eager_threads):
    variant = make_stock(3)

    for _ in range(ROUNDS):
        levels = rows.Compiled(levels_of)
        found = race(lambda levels=levels: levels.get(variant.pk).warehouse.code, times=8)

        assert found == [variant.stock_levels.get().warehouse.code] * 8


@pytest.mark.django_db(transaction=True)
def test_control_one_queryset_is_not_compiled_by_several_threads(eager_threads):
    variant = make_stock(3)
    broken = []

    for _ in range(ROUNDS):
        shared = levels_of(rows.Parameter("variant_id"))
        levels = rows.Compiled(lambda variant_id, shared=shared: shared)
        found = race(lambda levels=levels: levels.get(variant.pk).warehouse.code, times=8)
        broken += [each for each in found if isinstance(each, type)]

    assert broken


def test_related_rows_come_along_and_others_are_refused(django_assert_num_queries):
    levels = rows.Compiled(levels_of)
    variant = make_stock(3)

    with django_assert_num_queries(1):
        level = levels.get(variant.pk)
        code = level.warehouse.code

    assert (level.on_hand, code) == (3, level.warehouse.code)
    with pytest.raises(Exception, match="variant"):
        str(level.variant)


def test_a_lock_is_part_of_the_statement(django_assert_num_queries):
    @rows.Compiled
    def locked(cart_id: object) -> QuerySet[Cart]:
        return Cart.objects.locked().filter(pk=cart_id)

    cart = make_cart()

    with django_assert_num_queries(1) as sent:
        assert locked.get(cart.pk) == cart

    assert sent.captured_queries[0]["sql"].endswith('FOR NO KEY UPDATE OF "carts_cart"')


@pytest.mark.django_db(transaction=True)
def test_a_lock_outside_a_transaction_is_refused():
    @rows.Compiled
    def locked() -> QuerySet[Cart]:
        return Cart.objects.locked()

    with transaction.atomic():
        assert locked.all() == []
    with pytest.raises(transaction.TransactionManagementError):
        locked.all()


def test_an_inserted_row_knows_what_the_database_filled_in():
    order = rows.insert(new_order())

    kept = Order.objects.get(pk=order.pk)
    assert not isinstance(order.pk, DatabaseDefault)
    assert (order.payment_status, order.created_at) == (kept.payment_status, kept.created_at)
    assert (kept.shipping_address, kept.billing_address) == ({"city": "London"}, None)
    assert (kept.language, kept.updated_at) == ("en", order.updated_at)


def test_what_is_given_stands_before_the_databases_default():
    at = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)

    order = rows.insert(new_order(created_at=at))

    assert Order.objects.get(pk=order.pk).created_at == order.created_at == at


def test_many_rows_are_inserted_by_one_statement(django_assert_num_queries):
    cart = make_cart()
    lines = [new_line(cart), new_line(cart)]

    with django_assert_num_queries(1):
        rows.insert_all(lines)
        rows.insert_all([])

    assert list(cart.lines.order_by("id")) == lines
    assert [each.variant_id for each in cart.lines.order_by("id")] == [
        each.variant_id for each in lines
    ]


def test_a_row_is_inserted_once():
    def charge() -> Charge:
        return Charge(
            key=key, token="success", status="approved", wants_capture=True, currency="USD",
            amount=700,
        )  # fmt: skip

    key = uuid4()

    assert [rows.insert_once(charge(), "key"), rows.insert_once(charge(), "key")] == [True, False]
    assert Charge.objects.get().amount == 700


def test_an_update_saves_what_is_named_and_reads_what_follows():
    order = rows.insert(new_order())
    before = order.updated_at
    order.captured_amount, order.email = 700, "not@saved.example"

    rows.update(order, "captured_amount", "updated_at")

    kept = Order.objects.get(pk=order.pk)
    assert (kept.captured_amount, kept.email) == (700, "ada@example.com")
    assert kept.payment_status == order.payment_status == "paid"
    assert kept.updated_at == order.updated_at > before


def test_a_row_that_is_gone_is_not_updated():
    cart = make_cart()
    Cart.objects.all().delete()

    with pytest.raises(Cart.NotUpdated):
        rows.update(cart, "status")


def test_what_the_database_refuses_is_told_as_django_does():
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.insert(Reservation(hold_id=uuid4(), level_id=uuid4(), quantity=0))

    assert not connection.needs_rollback


def test_a_broken_transaction_takes_no_more_statements():
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(transaction.TransactionManagementError):
            rows.execute("SELECT 1")


def test_attached_rows_are_not_asked_for(django_assert_num_queries):
    cart = make_cart()
    line = rows.insert(new_line(cart))

    rows.attach(cart, "lines", [line])

    with django_assert_num_queries(0):
        assert list(cart.lines.all()) == [line]
