"""API keys: what they open, for how long, and never more than whoever made them may."""

import threading
import time
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.urls import URLResolver, get_resolver
from django.utils import timezone

from lavka.accounts import scopes
from lavka.accounts.models import ApiKey, User
from lavka.accounts.scopes import Scope
from lavka.accounts.services import keys
from lavka.web.views import StaffView
from tests.accounts.factories import make_customer, make_staff, token_of
from tests.client import Api

pytestmark = pytest.mark.django_db

ORDERS = "/manage/orders/"


def make_key(maker: User, *names: str) -> str:
    """A key with these scopes, or with all that there are."""
    return keys.create_key(
        name="erp",
        scopes=names or list(Scope),
        created_by=maker.pk,
        expires_at=None,
        at=timezone.now(),
    )[1]


def permission(right: str) -> Permission:
    app, codename = right.split(".")
    return Permission.objects.get(content_type__app_label=app, codename=codename)


def statuses(api: Api, key: str, *paths: str) -> list[int]:
    return [api.get(path, token=key).status_code for path in paths]


def test_a_key_reads_what_its_scopes_name_and_nothing_else(api: Api):
    key = make_key(make_staff(), "orders:read", "stock:read")

    assert statuses(api, key, ORDERS, "/manage/warehouses/") == [200, 200]
    assert statuses(api, key, "/manage/products/", "/manage/payments/") == [403, 403]
    assert statuses(api, key, "/manage/events/", "/manage/api-keys/") == [403, 403]
    assert statuses(api, key, "/me/", "/orders/") == [401, 401]


def test_every_right_of_a_scope_exists():
    for rights in scopes.RIGHTS.values():
        for right in rights:
            assert permission(right), right
    assert set(scopes.RIGHTS) == set(Scope)
    assert all(".view_" in right for rights in scopes.RIGHTS.values() for right in rights)


def test_nobody_makes_a_key_that_may_more_than_they_do(api: Api):
    clerk = make_staff("accounts.add_apikey", "orders.view_order")
    token = token_of(clerk)

    refused = [
        api.post("/manage/api-keys/", {"name": "x", "scopes": names}, token=token)
        for names in (["events:read"], ["orders:read", "events:read"], ["customers:read"])
    ]
    made = api.post("/manage/api-keys/", {"name": "x", "scopes": ["orders:read"]}, token=token)

    assert {(each.status_code, each.json()["code"]) for each in refused} == {
        (403, "scope_not_held")
    }
    assert refused[1].json()["details"] == {"scopes": "events:read"}
    assert made.status_code == 201
    assert ApiKey.objects.get().created_by == clerk
    assert statuses(api, made.json()["key"], ORDERS) == [200]


def test_the_admins_form_offers_only_what_the_maker_may():
    clerk = make_staff("accounts.add_apikey", "accounts.view_apikey", "orders.view_order")
    browser = Client()
    browser.force_login(clerk)
    path = "/admin/accounts/apikey/add/"

    offered = browser.get(path).context["adminform"].form.fields["scopes"].choices
    forged = browser.post(path, {"name": "x", "scopes": ["events:read"]})
    made = browser.post(path, {"name": "x", "scopes": ["orders:read"]})

    assert [value for value, _ in offered] == ["orders:read"]
    assert (forged.status_code, made.status_code) == (200, 302)
    assert ApiKey.objects.get().scopes == ["orders:read"]


def deactivated(maker: User) -> None:
    User.objects.filter(pk=maker.pk).update(is_active=False)


def no_staff_any_more(maker: User) -> None:
    User.objects.filter(pk=maker.pk).update(is_staff=False)


def without_the_right(maker: User) -> None:
    maker.user_permissions.clear()


def deleted(maker: User) -> None:
    maker.delete()


@pytest.mark.parametrize(
    ("what", "status"),
    [(deactivated, 401), (no_staff_any_more, 401), (without_the_right, 403), (deleted, 401)],
)
def test_a_key_ends_with_what_its_maker_may(api: Api, what: Any, status: int):
    maker = make_staff("orders.view_order", "inventory.view_warehouse")
    key = make_key(maker, "orders:read")
    other = make_key(make_staff("orders.view_order"), "orders:read")

    what(maker)

    assert statuses(api, key, ORDERS) == [status]
    assert statuses(api, other, ORDERS) == [200]


@pytest.mark.parametrize("flag", ["is_active", "is_staff"])
@pytest.mark.parametrize("is_bulk", [True, False])
def test_a_key_stays_revoked_when_its_maker_comes_back(api: Api, flag: str, is_bulk: bool):
    maker = make_staff("orders.view_order")
    key, other = make_key(maker, "orders:read"), make_key(make_staff(), "orders:read")

    for value in (False, True):
        if is_bulk:
            User.objects.filter(pk=maker.pk).update(**{flag: value})
        else:
            setattr(maker, flag, value)
            maker.save()

    assert statuses(api, key, ORDERS) == [401]
    assert ApiKey.objects.get(created_by=maker).revoked_at is not None
    assert statuses(api, make_key(maker, "orders:read"), ORDERS) == [200]
    assert statuses(api, other, ORDERS) == [200]


