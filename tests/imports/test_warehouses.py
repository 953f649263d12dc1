"""In which warehouse the quantities of a product file are counted."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from lavka.catalog.models import Variant
from lavka.imports.models import ImportedQuantity
from lavka.inventory import services as inventory
from tests.imports.files import MUG, shopify_file
from tests.imports.test_products import imported
from tests.imports.test_stock import QUANTITY, import_mug, mug, sell, take
from tests.inventory.factories import counters, make_stock, make_warehouse

pytestmark = pytest.mark.django_db


def import_quantity(path: Path, quantity: int, **options: object) -> tuple[int, str, list[Any]]:
    return imported(shopify_file(path / "shop.csv", MUG | {QUANTITY: str(quantity)}), **options)


def counts() -> dict[str, int]:
    levels = mug().stock_levels.exclude(on_hand=0)
    return dict(levels.values_list("warehouse__code", "on_hand"))


def test_a_new_count_in_another_warehouse_is_refused_while_units_lie_in_the_first(tmp_path):
    make_warehouse("north", priority=9)
    import_mug(tmp_path, **{QUANTITY: "7"})

    refused = [import_quantity(tmp_path, quantity, warehouse="north") for quantity in (9, 5, 7)]
    kept = counts()
    inventory.transfer_stock(variant_id=mug().pk, origin="main", destination="north", quantity=7)
    moved = import_quantity(tmp_path, 9, warehouse="north")

    assert [each[2] for each in refused] == [[(2, QUANTITY, "counted_elsewhere")]] * 2 + [[]]
    assert "7 units of the last quantity may lie in warehouse “main”" in refused[0][1]
    assert refused[2][1].startswith("1 unchanged")
    assert kept == {"main": 7}
    assert (moved[0], counts()) == (0, {"north": 9})


def test_what_is_sold_out_in_the_first_warehouse_is_counted_in_another(tmp_path):
    make_warehouse("north", priority=9)
    import_mug(tmp_path, **{QUANTITY: "7"})
    sell(mug(), 7)

    import_mug(tmp_path, options={"warehouse": "north"}, **{QUANTITY: "9"})
    import_mug(tmp_path, **{QUANTITY: "6"})

    assert counts() == {"north": 6}


def test_a_new_count_goes_where_the_last_one_was(tmp_path):
    import_mug(tmp_path, **{QUANTITY: "7"})
    make_warehouse("attic")  # comes before `main`
    cup = MUG | {"Handle": "cup", "Variant SKU": "CUP", "Variant Barcode": ""}

    imported(shopify_file(tmp_path / "shop.csv", MUG | {QUANTITY: "9"}, cup))

    assert counts() == {"main": 9}
    fresh = Variant.objects.get(product__slug="cup")
    assert fresh.stock_levels.get().warehouse.code == "attic"


def test_fewer_than_are_promised_where_the_last_count_was_is_refused(tmp_path):
    import_mug(tmp_path, **{QUANTITY: "7"})
    take(mug(), 5)
    make_warehouse("attic")  # comes before `main`

    assert import_quantity(tmp_path, 4)[2] == [(2, QUANTITY, "stock_promised")]
    assert counters(mug().pk) == (7, 5)


def test_a_count_of_the_staff_in_another_warehouse_is_not_doubled(tmp_path):
    make_warehouse("north", priority=9)
    path = tmp_path / "shop.csv"
    path.write_text("Handle,Title,Variant Price,Variant SKU\nmug,Mug,2,MUG\n")
    imported(path)
    make_stock(20, mug(), "north")

    summaries = [import_mug(tmp_path, **{QUANTITY: quantity}) for quantity in ("7", "8")]
    kept = counts()
    import_mug(tmp_path, options={"warehouse": "north"}, **{QUANTITY: "9"})

    assert ["stock was counted before" in each for each in summaries] == [True, True]
    assert (kept, counts()) == ({"north": 20}, {"north": 9})


@pytest.mark.parametrize(
    ("moved", "named", "code", "there"),
    [
        (3, None, 1, {"main": 4, "north": 3}),
        (7, None, 1, {"north": 7}),
        (7, "north", 0, {"north": 9}),
        (3, "north", 1, {"main": 4, "north": 3}),
        (3, "main", 0, {"main": 9, "north": 3}),
    ],
)
def test_units_that_staff_moved_are_not_counted_twice(tmp_path, moved, named, code, there):
    make_warehouse("north", priority=9)
    import_mug(tmp_path, **{QUANTITY: "7"})
    inventory.transfer_stock(
        variant_id=mug().pk, origin="main", destination="north", quantity=moved
    )

    outcome = import_quantity(tmp_path, 9, warehouse=named)

    assert (outcome[0], counts()) == (code, there)


def test_staff_who_name_a_warehouse_count_beside_their_own_in_another(tmp_path):
    make_warehouse("north", priority=9)
    path = tmp_path / "shop.csv"
    path.write_text("Handle,Title,Variant Price,Variant SKU\nmug,Mug,2,MUG\n")
    imported(path)
    make_stock(20, mug(), "north")
    import_mug(tmp_path, **{QUANTITY: "7"})

    import_mug(tmp_path, options={"warehouse": "main"}, **{QUANTITY: "8"})

    assert counts() == {"main": 8, "north": 20}


def test_what_staff_counted_in_a_second_warehouse_stays_beside_a_new_count(tmp_path):
    make_warehouse("north", priority=9)
    import_mug(tmp_path, **{QUANTITY: "7"})
    make_stock(20, mug(), "north")

    import_mug(tmp_path, **{QUANTITY: "9"})

    assert counts() == {"main": 9, "north": 20}


def test_the_ledger_tells_where_older_quantities_were_counted(tmp_path):
    make_warehouse("north", priority=9)
    import_mug(tmp_path, options={"warehouse": "north"}, **{QUANTITY: "7"})
    make_stock(5, mug(), "main")
    ImportedQuantity.objects.update(warehouse=None)

    forward = import_module("lavka.imports.migrations.0003_warehouse_of_imported_quantity").FORWARD
    with connection.cursor() as cursor:
        cursor.execute(forward)

    assert ImportedQuantity.objects.get().warehouse.code == "north"
