"""The listing follows its sources: by events, in batches, never backwards."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from lavka.catalog import services as catalog
from lavka.catalog.models import Product, Variant
from lavka.kernel import events
from lavka.kernel.models import DriftReport, OutboxEvent
from lavka.listing import services
from lavka.listing.models import (
    ListedNumber,
    ListedProduct,
    ShelfPlace,
    StaleProduct,
    Word,
)
from lavka.reviews import ratings
from tests.catalog.factories import (
    make_attribute,
    make_brand,
    make_category,
    make_product,
    make_type,
    make_variant,
    use_attribute,
)
from tests.client import Api
from tests.listing.factories import make_card, slugs
from tests.reviews.factories import make_review

pytestmark = pytest.mark.django_db
TABLES = [ListedProduct, ShelfPlace, ListedNumber]


def deliver() -> None:
    """Run what subscribed to each event, and to those that follow, as worker and relay do."""
    while waiting := list(OutboxEvent.objects.order_by("arrival")):
        for event in waiting:
            for task in events.handlers_of(event.name):
                task(**event.payload, event_id=str(event.pk))
        OutboxEvent.objects.filter(pk__in=[e.pk for e in waiting]).delete()


def card(api: Api, slug: str) -> dict:
    items = api.get("/products/?limit=100").json()["items"]
    return next(each for each in items if each["slug"] == slug)


def rows() -> list[int]:
    return [model.objects.count() for model in TABLES]


def listed() -> list[dict]:
    rows = ListedProduct.objects.order_by("pk").values()
    return [{name: value for name, value in row.items() if name != "moved_by"} for row in rows]


def test_a_change_shows_when_its_event_was_delivered(api: Api):
    brand, category = make_brand(name="Acme"), make_category(name="Pots")
    product = make_card(500, slug="pot", brand=brand, category=category)
    deliver()

    catalog.change_variant(variant_id=product.variants.get().pk, track_inventory=True)
    catalog.update_brand(brand_id=brand.pk, name="Bolt")
    catalog.update_category(category_id=category.pk, name="Pans")
    catalog.update_product(product_id=product.pk, name="Wok")
    deliver()

    shown = card(api, "pot")
    assert (shown["name"], shown["in_stock"]) == ("Wok", False)
    assert (shown["brand"]["name"], shown["category"]["name"]) == ("Bolt", "Pans")
    assert not StaleProduct.objects.exists()


def test_a_counted_review_shows_on_the_card(api: Api):
    product = make_card(slug="pot")
    make_review(product=product, rating=4)
    deliver()

    assert card(api, "pot")["rating"] == {"average": 4.0, "count": 1}


def test_a_moved_category_takes_its_products_to_other_shelves(api: Api):
    old, new = make_category(slug="old"), make_category(slug="new")
    category = make_category(slug="inner", parent=old)
    make_card(slug="pot", category=category)
    deliver()

    catalog.update_category(category_id=category.pk, parent=new)
    deliver()

    assert api.get("/products/?category=old").json()["items"] == []
    assert [each["slug"] for each in api.get("/products/?category=new").json()["items"]] == ["pot"]


@pytest.mark.parametrize(
    "leave",
    [
        lambda product: catalog.delete_product(product_id=product.pk),
        lambda product: catalog.set_status(product_ids=[product.pk], status="archived"),
        lambda product: catalog.delete_variant(variant_id=product.variants.get().pk),
    ],
)
def test_what_left_the_window_leaves_no_row(leave: Callable[[Product], object]):
    kind = make_type()
    use_attribute(kind, make_attribute(code="weight", kind="number"))
    product = make_card(product_type=kind, attributes={"weight": 5}, category=make_category())
    deliver()
    assert rows() == [1, 2, 1]

    leave(product)
    deliver()

    assert rows() == [0, 0, 0]


def test_a_refresh_of_what_is_right_writes_nothing():
    product = make_card(brand=make_brand(), category=make_category())
    assert services.refresh_products(product_ids=[product.pk]) == {product.pk}

    assert services.refresh_products(product_ids=[product.pk]) == set()


def test_many_marks_are_one_batch(django_assert_num_queries):
    ids = [make_card().pk for _ in range(3)]
    for _ in range(2):
        services.mark_stale(product_ids=ids)

    assert services.refresh_stale() == 3
    assert services.refresh_stale() == 0
    assert ListedProduct.objects.count() == 3


def test_values_of_a_wrong_type_harm_nobody(api: Api):
    kind = make_type()
    for code, value in {"weight": "number", "since": "date", "eco": "boolean"}.items():
        use_attribute(kind, make_attribute(code=code, kind=value))
    use_attribute(kind, make_attribute("wool", code="material"))
    wrong = {"weight": "heavy", "since": "2026-02-31", "eco": 7, "material": {"a": None}}
    for attributes in (wrong, dict.fromkeys(wrong), {code: [] for code in wrong}):
        make_card(product_type=kind, attributes=attributes)

    assert len(slugs(api)) == 3
    assert ListedNumber.objects.count() == 0


def test_a_page_of_many_products_has_the_same_rows_as_one_by_one():
    kind = make_type()
    use_attribute(kind, make_attribute("red", "blue", code="color"), is_option=True)
    for number in range(5):
        product = make_product(product_type=kind, category=make_category())
        make_variant(product=product, price_amount=number, options={"color": "red"})
    services.rebuild_listing()
    together = listed()

    ListedProduct.objects.all().delete()
    for product in Product.objects.all():
        services.refresh_products(product_ids=[product.pk])

    assert listed() == together


def test_drift_is_told_and_mended(api: Api):
    kept, wrong, gone = make_card(100), make_card(200, slug="wrong"), make_card(300)
    services.rebuild_listing()
    OutboxEvent.objects.all().delete()
    Variant.objects.filter(product=wrong).update(price_amount=900)
    ShelfPlace.objects.filter(product_id=gone.pk).update(shelf_id=uuid.uuid4())
    orphan = uuid.uuid4()
    with connection.cursor() as cursor:
        cursor.execute(ORPHAN, [str(orphan), kept.pk])
    drifted = sorted(map(str, [wrong.pk, gone.pk, orphan]))

    out = StringIO()
    call_command("listing", "drift", stdout=out)
    assert out.getvalue().startswith("3 of 4 products had drifted.")
    assert card(api, "wrong")["price"]["amount"] == 200

    report = services.reconcile_listing(at=timezone.now())
    assert (report.checked, report.drifted) == (4, 3)
    assert sorted(report.details["products"]) == drifted
    assert card(api, "wrong")["price"]["amount"] == 900
    assert services.reconcile_listing(at=timezone.now()).drifted == 0
    assert DriftReport.objects.filter(subject="listing").count() == 3


def test_a_change_on_its_way_is_no_drift():
    product = make_card()
    services.rebuild_listing()
    catalog.change_variant(variant_id=product.variants.get().pk, track_inventory=True)

    assert services.reconcile_listing(at=timezone.now()).drifted == 0


def test_a_closed_window_is_put_away_and_is_no_drift():
    make_card(unpublish_at=timezone.now() + timedelta(hours=1), category=make_category())
    services.rebuild_listing()
    OutboxEvent.objects.all().delete()
    assert services.reconcile_listing(at=timezone.now()).drifted == 0

    closed_at = timezone.now() - timedelta(hours=1)
    for model in (Product, ListedProduct, ShelfPlace):
        model.objects.update(unpublish_at=closed_at)

    assert services.reconcile_listing(at=timezone.now()).drifted == 0
    assert rows() == [0, 0, 0]


def test_a_rebuild_counts_words():
    make_card(name="Steel kettle")
    make_card(name="Kettles")
    out = StringIO()

    call_command("listing", "rebuild", stdout=out)

    assert out.getvalue() == "Rebuilt 2 products.\n"
    assert dict(Word.objects.values_list("lexeme", "products"))["kettl"] == 2


def test_a_rating_that_was_recounted_publishes_an_event():
    product = make_card()
    OutboxEvent.objects.all().delete()

    ratings.recount_product(product_id=product.pk)

    (event,) = OutboxEvent.objects.all()
    assert (event.name, event.aggregate) == ("reviews.rating_changed", product.pk)


# A row like another's, of a product that there is not.
ORPHAN = """
INSERT INTO listing_listedproduct
SELECT (jsonb_populate_record(listed, jsonb_build_object('product_id', %s::text))).*
FROM listing_listedproduct AS listed WHERE product_id = %s
"""
# A refresh that starts with the setting `lavka.slow` reads its sources, then waits to write.
PAUSE = """
CREATE FUNCTION pause_refresh() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('lavka.slow', true) = 'on' THEN
        PERFORM pg_advisory_xact_lock(42);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER pause_refresh BEFORE INSERT ON listing_listedproduct
    FOR EACH ROW EXECUTE FUNCTION pause_refresh();
