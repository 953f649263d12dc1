"""Filling, merging, forgetting carts."""

import datetime
import uuid
from collections import Counter

import pytest
from django.utils import timezone

from lavka.carts import services, tasks
from lavka.carts.errors import CartClosed, CartFull, TooManyPieces
from lavka.carts.models import MAX_LINES, Cart, CartLine
from lavka.carts.rules import MergeStrategy
from lavka.inventory import services as inventory
from lavka.inventory.errors import OutOfStock
from lavka.inventory.models import Hold
from lavka.kernel.errors import Invalid
from lavka.kernel.events import handlers_of
from tests.accounts.factories import make_customer
from tests.carts.factories import ADDRESS, in_cart, make_cart, put_in
from tests.catalog.factories import make_product, make_variant
from tests.inventory.factories import counters, make_stock
from tests.racing import race

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def hold(cart: Cart, variant_id: uuid.UUID) -> None:
    inventory.reserve_stock(
        holder=cart.pk,
        quantities={variant_id: 1},
        until=timezone.now() + datetime.timedelta(minutes=1),
        ends_at=timezone.now() + datetime.timedelta(minutes=30),
        at=NOW,
    )


def test_the_same_variant_twice_adds_up():
    cart, variant = make_cart(), make_variant()

    put_in(cart, 2, variant)
    put_in(cart, 3, variant)

    assert in_cart(cart.pk) == {variant.pk: 5}


def test_one_line_holds_so_many_pieces_and_no_more():
    cart, variant = make_cart(), make_variant()
    put_in(cart, 999, variant)

    with pytest.raises(TooManyPieces):
        put_in(cart, 1, variant)

    assert in_cart(cart.pk) == {variant.pk: 999}


def test_a_cart_holds_so_many_lines_and_no_more():
    cart = make_cart()
    CartLine.objects.bulk_create(
        CartLine(cart=cart, variant_id=uuid.uuid4(), quantity=1, unit_price_amount=1)
        for _ in range(MAX_LINES)
    )

    with pytest.raises(CartFull):
        put_in(cart)

    assert cart.lines.count() == MAX_LINES


def test_more_than_there_is_does_not_go_in():
    cart, variant = make_cart(), make_stock(2)
    put_in(cart, 2, variant)

    with pytest.raises(OutOfStock) as refusal:
        put_in(cart, 1, variant)

    assert refusal.value.details["variants"] == [
        {"variant_id": variant.pk, "requested": 3, "available": 2}
    ]
    assert in_cart(cart.pk) == {variant.pk: 2}


def test_what_customers_do_not_see_does_not_go_in():
    cart = make_cart()

    for variant_id in (make_variant(product=make_product(status="draft")).pk, uuid.uuid4()):
        with pytest.raises(Invalid):
            services.add_line(
                cart_id=cart.pk, caller_id=None, variant_id=variant_id, quantity=1, at=NOW
            )

    assert in_cart(cart.pk) == {}


def test_an_owned_cart_does_not_exist_for_others():
    cart = make_cart(make_customer())
    line = put_in(cart)

    for caller_id in (None, make_customer().pk):
        with pytest.raises(Cart.DoesNotExist):
            services.remove_line(
                cart_id=cart.pk, caller_id=caller_id, line_id=line.pk, at=timezone.now()
            )

    assert cart.lines.exists()


def test_activity_begins_a_carts_time_anew_and_extends_its_hold():
    variant = make_stock(3)
    cart = make_cart(expires_at=timezone.now() + datetime.timedelta(hours=1))
    hold(cart, variant.pk)
    before = Hold.objects.get().expires_at

    put_in(cart)

    cart.refresh_from_db()
    assert cart.expires_at > timezone.now() + datetime.timedelta(days=29)
    assert Hold.objects.get().expires_at > before


def test_an_expired_cart_is_gone_for_everyone_and_deleted():
    cart, live = make_cart(expires_at=timezone.now()), make_cart()
    with pytest.raises(Cart.DoesNotExist):
        put_in(cart)

    forgotten = [services.forget_expired(at=timezone.now(), limit=10) for _ in range(2)]

    assert forgotten == [1, 0]
    assert list(Cart.objects.all()) == [live]


def test_a_thrown_away_cart_gives_back_what_it_kept():
    cart, variant = make_cart(), make_stock(1)
    put_in(cart, 1, variant)
    hold(cart, variant.pk)

    services.delete_cart(cart_id=cart.pk, caller_id=None, at=timezone.now())

    assert counters(variant.pk) == (1, 0)
    assert not CartLine.objects.exists()


def test_the_carts_of_a_closed_account_are_forgotten_with_what_they_kept():
    customer, variant, other = make_customer(), make_stock(1), make_cart()
    cart = make_cart(customer, shipping_address=ADDRESS)
    hold(cart, variant.pk)

    forgotten = [tasks.forget_customer(user_id=str(customer.pk)) for _ in range(2)]

    assert forgotten == [1, 0]
    assert list(Cart.objects.all()) == [other]
    assert counters(variant.pk) == (1, 0)
    assert tasks.forget_customer in handlers_of("accounts.account_closed")


