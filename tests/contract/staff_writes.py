"""What staff write that the security log is for, through the API and the admin."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.utils import timezone

from lavka.accounts.models import ApiKey, LoginFailure, User
from lavka.accounts.services import keys
from lavka.inventory.models import StockPolicy, Warehouse
from lavka.kernel.security_log import SecurityEvent
from lavka.listing.models import Synonym
from lavka.shipping.models import ShippingRate
from lavka.tax.models import TaxRate
from lavka.webhooks.models import Endpoint
from tests.accounts.factories import (
    PASSWORD,
    make_customer,
    make_staff,
    sign_in,
    token_of,
)
from tests.client import Api
from tests.inventory.factories import make_stock, make_warehouse
from tests.shipping.factories import make_shipping_rate
from tests.tax.factories import make_tax_rate
from tests.webhooks.factories import make_endpoint

NEW, ADDRESS = "a much better secret", "203.0.113.66"
Event = SecurityEvent


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


def stock_policy(chief: Chief) -> StockPolicy:
    variant = make_stock(5)
    StockPolicy.objects.create(variant=variant)
    return variant.stock_policy


HOOKS = "/manage/webhooks/endpoints/"
OVERSELL = {"when_out": "backorder", "backorder_limit": 50}
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
    "set_stock_policy": (
        Event.STOCK_POLICY_CHANGED,
        api_step("PUT", "/manage/variants/{}/stock/policy/", OVERSELL, stock_policy, StockPolicy),
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
    "change a stock policy": (
        Event.STOCK_POLICY_CHANGED,
        form("inventory/stockpolicy/{}/change/", stock_policy, **OVERSELL),
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
