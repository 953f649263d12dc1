"""Quantities, trackers, policies and costs of a product file."""

import uuid
from pathlib import Path

import pytest
from django.core.management import CommandError
from django.utils import timezone

from lavka.catalog import services as catalog
from lavka.catalog.models import Variant
from lavka.inventory import services as inventory
from lavka.inventory.errors import OutOfStock
from lavka.inventory.models import MAX_UNITS, StockMovement, StockPolicy
from lavka.inventory.selectors import available_of
from tests.carts.factories import make_cart, put_in
from tests.imports.files import MUG, shop_export, shopify_file
from tests.imports.test_products import imported
from tests.inventory.factories import counters, make_stock, make_warehouse
from tests.racing import race

pytestmark = pytest.mark.django_db

QUANTITY, TRACKER = "Variant Inventory Qty", "Variant Inventory Tracker"
POLICY, COST = "Variant Inventory Policy", "Cost per item"


def import_mug(tmp_path: Path, *, options: dict[str, object] | None = None, **columns: str) -> str:
    """Import one product; returns the summary."""
    path = shopify_file(tmp_path / "shop.csv", MUG | columns)
    code, summary, refused = imported(path, **options or {})
    assert (code, refused) == (0, [])
    return summary


def mug() -> Variant:
    return Variant.objects.get(product__slug="mug")


def take(variant: Variant, units: int) -> None:
    """Allocate units to an order, so that they are promised."""
    inventory.allocate_reservation(
        holder=uuid.uuid4(),
        order_id=uuid.uuid4(),
        quantities={variant.pk: units},
        at=timezone.now(),
    )


def sell(variant: Variant, units: int) -> None:
    """Sell units and ship them."""
    order_id = uuid.uuid4()
    inventory.allocate_reservation(
        holder=uuid.uuid4(), order_id=order_id, quantities={variant.pk: units}, at=timezone.now()
    )
    inventory.ship_allocation(order_id=order_id, quantities={variant.pk: units})


@pytest.mark.parametrize("tracker", ["shopify", ""])
def test_what_the_file_denies_is_not_sold_beyond_its_quantity(tmp_path, tracker):
    import_mug(tmp_path, **{QUANTITY: "7", POLICY: "deny", TRACKER: tracker})

    with pytest.raises(OutOfStock):
        put_in(make_cart(), 900, mug())

    assert (mug().track_inventory, mug().is_in_stock) == (True, True)
    assert available_of([mug().pk]) == {mug().pk: 7}
    assert counters(mug().pk) == (7, 0)


@pytest.mark.django_db(transaction=True)
def test_what_the_file_denies_is_not_sold_beyond_its_quantity_by_many_at_once(tmp_path):
    import_mug(tmp_path, **{QUANTITY: "7", POLICY: "deny"})

    outcomes = race(lambda: take(mug(), 1), times=12)

    assert sorted(map(str, outcomes)).count("None") == 7
    assert counters(mug().pk) == (7, 7)


