"""A cart as it stands now."""

import datetime
import uuid

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lavka.carts.models import Cart
from lavka.carts.pricing import PricedCart
from lavka.carts.selectors import priced_cart
from lavka.catalog.models import Product, Variant
from lavka.inventory import services as inventory
from lavka.tax.rules import sum_of
from tests.carts.factories import ADDRESS, make_cart, put_in
from tests.catalog.factories import make_product, make_variant
from tests.inventory.factories import make_stock
from tests.shipping.factories import make_shipping_rate
from tests.tax.factories import make_tax_rate

pytestmark = pytest.mark.django_db


def priced(cart: Cart) -> PricedCart:
    return priced_cart(cart.pk, timezone.now())


def codes(cart: Cart) -> list[str]:
    [line] = priced(cart).lines
    return [message.code for message in line.messages]


def test_tax_is_added_to_goods_and_shipping():
    make_tax_rate("GB", "20")
    rate = make_shipping_rate(price_amount=500)
    cart = make_cart(shipping_address=ADDRESS, shipping_option_id=str(rate.pk))
    put_in(cart, 2, make_variant(price_amount=1299))
    put_in(cart, 1, make_variant(price_amount=333))

    totals = priced(cart).totals

    assert (totals.subtotal, totals.shipping, sum_of(totals.shipping_taxes)) == (2931, 500, 100)
    assert (totals.tax, totals.total) == (520 + 67 + 100, 2931 + 500 + 687)


def test_prices_may_include_their_tax(settings):
    settings.LAVKA = settings.LAVKA | {"PRICES_INCLUDE_TAX": True}
    make_tax_rate("GB", "20")
    cart = make_cart(shipping_address=ADDRESS)
    put_in(cart, 1, make_variant(price_amount=1200))

    totals = priced(cart).totals

    assert (totals.subtotal, totals.tax, totals.total) == (1200, 200, 1200)


def test_before_there_is_an_address_nothing_is_taxed_or_shipped():
    make_tax_rate("GB", "20")
    cart = make_cart()
    put_in(cart, 1, make_variant(price_amount=1200))

    assert priced(cart).totals.total == 1200


def test_a_new_price_is_told_and_counts_until_the_customer_touches_the_line():
    cart, variant = make_cart(), make_variant(price_amount=1000)
    put_in(cart, 1, variant)
    Variant.objects.filter(pk=variant.pk).update(price_amount=1100)

    for _ in range(2):
        [line] = priced(cart).lines
        [message] = line.messages
        assert (line.total, message.code) == (1100, "price_changed")
        assert message.details["before"] == {"amount": 1000, "currency": "USD"}
    put_in(cart, 1, variant)

    assert codes(cart) == []


def test_what_ran_short_is_told_and_counts_as_far_as_it_goes():
    variant, cart = make_stock(5), make_cart()
    put_in(cart, 5, variant)
    inventory.set_on_hand(variant_id=variant.pk, warehouse="main", on_hand=2)

    [line] = priced(cart).lines
    assert (line.requested, line.quantity, line.total) == (5, 2, 2 * 1299)
    assert codes(cart) == ["quantity_reduced"]
    inventory.set_on_hand(variant_id=variant.pk, warehouse="main", on_hand=0)

    assert codes(cart) == ["out_of_stock"]
    assert priced(cart).totals.total == 0
    assert priced(cart).shortages == [{"variant_id": variant.pk, "requested": 5, "available": 0}]


def test_what_the_cart_keeps_from_others_is_not_short_for_itself():
    variant, cart, now = make_stock(2), make_cart(), timezone.now()
    put_in(cart, 2, variant)
    inventory.reserve_stock(
        holder=cart.pk,
        quantities={variant.pk: 2},
        until=now + datetime.timedelta(minutes=5),
        at=now,
    )
    other = make_cart()

    assert codes(cart) == []
    with pytest.raises(Exception, match="out_of_stock"):
        put_in(other, 1, variant)


@pytest.mark.parametrize("how", ["archived", "deleted"])
def test_a_product_that_is_gone_is_told_by_its_name(how):
    cart, product = make_cart(), make_product(name="Lamp")
    put_in(cart, 1, make_variant(product=product))
    if how == "deleted":
        product.delete()
    else:
        Product.objects.filter(pk=product.pk).update(status="archived")

    [line] = priced(cart).lines

    assert codes(cart) == ["product_gone"]
    assert (line.product_name, line.quantity, line.total) == ("Lamp", 0, 0)
    assert priced(cart).quantities == {}


def test_a_way_of_shipping_that_is_gone_is_told():
    cart = make_cart(shipping_address=ADDRESS, shipping_option_id=str(uuid.uuid4()))

    assert [message.code for message in priced(cart).messages] == ["shipping_option_gone"]
    assert priced(cart).shipping_option is None


@pytest.mark.parametrize("lines", [1, 3])
def test_a_cart_costs_the_same_queries_however_full(lines, django_assert_num_queries):
    cart = make_cart(shipping_address=ADDRESS)
    for _ in range(lines):
        put_in(cart)

    with django_assert_num_queries(6):
        priced(cart)


@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    goods=st.lists(st.tuples(st.integers(0, 10**7), st.integers(1, 999)), min_size=1, max_size=4),
    percent=st.decimals("0", "30", places=3),
    shipping=st.integers(0, 10**5),
)
def test_the_lines_add_up_to_the_total(db, goods, percent, shipping):
    rate = make_shipping_rate(name=uuid.uuid4().hex, price_amount=shipping)
    tax_rate = make_tax_rate("GB", str(percent))
    cart = make_cart(shipping_address=ADDRESS, shipping_option_id=str(rate.pk))
    for price, quantity in goods:
        put_in(cart, quantity, make_variant(price_amount=price))

    now = priced(cart)
    tax_rate.delete()

    assert now.totals.subtotal == sum(price * quantity for price, quantity in goods)
    assert now.totals.tax == sum(line.tax for line in now.lines) + sum_of(now.totals.shipping_taxes)
    assert now.totals.total == sum(line.total + line.tax for line in now.lines) + (
        now.totals.shipping + sum_of(now.totals.shipping_taxes)
    )
