"""The security log: every write of the staff that it is for leaves one record with its actor."""

import io
import json
import logging
import logging.config
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.utils import timezone

from lavka.accounts import tokens
from lavka.accounts.admin import changes
from lavka.accounts.models import ApiKey, LoginFailure, User
from lavka.accounts.services import keys
from lavka.inventory.models import Warehouse
from lavka.kernel import security_log
from lavka.kernel.actors import Actor
from lavka.kernel.security_log import Object, Outcome, SecurityEvent
from lavka.listing.models import Synonym
from lavka.shipping.models import ShippingRate
from lavka.tax import services as tax
from lavka.tax.models import TaxRate
from lavka.web.logging import config
from lavka.webhooks.models import Endpoint
from tests.accounts.factories import (
    PASSWORD,
    make_customer,
    make_email_change,
    make_staff,
    sign_in,
    token_of,
)
from tests.client import Api
from tests.inventory.factories import make_warehouse
from tests.shipping.factories import make_shipping_rate
from tests.tax.factories import make_tax_rate
from tests.webhooks.factories import make_endpoint

pytestmark = pytest.mark.django_db

DOCS = Path(__file__).parents[2] / "docs" / "security-log.md"
NEW, ADDRESS = "a much better secret", "203.0.113.66"
Event = SecurityEvent
Commit = Callable[..., Any]


@pytest.fixture(autouse=True)
def _limits_off(settings: Any) -> None:
    settings.LAVKA = settings.LAVKA | {"THROTTLES": False}


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What the shop's own configuration writes of the security log, line by line."""
    stream, handler = io.StringIO(), logging.StreamHandler()
    handler.setStream(stream)
    handler.setFormatter(security_log.SecurityLine())
    security_log.logger.addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    security_log.logger.removeHandler(handler)


class Chief:
    """A superuser with a browser in the admin and a token for the API, at an address."""

    def __init__(self) -> None:
        self.user = make_staff(email="chief@example.com")
        self.browser = Client(REMOTE_ADDR=ADDRESS)
        self.browser.force_login(self.user)
        self.api = Api()
        self.api.client.defaults["REMOTE_ADDR"] = ADDRESS
        self.token = token_of(self.user)

    def call(self, method: str, path: str, body: Any = None) -> None:
        answer = self.api.request(method, path, body, token=self.token)
        assert answer.status_code < 300, answer.content

    def post(self, path: str, **fields: Any) -> None:
        answer = self.browser.post(f"/admin/{path}", fields)
        assert answer.status_code == 302, answer.context and answer.context["errors"]

    def choose(self, path: str, action: str, row: Any, **fields: Any) -> None:
        self.post(path, action=action, _selected_action=[str(row.pk)], **fields)


# Each makes what it needs, and returns what is then done and to what.
Step = tuple[Callable[[], None], Callable[[], object]]


def key_of_the_chief(chief: Chief) -> ApiKey:
    return keys.create_key(
        name="erp",
        scopes=["orders:read"],
        created_by=chief.user.pk,
        expires_at=None,
        at=timezone.now(),
    )[0]


def new(model: Any) -> Callable[[], object]:
    """The id of the one row that there is."""
    return lambda: model.objects.get().pk


def fixed(value: object) -> Callable[[], object]:
    return lambda: value


RATE = {"country": "DE", "percent": "19", "valid_from": "2026-01-01"}
SHIPPING = {"country": "DE", "name": "Parcel", "price": {"amount": 500, "currency": "USD"}}
ENDPOINT = {"name": "erp", "url": "https://erp.example/hooks", "events": []}


def api_step(
    method: str, path: str, body: Any, make: Callable[[Chief], Any], model: Any
) -> Callable[[Chief], Step]:
    def step(chief: Chief) -> Step:
        row = make(chief)
        named = getattr(row, "code", None) or getattr(row, "pk", None)
        on = new(model) if row is None else fixed(named)
        return (lambda: chief.call(method, path.format(named), body)), on

    return step


def nothing(chief: Chief) -> None:
    """There is nothing yet."""


def tax_rate(chief: Chief) -> TaxRate:
    return make_tax_rate("DE", "19")


def shipping_rate(chief: Chief) -> ShippingRate:
    return make_shipping_rate("DE")


