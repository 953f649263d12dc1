"""The signed-in user: profile, closing the account, addresses."""

from collections import Counter
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from lavka.accounts.models import Address, Session, User
from lavka.accounts.services import addresses
from lavka.kernel.models import OutboxEvent
from tests.accounts.factories import (
    PASSWORD,
    make_address,
    make_customer,
    make_staff,
    sign_in,
    token_of,
)
from tests.racing import race

pytestmark = pytest.mark.django_db

LONDON = {
    "name": "Ada",
    "line1": "12 St James's Square",
    "city": "London",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
}


def test_the_profile_shows_who_one_is(api):
    user = make_customer(name="Ada", language="ru", email_verified_at=timezone.now())

    answer = api.get("/me/", token=token_of(user))

    assert answer.status_code == 200
    body = answer.json()
    assert body.pop("joined_at").endswith("Z")
    assert body == {
        "id": str(user.pk),
        "email": user.email,
        "name": "Ada",
        "language": "ru",
        "is_email_verified": True,
        "is_staff": False,
    }
    assert api.get("/me/").status_code == 401


def test_name_and_language_change_and_nothing_else_does(api):
    user = make_customer()
    token = token_of(user)

    changed = api.patch("/me/", {"name": "Ada", "language": "ru"}, token=token)
    unchanged = api.patch("/me/", {}, token=token)
    refused = [
        api.patch("/me/", body, token=token)
        for body in ({"email": "x@example.com"}, {"is_staff": True}, {"language": "xx"})
    ]

    assert changed.status_code == 200
    assert unchanged.json() == changed.json()
    assert [each.status_code for each in refused] == [422, 422, 422]
    stored = User.objects.get()
    assert (stored.name, stored.language, stored.email, stored.is_staff) == (
        "Ada",
        "ru",
        user.email,
        False,
    )


def test_a_closed_account_leaves_a_row_that_names_nobody(api):
    user = make_customer(name="Ada", email_verified_at=timezone.now())
    make_address(user)
    pair = sign_in(api, user)

    answer = api.delete("/me/", body={"current_password": PASSWORD}, token=pair["access"])

    assert answer.status_code == 204
    closed = User.objects.get()
    assert (closed.pk, closed.name, closed.is_active) == (user.pk, "", False)
    assert closed.email == f"closed-{user.pk}@closed.invalid"
    assert closed.closed_at is not None
    assert not closed.has_usable_password()
    assert not Address.objects.exists()
    assert not Session.objects.exists()
    assert OutboxEvent.objects.get().name == "accounts.account_closed"
    refresh = api.post("/auth/token/refresh/", {"refresh": pair["refresh"]})
    assert (refresh.status_code, refresh.json()["code"]) == (401, "invalid_refresh_token")
    assert api.post("/me/addresses/", LONDON, token=pair["access"]).status_code == 401
    again = api.post("/auth/register/", {"email": user.email, "password": PASSWORD})
    assert User.objects.filter(pk=again.json()["id"]).exists()


def test_closing_needs_the_password_and_is_not_for_staff(api):
    user, staff = make_customer(), make_staff()

    wrong = api.delete("/me/", body={"current_password": "wrong"}, token=token_of(user))
    bare = api.delete("/me/", token=token_of(user))
    refused = api.delete("/me/", body={"current_password": PASSWORD}, token=token_of(staff))

    assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong_password")
    assert wrong.json()["errors"][0]["pointer"] == "#/current_password"
    assert bare.status_code == 422
    assert (refused.status_code, refused.json()["code"]) == (409, "staff_account")
    assert User.objects.filter(is_active=True).count() == 2


