"""Nobody gives themselves rights, or takes over an account that may more than their own."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.utils import timezone

from lavka.accounts.models import Address, ApiKey, LoginFailure, Session, User
from lavka.accounts.services import keys
from tests.accounts.factories import (
    PASSWORD,
    make_address,
    make_customer,
    make_staff,
    sign_in,
    token_of,
)
from tests.addresses.factories import address_in
from tests.client import Api

pytestmark = pytest.mark.django_db

NEW = "a much better secret"
USERS = "/admin/accounts/user/"
INLINES = {
    f"{name}-{part}": "0"
    for name in ("addresses", "sessions")
    for part in ("TOTAL_FORMS", "INITIAL_FORMS")
}


@pytest.fixture
def clerk() -> User:
    """Every right there is, but no superuser."""
    staff = make_staff("accounts.view_user", email="clerk@example.com")
    staff.user_permissions.set(Permission.objects.all())
    return staff


@pytest.fixture
def browser(clerk: User) -> Client:
    client = Client()
    client.force_login(clerk)
    return client


def superuser() -> User:
    return make_staff()


def staff_with_one_right() -> User:
    return make_staff("catalog.view_brand")


def superuser_on_leave() -> User:
    return make_customer(is_superuser=True)


def deactivated_superuser() -> User:
    return make_staff(is_active=False)


def member_of_a_group() -> User:
    user = make_customer()
    user.groups.add(Group.objects.create(name="Buyers"))
    return user


def somebody_with_a_right() -> User:
    user = make_customer()
    user.user_permissions.add(Permission.objects.get(codename="change_order"))
    return user


TARGETS = [
    superuser, staff_with_one_right, superuser_on_leave, deactivated_superuser, member_of_a_group,
    somebody_with_a_right,
]  # fmt: skip


def on_page(path: str, **fields: Any) -> Callable[[Client, User], Any]:
    def post(browser: Client, user: User) -> Any:
        named = {name: str(value).format(user=user) for name, value in fields.items()}
        return browser.post(path.format(user=user), named)

    return post


def on_session(page: str, **fields: Any) -> Callable[[Client, User], Any]:
    def post(browser: Client, user: User) -> Any:
        session = str(user.sessions.get().pk)
        named = {"_selected_action": [session]} if "action" in fields else {}
        return browser.post(f"/admin/accounts/session/{page.format(session)}", fields | named)

    return post


def chosen(name: str, **fields: str) -> Callable[[Client, User], Any]:
    def post(browser: Client, user: User) -> Any:
        return browser.post(USERS, {"action": name, "_selected_action": [str(user.pk)]} | fields)

    return post


def delete_the_failures(browser: Client, user: User) -> Any:
    failure = LoginFailure.objects.get(email=user.email)
    return browser.post(f"/admin/accounts/loginfailure/{failure.pk}/delete/", {"post": "yes"})


def revoke_key_in_the_admin(browser: Client, user: User) -> Any:
    key = ApiKey.objects.get(created_by=user)
    return browser.post(
        "/admin/accounts/apikey/", {"action": "revoke", "_selected_action": [str(key.pk)]}
    )


def revoke_key_by_the_api(browser: Client, user: User) -> Any:
    clerk, key = User.objects.get(email="clerk@example.com"), ApiKey.objects.get(created_by=user)
    return Api().delete(f"/manage/api-keys/{key.pk}/", token=token_of(clerk))


def move_the_address_book(browser: Client, user: User) -> Any:
    address = user.addresses.get()
    fields = {"user": str(user.pk)} | address_in("GB", name="Eve")
    return browser.post(f"/admin/accounts/address/{address.pk}/change/", fields)


FORM = {"email": "taken-{user.pk}@example.com", "language": "en", "is_active": "on"} | INLINES
ATTACKS: Mapping[str, Callable[[Client, User], Any]] = {
    "another address": on_page(USERS + "{user.pk}/change/", **FORM),
    "deactivate": on_page(
        USERS + "{user.pk}/change/", email="{user.email}", language="en", **INLINES
    ),
    "password": on_page(
        USERS + "{user.pk}/password/", password1=NEW, password2=NEW, usable_password="true"
    ),
    "no password": on_page(
        USERS + "{user.pk}/password/", usable_password="false", **{"unset-password": "1"}
    ),
    "delete": on_page(USERS + "{user.pk}/delete/", post="yes"),
    "delete chosen": chosen("delete_selected", post="yes"),
    "sign out": chosen("revoke_sessions"),
    "unlock": chosen("unlock"),
    "delete the session": on_session("{}/delete/", post="yes"),
    "delete chosen sessions": on_session("", action="delete_selected", post="yes"),
    "delete the failures": delete_the_failures,
    "revoke the key": revoke_key_in_the_admin,
    "revoke the key by the API": revoke_key_by_the_api,
    "address book": move_the_address_book,
}


def furnish(user: User) -> User:
    """With everything that could be taken from them."""
    Session.objects.create(
        user=user, current_token=user.pk, expires_at=timezone.now() + timedelta(days=1)
    )
    LoginFailure.objects.create(email=user.email, failures=3, failed_at=timezone.now())
    make_address(user)
    ApiKey.objects.create(name="x", scopes=["orders:read"], created_by=user, digest=str(user.pk))
    return user


def all_of(user: User) -> tuple[Any, ...]:
    """Everything that an attack could change."""
    return (
        list(User.objects.filter(pk=user.pk).values()),
        list(user.sessions.values()),
        list(LoginFailure.objects.filter(email=user.email).values()),
        list(ApiKey.objects.filter(created_by=user).values()),
        list(user.addresses.values()),
        set(user.get_all_permissions()),
    )


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_who_has_rights_is_changed_by_superusers_only(
    browser: Client, attack: Callable[[Client, User], Any]
):
    for target in TARGETS:
        user = furnish(target())
        before = all_of(user)

        answer = attack(browser, user)

        assert answer.status_code in {302, 403}, target
        assert all_of(User.objects.get(pk=user.pk)) == before, target


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_control_a_superuser_may_and_so_may_a_clerk_with_customers(
    browser: Client, attack: Callable[[Client, User], Any]
):
    boss = Client()
    boss.force_login(make_staff())

    for client, user in ((boss, superuser()), (browser, make_customer())):
        if client is browser and attack in {revoke_key_in_the_admin, revoke_key_by_the_api}:
            continue  # a key's maker is always staff
        if attack is revoke_key_by_the_api:
            continue  # by the clerk's token
        furnish(user)
        before = all_of(user)
        attack(client, user)
        assert all_of(user) != before


@pytest.mark.parametrize("page", ["add/", "{group.pk}/change/", "{group.pk}/delete/", ""])
def test_groups_are_edited_by_superusers_only(browser: Client, clerk: User, page: str):
    group = Group.objects.create(name="Helpdesk")
    clerk.groups.add(group)
    fields: dict[str, Any] = {
        "name": "Everything",
        "permissions": list(Permission.objects.values_list("pk", flat=True)),
        "post": "yes",
    }
    if not page:
        fields |= {"action": "delete_selected", "_selected_action": [str(group.pk)]}

    answer = browser.post(f"/admin/auth/group/{page.format(group=group)}", fields)

    assert answer.status_code in {200, 302, 403}
    assert list(Group.objects.values_list("name", flat=True)) == ["Helpdesk"]
    assert not group.permissions.exists()


def test_a_superuser_edits_groups():
    boss = Client()
    boss.force_login(make_staff())
    right = Permission.objects.get(codename="view_brand")

    answer = boss.post("/admin/auth/group/add/", {"name": "Buyers", "permissions": [right.pk]})

    assert answer.status_code == 302
    assert list(Group.objects.get().permissions.all()) == [right]


RIGHTS = {"is_staff": "on", "is_superuser": "on"}


def test_no_form_of_a_clerk_hands_out_rights(browser: Client, clerk: User):
    customer, group = make_customer(), Group.objects.create(name="Buyers")
    everything = list(Permission.objects.values_list("pk", flat=True))
    rights = RIGHTS | {"groups": [group.pk], "user_permissions": everything}
    passwords = {"password1": NEW, "password2": NEW, "usable_password": "true"}

    form = FORM | {"email": "other@example.com"}
    own = browser.post(f"{USERS}{clerk.pk}/change/", form | rights)
    changed = browser.post(f"{USERS}{customer.pk}/change/", form | rights)
    added = browser.post(
        f"{USERS}add/", {"email": "new@example.com", "language": "en"} | passwords | rights
    )

    assert (own.status_code, changed.status_code, added.status_code) == (403, 302, 302)
    added_user = User.objects.get(email="new@example.com")
    for user in (User.objects.get(pk=customer.pk), added_user):
        assert (user.is_staff, user.is_superuser) == (False, False)
        assert user.groups.count() + user.user_permissions.count() == 0
    assert User.objects.get(pk=customer.pk).email != customer.email
    assert not User.objects.get(pk=clerk.pk).is_superuser


def test_an_address_is_not_slipped_into_a_superusers_book(browser: Client):
    boss = superuser()
    fields = {"user": str(boss.pk)} | address_in("GB", name="Eve")

    refused = browser.post("/admin/accounts/address/add/", fields)
    allowed = browser.post(
        "/admin/accounts/address/add/", fields | {"user": str(make_customer().pk)}
    )

    assert (refused.status_code, allowed.status_code) == (200, 302)
    assert not Address.objects.filter(user=boss).exists()


def test_staff_without_the_right_reach_no_page_of_accounts():
    browser = Client()
    browser.force_login(make_staff("catalog.view_brand"))
    pages = ["accounts/user/", "auth/group/", "accounts/session/", "accounts/apikey/add/"]

    assert {browser.get(f"/admin/{page}").status_code for page in pages} == {403}


def test_a_key_whose_maker_is_gone_may_be_revoked_by_whoever_has_the_right(api: Api, clerk: User):
    maker = make_staff("orders.view_order")
    made, _ = keys.create_key(
        name="x",
        scopes=["orders:read"],
        created_by=maker.pk,
        expires_at=None,
        at=timezone.now(),
    )
    maker.delete()

    assert api.delete(f"/manage/api-keys/{made.pk}/", token=token_of(clerk)).status_code == 204
    made.refresh_from_db()
    assert made.revoked_at is not None


def test_the_clerk_still_signs_customers_out(browser: Client, api: Api):
    customer, boss = make_customer(), superuser()
    sign_in(api, customer, PASSWORD)
    sign_in(api, boss, PASSWORD)

    browser.post(
        USERS,
        {
            "action": "revoke_sessions",
            "_selected_action": [str(customer.pk), str(boss.pk)],
        },
    )

    assert Session.objects.get(revoked_at=None).user == boss