def warehouse(chief: Chief) -> Warehouse:
    return make_warehouse("south")


def endpoint(chief: Chief) -> Endpoint:
    return make_endpoint()


def new_warehouse() -> object:
    return Warehouse.objects.exclude(code="main").get().code


def open_warehouse(chief: Chief) -> Step:
    body = {"code": "north", "name": "North"}
    return (lambda: chief.call("POST", "/manage/warehouses/", body)), new_warehouse


HOOKS = "/manage/webhooks/endpoints/"
# By operation of the API.
BY_API: Mapping[str, tuple[Event, Callable[[Chief], Step]]] = {
    "create_api_key": (
        Event.API_KEY_CREATED,
        api_step(
            "POST", "/manage/api-keys/", {"name": "erp", "scopes": ["orders:read"]}, nothing,
            ApiKey,
        ),
    ),
    "revoke_api_key": (
        Event.API_KEY_REVOKED,
        api_step("DELETE", "/manage/api-keys/{}/", None, key_of_the_chief, ApiKey),
    ),
    "create_tax_rate": (
        Event.TAX_RATE_CREATED,
        api_step("POST", "/manage/tax-rates/", RATE, nothing, TaxRate),
    ),
    "update_tax_rate": (
        Event.TAX_RATE_CHANGED,
        api_step("PATCH", "/manage/tax-rates/{}/", {"percent": "7"}, tax_rate, TaxRate),
    ),
    "delete_tax_rate": (
        Event.TAX_RATE_DELETED,
        api_step("DELETE", "/manage/tax-rates/{}/", None, tax_rate, TaxRate),
    ),
    "create_shipping_rate": (
        Event.SHIPPING_RATE_CREATED,
        api_step("POST", "/manage/shipping-rates/", SHIPPING, nothing, ShippingRate),
    ),
    "update_shipping_rate": (
        Event.SHIPPING_RATE_CHANGED,
        api_step(
            "PATCH", "/manage/shipping-rates/{}/", {"name": "Slow"}, shipping_rate, ShippingRate
        ),
    ),
    "delete_shipping_rate": (
        Event.SHIPPING_RATE_DELETED,
        api_step("DELETE", "/manage/shipping-rates/{}/", None, shipping_rate, ShippingRate),
    ),
    "create_warehouse": (Event.WAREHOUSE_CREATED, open_warehouse),
    "update_warehouse": (
        Event.WAREHOUSE_CHANGED,
        api_step("PATCH", "/manage/warehouses/{}/", {"name": "X"}, warehouse, Warehouse),
    ),
    "delete_warehouse": (
        Event.WAREHOUSE_DELETED,
        api_step("DELETE", "/manage/warehouses/{}/", None, warehouse, Warehouse),
    ),
    "create_webhook_endpoint": (
        Event.WEBHOOK_ENDPOINT_CREATED,
        api_step("POST", HOOKS, ENDPOINT, nothing, Endpoint),
    ),
    "update_webhook_endpoint": (
        Event.WEBHOOK_ENDPOINT_CHANGED,
        api_step("PATCH", HOOKS + "{}/", {"name": "x"}, endpoint, Endpoint),
    ),
    "delete_webhook_endpoint": (
        Event.WEBHOOK_ENDPOINT_DELETED,
        api_step("DELETE", HOOKS + "{}/", None, endpoint, Endpoint),
    ),
    "rotate_webhook_keys": (
        Event.WEBHOOK_KEYS_ROTATED,
        api_step("POST", HOOKS + "{}/keys/", None, endpoint, Endpoint),
    ),
}  # fmt: skip

INLINES = {
    f"{name}-{part}": "0"
    for name in ("addresses", "sessions")
    for part in ("TOTAL_FORMS", "INITIAL_FORMS")
}
USERS, GROUPS = "accounts/user/", "auth/group/"


def customer(chief: Chief) -> User:
    user = make_customer(email="ada@example.com")
    sign_in(chief.api, user)
    failed_at = timezone.now()
    LoginFailure.objects.create(email=user.email, source=ADDRESS, failures=3, failed_at=failed_at)
    return user


def deactivated(chief: Chief) -> User:
    return make_customer(email="ada@example.com", is_active=False)