def test_an_address_is_added_shown_changed_and_deleted(api):
    token = token_of(make_customer())

    added = api.post("/me/addresses/", LONDON | {"is_default_shipping": True}, token=token)
    path = f"/me/addresses/{added.json()['id']}/"
    changed = api.patch(path, {"city": "Bath", "is_default_shipping": False}, token=token)

    assert added.status_code == 201
    assert added.json() == LONDON | {
        "id": added.json()["id"],
        "line2": "",
        "region": "",
        "phone": "",
        "is_default_shipping": True,
        "is_default_billing": False,
    }
    assert changed.json() == added.json() | {"city": "Bath", "is_default_shipping": False}
    assert api.get(path, token=token).json() == changed.json()
    assert api.patch(path, {}, token=token).json() == changed.json()
    assert api.delete(path, token=token).status_code == 204
    assert api.get(path, token=token).status_code == 404


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"country": "XX"}, "#/country"),
        ({"country": "England"}, "#/country"),
        ({"postal_code": "SW1Y"}, "#/postal_code"),
        ({"country": ["GB"]}, "#/country"),
        ({"name": ""}, "#/name"),
        ({"city": 7}, "#/city"),
        ({"is_default_billing": "yes"}, "#/is_default_billing"),
        ({"user": str(uuid4())}, "#/user"),
    ],
)
def test_what_is_no_address_is_refused(api, change, pointer):
    answer = api.post("/me/addresses/", LONDON | change, token=token_of(make_customer()))

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert not Address.objects.exists()


def test_another_customers_address_does_not_exist(api):
    theirs = make_address(make_customer())
    token = token_of(make_customer())
    path = f"/me/addresses/{theirs.pk}/"

    statuses = [
        api.get(path, token=token).status_code,
        api.patch(path, {"city": "Bath"}, token=token).status_code,
        api.delete(path, token=token).status_code,
        api.get(path).status_code,
    ]

    assert statuses == [404, 404, 404, 401]
    assert Address.objects.get().city == "London"


def test_a_new_default_takes_the_place_of_the_old_one(api):
    user, other = make_customer(), make_customer()
    first = make_address(user, is_default_shipping=True, is_default_billing=True)
    second = make_address(user)
    theirs = make_address(other, is_default_shipping=True)

    answer = api.patch(
        f"/me/addresses/{second.pk}/", {"is_default_shipping": True}, token=token_of(user)
    )

    assert answer.status_code == 200
    assert set(Address.objects.filter(is_default_shipping=True)) == {second, theirs}
    assert Address.objects.get(is_default_billing=True) == first


def test_the_address_book_is_paged_in_one_query(api, django_assert_num_queries):
    user = make_customer()
    token = token_of(user)
    make_address(make_customer())
    first = make_address(user)
    with django_assert_num_queries(1):
        page = api.get("/me/addresses/", token=token).json()
    assert [each["id"] for each in page["items"]] == [str(first.pk)]

    later = [make_address(user), make_address(user)]
    with django_assert_num_queries(1):
        page = api.get("/me/addresses/?limit=2", token=token).json()

    rest = api.get(f"/me/addresses/?cursor={page['next']}", token=token).json()
    ids = [each["id"] for each in page["items"] + rest["items"]]
    assert ids == [str(address.pk) for address in (first, *later)]
    assert rest["next"] is None


@pytest.mark.django_db(transaction=True)
def test_of_parallel_new_defaults_the_last_one_stays():
    user = make_customer()

    outcomes = race(
        lambda: addresses.add_address(
            user_id=user.pk, fields=LONDON | {"is_default_shipping": True}
        ),
        times=8,
    )

    assert Counter(type(each) for each in outcomes) == {Address: 8}
    assert Address.objects.filter(is_default_shipping=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_control_clearing_without_the_lock_collides():
    user = make_customer()
    cleared = Barrier(8)

    def clear_then_insert() -> None:
        with transaction.atomic():
            Address.objects.update(is_default_shipping=False)
            cleared.wait(timeout=20)
            make_address(user, is_default_shipping=True)

    assert Counter(race(clear_then_insert, times=8)) == {None: 1, IntegrityError: 7}
