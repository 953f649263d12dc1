"""Puts the file's goods and customers into a shop; runs inside the shop's own process."""

import json
import sys
from io import StringIO
from uuid import UUID

from django.core.management import call_command
from django.utils.text import slugify

from lavka.accounts.models import User
from lavka.catalog.models import Attribute, Choice, Product, ProductType, TypeAttribute, Variant
from lavka.inventory import reconcile
from lavka.inventory import services as inventory
from tests.accounts.factories import make_staff
from tests.inventory.factories import make_warehouse
from tests.shipping.factories import make_shipping_rate
from tests.tax.factories import make_tax_rate

# Code, name, and for each price what is on hand.
type Goods = tuple[str, str, list[tuple[int, int | None]]]

TAXES = {"GB": "20", "DE": "19", "FR": "20"}


def print_ids() -> None:
    """Stock the shop from stdin; print the ids of `staff`, `customers` and `variants` as JSON.

    Stdin is `{customers: [number], goods: [[code, name, [[price, on hand or null]]]]}`.
    """
    asked = json.load(sys.stdin)
    for country, percent in TAXES.items():
        make_tax_rate(country, percent)
    make_shipping_rate("", name="As invoiced", price_amount=0)
    make_shipping_rate("GB", name="As invoiced", price_amount=0)
    made = {
        "staff": str(make_staff().pk),
        "customers": _customers(asked["customers"]),
        "variants": _variants(asked["goods"]),
    }
    sys.stdout.write(json.dumps(made))


def print_drift() -> None:
    """Print as JSON what `lavka reconcile` says last, and the levels that are not what their
    rows say.
    """
    said = StringIO()
    call_command("reconcile", stdout=said)
    money = said.getvalue().strip().splitlines()[-1]
    sys.stdout.write(json.dumps({"money": money, "levels": reconcile.drifted_levels()}))


def _customers(numbers: list[str]) -> dict[str, str]:
    users = [
        User(email=f"{each}@example.com", name=f"No. {each}", password="!") for each in numbers
    ]
    made = User.objects.bulk_create(users)
    return {number: str(user.pk) for number, user in zip(numbers, made, strict=True)}


def _variants(goods: list[Goods]) -> list[list[str]]:
    """The variants of each of the goods: one for each price it is sold at, all counted."""
    kind = _product_type({price for _, _, offers in goods for price, _ in offers})
    products = Product.objects.bulk_create(
        Product(
            product_type=kind,
            slug=slugify(f"goods-{code}"),
            name=name,
            status=Product.Status.PUBLISHED,
        )
        for code, name, _ in goods
    )
    variants = [
        Variant(
            product=product,
            sku=f"{code}/{price}",
            price_amount=price,
            options={"price": str(price)},
            track_inventory=on_hand is not None,
        )
        for product, (code, _, offers) in zip(products, goods, strict=True)
        for price, on_hand in offers
    ]
    made = iter(Variant.objects.bulk_create(variants))
    ids = [[next(made).pk for _ in offers] for _, _, offers in goods]
    make_warehouse()
    inventory.count_stock(counts=_counts(goods, ids), warehouse="main")
    return [[str(each) for each in row] for row in ids]


def _product_type(prices: set[int]) -> ProductType:
    price = Attribute.objects.create(code="price", name="Price", kind="choice")
    Choice.objects.bulk_create(
        Choice(attribute=price, code=str(each), label=str(each), position=place)
        for place, each in enumerate(sorted(prices))
    )
    kind = ProductType.objects.create(code="gift", name="Gift")
    TypeAttribute.objects.create(product_type=kind, attribute=price, is_option=True)
    return kind


def _counts(goods: list[Goods], ids: list[list[UUID]]) -> dict[UUID, int]:
    return {
        variant_id: on_hand
        for (_, _, offers), row in zip(goods, ids, strict=True)
        for (_, on_hand), variant_id in zip(offers, row, strict=True)
        if on_hand is not None
    }