def test_an_ordered_cart_is_closed():
    cart = make_cart()
    line = put_in(cart)

    for _ in range(2):
        services.order_cart(cart_id=cart.pk)

    with pytest.raises(CartClosed):
        services.change_line(
            cart_id=cart.pk, caller_id=None, line_id=line.pk, quantity=2, at=timezone.now()
        )
    with pytest.raises(CartClosed):
        services.delete_cart(cart_id=cart.pk, caller_id=None, at=timezone.now())


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [("add", {"own": 1, "both": 5, "new": 4}), ("keep", {"own": 1, "both": 2}),
     ("replace", {"both": 3, "new": 4})],
)  # fmt: skip
def test_signing_in_merges_as_the_shop_front_asks(strategy, expected):
    customer = make_customer()
    own, anonymous = make_cart(customer), make_cart()
    variants = {name: make_variant() for name in ("own", "both", "new")}
    put_in(own, 1, variants["own"])
    put_in(own, 2, variants["both"])
    put_in(anonymous, 3, variants["both"])
    put_in(anonymous, 4, variants["new"])

    outcome = [
        services.merge_cart(
            cart_id=anonymous.pk,
            caller_id=customer.pk,
            strategy=MergeStrategy(strategy),
            at=timezone.now(),
        )
        for _ in range(2)
    ]

    assert outcome == [(own.pk, [])] * 2
    assert in_cart(own.pk) == {variants[name].pk: number for name, number in expected.items()}
    anonymous.refresh_from_db()
    assert (anonymous.status, in_cart(anonymous.pk)) == ("merged", {})


def merge(cart: Cart, customer_id: uuid.UUID) -> uuid.UUID:
    merged_id, _ = services.merge_cart(
        cart_id=cart.pk, caller_id=customer_id, strategy=MergeStrategy.ADD, at=timezone.now()
    )
    return merged_id


def test_a_customer_without_a_cart_takes_the_anonymous_one_over():
    customer, cart = make_customer(), make_cart()
    put_in(cart)

    assert merge(cart, customer.pk) == cart.pk

    with pytest.raises(Cart.DoesNotExist):
        put_in(cart)
    cart.refresh_from_db()
    assert cart.owner_id == customer.pk


def test_a_cart_that_was_merged_while_it_was_paid_stays_merged():
    customer, cart = make_customer(), make_cart()
    make_cart(customer)
    merge(cart, customer.pk)

    services.order_cart(cart_id=cart.pk)

    cart.refresh_from_db()
    assert cart.status == "merged"


def test_another_customers_cart_is_not_merged():
    cart = make_cart(make_customer())

    with pytest.raises(Cart.DoesNotExist):
        merge(cart, make_customer().pk)


def test_a_merge_tells_what_it_had_to_cut_and_lets_go_of_what_was_kept():
    customer, variant, kept = make_customer(), make_variant(), make_stock(1)
    own, anonymous = make_cart(customer), make_cart()
    put_in(own, 600, variant)
    put_in(anonymous, 600, variant)
    hold(anonymous, kept.pk)

    _, messages = services.merge_cart(
        cart_id=anonymous.pk,
        caller_id=customer.pk,
        strategy=MergeStrategy.ADD,
        at=timezone.now(),
    )

    [message] = messages
    assert (message.code, message.details["requested"]) == ("quantity_reduced", 1200)
    assert in_cart(own.pk) == {variant.pk: 999}
    assert counters(kept.pk) == (1, 0)


def test_a_merge_keeps_the_address_that_was_said_first():
    customer = make_customer()
    own, anonymous = make_cart(customer), make_cart(shipping_address=ADDRESS, email="a@b.example")

    merge(anonymous, customer.pk)

    own.refresh_from_db()
    assert (own.shipping_address, own.email) == (ADDRESS, "a@b.example")


@pytest.mark.django_db(transaction=True)
def test_parallel_edits_of_one_cart_all_count():
    cart, variants = make_cart(), [make_variant() for _ in range(2)]
    turns = iter(variants * 8)

    outcomes = race(lambda: put_in(cart, 1, next(turns)).cart_id, times=16)

    assert Counter(outcomes) == {cart.pk: 16}
    assert in_cart(cart.pk) == {variant.pk: 8 for variant in variants}


@pytest.mark.django_db(transaction=True)
def test_control_edits_without_the_carts_row_lose_some():
    """If this fails, `race` overlaps nothing and the test above proves nothing."""
    cart, variant = make_cart(), make_variant()
    put_in(cart, 1, variant)

    def unguarded() -> None:
        line = CartLine.objects.get(cart=cart, variant_id=variant.pk)
        line.quantity += 1
        line.save()

    race(unguarded, times=16)

    assert in_cart(cart.pk)[variant.pk] < 17


@pytest.mark.django_db(transaction=True)
def test_parallel_merges_of_one_cart_move_its_lines_once():
    customer, variant = make_customer(), make_variant()
    own, anonymous = make_cart(customer), make_cart()
    put_in(anonymous, 3, variant)

    outcomes = race(lambda: merge(anonymous, customer.pk), times=8)

    assert Counter(outcomes) == {own.pk: 8}
    assert in_cart(own.pk) == {variant.pk: 3}


@pytest.mark.django_db(transaction=True)
def test_ordering_and_editing_at_once_leave_a_closed_cart_as_it_was_ordered():
    cart, variant = make_cart(), make_variant()
    put_in(cart, 1, variant)
    turns = iter(range(8))

    def act() -> str:
        if next(turns) == 4:
            services.order_cart(cart_id=cart.pk)
            return "ordered"
        put_in(cart, 1, variant)
        return "added"

    outcomes = Counter(race(act, times=8))

    assert outcomes["ordered"] == 1
    assert outcomes["added"] + outcomes[CartClosed] == 7
    assert in_cart(cart.pk) == {variant.pk: 1 + outcomes["added"]}
