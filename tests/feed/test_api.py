"""The feed's pages: in order, once each, for staff and for programs with a key."""

import json
import uuid
from dataclasses import MISSING, fields
from datetime import timedelta

import jsonschema
import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lavka.accounts.services import keys
from lavka.catalog.events import BrandChanged, ImageRemoved
from lavka.kernel import catalogue, events
from lavka.kernel.models import RecordedEvent
from lavka.kernel.money import Money
from lavka.orders.events import OrderPlaced
from tests.accounts.factories import make_customer, make_staff, token_of
from tests.client import Api

pytestmark = pytest.mark.django_db

FEED = "/manage/events/"


@pytest.fixture
def staff() -> str:
    return token_of(make_staff("kernel.view_recordedevent"))


def publish(number: int) -> list[uuid.UUID]:
    brands = [uuid.uuid4() for _ in range(number)]
    events.publish_all(BrandChanged(brand_id=brand) for brand in brands)
    return brands


def test_events_are_read_in_their_order_and_go_on_from_the_last(api: Api, staff: str):
    brands = publish(5)

    first = api.get(f"{FEED}?limit=3", token=staff).json()
    second = api.get(f"{FEED}?limit=3&after={first['next']}", token=staff).json()
    third = api.get(f"{FEED}?limit=3&after={second['next']}", token=staff).json()

    told = [event["payload"]["brand_id"] for event in first["items"] + second["items"]]
    assert told == [str(brand) for brand in brands]
    assert [page["has_more"] for page in (first, second, third)] == [True, False, False]
    assert [page["next"] for page in (first, second, third)] == [3, 5, 5]
    assert third["items"] == []


def test_what_it_says_fits_the_committed_schema(api: Api, staff: str):
    events.publish(
        BrandChanged(brand_id=uuid.uuid4()), ImageRemoved(image_id=uuid.uuid4(), files=["a.webp"])
    )

    page = api.get(FEED, token=staff)

    for event in page.json()["items"]:
        jsonschema.validate(event, catalogue.schema())
    assert page.headers["Content-Type"] == "application/json"


def test_only_the_named_events_come_and_the_others_are_not_read_again(api: Api, staff: str):
    publish(2)
    events.publish(ImageRemoved(image_id=uuid.uuid4(), files=[]))
    publish(1)

    page = api.get(f"{FEED}?name=catalog.image_removed", token=staff).json()

    assert [event["position"] for event in page["items"]] == [3]
    assert page["next"] == 4


def test_a_position_that_is_kept_no_longer_is_gone(api: Api, staff: str):
    publish(3)
    api.get(FEED, token=staff)
    RecordedEvent.objects.filter(position__lte=2).delete()

    gone = api.get(f"{FEED}?after=1", token=staff)

    assert (gone.status_code, gone.json()["code"]) == (410, "events_dropped")
    assert gone.json()["details"] == {"oldest": 3}
    assert api.get(f"{FEED}?after=2", token=staff).json()["next"] == 3
    assert api.get(FEED, token=staff).json()["items"][0]["position"] == 3


def test_a_position_that_the_log_never_had_is_refused(api: Api, staff: str):
    publish(1)

    ahead = api.get(f"{FEED}?after=2", token=staff)

    assert (ahead.status_code, ahead.json()["code"]) == (409, "ahead_of_log")


@pytest.mark.parametrize("query", ["after=-1", "after=x", "limit=0", "limit=1001", "name=%00"])
def test_what_cannot_be_a_position_is_422(api: Api, staff: str, query: str):
    assert api.get(f"{FEED}?{query}", token=staff).status_code == 422


@pytest.mark.parametrize("number", [1, 30])
def test_a_page_costs_the_same_however_long_it_is(api: Api, staff: str, number: int):
    publish(number)
    api.get(FEED, token=staff)

    with CaptureQueriesContext(connection) as captured:
        api.get(FEED, token=staff)

    # Who asks and may they, where the log ends, the page, and what of it they may see.
    assert len(captured) == 4, [query["sql"] for query in captured]


def test_a_program_reads_with_its_key_alone(api: Api):
    staff, now = make_staff(), timezone.now()
    publish(1)
    made, key = keys.create_key(
        name="warehouse", scopes=["events:read"], created_by=staff.pk, expires_at=None, at=now
    )

    assert api.get(FEED, token=key).status_code == 200
    made.refresh_from_db()
    assert made.used_at is not None
    assert key not in json.dumps([made.digest, made.prefix])
    assert api.get("/manage/api-keys/", token=key).status_code == 403
    keys.revoke_key(key_id=made.pk, by=staff.pk, at=now)
    assert api.get(FEED, token=key).status_code == 401


