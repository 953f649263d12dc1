"""Stock over HTTP, for staff."""

import datetime
import uuid

import pytest
from django.utils import timezone

from lavka.inventory import services
from lavka.inventory.models import StockLevel, StockMovement, Warehouse
from tests.accounts.factories import make_staff, token_of
from tests.catalog.factories import make_variant
from tests.inventory.factories import counters, make_stock, make_warehouse

pytestmark = pytest.mark.django_db


@pytest.fixture
def token() -> str:
    return token_of(make_staff())


def stock_path(variant) -> str:
    return f"/manage/variants/{variant.pk}/stock/"


def test_staff_count_a_variant(api, token):
    variant = make_variant()
    make_warehouse()

    answer = api.put(stock_path(variant), {"warehouse": "main", "on_hand": 5}, token=token)

    assert answer.status_code == 200
    assert answer.json() == {
        "variant_id": str(variant.pk),
        "warehouse": "main",
        "on_hand": 5,
        "reserved": 0,
        "available": 5,
    }


def test_a_ledger_line_names_who_counted(api):
    staff, variant = make_staff(), make_variant()
    make_warehouse()

    api.put(stock_path(variant), {"warehouse": "main", "on_hand": 5}, token=token_of(staff))
    page = api.get(f"/manage/stock-movements/?variant_id={variant.pk}", token=token_of(staff))

    [line] = page.json()["items"]
    assert (line["quantity"], line["reason"], line["sku"]) == (5, "count", variant.sku)
    assert line["actor_id"] == str(staff.pk)


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"warehouse": "main", "on_hand": -1}, "#/on_hand", "min_value"),
        ({"warehouse": "main", "on_hand": "5"}, "#/on_hand", "invalid"),
        ({"warehouse": "main"}, "#/on_hand", "required"),
        ({"warehouse": "nowhere", "on_hand": 1}, "#/warehouse", "does_not_exist"),
        ({"warehouse": "main", "on_hand": 1, "reserved": 1}, "#/reserved", "unknown"),
    ],
)
def test_a_bad_count_is_refused_by_its_field(api, token, body, pointer, code):
    make_warehouse()

    answer = api.put(stock_path(make_variant()), body, token=token)

    assert answer.status_code == 422
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [(pointer, code)]
    assert not StockLevel.objects.exists()


def test_promised_stock_is_a_conflict_that_says_how_much(api, token):
    variant, now = make_stock(5), timezone.now()
    services.reserve_stock(
        holder=uuid.uuid4(),
        quantities={variant.pk: 3},
        until=now + datetime.timedelta(minutes=1),
        at=now,
    )

    answer = api.put(stock_path(variant), {"warehouse": "main", "on_hand": 2}, token=token)

    assert (answer.status_code, answer.json()["code"]) == (409, "stock_promised")
    assert answer.json()["details"] == {"reserved": 3}
    assert counters(variant.pk) == (5, 3)


def test_what_staff_see_of_a_variant(api, token):
    variant = make_stock(5)
    make_stock(2, variant, "north")

    seen = api.get(stock_path(variant), token=token).json()

    assert (seen["track_inventory"], seen["on_hand"], seen["available"]) == (True, 7, 7)
    assert [level["warehouse"] for level in seen["levels"]] == ["main", "north"]
    assert seen["policy"]["when_out"] == "deny"


def test_a_variant_that_nobody_counts(api, token):
    seen = api.get(stock_path(make_variant()), token=token).json()

    assert (seen["track_inventory"], seen["levels"]) == (False, [])


def test_an_unknown_variant_is_404(api, token):
    path = f"/manage/variants/{uuid.uuid4()}/stock/"
    make_warehouse()

    read = api.get(path, token=token)
    written = api.put(path, {"warehouse": "main", "on_hand": 1}, token=token)

    assert (read.status_code, written.status_code) == (404, 404)


def test_staff_adjust_and_transfer(api, token):
    variant = make_stock(5)
    make_warehouse("north")
    damage = {"warehouse": "main", "by": -1, "reason": "damage", "reference": "wet"}
    move = {"variant_id": variant.pk, "origin": "main", "destination": "north", "quantity": 3}

    adjusted = api.post(f"{stock_path(variant)}adjustments/", damage, token=token)
    moved = api.post("/manage/stock-transfers/", move, token=token)
    again = api.post("/manage/stock-transfers/", move, token=token)

    assert (adjusted.status_code, adjusted.json()["on_hand"]) == (201, 4)
    assert [level["on_hand"] for level in moved.json()["levels"]] == [1, 3]
    assert (again.status_code, again.json()["code"]) == (409, "not_on_hand")
    assert StockMovement.objects.count() == 4


def test_a_transfer_needs_two_places(api, token):
    variant = make_stock(5)
    move = {"variant_id": variant.pk, "origin": "main", "destination": "main", "quantity": 3}

    answer = api.post("/manage/stock-transfers/", move, token=token)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/destination"


@pytest.mark.parametrize(
    ("policy", "pointer"),
    [
        ({"when_out": "backorder"}, "#/backorder_limit"),
        ({"when_out": "deny", "backorder_limit": 1}, "#/backorder_limit"),
        ({"when_out": "preorder", "backorder_limit": 1}, "#/available_on"),
        ({"when_out": "sometimes"}, "#/when_out"),
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(api, token, policy, pointer):
    answer = api.put(f"{stock_path(make_stock(1))}policy/", policy, token=token)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_a_policy_is_set_and_shown(api, token):
    variant = make_stock(1)
    policy = {"when_out": "preorder", "backorder_limit": 10, "available_on": "2027-03-01"}

    answer = api.put(f"{stock_path(variant)}policy/", policy, token=token)

    assert answer.json() == policy | {"low_stock_threshold": None}
    assert api.get(stock_path(variant), token=token).json()["available"] == 11


def test_warehouses_open_change_and_close(api, token):
    opened = api.post("/manage/warehouses/", {"code": "north", "name": "North"}, token=token)
    again = api.post("/manage/warehouses/", {"code": "north", "name": "North"}, token=token)
    changed = api.patch("/manage/warehouses/north/", {"priority": 3}, token=token)
    listed = api.get("/manage/warehouses/", token=token).json()["items"]
    closed = api.delete("/manage/warehouses/north/", token=token)

    assert (opened.status_code, again.status_code) == (201, 409)
    assert changed.json() == {"code": "north", "name": "North", "priority": 3}
    assert {"code": "north", "name": "North", "priority": 3} in listed
    assert closed.status_code == 204
    assert not Warehouse.objects.filter(code="north").exists()


def test_a_warehouse_with_stock_is_in_use(api, token):
    make_stock(1)

    answer = api.delete("/manage/warehouses/main/", token=token)

    assert (answer.status_code, answer.json()["code"]) == (409, "in_use")


@pytest.mark.parametrize("rows", [1, 3])
def test_a_page_of_the_ledger_costs_the_same_however_long(
    api, token, rows, django_assert_num_queries
):
    for _ in range(rows):
        make_stock(1)

    with django_assert_num_queries(2):
        page = api.get("/manage/stock-movements/", token=token).json()

    assert len(page["items"]) == rows
