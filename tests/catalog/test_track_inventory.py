"""Stock is counted unless staff say otherwise."""

import importlib
import uuid

import pytest
from django.db import connection
from django.utils import timezone

from lavka.catalog import services
from lavka.catalog.models import Product, Variant
from lavka.catalog.services import VariantValues
from lavka.inventory import services as inventory
from lavka.inventory.selectors import available_of
from lavka.kernel.models import OutboxEvent
from lavka.kernel.money import Money
from lavka.listing.services import rebuild_listing
from tests.catalog.factories import make_product, make_variant
from tests.catalog.managing import BLUE, RED, make_kettle
from tests.inventory.factories import make_stock, make_warehouse

pytestmark = pytest.mark.django_db

NOW = timezone.now()
COST = {"amount": 321987, "currency": "USD"}


def test_a_new_variant_is_tracked_and_out_of_stock_however_it_is_made(api, token):
    make_kettle(api, token, variants=[RED])
    values = VariantValues(sku="S", price=Money(1, "USD"), options={"color": "blue"})
    services.add_variant(product_id=Product.objects.get().pk, values=values)
    Variant.objects.create(product=make_product(), sku="SHELL", price_amount=1)
    Variant.objects.bulk_create([Variant(product=make_product(), sku="BULK", price_amount=1)])

    made = Variant.objects.values_list("track_inventory", "is_in_stock")
    assert list(made) == [(True, False)] * 4
    assert set(available_of(list(Variant.objects.values_list("pk", flat=True))).values()) == {0}


def test_only_inventory_says_that_there_is_stock():
    variant = make_variant(track_inventory=True)

    Variant.objects.filter(pk=variant.pk).update(is_in_stock=True)

    assert not Variant.objects.get(pk=variant.pk).is_in_stock


def test_staff_sell_without_counting_and_count_again():
    variant = make_stock(0)
    OutboxEvent.objects.all().delete()

    services.change_variant(variant_id=variant.pk, track_inventory=False)
    untracked = available_of([variant.pk])[variant.pk], Variant.objects.get().is_in_stock
    events = list(OutboxEvent.objects.values_list("name", flat=True))
    services.change_variant(variant_id=variant.pk, track_inventory=True)

    assert untracked == (None, True)
    assert events == ["catalog.product_changed"]
    assert (available_of([variant.pk])[variant.pk], Variant.objects.get().is_in_stock) == (0, False)


def test_a_count_of_an_untracked_variant_limits_nothing_until_it_is_tracked():
    make_warehouse()
    variant = make_variant(track_inventory=False)

    inventory.set_on_hand(variant_id=variant.pk, warehouse="main", on_hand=2)
    inventory.reserve_stock(holder=uuid.uuid4(), quantities={variant.pk: 50}, until=NOW, at=NOW)
    free = available_of([variant.pk])[variant.pk]
    services.change_variant(variant_id=variant.pk, track_inventory=True)

    assert free is None
    assert available_of([variant.pk]) == {variant.pk: 2}
    assert Variant.objects.get().is_in_stock


def test_a_variant_that_is_written_anew_stays_as_it_was(api, token):
    product = make_kettle(api, token, variants=[RED | {"track_inventory": False}, BLUE]).json()
    path = f"/manage/products/{product['id']}/variants/"

    answer = api.put(path, {"variants": [RED, BLUE]}, token=token)

    assert answer.status_code == 200
    flags = Variant.objects.order_by("sku").values_list("sku", "track_inventory", "is_in_stock")
    assert list(flags) == [("K-BLUE", True, False), ("K-RED", False, True)]


def test_a_cost_is_for_staff_only(api, token):
    product = make_kettle(api, token, variants=[RED | {"cost": COST}], status="published").json()
    variant_id = product["variants"][0]["id"]
    rebuild_listing()

    read = api.get(f"/manage/products/{product['id']}/", token=token).json()
    changed = api.patch(f"/manage/variants/{variant_id}/", {"cost": None}, token=token).json()
    api.patch(f"/manage/variants/{variant_id}/", {"cost": COST}, token=token)

    assert (read["variants"][0]["cost"], changed["cost"]) == (COST, None)
    for path in ("/products/", f"/products/{product['slug']}/"):
        shown = api.get(path).content.decode()
        assert product["slug"] in shown
        assert "cost" not in shown
        assert str(COST["amount"]) not in shown


def test_shops_of_before_keep_what_they_meant_there_and_back():
    """Rows: was it shown in stock, and what is available of it (None: never counted)."""
    migration = importlib.import_module("lavka.catalog.migrations.0006_track_inventory")
    meant = {(True, None), (False, None), (True, 3), (False, 0)}
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE catalog_variant (id int, is_in_stock boolean,"
            " track_inventory boolean DEFAULT true, has_stock boolean DEFAULT false);"
            "CREATE TEMPORARY TABLE inventory_stocklevel (variant_id int, available int)"
        )
        for number, (shown, available) in enumerate(meant):
            cursor.execute("INSERT INTO catalog_variant VALUES (%s, %s)", [number, shown])
            if available is not None:
                cursor.execute(
                    "INSERT INTO inventory_stocklevel VALUES (%s, %s)", [number, available]
                )

        def said(*columns: str) -> set[tuple[bool, ...]]:
            cursor.execute(
                f"SELECT {', '.join(columns)} FROM pg_temp.catalog_variant AS variant"
                " LEFT JOIN pg_temp.inventory_stocklevel ON variant_id = variant.id"
            )
            return set(cursor.fetchall())

        cursor.execute(migration.FORWARD)
        forward = said("available", "track_inventory", "has_stock")
        cursor.execute("UPDATE pg_temp.catalog_variant SET is_in_stock = true")
        cursor.execute(migration.BACKWARD)
        backward = said("is_in_stock", "available")
        cursor.execute("DROP TABLE pg_temp.catalog_variant, pg_temp.inventory_stocklevel")

    assert forward == {
        (None, False, False),
        (None, True, False),
        (3, True, True),
        (0, True, False),
    }
    assert backward == meant
