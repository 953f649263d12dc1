"""What the owner of an endpoint may not read any more is not sent to it."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from lavka.accounts.models import User
from lavka.inventory.events import StockRanLow
from lavka.kernel import security_log
from lavka.webhooks import services
from lavka.webhooks.models import Delivery, Endpoint
from tests.accounts.factories import make_staff, token_of
from tests.imports.web_server import Web
from tests.webhooks.factories import deliver, listening, make_delivery, make_endpoint, make_event

pytestmark = pytest.mark.django_db

ENDPOINTS, DELIVERIES = "/manage/webhooks/endpoints/", "/manage/webhooks/deliveries/"
BODY = {"name": "Ears", "url": "https://elsewhere.example/hooks", "events": ["orders.order_placed"]}
MANAGE = [
    "webhooks.view_endpoint", "webhooks.add_endpoint", "webhooks.change_endpoint",
    "webhooks.view_delivery", "webhooks.change_delivery",
]  # fmt: skip
ORDERS, STOCK = "orders.view_order", "inventory.view_stocklevel"


def permission(right: str) -> Permission:
    app, codename = right.split(".")
    return Permission.objects.get(content_type__app_label=app, codename=codename)


def told(*, stock: bool = False) -> int:
    """To how many endpoints an event goes that happens now."""
    event = StockRanLow(variant_id=uuid4()) if stock else None
    return len(services.tell_endpoints(event_id=make_event(event), at=timezone.now()))


@pytest.fixture
def owner() -> User:
    return make_staff(*MANAGE, ORDERS)


@pytest.fixture
def theirs(api: Any, owner: User) -> Endpoint:
    """An endpoint that the owner has made."""
    made = api.post(ENDPOINTS, BODY, token=token_of(owner))
    assert made.json()["owner_id"] == str(owner.pk)
    return Endpoint.objects.get()


def leave(owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(is_active=False)


def lose_right(owner: User) -> None:
    owner.user_permissions.remove(permission(ORDERS))


def leave_staff(owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(is_staff=False)


def be_deleted(owner: User) -> None:
    owner.delete()


LOSSES = [leave, lose_right, leave_staff, be_deleted]


@pytest.mark.parametrize("lose", LOSSES)
def test_what_an_owner_may_not_read_any_more_is_not_sent(
    api: Any, owner: User, theirs: Endpoint, lose: Callable[[User], None]
):
    before = told()
    lose(owner)
    after = told()

    shown = api.get(f"{ENDPOINTS}{theirs.pk}/", token=token_of(make_staff())).json()
    assert (before, after) == (1, 0)
    assert (shown["status"], shown["withheld_events"]) == ("enabled", BODY["events"])
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize("lose", LOSSES)
def test_what_waits_is_called_off_and_cannot_be_sent_again(
    api: Any, web: Web, owner: User, lose: Callable[[User], None]
):
    endpoint = listening(web)
    Endpoint.objects.update(owner_id=owner.pk, events=BODY["events"])
    delivery = make_delivery(endpoint)
    lose(owner)
    token = token_of(make_staff())

    deliver(endpoint)
    again = api.post(f"{DELIVERIES}{delivery.pk}/replay/", token=token)
    since = {"since": "2026-01-01T00:00:00Z"}
    many = api.post(f"{ENDPOINTS}{endpoint.pk}/replay/", since, token=token)

    delivery.refresh_from_db()
    assert (web.posted, delivery.status) == ([], "cancelled")
    assert (again.status_code, again.json()["code"]) == (409, "delivery_withheld")
    assert many.json() == {"replayed": 0}


def test_another_who_may_read_it_takes_an_endpoint_over_by_saving_it(
    api: Any, web: Web, owner: User
):
    endpoint = listening(web)
    Endpoint.objects.update(owner_id=owner.pk, events=BODY["events"])
    make_delivery(endpoint)
    leave(owner)
    deliver(endpoint)
    other, path = make_staff(*MANAGE, ORDERS), f"{ENDPOINTS}{endpoint.pk}/"
    unable = token_of(make_staff(*MANAGE, STOCK))

    refused = api.patch(path, {}, token=unable)
    saved = api.patch(path, {}, token=token_of(other))
    replayed = api.post(f"{path}replay/", {"since": "2026-01-01T00:00:00Z"}, token=token_of(other))
    deliver(endpoint)

    assert refused.status_code == 403
    assert (saved.json()["owner_id"], saved.json()["withheld_events"]) == (str(other.pk), [])
    assert replayed.json() == {"replayed": 1}
    assert len(web.posted) == told() == 1


@pytest.mark.parametrize(
    ("change", "is_taken_over"),
    [
        ({"name": "Renamed"}, False),
        ({"status": "disabled"}, False),
        ({"status": "enabled"}, True),
        ({"url": BODY["url"]}, True),
        ({"events": ["orders.order_placed", "orders.order_edited"]}, True),
    ],
)
def test_who_renames_or_disables_an_endpoint_does_not_own_it(
    api: Any, owner: User, theirs: Endpoint, change: dict[str, Any], is_taken_over: bool
):
    other = make_staff()

    shown = api.patch(f"{ENDPOINTS}{theirs.pk}/", change, token=token_of(other)).json()

    assert shown["owner_id"] == str(other.pk if is_taken_over else owner.pk)


def test_the_pages_say_why_an_endpoint_is_silent_and_saving_it_there_takes_it_over(
    client: Any, owner: User, theirs: Endpoint
):
    lose_right(owner)
    other = make_staff()
    client.force_login(other)
    pages = [
        reverse("admin:webhooks_endpoint_changelist"),
        reverse("admin:webhooks_endpoint_change", args=[theirs.pk]),
    ]
    reason = "the owner may not read them any more"

    silent = [client.get(page).content.decode() for page in pages]
    client.post(pages[1], BODY | {"keys-TOTAL_FORMS": 0, "keys-INITIAL_FORMS": 0})
    saved = [client.get(page).content.decode() for page in pages]

    assert [(reason in page, owner.email in page) for page in silent] == [(True, True)] * 2
    assert [(reason in page, other.email in page) for page in saved] == [(False, True)] * 2
    assert told() == 1


def test_an_endpoint_without_an_owner_goes_on(api: Any):
    endpoint = make_endpoint(events=BODY["events"])

    shown = api.get(f"{ENDPOINTS}{endpoint.pk}/", token=token_of(make_staff())).json()

    assert (shown["owner_id"], shown["withheld_events"], told()) == (None, [], 1)


def test_every_event_means_those_that_the_owner_may_read(api: Any):
    owner = make_staff()
    api.post(ENDPOINTS, BODY | {"events": []}, token=token_of(owner))
    User.objects.filter(pk=owner.pk).update(is_superuser=False)
    group = Group.objects.create(name="Packers")
    group.permissions.add(permission(ORDERS))
    owner.groups.add(group)

    shown = api.get(ENDPOINTS, token=token_of(make_staff())).json()["items"][0]

    assert (told(), told(stock=True)) == (1, 0)
    assert {each.split(".")[0] for each in shown["withheld_events"]} == {
        "catalog", "fulfilment", "inventory", "payments", "reviews",
    }  # fmt: skip


def test_nobody_has_sent_again_or_signs_what_they_may_not_read(api: Any, client: Any):
    endpoint = make_endpoint(events=BODY["events"])
    delivery = make_delivery(endpoint)
    Delivery.objects.update(status="failed", next_attempt_at=None, finished_at=timezone.now())
    staff = make_staff(*MANAGE, STOCK)
    token, path = token_of(staff), f"{ENDPOINTS}{endpoint.pk}/"
    client.force_login(staff)

    refused = [
        api.post(f"{DELIVERIES}{delivery.pk}/replay/", token=token),
        api.post(f"{path}replay/", {"since": "2026-01-01T00:00:00Z"}, token=token),
        api.post(f"{path}keys/", token=token),
    ]
    for model, action, row in (("delivery", "replay", delivery), ("endpoint", "rotate", endpoint)):
        page = reverse(f"admin:webhooks_{model}_changelist")
        client.post(page, {"action": action, "_selected_action": [str(row.pk)]})

    delivery.refresh_from_db()
    assert {each.status_code for each in refused} == {403}
    assert (delivery.status, endpoint.keys.count()) == ("failed", 1)


def test_asking_for_owners_rights_costs_no_query_for_each_endpoint(owner: User):
    def queries() -> int:
        event_id = make_event()
        with CaptureQueriesContext(connection) as captured:
            services.tell_endpoints(event_id=event_id, at=timezone.now())
        return len(captured)

    make_endpoint()
    one = queries()
    for _ in range(5):
        services.create_endpoint(**BODY, by=owner.pk)

    assert queries() == one


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What the security log says."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(security_log.SecurityLine())
    security_log.logger.addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    security_log.logger.removeHandler(handler)


def test_the_security_log_says_once_that_events_are_withheld(
    lines: Callable[[], list[dict[str, Any]]],
    owner: User,
    django_capture_on_commit_callbacks: Any,
):
    endpoint, _ = services.create_endpoint(**BODY, by=owner.pk)

    def logged() -> list[dict[str, Any]]:
        before = len(lines())
        with django_capture_on_commit_callbacks(execute=True):
            told()
            told()
        return [each for each in lines()[before:] if each["object"]["id"] == str(endpoint.pk)]

    lose_right(owner)
    (first,) = logged()
    owner.user_permissions.add(permission(ORDERS))
    regained = logged()
    lose_right(owner)
    (second,) = logged()

    assert (first["event"], regained) == ("webhook_events_withheld", [])
    assert (
        first["details"]
        == second["details"]
        == {
            "owner": str(owner.pk),
            "events": BODY["events"],
        }
    )


def test_the_security_log_says_that_an_endpoint_has_gone(
    lines: Callable[[], list[dict[str, Any]]], web: Web, django_capture_on_commit_callbacks: Any
):
    web.show("/gone", b"", 410)
    endpoint = listening(web, "/gone")
    make_delivery(endpoint)

    with django_capture_on_commit_callbacks(execute=True):
        deliver(endpoint)

    (record,) = [each for each in lines() if each["event"] == "webhook_endpoint_changed"]
    assert (record["object"]["id"], record["details"]["changed"]) == (str(endpoint.pk), ["status"])
