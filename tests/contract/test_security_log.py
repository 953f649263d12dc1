"""The security log: every write of the staff that it is for leaves one record with its actor."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from lavka.accounts import tokens
from lavka.accounts.admin import changes
from lavka.accounts.models import User
from lavka.accounts.services import keys
from lavka.kernel.security_log import SecurityEvent
from tests.accounts.factories import (
    PASSWORD,
    make_customer,
    make_email_change,
    make_staff,
    sign_in,
    token_of,
)
from tests.client import Api
from tests.contract.staff_writes import (
    ADDRESS,
    BY_API,
    BY_STAFF,
    GROUPS,
    NEW,
    SAME,
    USERS,
    Chief,
    Step,
    customer,
    helpdesk,
    rights,
    stock_policy,
    warehouse,
)

pytestmark = pytest.mark.django_db

DOCS = Path(__file__).parents[2] / "docs" / "security-log.md"
Event = SecurityEvent
Commit = Callable[..., Any]


@pytest.fixture(autouse=True)
def _limits_off(settings: Any) -> None:
    settings.LAVKA = settings.LAVKA | {"THROTTLES": False}


@pytest.mark.parametrize(("event", "prepare"), BY_STAFF.values(), ids=BY_STAFF)
def test_each_write_of_the_staff_leaves_one_record_with_its_actor(
    lines: Callable[[], list[dict[str, Any]]],
    django_capture_on_commit_callbacks: Commit,
    event: Event,
    prepare: Callable[[Chief], Step],
):
    chief = Chief()
    with django_capture_on_commit_callbacks():
        act, on = prepare(chief)
    before = lines()

    with django_capture_on_commit_callbacks(execute=True):
        act()

    (found,) = lines()[len(before) :]
    assert (found["event"], found["outcome"]) == (event, "success")
    assert found["actor"] == {"kind": "staff", "id": str(chief.user.pk), "name": ""}
    assert found["address"] == ADDRESS
    assert re.fullmatch("[0-9a-f]{32}", found["request_id"])
    if "delete" not in event:
        assert found["object"]["id"] == str(on())
    assert (found["logger"], found["at"][-6:]) == ("lavka.security", "+00:00")


def test_the_table_has_every_operation_of_the_api_that_is_logged(schema: dict[str, Any]):
    logged = ("api-keys", "tax-rates", "shipping-rates", "warehouses", "webhooks/endpoints")
    others = {"ping_webhook_endpoint", "replay_webhook_deliveries"}
    operations = {
        operation["operationId"]
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
        if method != "get"
        and (
            path.startswith(tuple(f"/api/v1/manage/{part}/" for part in logged))
            or path.endswith("/stock/policy/")
        )
    }

    assert operations - others == set(BY_API)


def test_a_form_that_changes_nothing_leaves_no_record(
    lines: Callable[[], list[dict[str, Any]]], django_capture_on_commit_callbacks: Commit
):
    chief = Chief()
    user, group, place = customer(chief), helpdesk(chief), warehouse(chief)
    policy = stock_policy(chief)
    before = lines()

    with django_capture_on_commit_callbacks(execute=True):
        chief.post(f"{USERS}{user.pk}/change/", **SAME)
        chief.post(f"{GROUPS}{group.pk}/change/", name=group.name)
        chief.post(
            f"inventory/warehouse/{place.pk}/change/", name=place.name, priority=place.priority
        )
        chief.post(f"inventory/stockpolicy/{policy.pk}/change/", when_out="deny", backorder_limit=0)

    assert lines() == before


@pytest.mark.parametrize("kept", [{"is_active": "on"}, {"is_staff": "on"}], ids=str)
def test_keys_that_end_with_their_makers_rights_are_logged(
    lines: Callable[[], list[dict[str, Any]]],
    django_capture_on_commit_callbacks: Commit,
    kept: dict[str, str],
):
    chief, maker = Chief(), make_staff(email="ada@example.com")
    made, _ = keys.create_key(
        name="erp",
        scopes=["orders:read"],
        created_by=maker.pk,
        expires_at=None,
        at=timezone.now(),
    )
    form = {name: value for name, value in SAME.items() if name != "is_active"} | kept

    with django_capture_on_commit_callbacks(execute=True):
        chief.post(f"{USERS}{maker.pk}/change/", is_superuser="on", **form)

    (found,) = [each for each in lines() if each["event"] == "api_key_revoked"]
    assert found["object"] == {"kind": "api_key", "id": str(made.pk), "name": "erp"}
    assert found["actor"]["id"] == str(chief.user.pk)
    assert found["details"] == {"created_by": str(maker.pk)}
    assert len(lines()) == 2


def test_rights_are_logged_by_name(
    lines: Callable[[], list[dict[str, Any]]], django_capture_on_commit_callbacks: Commit
):
    act, _ = rights(Chief())
    with django_capture_on_commit_callbacks(execute=True):
        act()

    assert lines()[-1]["details"] == {
        "is_staff": True,
        "added": ["catalog.view_brand", "group Buyers"],
        "removed": [],
    }


def test_of_all_rights_at_once_none_goes_unsaid(
    lines: Callable[[], list[dict[str, Any]]], django_capture_on_commit_callbacks: Commit
):
    group = Group.objects.create(name="Everything")
    group.permissions.set(Permission.objects.all())
    with django_capture_on_commit_callbacks(execute=True):
        changes.log_group(group, set(), (), is_new=True)

    assert set(lines()[-1]["details"]["added"]) == changes.permissions_of(group)


# Signing in and out, by whoever it is


def customers_own(api: Api, user: User) -> dict[str, tuple[Event, str, Callable[[], Any]]]:
    wrong, right = ({"email": user.email, "password": each} for each in ("wrong", PASSWORD))
    pair = sign_in(api, user)
    access = pair["access"]

    def post(path: str, body: Any = None, token: str = "") -> Callable[[], Any]:
        return lambda: api.post(path, body, token=token)

    def change(old: str) -> Callable[[], Any]:
        body = {"current_password": old, "new_password": NEW}
        return post("/auth/password/change/", body, access)

    link, reset = tokens.sign_in_of(user, at=timezone.now()), tokens.reset_of(user)
    other = {"email": "other@example.com", "current_password": PASSWORD}
    pending = make_email_change(user)
    confirming, undoing = tokens.email_change_of(pending), tokens.email_undo_of(pending)
    return {
        "signed in": (Event.SIGN_IN, "success", post("/auth/token/", right)),
        "wrong": (Event.SIGN_IN, "failure", post("/auth/token/", wrong)),
        "nobody": (
            Event.SIGN_IN, "failure",
            post("/auth/token/", wrong | {"email": "nobody@example.com"}),
        ),
        "link": (Event.SIGN_IN, "success", post("/auth/sign-in-link/token/", {"token": link})),
        "no link": (Event.SIGN_IN, "failure", post("/auth/sign-in-link/token/", {"token": "x"})),
        "signed out": (
            Event.SIGN_OUT, "success", post("/auth/logout/", {"refresh": pair["refresh"]}),
        ),
        "everywhere": (
            Event.SESSIONS_ENDED, "success", post("/auth/logout-all/", None, access),
        ),
        "guessed": (Event.PASSWORD_CHECK, "failure", change("wrong")),
        "changed": (Event.PASSWORD_CHANGED, "success", change(PASSWORD)),
        "reset": (
            Event.PASSWORD_RESET, "success",
            post("/auth/password/reset/", {"token": reset, "password": NEW}),
        ),
        "asked for an address": (
            Event.EMAIL_CHANGE_REQUESTED, "success",
            post("/auth/email/change/", other, access),
        ),
        "confirmed it": (
            Event.EMAIL_CHANGED, "success", post("/auth/email/confirm/", {"token": confirming}),
        ),
        "undid it": (
            Event.EMAIL_CHANGE_UNDONE, "success", post("/auth/email/undo/", {"token": undoing}),
        ),
        "registered": (
            Event.ACCOUNT_CREATED, "success",
            post("/auth/register/", {"email": "new@example.com", "password": PASSWORD}),
        ),
        "closed": (
            Event.ACCOUNT_CLOSED, "success",
            lambda: api.delete("/me/", token=access, body={"current_password": PASSWORD}),
        ),
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "signed in", "wrong", "nobody", "link", "no link", "signed out", "everywhere", "guessed",
        "changed", "reset", "asked for an address", "confirmed it", "undid it", "registered",
        "closed",
    ],
)  # fmt: skip
def test_what_people_do_with_their_accounts_leaves_one_record(
    lines: Callable[[], list[dict[str, Any]]],
    django_capture_on_commit_callbacks: Commit,
    name: str,
):
    api = Api()
    user = make_customer(email="ada@example.com", email_verified_at=timezone.now())
    with django_capture_on_commit_callbacks():
        event, outcome, act = customers_own(api, user)[name]

    with django_capture_on_commit_callbacks(execute=True):
        act()

    (found,) = lines()
    assert (found["event"], found["outcome"]) == (event, outcome)
    assert found["address"] == "127.0.0.1"
    known = {"kind": "customer", "id": str(user.pk), "name": ""}
    guest = {"kind": "guest", "id": None, "name": ""}
    by_guest = name in {"wrong", "nobody", "no link", "registered"}
    assert found["actor"] == (guest if by_guest else known)
    text = json.dumps(found)
    assert not any(secret in text for secret in (PASSWORD, NEW, "nobody@", "ada@", "other@", "eyJ"))


def test_the_first_proof_of_an_address_tells_that_the_password_went(
    lines: Callable[[], list[dict[str, Any]]], django_capture_on_commit_callbacks: Commit
):
    token = tokens.sign_in_of(make_customer(), at=timezone.now())

    with django_capture_on_commit_callbacks(execute=True):
        Api().post("/auth/sign-in-link/token/", {"token": token})

    removed, verified, signed_in = lines()
    assert (removed["event"], removed["details"]) == ("password_set", {"usable": False})
    assert (verified["event"], verified["details"]) == ("email_verified", {"method": "link"})
    assert signed_in["event"] == "sign_in"


@pytest.mark.parametrize("make", [make_customer, make_staff])
@pytest.mark.parametrize("method", ["verification", "link", "reset"])
def test_the_first_mail_that_proves_an_address_is_logged_and_no_later_one(
    lines: Callable[[], list[dict[str, Any]]],
    django_capture_on_commit_callbacks: Commit,
    make: Callable[[], User],
    method: str,
):
    def answer() -> None:
        user = User.objects.get()
        path, body = {
            "verification": ("verify-email/", {"token": tokens.verification_of(user)}),
            "link": (
                "sign-in-link/token/",
                {"token": tokens.sign_in_of(user, at=timezone.now())},
            ),
            "reset": ("password/reset/", {"token": tokens.reset_of(user), "password": NEW}),
        }[method]
        assert Api().post(f"/auth/{path}", body).status_code < 300

    user = make()
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            answer()

    (found,) = [each for each in lines() if each["event"] == "email_verified"]
    assert found["actor"]["id"] == found["object"]["id"] == str(user.pk)
    assert (found["outcome"], found["details"]) == ("success", {"method": method})


@pytest.mark.parametrize("verified_at", [None, timezone.now()], ids=["unproved", "proved"])
def test_an_address_that_staff_set_is_logged_as_not_verified(
    lines: Callable[[], list[dict[str, Any]]],
    django_capture_on_commit_callbacks: Commit,
    verified_at: Any,
):
    chief, user = Chief(), make_customer(email="ada@example.com", email_verified_at=verified_at)
    with django_capture_on_commit_callbacks(execute=True):
        chief.post(f"{USERS}{user.pk}/change/", **SAME | {"email": "eve@example.com"})

    (found,) = lines()
    assert (found["event"], found["details"]) == ("email_changed", {"is_verified": False})


def test_staff_who_sign_out_of_the_api_are_staff(
    lines: Callable[[], list[dict[str, Any]]], django_capture_on_commit_callbacks: Commit
):
    api, chief = Api(), make_staff()
    with django_capture_on_commit_callbacks(execute=True):
        api.post("/auth/logout/", {"refresh": sign_in(api, chief)["refresh"]})

    assert [(each["event"], each["actor"]["kind"]) for each in lines()] == [
        ("sign_in", "staff"),
        ("sign_out", "staff"),
    ]


def test_a_locked_place_is_logged_at_each_attempt(lines: Callable[[], list[dict[str, Any]]]):
    api, user = Api(), make_customer()
    for _ in range(12):
        api.post("/auth/token/", {"email": user.email, "password": "wrong"})

    outcomes = [each["outcome"] for each in lines()]
    assert outcomes == ["failure"] * 10 + ["locked"] * 2
    assert {each["object"]["id"] for each in lines()} == {str(user.pk)}


def test_the_door_of_the_admin_is_logged(
    lines: Callable[[], list[dict[str, Any]]], django_capture_on_commit_callbacks: Commit
):
    chief = make_staff()
    with django_capture_on_commit_callbacks(execute=True):
        for password in ("wrong", PASSWORD):
            fields = {"username": chief.email, "password": password}
            Client().post("/admin/login/", fields, REMOTE_ADDR=ADDRESS)

    failed, entered = lines()
    assert (failed["outcome"], failed["actor"]["kind"], failed["address"]) == (
        "failure", "guest", ADDRESS,
    )  # fmt: skip
    assert (entered["outcome"], entered["actor"]["id"]) == ("success", str(chief.pk))
    assert entered["details"] == {"method": "password", "via": "admin", "session": None}


def test_a_refresh_token_that_comes_twice_is_logged(lines: Callable[[], list[dict[str, Any]]]):
    api, user = Api(), make_customer()
    raw = sign_in(api, user)["refresh"]
    for _ in range(2):
        api.post("/auth/token/refresh/", {"refresh": raw})

    assert [(each["event"], each["outcome"]) for each in lines()] == [
        ("refresh_token_reuse", "failure")
    ]


def test_staff_and_keys_without_a_right_are_logged(lines: Callable[[], list[dict[str, Any]]]):
    api, clerk = Api(), make_staff("catalog.view_brand", "orders.view_order")
    made, key = keys.create_key(
        name="x",
        scopes=["orders:read"],
        created_by=clerk.pk,
        expires_at=None,
        at=timezone.now(),
    )

    api.get("/manage/products/", token=token_of(clerk))
    api.get("/manage/products/", token=key)

    assert [(each["event"], each["actor"]["id"], each["details"]) for each in lines()] == [
        ("access_denied", str(clerk.pk), {"right": "catalog.view_product"}),
        ("access_denied", str(made.pk), {"right": "catalog.view_product"}),
    ]


# Commands


def test_commands_are_logged_as_the_shop_itself(
    lines: Callable[[], list[dict[str, Any]]],
    django_capture_on_commit_callbacks: Commit,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    monkeypatch.setattr("getpass.getpass", lambda prompt: NEW)
    with django_capture_on_commit_callbacks(execute=True):
        call_command("createsuperuser", "--noinput", email="boss@example.com", stdout=io.StringIO())
        call_command("changepassword", "boss@example.com", stdout=io.StringIO())

    boss = str(User.objects.get().pk)
    assert [(each["event"], each["object"]["id"]) for each in lines()] == [
        ("account_created", boss),
        ("password_set", boss),
    ]
    assert {each["actor"]["kind"] for each in lines()} == {"system"}


def test_the_documentation_lists_every_event():
    told = set(re.findall(r"^\| `(\w+)` \|", DOCS.read_text(), re.MULTILINE))

    assert {event.value for event in SecurityEvent} <= told


def test_every_event_is_tried_here():
    by_people = {
        Event.SIGN_IN, Event.SIGN_OUT, Event.PASSWORD_CHECK, Event.PASSWORD_CHANGED,
        Event.PASSWORD_RESET, Event.EMAIL_VERIFIED, Event.EMAIL_CHANGE_REQUESTED,
        Event.EMAIL_CHANGE_UNDONE, Event.ACCOUNT_CLOSED, Event.REFRESH_TOKEN_REUSE,
        Event.ACCESS_DENIED,
    }  # fmt: skip
    by_the_shop = {Event.WEBHOOK_EVENTS_WITHHELD}  # tests/webhooks/test_owners.py

    by_staff = {event for event, _ in BY_STAFF.values()}
    assert by_staff | by_people | by_the_shop == set(SecurityEvent)