"""
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


@pytest.fixture
def paused() -> Iterator[None]:
    """Slow refreshes wait until the lock 42 is let go."""
    with connection.cursor() as cursor:
        cursor.execute(PAUSE)
        try:
            yield
        finally:
            cursor.execute("DROP TRIGGER pause_refresh ON listing_listedproduct")
            cursor.execute("DROP FUNCTION pause_refresh")


def overtake(refresh: Callable[[UUID], object]) -> int:
    """The listed price after a slow refresh of the old price and a quick one of the new price."""
    product = make_card(100)
    services.refresh_products(product_ids=[product.pk])
    done, deadline = threading.Event(), time.monotonic() + 30

    def slow() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lavka.slow = 'on'")
                refresh(product.pk)
        finally:
            connection.close()

    def quick() -> None:
        try:
            refresh(product.pk)
        finally:
            connection.close()
            done.set()

    with connection.cursor() as cursor, ThreadPoolExecutor(2) as pool:
        cursor.execute("SELECT pg_advisory_lock(42)")
        try:
            first = pool.submit(slow)
            while number_waiting() < 1:
                assert time.monotonic() < deadline
            Variant.objects.update(price_amount=200)
            second = pool.submit(quick)
            while not done.is_set() and number_waiting() < 2:
                assert time.monotonic() < deadline
        finally:
            cursor.execute("SELECT pg_advisory_unlock(42)")
        first.result()
        second.result()
    return ListedProduct.objects.get(pk=product.pk).price


def number_waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_an_older_snapshot_never_overwrites_a_newer_one(paused):
    assert overtake(lambda product_id: services.refresh_products(product_ids=[product_id])) == 200


@pytest.mark.django_db(transaction=True)
def test_control_without_the_mark_it_does(paused):
    def unguarded(product_id: UUID) -> None:
        with transaction.atomic():
            services._refresh_held([product_id])

    assert overtake(unguarded) == 100