def helpdesk(chief: Chief) -> Group:
    return Group.objects.create(name="Helpdesk")


def form(path: str, make: Callable[[Chief], Any], **fields: Any) -> Callable[[Chief], Step]:
    """A form of the admin, of the row that `make` makes."""

    def step(chief: Chief) -> Step:
        row = make(chief)
        named = getattr(row, "code", None) or row.pk
        return (lambda: chief.post(path.format(row.pk), **fields)), fixed(named)

    return step


def action(
    path: str, name: str, make: Callable[[Chief], Any], **fields: Any
) -> Callable[[Chief], Step]:
    """An action on the row that `make` makes."""

    def step(chief: Chief) -> Step:
        row = make(chief)
        named = getattr(row, "code", None) or row.pk
        return (lambda: chief.choose(path, name, row, **fields)), fixed(named)

    return step


def added(path: str, on: Callable[[], object], **fields: Any) -> Callable[[Chief], Step]:
    """A form of the admin for something new."""
    return lambda chief: ((lambda: chief.post(path, **fields)), on)


def both_deletions(
    path: str, event: Event, make: Callable[[Chief], Any]
) -> dict[str, tuple[Event, Callable[[Chief], Step]]]:
    return {
        f"{path} delete": (event, form(path + "{}/delete/", make, post="yes")),
        f"{path} delete chosen": (event, action(path, "delete_selected", make, post="yes")),
    }


def on_their_session(path: str, **fields: Any) -> Callable[[Chief], Step]:
    def step(chief: Chief) -> Step:
        user = customer(chief)
        session = user.sessions.get()
        return (lambda: chief.post(path.format(session.pk), **fields)), fixed(user.pk)

    return step


def on_their_failure(chief: Chief) -> Step:
    user = customer(chief)
    failure = LoginFailure.objects.get(email=user.email, source=ADDRESS)
    path = f"accounts/loginfailure/{failure.pk}/delete/"
    return (lambda: chief.post(path, post="yes")), fixed(user.pk)


def rights(chief: Chief, **fields: Any) -> Step:
    user = customer(chief)
    group = Group.objects.create(name="Buyers")
    everything = {
        "email": user.email, "language": "en", "is_active": "on", "is_staff": "on",
        "groups": [group.pk],
        "user_permissions": [Permission.objects.get(codename="view_brand").pk],
    }  # fmt: skip
    return (lambda: chief.post(f"{USERS}{user.pk}/change/", **everything, **INLINES)), fixed(
        user.pk
    )


SAME = {"email": "ada@example.com", "language": "en", "is_active": "on"} | INLINES
TAX_FORM = {"country": "DE", "percent": "7", "valid_from": "2026-01-01"}
PARCEL = {"country": "DE", "name": "Parcel", "price_amount": "5.00", "position": "0"}
PASSWORDS = {"password1": NEW, "password2": NEW, "usable_password": "true"}
HOOK_KEYS = {"keys-TOTAL_FORMS": "0", "keys-INITIAL_FORMS": "0"}

