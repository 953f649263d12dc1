"""The staff's paths and pages for webhooks."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from lavka.kernel import threads
from lavka.kernel.models import RecordedEvent
from lavka.orders.events import OrderPlaced
from lavka.web.handler import FastLane
from lavka.webhooks.models import Delivery, Endpoint, SigningKey
from tests.accounts.factories import make_staff, token_of
from tests.web.asgi import Client, in_one_piece
from tests.webhooks.factories import deliver, listening, make_delivery, make_endpoint, make_event

pytestmark = pytest.mark.django_db

ENDPOINTS, DELIVERIES = "/manage/webhooks/endpoints/", "/manage/webhooks/deliveries/"
BODY = {"name": "Warehouse", "url": "https://warehouse.example/hooks"}
ORDERS = {"events": ["orders.order_placed", "orders.order_cancelled"]}


@pytest.fixture
def staff() -> str:
    return token_of(make_staff())


@pytest.fixture
def public(settings: Any) -> None:
    """As in production."""
    settings.LAVKA = settings.LAVKA | {"WEBHOOKS_ALLOW_PRIVATE": False}


def ended(delivery: Delivery, status: str = "failed") -> Delivery:
    Delivery.objects.filter(pk=delivery.pk).update(
        status=status, next_attempt_at=None, finished_at=timezone.now()
    )
    delivery.refresh_from_db()
    return delivery


def pointers(answer) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.content
    return [(each["pointer"], each["code"]) for each in answer.json()["errors"]]


def test_an_endpoint_is_made_and_its_secret_shown_this_once(api):
    maker = make_staff()
    staff = token_of(maker)
    made = api.post(ENDPOINTS, BODY | ORDERS, token=staff)

    assert made.status_code == 201
    endpoint = made.json()
    secret = endpoint.pop("secret")
    assert secret.startswith("whsec_")
    assert endpoint | {"id": "", "created_at": "", "public_keys": []} == BODY | {
        "id": "",
        "events": ["orders.order_cancelled", "orders.order_placed"],
        "status": "enabled",
        "failures": 0,
        "open_until": None,
        "public_keys": [],
        "owner_id": str(maker.pk),
        "withheld_events": [],
        "created_at": "",
    }
    (public_key,) = endpoint["public_keys"]
    assert public_key.startswith("whpk_")
    assert api.get(f"{ENDPOINTS}{endpoint['id']}/", token=staff).json() == endpoint
    assert api.get(ENDPOINTS, token=staff).json() == {"items": [endpoint], "next": None}


@pytest.mark.usefixtures("worker_threads")
async def test_an_endpoint_is_made_and_changed_under_a_key_as_a_worker_does_it():
    token = await threads.in_thread(lambda: token_of(make_staff()))
    made = await ask_with_key("POST", ENDPOINTS, BODY | ORDERS, token)
    path = f"{ENDPOINTS}{json.loads(made.body)['id']}/"
    changed = await ask_with_key("PATCH", path, {"name": "Shed"}, token)

    assert (made.status, changed.status) == (201, 200)


async def ask_with_key(method: str, path: str, body: dict[str, Any], token: str) -> Client:
    written = json.dumps(body).encode()
    headers = {
        "content-type": "application/json",
        "content-length": str(len(written)),
        "authorization": f"Bearer {token}",
        "idempotency-key": uuid4().hex,
    }
    client = Client(method, f"/api/v1{path}", in_one_piece(written), headers)
    await client.ask(FastLane())
    return client


STOCK = {"events": ["inventory.stock_ran_low"]}


def test_who_may_not_read_orders_has_no_program_told_of_them(api):
    rights = ["webhooks.add_endpoint", "webhooks.change_endpoint", "inventory.view_stocklevel"]
    token, theirs = token_of(make_staff(*rights)), make_endpoint(events=ORDERS["events"])
    path = f"{ENDPOINTS}{theirs.pk}/"

    made = api.post(ENDPOINTS, BODY | STOCK, token=token)
    refused = [
        api.post(ENDPOINTS, BODY | ORDERS, token=token),
        api.post(ENDPOINTS, BODY, token=token),
        api.patch(f"{ENDPOINTS}{made.json()['id']}/", ORDERS, token=token),
        api.patch(path, {"url": "https://elsewhere.example/"}, token=token),
        api.patch(path, {"status": "enabled"}, token=token),
    ]

    assert made.status_code == 201
    assert {(each.status_code, each.json()["code"]) for each in refused} == {(403, "denied")}
    assert Endpoint.objects.get(pk=theirs.pk).url == theirs.url
    assert api.patch(path, {"status": "disabled"}, token=token).status_code == 200


def test_the_pages_refuse_it_too(client):
    rights = ["webhooks.view_endpoint", "webhooks.add_endpoint", "webhooks.change_endpoint"]
    client.force_login(make_staff(*rights, "inventory.view_stocklevel"))
    keys = {"keys-TOTAL_FORMS": 0, "keys-INITIAL_FORMS": 0}
    page, theirs = reverse("admin:webhooks_endpoint_add"), make_endpoint(events=ORDERS["events"])

    refused = client.post(page, BODY | ORDERS | keys)
    made = client.post(page, BODY | STOCK | keys)
    listed = reverse("admin:webhooks_endpoint_changelist")
    for action in ("disable", "enable"):
        client.post(listed, {"action": action, "_selected_action": [str(theirs.pk)]})

    assert (refused.status_code, made.status_code) == (200, 302)
    assert Endpoint.objects.exclude(pk=theirs.pk).get().events == STOCK["events"]
    theirs.refresh_from_db()
    assert theirs.status == "disabled"


@pytest.mark.parametrize("may_read_orders", [True, False])
def test_who_may_not_read_orders_sees_their_ids_alone(api, client, may_read_orders):
    rights = ["webhooks.view_delivery", "kernel.view_recordedevent"]
    reader = make_staff(*rights, *(["orders.view_order"] if may_read_orders else []))
    client.force_login(reader)
    order_id = uuid4()
    event_id = make_event(OrderPlaced(order_id=order_id, number=987654321))
    recorded = RecordedEvent.objects.get(event_id=event_id)
    delivery = make_delivery(make_endpoint())
    data = {"order_id": str(order_id), "number": 987654321}
    Delivery.objects.filter(pk=delivery.pk).update(body=delivery.body | {"data": data})

    shown = api.get(f"{DELIVERIES}{delivery.pk}/", token=token_of(reader)).json()["body"]["data"]
    pages = [
        client.get(reverse("admin:webhooks_delivery_change", args=[delivery.pk])),
        client.get(reverse("admin:kernel_recordedevent_change", args=[recorded.pk])),
    ]

    assert shown == (data if may_read_orders else {"order_id": str(order_id)})
    for page in pages:
        assert page.status_code == 200
        assert str(order_id) in page.content.decode()
        assert ("987654321" in page.content.decode()) is may_read_orders


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://warehouse.example/hooks", "not_https"),
        ("https://127.0.0.1/hooks", "forbidden_address"),
        ("https://169.254.169.254/latest/meta-data/", "forbidden_address"),
        ("https://[::ffff:10.0.0.1]/", "forbidden_address"),
        ("https://user:password@warehouse.example/", "credentials"),
        ("ftp://warehouse.example/", "not_https"),
        ("https://warehouse.example:99999/hooks", "bad_address"),
        ("https://warehouse.example:0/hooks", "bad_address"),
        ("https://warehouse.example/hooks#part", "fragment"),
        ("https://127.1/hooks", "invalid"),
        ("https://0x7f000001/hooks", "invalid"),
        ("https://2130706433/hooks", "invalid"),
        ("warehouse", "invalid"),
        ("https://warehouse.example/" + "x" * 500, "max_length"),
    ],
)
def test_an_address_that_is_not_to_be_called_is_refused(api, staff, public, url, code):
    refused = pointers(api.post(ENDPOINTS, BODY | {"url": url}, token=staff))
    endpoint = make_endpoint()
    changed = pointers(api.patch(f"{ENDPOINTS}{endpoint.pk}/", {"url": url}, token=staff))

    assert ("#/url", code) in refused
    assert ("#/url", code) in changed
    assert [each.url for each in Endpoint.objects.all()] == ["https://shop.example/hooks"]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://127.0.0.1:9000/hooks", None),
        ("http://localhost:9000/hooks", None),
        ("http://hooks.localhost/", None),
        ("http://[::1]:9000/hooks", None),
        ("https://127.0.0.1/hooks", None),
        ("http://10.0.0.1/hooks", "not_https"),
        ("https://10.0.0.1/hooks", "forbidden_address"),
        ("https://0.0.0.0/hooks", "forbidden_address"),
        ("https://169.254.169.254/", "forbidden_address"),
        ("http://warehouse.example/hooks", "not_https"),
        ("http://localhost.example/hooks", "not_https"),
    ],
)
def test_under_lavka_up_an_address_of_this_machine_is_taken_and_no_other_near_one(
    api, staff, settings, url, code
):
    settings.LAVKA = settings.LAVKA | {
        "WEBHOOKS_ALLOW_PRIVATE": False,
        "WEBHOOKS_ALLOW_LOOPBACK": True,
    }

    answer = api.post(ENDPOINTS, BODY | {"url": url}, token=staff)

    if code is None:
        assert answer.status_code == 201, answer.json()
    else:
        assert ("#/url", code) in pointers(answer)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"events": ["orders.order_teleported"]}, "#/events/0"),
        ({"events": ["accounts.password_changed"]}, "#/events/0"),
        ({"events": "orders.order_placed"}, "#/events"),
        ({"name": ""}, "#/name"),
        ({"secret": "whsec_mine"}, "#/secret"),
        ({"status": "gone"}, "#/status"),
    ],
)
def test_what_makes_no_endpoint_is_refused(api, staff, body, pointer):
    endpoint = make_endpoint()

    changed = pointers(api.patch(f"{ENDPOINTS}{endpoint.pk}/", body, token=staff))

    assert [named for named, _ in changed] == [pointer]
    assert Endpoint.objects.get().updated_at == endpoint.updated_at


def test_disabling_calls_off_what_is_under_way_and_enabling_starts_afresh(api, staff):
    endpoint = make_endpoint()
    delivery = make_delivery(endpoint)
    Endpoint.objects.update(failures=7, open_until=timezone.now() + timedelta(hours=1))
    path = f"{ENDPOINTS}{endpoint.pk}/"

    disabled = api.patch(path, {"status": "disabled"}, token=staff).json()
    refused = api.post(f"{path}ping/", token=staff)
    enabled = api.patch(path, {"status": "enabled"}, token=staff).json()

    delivery.refresh_from_db()
    assert (disabled["status"], delivery.status) == ("disabled", "cancelled")
    assert (refused.status_code, refused.json()["code"]) == (409, "endpoint_disabled")
    assert (enabled["status"], enabled["failures"], enabled["open_until"]) == ("enabled", 0, None)


def test_an_endpoint_goes_with_its_keys_and_its_log(api, staff):
    endpoint = make_endpoint()
    make_delivery(endpoint)

    gone = api.delete(f"{ENDPOINTS}{endpoint.pk}/", token=staff)

    assert gone.status_code == 204
    assert not Delivery.objects.exists()
    assert not SigningKey.objects.exists()


def test_rotated_keys_are_shown_this_once(api, staff):
    endpoint = make_endpoint()
    path = f"{ENDPOINTS}{endpoint.pk}/"
    (first,) = api.get(path, token=staff).json()["public_keys"]

    rotated = api.post(f"{path}keys/", token=staff)

    assert rotated.status_code == 201
    assert rotated.json()["secret"].startswith("whsec_")
    second = rotated.json()["public_key"]
    assert api.get(path, token=staff).json()["public_keys"] == [second, first]


def test_a_ping_is_delivered_and_its_log_can_be_read(api, staff, web):
    endpoint = listening(web)

    pinged = api.post(f"{ENDPOINTS}{endpoint.pk}/ping/", token=staff)
    deliver(endpoint)

    assert (pinged.status_code, pinged.json()["status"]) == (202, "pending")
    shown = api.get(f"{DELIVERIES}{pinged.json()['id']}/", token=staff).json()
    assert (shown["event"], shown["status"], shown["tries"]) == ("webhooks.ping", "delivered", 1)
    assert shown["body"]["data"] == {"endpoint_id": str(endpoint.pk)}
    (attempt,) = shown["attempts"]
    assert attempt["duration_milliseconds"] >= 0
    assert (attempt["status_code"], attempt["excerpt"], attempt["error"]) == (200, "thanks", "")


def test_the_log_is_filtered_by_endpoint_status_and_event(api, staff):
    one = make_endpoint(events=["orders.order_placed"])
    delivery = ended(make_delivery(one))
    other = make_endpoint()
    make_delivery(other)

    for query in (f"endpoint={one.pk}&status=failed", "status=failed", "event=webhooks.ping"):
        found = api.get(f"{DELIVERIES}?{query}", token=staff).json()["items"]
        expected = [] if "ping" in query else [str(delivery.pk)]
        assert [each["id"] for each in found] == expected
    assert pointers(api.get(f"{DELIVERIES}?status=odd", token=staff)) == [
        ("?status", "invalid_choice")
    ]


def test_a_delivery_is_sent_again_under_the_same_id(api, staff, web):
    endpoint = listening(web)
    delivery = make_delivery(endpoint)
    under_way = api.post(f"{DELIVERIES}{delivery.pk}/replay/", token=staff)
    deliver(endpoint)

    replayed = api.post(f"{DELIVERIES}{delivery.pk}/replay/", token=staff)
    deliver(endpoint)

    assert (under_way.status_code, under_way.json()["code"]) == (409, "delivery_under_way")
    assert (replayed.status_code, replayed.json()["status"]) == (202, "pending")
    ids = [headers["webhook-id"] for headers, _ in web.posted]
    assert ids == [str(delivery.event_id)] * 2


def test_what_an_endpoint_missed_is_sent_again_in_one_go(api, staff):
    endpoint, other = make_endpoint(), make_endpoint()
    failed, delivered, before = (make_delivery(endpoint) for _ in range(3))
    for each, status in ((failed, "failed"), (delivered, "delivered"), (before, "cancelled")):
        ended(each, status)
    ended(other.deliveries.first())
    at = timezone.now()
    Delivery.objects.filter(pk=before.pk).update(created_at=at - timedelta(hours=2))
    since = (at - timedelta(hours=1)).isoformat()

    replayed = api.post(f"{ENDPOINTS}{endpoint.pk}/replay/", {"since": since}, token=staff)

    assert (replayed.status_code, replayed.json()) == (202, {"replayed": 1})
    pending = Delivery.objects.filter(status="pending", endpoint=endpoint)
    assert list(pending) == [failed]
    assert other.deliveries.filter(status="failed").count() == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{ENDPOINTS}{{}}/"),
        ("PATCH", f"{ENDPOINTS}{{}}/"),
        ("DELETE", f"{ENDPOINTS}{{}}/"),
        ("POST", f"{ENDPOINTS}{{}}/keys/"),
        ("POST", f"{ENDPOINTS}{{}}/ping/"),
        ("POST", f"{ENDPOINTS}{{}}/replay/"),
        ("GET", f"{DELIVERIES}{{}}/"),
        ("POST", f"{DELIVERIES}{{}}/replay/"),
    ],
)
def test_what_is_not_there_is_404(api, staff, method, path):
    body = {"since": "2026-01-01T00:00:00Z"} if "endpoints" in path else None
    body = {} if method == "PATCH" else body if "replay" in path else None

    assert api.request(method, path.format(uuid4()), body, token=staff).status_code == 404


def test_each_right_opens_its_own_paths(api):
    viewer = token_of(make_staff("webhooks.view_endpoint"))
    endpoint = make_endpoint()

    assert api.get(ENDPOINTS, token=viewer).status_code == 200
    assert api.post(ENDPOINTS, BODY, token=viewer).status_code == 403
    assert api.post(f"{ENDPOINTS}{endpoint.pk}/keys/", token=viewer).status_code == 403
    assert api.get(DELIVERIES, token=viewer).status_code == 403


@pytest.mark.parametrize("rows", [1, 3])
def test_the_lists_take_the_same_queries_for_one_row_and_for_three(
    api, staff, rows, django_assert_num_queries
):
    for _ in range(rows):
        make_delivery(make_endpoint())
    with django_assert_num_queries(3):  # the caller, the endpoints, their keys
        assert len(api.get(ENDPOINTS, token=staff).json()["items"]) == rows


def test_staff_make_an_endpoint_in_the_admin_and_see_its_secret_once(client):
    client.force_login(make_staff())
    form = {
        **BODY, **ORDERS,
        "keys-TOTAL_FORMS": 0, "keys-INITIAL_FORMS": 0,
    }  # fmt: skip

    made = client.post(reverse("admin:webhooks_endpoint_add"), form, follow=True)
    endpoint = Endpoint.objects.get()
    again = client.get(reverse("admin:webhooks_endpoint_change", args=[endpoint.pk]))

    assert "whsec_" in made.content.decode()
    assert "whsec_" not in again.content.decode()
    assert endpoint.keys.get().public_key in again.content.decode()
    assert endpoint.events == ["orders.order_cancelled", "orders.order_placed"]


def test_the_admin_refuses_an_address_that_is_not_to_be_called(client, public):
    client.force_login(make_staff())
    form = BODY | {"url": "http://127.0.0.1/", "keys-TOTAL_FORMS": 0, "keys-INITIAL_FORMS": 0}

    answer = client.post(reverse("admin:webhooks_endpoint_add"), form)

    assert "An address with https is expected." in answer.content.decode()
    assert not Endpoint.objects.exists()


def test_the_admins_actions_do_what_the_api_does(client):
    client.force_login(make_staff())
    endpoint = make_endpoint()
    delivery = ended(make_delivery(endpoint))

    def act(model: str, action: str, row: Any) -> str:
        path = reverse(f"admin:webhooks_{model}_changelist")
        form = {"action": action, "_selected_action": [str(row.pk)]}
        return client.post(path, form, follow=True).content.decode()

    assert "whsec_" in act("endpoint", "rotate", endpoint)
    act("endpoint", "ping", endpoint)
    assert Delivery.objects.filter(event_name="webhooks.ping", status="pending").count() == 1
    act("delivery", "replay", delivery)
    assert "still under way" in act("delivery", "replay", delivery)
    act("endpoint", "disable", endpoint)
    assert not Delivery.objects.filter(status="pending").exists()
    assert "disabled" in act("endpoint", "ping", endpoint)
    act("endpoint", "enable", endpoint)
    endpoint.refresh_from_db()
    assert endpoint.status == "enabled"
    shown = client.get(reverse("admin:webhooks_delivery_change", args=[delivery.pk]))
    assert shown.status_code == 200


@pytest.mark.parametrize(
    "since", ["0001-01-01T00:00:00+14:00", "2026-03-01T12:00:00", "9999-12-31T23:59:59-14:00", 5]
)
def test_an_instant_that_no_calendar_has_is_refused(api, staff, since):
    path = f"{ENDPOINTS}{make_endpoint().pk}/replay/"

    named = [pointer for pointer, _ in pointers(api.post(path, {"since": since}, token=staff))]

    assert named == ["#/since"]