WITH_ORDERS = ("events:read", "orders:read")


@pytest.mark.parametrize(
    ("scopes", "lost", "is_told"),
    [
        (WITH_ORDERS, "payments.view_payment", True),
        (WITH_ORDERS, "orders.view_order", False),
        (("events:read", "payments:read"), "", False),
    ],
)
def test_details_are_told_to_those_who_may_read_what_an_event_is_about(
    api: Api, scopes: tuple[str, ...], lost: str, is_told: bool
):
    """By the scopes of the key and what its maker may still do."""
    rights = ("kernel.view_recordedevent", "orders.view_order", "payments.view_payment")
    maker, order_id = make_staff(*rights), uuid.uuid4()
    placed = OrderPlaced(order_id=order_id, number=7, status="placed", total=Money(990, "EUR"))
    events.publish(placed)
    _, key = keys.create_key(
        name="erp", scopes=scopes, created_by=maker.pk, expires_at=None, at=timezone.now()
    )
    maker.user_permissions.remove(*Permission.objects.filter(codename=lost.rpartition(".")[2]))
    full = {each.name: None for each in fields(OrderPlaced)} | {
        "order_id": str(order_id),
        "number": 7,
        "status": "placed",
        "total": {"amount": 990, "currency": "EUR"},
    }

    (told,) = api.get(FEED, token=key).json()["items"]

    assert told["payload"] == (full if is_told else {"order_id": str(order_id)})
    jsonschema.validate(told, catalogue.schema())


def test_every_event_with_details_names_a_right_that_is_there():
    detailed = catalogue.withheld(set()).keys()
    known = Permission.objects.values_list("content_type__app_label", "codename")

    assert catalogue.rights() <= {f"{app}.{codename}" for app, codename in known}
    assert {
        event.name
        for event in catalogue.known_events()
        if event.name not in detailed and any(each.default is not MISSING for each in fields(event))
    } == set()


def test_a_key_that_expired_or_lacks_the_scope_opens_nothing(api: Api):
    staff, now = make_staff(), timezone.now()
    options = {"name": "old", "created_by": staff.pk, "at": now}
    _, expired = keys.create_key(**options, scopes=["events:read"], expires_at=now)
    _, other = keys.create_key(
        **options, scopes=["orders:read"], expires_at=now + timedelta(days=1)
    )

    assert api.get(FEED, token=expired).status_code == 401
    assert api.get(FEED, token=other).status_code == 403
    assert api.get(FEED, token="lavka_" + "x" * 43).status_code == 401


def test_staff_make_keys_and_take_them_back(api: Api):
    rights = ("accounts.view_apikey", "accounts.add_apikey", "accounts.change_apikey")
    token = token_of(make_staff(*rights, "kernel.view_recordedevent"))
    body = {"name": "warehouse", "scopes": ["events:read"]}

    made = api.post("/manage/api-keys/", body, token=token)

    assert made.status_code == 201
    key = made.json()["key"]
    assert key.startswith(made.json()["prefix"])
    listed = api.get("/manage/api-keys/", token=token).json()["items"]
    assert [each["name"] for each in listed] == ["warehouse"]
    assert "key" not in listed[0]
    assert api.get(FEED, token=key).status_code == 200
    path = f"/manage/api-keys/{made.json()['id']}/"
    assert api.delete(path, token=token).status_code == 204
    assert api.delete(path, token=token).status_code == 204
    assert api.get(FEED, token=key).status_code == 401
    assert api.delete(f"/manage/api-keys/{uuid.uuid4()}/", token=token).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"name": "a", "scopes": []},
        {"name": "a", "scopes": ["orders:write"]},
        {"name": "a", "scopes": ["events:read"], "expires_at": "2020-01-01T00:00:00Z"},
        {"name": "", "scopes": ["events:read"]},
    ],
)
def test_a_key_that_would_open_nothing_is_refused(api: Api, body: dict):
    token = token_of(make_staff("accounts.add_apikey"))

    assert api.post("/manage/api-keys/", body, token=token).status_code == 422


def test_customers_and_staff_without_the_right_read_nothing(api: Api):
    assert api.get(FEED, token=token_of(make_customer())).status_code == 403
    assert api.get(FEED, token=token_of(make_staff("kernel.view_bookmark"))).status_code == 403
    assert api.get(FEED).status_code == 401