def test_a_key_that_was_revoked_before_keeps_its_time_and_other_changes_revoke_none():
    maker = make_staff()
    for _ in range(2):
        make_key(maker, "orders:read")
    old, fresh = ApiKey.objects.order_by("pk")
    keys.revoke_key(key_id=old.pk, by=maker.pk, at=timezone.now() - timedelta(days=1))
    revoked_at = ApiKey.objects.get(pk=old.pk).revoked_at

    User.objects.filter(pk=maker.pk).update(is_superuser=False, name="Ada")
    assert ApiKey.objects.get(pk=fresh.pk).revoked_at is None
    User.objects.filter(pk=maker.pk).update(is_active=False)

    assert ApiKey.objects.get(pk=old.pk).revoked_at == revoked_at
    assert ApiKey.objects.get(pk=fresh.pk).revoked_at is not None


def test_the_migration_revokes_the_keys_of_whoever_is_no_active_staff():
    active, gone, demoted = make_staff(), make_staff(is_active=False), make_customer()
    for maker in (active, gone, demoted):
        ApiKey.objects.create(name="x", digest=maker.pk, scopes=["orders:read"], created_by=maker)
    migration = import_module("lavka.accounts.migrations.0011_end_what_rights_gave")

    with connection.cursor() as cursor:
        cursor.execute(migration.REVOKE_KEYS)

    assert ApiKey.objects.get(revoked_at=None).created_by == active


def made_while_deactivated(monkeypatch: pytest.MonkeyPatch) -> ApiKey:
    """A key whose maker is deactivated between the look at their rights and the key."""
    maker, scopes_for = make_staff(), scopes.scopes_for
    pids: list[int] = []

    def deactivate() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                pids.append(cursor.fetchone()[0])
            deactivated(maker)
        finally:
            connection.close()

    def is_waiting() -> bool:
        with connection.cursor() as cursor:
            waits = "SELECT count(*) FROM pg_locks WHERE pid = ANY(%s) AND NOT granted"
            cursor.execute(waits, [list(pids)])
            return cursor.fetchone()[0] > 0

    thread = threading.Thread(target=deactivate)

    def scopes_meanwhile(rights: Any) -> Any:
        thread.start()
        while thread.is_alive() and not is_waiting():
            time.sleep(0.01)  # between two looks: what ends the wait is the lock
        return scopes_for(rights)

    monkeypatch.setattr(scopes, "scopes_for", scopes_meanwhile)
    make_key(maker, "orders:read")
    thread.join()
    return ApiKey.objects.get()


@pytest.mark.django_db(transaction=True)
def test_nobody_makes_a_key_past_their_deactivation(monkeypatch: pytest.MonkeyPatch):
    assert made_while_deactivated(monkeypatch).revoked_at is not None


@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_a_key_outlives_its_makers_account(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows)

    assert made_while_deactivated(monkeypatch).revoked_at is None


@pytest.mark.parametrize(
    ("expires_at", "code"),
    [
        ("2200-01-31T12:00:00", "no_offset"),
        ("9999-12-31T23:59:59Z", "out_of_range"),
        ("9999-12-31T23:59:59-14:00", "out_of_range"),
        ("2001-01-31T12:00:00Z", "past"),
        ("2200-01-31", "no_offset"),
        (4000000000, "invalid"),
        ([], "invalid"),
    ],
)
def test_a_key_expires_at_an_instant(api: Api, expires_at: Any, code: str):
    body = {"name": "x", "scopes": ["orders:read"], "expires_at": expires_at}

    answer = api.post("/manage/api-keys/", body, token=token_of(make_staff()))

    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("#/expires_at", code)
    assert not ApiKey.objects.exists()


def test_a_right_of_the_makers_group_is_the_keys_too(api: Api):
    maker, group = make_staff("accounts.add_apikey"), Group.objects.create(name="Sales")
    group.permissions.add(permission("orders.view_order"))
    maker.groups.add(group)
    key = make_key(maker, "orders:read")

    before = statuses(api, key, ORDERS)
    group.permissions.clear()

    assert (before, statuses(api, key, ORDERS)) == ([200], [403])


def test_a_key_with_a_wide_scope_reads_only_what_its_maker_may(api: Api):
    key = make_key(make_staff("catalog.view_brand"), "products:read")

    assert statuses(api, key, "/manage/brands/", "/manage/products/") == [200, 403]


def test_head_needs_the_right_of_get(api: Api):
    clerk = make_staff("catalog.view_brand")

    answers = [
        api.request("HEAD", path, token=token)
        for token in (token_of(clerk), make_key(clerk, "products:read"))
        for path in ("/manage/brands/", "/manage/api-keys/", ORDERS)
    ]

    assert [each.status_code for each in answers] == [200, 403, 403, 200, 403, 403]


def test_a_customers_token_opens_nothing_that_a_key_does(api: Api):
    assert api.get(ORDERS, token=token_of(make_customer())).status_code == 403


def test_every_method_of_a_staff_view_names_its_right():
    """One that it forgets is refused to everybody."""

    def views(resolver: URLResolver) -> Any:
        for pattern in resolver.url_patterns:
            if isinstance(pattern, URLResolver):
                yield from views(pattern)
            elif isinstance(view := getattr(pattern.callback, "cls", None), type):
                yield view

    staff = {view for view in views(get_resolver()) if issubclass(view, StaffView)}
    methods = ("GET", "POST", "PUT", "PATCH", "DELETE")

    assert len(staff) > 30
    assert [
        (view.__name__, method)
        for view in staff
        for method in methods
        if hasattr(view, method.lower()) and not view.rights.get(method)
    ] == []