IN_THE_ADMIN: Mapping[str, tuple[Event, Callable[[Chief], Step]]] = {
    "add a user": (
        Event.ACCOUNT_CREATED,
        added(
            USERS + "add/", lambda: User.objects.get(email="new@example.com").pk,
            email="new@example.com", language="en", **PASSWORDS,
        ),
    ),
    "another address": (
        Event.EMAIL_CHANGED,
        form(USERS + "{}/change/", customer, **SAME | {"email": "eve@example.com"}),
    ),
    "deactivate": (
        Event.ACCOUNT_DEACTIVATED,
        form(
            USERS + "{}/change/", customer, **{k: v for k, v in SAME.items() if k != "is_active"}
        ),
    ),
    "activate": (Event.ACCOUNT_ACTIVATED, form(USERS + "{}/change/", deactivated, **SAME)),
    "rights": (Event.RIGHTS_CHANGED, rights),
    "set a password": (Event.PASSWORD_SET, form(USERS + "{}/password/", customer, **PASSWORDS)),
    "take the password": (
        Event.PASSWORD_SET,
        form(
            USERS + "{}/password/", customer, usable_password="false",
            **{"unset-password": "1"},
        ),
    ),
    "one's own password": (
        Event.PASSWORD_SET,
        lambda chief: (
            lambda: chief.post(
                "password_change/", old_password=PASSWORD, new_password1=NEW, new_password2=NEW
            ),
            fixed(chief.user.pk),
        ),
    ),
    "sign out": (Event.SESSIONS_ENDED, action(USERS, "revoke_sessions", customer)),
    "unlock": (Event.LOGIN_FAILURES_CLEARED, action(USERS, "unlock", customer)),
    "delete a session": (
        Event.SESSIONS_ENDED, on_their_session("accounts/session/{}/delete/", post="yes"),
    ),
    "delete failures": (Event.LOGIN_FAILURES_CLEARED, on_their_failure),
    "add a group": (
        Event.GROUP_CREATED, added(GROUPS + "add/", new(Group), name="Buyers"),
    ),
    "change a group": (
        Event.GROUP_CHANGED, form(GROUPS + "{}/change/", helpdesk, name="Help"),
    ),
    "add a key": (
        Event.API_KEY_CREATED,
        added("accounts/apikey/add/", new(ApiKey), name="erp", scopes=["orders:read"]),
    ),
    "revoke a key": (
        Event.API_KEY_REVOKED, action("accounts/apikey/", "revoke", key_of_the_chief),
    ),
    "add an endpoint": (
        Event.WEBHOOK_ENDPOINT_CREATED,
        added(
            "webhooks/endpoint/add/", new(Endpoint), name="erp", url="https://erp.example/",
            **HOOK_KEYS,
        ),
    ),
    "change an endpoint": (
        Event.WEBHOOK_ENDPOINT_CHANGED,
        form(
            "webhooks/endpoint/{}/change/", endpoint, name="erp",
            url="https://shop.example/hooks", **HOOK_KEYS,
        ),
    ),
    "disable an endpoint": (
        Event.WEBHOOK_ENDPOINT_CHANGED, action("webhooks/endpoint/", "disable", endpoint),
    ),
    "new keys of an endpoint": (
        Event.WEBHOOK_KEYS_ROTATED, action("webhooks/endpoint/", "rotate", endpoint),
    ),
    "add a tax rate": (
        Event.TAX_RATE_CREATED, added("tax/taxrate/add/", new(TaxRate), **TAX_FORM),
    ),
    "change a tax rate": (
        Event.TAX_RATE_CHANGED, form("tax/taxrate/{}/change/", tax_rate, **TAX_FORM),
    ),
    "add a shipping rate": (
        Event.SHIPPING_RATE_CREATED,
        added("shipping/shippingrate/add/", new(ShippingRate), **PARCEL),
    ),
    "change a shipping rate": (
        Event.SHIPPING_RATE_CHANGED,
        form("shipping/shippingrate/{}/change/", shipping_rate, **PARCEL),
    ),
    "add a warehouse": (
        Event.WAREHOUSE_CREATED,
        added("inventory/warehouse/add/", new_warehouse, code="north", name="N", priority="1"),
    ),
    "change a warehouse": (
        Event.WAREHOUSE_CHANGED,
        form("inventory/warehouse/{}/change/", warehouse, name="Other", priority="1"),
    ),
    "add a synonym": (
        Event.SYNONYM_CREATED,
        added("listing/synonym/add/", new(Synonym), word="kettle", other="teapot"),
    ),
    "change a synonym": (
        Event.SYNONYM_CHANGED,
        form(
            "listing/synonym/{}/change/",
            lambda chief: Synonym.objects.create(word="kettle", other="pot"),
            word="kettle", other="teapot",
        ),
    ),
    **both_deletions(USERS, Event.ACCOUNT_DELETED, customer),
    **both_deletions(GROUPS, Event.GROUP_DELETED, helpdesk),
    **both_deletions("webhooks/endpoint/", Event.WEBHOOK_ENDPOINT_DELETED, endpoint),
    **both_deletions("tax/taxrate/", Event.TAX_RATE_DELETED, tax_rate),
    **both_deletions("shipping/shippingrate/", Event.SHIPPING_RATE_DELETED, shipping_rate),
    **both_deletions("inventory/warehouse/", Event.WAREHOUSE_DELETED, warehouse),
    **both_deletions(
        "listing/synonym/", Event.SYNONYM_DELETED,
        lambda chief: Synonym.objects.create(word="kettle", other="pot"),
    ),
}  # fmt: skip