def test_a_file_that_says_nothing_of_stock_sells_nothing(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text("Handle,Title,Variant Price\nmug,Mug,2\n")

    imported(path)

    assert (mug().track_inventory, mug().is_in_stock) == (True, False)
    with pytest.raises(OutOfStock):
        put_in(make_cart(), 1, mug())


@pytest.mark.parametrize(
    ("columns", "available"),
    [
        ({QUANTITY: "", POLICY: "deny"}, 0),
        ({QUANTITY: "", POLICY: ""}, 0),
        ({QUANTITY: "0", POLICY: "deny"}, 0),
        ({QUANTITY: "-5", POLICY: ""}, 0),
        ({QUANTITY: "5", POLICY: "perhaps"}, 5),
        ({QUANTITY: "", POLICY: "continue"}, MAX_UNITS),
        ({QUANTITY: "5", POLICY: "continue"}, MAX_UNITS + 5),
    ],
)
def test_a_blank_tracker_is_counted_unless_staff_say_otherwise(tmp_path, columns, available):
    summary = import_mug(tmp_path, **{TRACKER: ""} | columns)

    assert (mug().track_inventory, mug().is_in_stock) == (True, available > 0)
    assert available_of([mug().pk]) == {mug().pk: available}
    assert "note: 1 × inventory tracker is blank" in summary
    assert "--untracked-if-blank" in summary


@pytest.mark.parametrize(
    "columns",
    [
        {QUANTITY: ""},
        {QUANTITY: "5", POLICY: "continue"},
        {QUANTITY: "5", POLICY: "deny"},
        {QUANTITY: "-5", POLICY: "deny"},
    ],
)
def test_a_blank_tracker_is_not_counted_when_staff_say_so(tmp_path, columns):
    summary = import_mug(tmp_path, options={"untracked_if_blank": True}, **{TRACKER: ""} | columns)

    assert (mug().track_inventory, mug().is_in_stock) == (False, True)
    assert available_of([mug().pk]) == {mug().pk: None}
    assert not mug().stock_levels.exists()
    assert "tracker" not in summary


@pytest.mark.parametrize("policy", ["deny", ""])
def test_a_blank_tracker_leaves_what_staff_counted(tmp_path, policy):
    import_mug(tmp_path, **{QUANTITY: "7", TRACKER: "shopify"})
    sell(mug(), 3)

    import_mug(tmp_path, **{QUANTITY: "", TRACKER: "", POLICY: policy})

    assert (mug().track_inventory, available_of([mug().pk])) == (True, {mug().pk: 4})
    with pytest.raises(OutOfStock):
        put_in(make_cart(), 900, mug())


def test_a_file_without_quantities_sells_nothing_that_was_not_counted(tmp_path):
    """A shop with several locations exports its quantities in another file."""
    path = tmp_path / "shop.csv"
    path.write_text(
        "Handle,Title,Variant SKU,Variant Price,Variant Inventory Tracker,"
        "Variant Inventory Policy\nmug,Mug,MUG,2,,deny\ncup,Cup,CUP,2,,deny\n"
    )

    summary = imported(path)[1]

    assert "note: 2 × inventory tracker is blank" in summary
    assert set(Variant.objects.values_list("track_inventory", "is_in_stock")) == {(True, False)}


def test_a_policy_to_continue_is_a_backorder_and_deny_ends_it(tmp_path):
    import_mug(tmp_path, **{QUANTITY: "1", POLICY: "continue"})
    was = StockPolicy.objects.get().when_out
    put_in(make_cart(), 900, mug())

    import_mug(tmp_path, **{QUANTITY: "1", POLICY: "deny"})

    assert (was, StockPolicy.objects.get().when_out) == ("backorder", "deny")
    assert available_of([mug().pk]) == {mug().pk: 1}


def test_a_policy_of_the_staff_outlives_a_file_that_sells_on(tmp_path):
    import_mug(tmp_path, **{QUANTITY: "1"})
    inventory.set_policy(
        variant_id=mug().pk, when_out="backorder", backorder_limit=5, low_stock_threshold=2
    )

    import_mug(tmp_path, **{QUANTITY: "1", POLICY: "continue"})

    assert StockPolicy.objects.values_list("backorder_limit", "low_stock_threshold").get() == (5, 2)


def test_the_same_file_again_does_not_bring_back_what_was_sold(tmp_path):
    import_mug(tmp_path, **{QUANTITY: "7"})
    sell(mug(), 3)

    summary = import_mug(tmp_path, **{QUANTITY: "7"})

    assert summary.startswith("1 unchanged")
    assert counters(mug().pk) == (4, 0)


def test_another_quantity_is_a_new_count(tmp_path):
    import_mug(tmp_path, **{QUANTITY: "7"})
    sell(mug(), 3)

    summary = import_mug(tmp_path, **{QUANTITY: "10"})

    assert summary.startswith("1 changed")
    assert counters(mug().pk) == (10, 0)
    assert list(StockMovement.objects.values_list("quantity", "reference").order_by("id")) == [
        (7, "product import"),
        (-3, ""),
        (6, "product import"),
    ]


def test_a_count_of_the_staff_outlives_a_file_until_its_quantity_changes(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text("Handle,Title,Variant Price,Variant SKU\nmug,Mug,2,MUG\n")
    imported(path)
    make_stock(20, mug())

    summary = import_mug(tmp_path, **{QUANTITY: "7"})
    kept = counters(mug().pk)
    import_mug(tmp_path, **{QUANTITY: "8"})

    assert "note: 1 × quantity was left out, as the stock was counted before" in summary
    assert (kept, counters(mug().pk)) == ((20, 0), (8, 0))


def test_fewer_than_are_promised_is_refused_with_its_line(tmp_path):
    import_mug(tmp_path, **{QUANTITY: "7"})
    take(mug(), 5)
    changed = MUG | {QUANTITY: "4", "Variant Price": "99"}

    code, _, refused = imported(shopify_file(tmp_path / "shop.csv", changed))

    assert (code, refused) == (1, [(2, QUANTITY, "stock_promised")])
    assert counters(mug().pk) == (7, 5)
    assert mug().price_amount == 1250


def test_a_dry_run_counts_nothing(tmp_path):
    import_mug(tmp_path, **{QUANTITY: "7"})

    summary = import_mug(tmp_path, options={"dry_run": True}, **{QUANTITY: "9"})

    assert summary.startswith("1 changed")
    assert counters(mug().pk) == (7, 0)


def test_a_file_says_whether_a_known_variant_is_tracked(tmp_path):
    import_mug(tmp_path, **{QUANTITY: "7"})
    catalog.change_variant(variant_id=mug().pk, track_inventory=False)
    import_mug(tmp_path, **{TRACKER: "", QUANTITY: "7"})  # says nothing
    stayed = mug().track_inventory

    import_mug(tmp_path, **{TRACKER: "shopify", QUANTITY: "7"})

    assert (stayed, mug().track_inventory) == (False, True)


def test_a_cost_is_taken_and_kept_by_a_file_without_the_column(tmp_path):
    import_mug(tmp_path, **{COST: "4.10"})
    taken = mug().cost_amount
    path = tmp_path / "short.csv"
    path.write_text("Handle,Title,Variant Price,Variant SKU\nmug,Mug,2,MUG\n")
    imported(path)
    kept = mug().cost_amount

    import_mug(tmp_path, **{COST: ""})

    assert (taken, kept, mug().cost_amount) == (410, 410, None)


def test_a_variant_under_a_new_sku_keeps_its_stock(tmp_path):
    import_mug(tmp_path, **{QUANTITY: "7"})
    was = mug().pk

    import_mug(tmp_path, **{QUANTITY: "7", "Variant SKU": "MUG-2"})

    assert (mug().pk, mug().sku) == (was, "MUG-2")
    assert counters(was) == (7, 0)


def test_a_variant_that_left_the_file_stays_with_its_history(tmp_path):
    small = MUG | {"Option1 Name": "Size", "Option1 Value": "S"}
    large = {"Handle": "mug", "Option1 Value": "L", "Variant SKU": "MUG-L", "Variant Price": "14"}
    imported(shopify_file(tmp_path / "shop.csv", small, large | {QUANTITY: "2"}))

    code, summary, refused = imported(shopify_file(tmp_path / "shop.csv", small))
    again = imported(shopify_file(tmp_path / "shop.csv", small))[1]

    assert (code, refused) == (0, [])
    assert "note: 1 × variant is not in the file and was left" in summary
    assert again.startswith("1 unchanged")
    assert list(Variant.objects.order_by("position").values_list("sku", flat=True)) == [
        "MUG",
        "MUG-L",
    ]


def test_quantities_go_to_the_warehouse_that_is_named(tmp_path):
    make_warehouse("north", priority=9)

    import_mug(tmp_path, options={"warehouse": "north"}, **{QUANTITY: "7"})

    assert mug().stock_levels.get().warehouse.code == "north"
    with pytest.raises(CommandError, match="no such warehouse"):
        import_mug(tmp_path, options={"warehouse": "south"})


def test_a_shops_export_is_counted_and_never_oversold(tmp_path, say_input):
    path = tmp_path / "shop.csv"
    say_input(shop_export(path))

    imported(path)

    variants = Variant.objects.filter(track_inventory=True)
    on_hand = {each.pk: counters(each.pk)[0] for each in variants}
    assert available_of(on_hand) == on_hand
    assert sum(on_hand.values()) > 0
    assert {each.pk: each.is_in_stock for each in variants} == {
        each: units > 0 for each, units in on_hand.items()
    }