BY_STAFF = {f"API: {name}": step for name, step in BY_API.items()} | IN_THE_ADMIN


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
        if method != "get" and path.startswith(tuple(f"/api/v1/manage/{part}/" for part in logged))
    }

    assert operations - others == set(BY_API)


def test_a_form_that_changes_nothing_leaves_no_record(
    lines: Callable[[], list[dict[str, Any]]], django_capture_on_commit_callbacks: Commit
):
    chief = Chief()
    user, group, place = customer(chief), helpdesk(chief), warehouse(chief)
    before = lines()

    with django_capture_on_commit_callbacks(execute=True):
        chief.post(f"{USERS}{user.pk}/change/", **SAME)
        chief.post(f"{GROUPS}{group.pk}/change/", name=group.name)
        chief.post(
            f"inventory/warehouse/{place.pk}/change/", name=place.name, priority=place.priority
        )

    assert lines() == before


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
    api, user = Api(), make_customer(email="ada@example.com")
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


# The log itself


def test_what_was_rolled_back_is_not_logged_as_done(
    lines: Callable[[], list[dict[str, Any]]], django_capture_on_commit_callbacks: Commit
):
    def undone() -> None:
        with transaction.atomic():
            make_tax_rate_by_service()
            raise RuntimeError

    with django_capture_on_commit_callbacks(execute=True), pytest.raises(RuntimeError):
        undone()

    assert lines() == []


def make_tax_rate_by_service() -> None:
    tax.create_rate(country="DE", percent=Decimal(19), valid_from=timezone.now().date())


def test_no_value_forges_a_line_or_outgrows_it(
    lines: Callable[[], list[dict[str, Any]]], django_capture_on_commit_callbacks: Commit
):
    forged = 'x"}\n{"logger": "lavka.security", "event": "sign_in", "\x1b[2J\u2028\u202e\r'
    with django_capture_on_commit_callbacks(execute=True):
        security_log.record(
            Event.RIGHTS_CHANGED,
            Object("user", 1, forged),
            actor=Actor.system(forged),
            names=[forged] * (security_log.MAX_ITEMS + 1),
            long="a" * 10_000,
        )

    (found,) = lines()
    assert found["object"]["name"] == forged
    assert len(found["details"]["names"]) == security_log.MAX_ITEMS
    assert len(found["details"]["long"]) == security_log.MAX_TEXT


def test_its_lines_are_plain_ascii_and_whole():
    record = logging.LogRecord("lavka.security", logging.INFO, "", 0, "", (), None)
    record.security = {"event": "x\ny\u2028\x1b", "name": "я"}

    line = security_log.SecurityLine().format(record)

    assert line.isascii()
    assert line.isprintable()


@pytest.mark.parametrize("is_json", [True, False])
def test_it_is_written_whatever_the_level_and_form_of_the_rest(is_json: bool, settings: Any):
    stream = io.StringIO()
    configured = config(is_json=is_json, level="CRITICAL")
    logging.config.dictConfig(configured)
    try:
        (handler,) = security_log.logger.handlers
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(stream)
        security_log.record(Event.SIGN_IN, outcome=Outcome.FAILURE)
    finally:
        logging.config.dictConfig(settings.LOGGING)

    assert json.loads(stream.getvalue())["event"] == "sign_in"


def test_the_documentation_lists_every_event():
    told = set(re.findall(r"^\| `(\w+)` \|", DOCS.read_text(), re.MULTILINE))

    assert {event.value for event in SecurityEvent} <= told


def test_every_event_is_tried_here():
    by_people = {
        Event.SIGN_IN, Event.SIGN_OUT, Event.PASSWORD_CHECK, Event.PASSWORD_CHANGED,
        Event.PASSWORD_RESET, Event.EMAIL_CHANGE_REQUESTED, Event.EMAIL_CHANGE_UNDONE,
        Event.ACCOUNT_CLOSED, Event.REFRESH_TOKEN_REUSE, Event.ACCESS_DENIED,
    }  # fmt: skip

    assert {event for event, _ in BY_STAFF.values()} | by_people == set(SecurityEvent)
