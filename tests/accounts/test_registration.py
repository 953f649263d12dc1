"""Becoming a customer, and what a stranger can learn by trying."""

import uuid
from collections import Counter
from datetime import timedelta
from threading import Barrier

import pytest
from django.core import signing
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lavka.accounts import tokens
from lavka.accounts.models import User
from lavka.accounts.services import registration
from lavka.kernel.models import OutboxEvent
from tests.accounts.factories import PASSWORD, make_customer, sign_in, token_of
from tests.accounts.hashing import counted_hashes
from tests.racing import race

pytestmark = pytest.mark.django_db


def published() -> list[tuple[str, str]]:
    return [(event.name, str(event.aggregate)) for event in OutboxEvent.objects.order_by("id")]


def comparable(response) -> tuple[object, ...]:
    """All of an answer but the ids in it."""
    body = dict(response.json())
    assert uuid.UUID(body.pop("id")).version == 7
    headers = {name: value for name, value in response.items() if name != "X-Request-ID"}
    return response.status_code, body, headers


def test_a_customer_registers_and_signs_in_before_the_address_is_verified(api):
    answer = api.post(
        "/auth/register/",
        {"email": " Ada@Example.COM ", "password": PASSWORD, "name": "Ada"},
        Accept_Language="ru",
    )

    assert answer.status_code == 201
    user = User.objects.get()
    assert answer.json() == {"id": str(user.pk), "email": "ada@example.com"}
    assert (user.name, user.language, user.is_email_verified) == ("Ada", "ru", False)
    assert user.password.startswith("argon2$argon2id$")
    assert published() == [("accounts.customer_registered", str(user.pk))]
    assert set(sign_in(api, user)) == {"access", "refresh", "device"}


def test_a_taken_address_gets_the_answer_of_a_free_one(api):
    owner = make_customer(email="taken@example.com")

    taken = api.post("/auth/register/", {"email": "Taken@example.com", "password": PASSWORD})
    free = api.post("/auth/register/", {"email": "frees@example.com", "password": PASSWORD})

    status, body, headers = comparable(taken)
    assert body == {"email": "taken@example.com"}
    assert comparable(free) == (status, {"email": "frees@example.com"}, headers)
    assert not User.objects.filter(pk=taken.json()["id"]).exists()
    assert published() == [
        ("accounts.registration_repeated", str(owner.pk)),
        ("accounts.customer_registered", free.json()["id"]),
    ]
    assert User.objects.get(pk=owner.pk).password == owner.password


def test_a_taken_address_costs_the_work_of_a_free_one(api):
    make_customer(email="taken@example.com")
    costs = []
    for email in ("taken@example.com", "free@example.com"):
        with counted_hashes() as hashes, CaptureQueriesContext(connection) as queries:
            api.post("/auth/register/", {"email": email, "password": PASSWORD})
        costs.append((hashes, [query["sql"].split()[0] for query in queries]))

    assert costs[0] == costs[1]
    assert costs[0][0] == ["encode"]


@pytest.mark.parametrize("email", ["taken@example.com", "free@example.com"])
def test_a_weak_password_is_refused_whoever_has_the_address(api, email):
    make_customer(email="taken@example.com")

    answer = api.post("/auth/register/", {"email": email, "password": "iloveyou"})

    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {
            "pointer": "#/password",
            "code": "password_too_common",
            "detail": "This password is too common.",
        }
    ]
    assert User.objects.count() == 1
    assert published() == []


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {"#/email", "#/password"}),
        ({"email": "nobody", "password": PASSWORD}, {"#/email"}),
        ({"email": 7, "password": 8}, {"#/email", "#/password"}),
        ({"email": "a@b.co", "password": PASSWORD, "is_staff": True}, {"#/is_staff"}),
        ({"email": f"a@{'я' * 60}.рф", "password": PASSWORD}, {"#/email"}),
        ({"email": "a@b.co", "password": "x" * 257}, {"#/password"}),
        ({"email": "a@b.co", "password": PASSWORD, "name": "x" * 151}, {"#/name"}),
    ],
)
def test_input_that_is_no_account_is_refused(api, body, pointers):
    answer = api.post("/auth/register/", body)

    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} == pointers
    assert not User.objects.exists()


def test_an_international_domain_is_kept_in_ascii(api):
    answer = api.post("/auth/register/", {"email": "боб@Пример.рф", "password": PASSWORD})
    assert answer.status_code == 422

    answer = api.post("/auth/register/", {"email": "bob@Пример.рф", "password": PASSWORD})

    assert answer.json()["email"] == "bob@xn--e1afmkfd.xn--p1ai"


@pytest.mark.django_db(transaction=True)
def test_parallel_registrations_of_one_address_make_one_customer():
    def register() -> uuid.UUID:
        return registration.register(
            email="ada@example.com", password=PASSWORD, name="", language="en", at=timezone.now()
        )

    outcomes = race(register, times=6)

    user = User.objects.get()
    assert len(set(outcomes)) == 6
    assert outcomes.count(user.pk) == 1
    assert Counter(name for name, _ in published()) == {"accounts.customer_registered": 1}


@pytest.mark.django_db(transaction=True)
def test_control_looking_first_lets_parallel_registrations_collide():
    looked = Barrier(6)

    def look_then_insert() -> None:
        is_free = not User.objects.filter(email="ada@example.com").exists()
        looked.wait(timeout=20)
        if is_free:
            User.objects.create(email="ada@example.com")

    assert Counter(race(look_then_insert, times=6)) == {None: 1, IntegrityError: 5}


def test_the_token_of_the_mail_verifies_the_address_once_and_again(api):
    user = make_customer()
    token = tokens.verification_of(user)

    first, second = (api.post("/auth/verify-email/", {"token": token}) for _ in range(2))

    assert (first.status_code, first.content, second.status_code) == (204, b"", 204)
    assert User.objects.get().is_email_verified
    assert published() == [("accounts.email_verified", str(user.pk))]


def test_a_verification_token_dies_with_its_address_and_after_three_days(api, monkeypatch):
    user = make_customer()
    token = tokens.verification_of(user)
    User.objects.update(email="other@example.com")
    moved = api.post("/auth/verify-email/", {"token": token})

    User.objects.update(email=user.email)
    later = (timezone.now() + timedelta(days=3, minutes=1)).timestamp()
    monkeypatch.setattr(signing.time, "time", lambda: later)
    old = api.post("/auth/verify-email/", {"token": token})

    assert [moved.json()["code"], old.json()["code"]] == ["invalid_token", "invalid_token"]
    assert (moved.status_code, old.status_code) == (422, 422)
    assert not User.objects.get().is_email_verified


@pytest.mark.parametrize(
    "token",
    ["x", "a:b:c", "ü", signing.dumps(["x", 1], salt="other")],
    ids=["short", "unsigned", "not ASCII", "signed for something else"],
)
def test_a_forged_verification_token_is_refused(api, token):
    answer = api.post("/auth/verify-email/", {"token": token})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_token")
    assert answer.json()["errors"][0]["pointer"] == "#/token"


def test_the_verification_mail_can_be_asked_for_again_until_it_is_of_no_use(api):
    user = make_customer()
    token = token_of(user)

    first = api.post("/auth/verify-email/resend/", token=token)
    User.objects.update(email_verified_at=timezone.now())
    second = api.post("/auth/verify-email/resend/", token=token)

    assert (first.status_code, second.status_code) == (202, 202)
    assert published() == [("accounts.verification_requested", str(user.pk))]
    assert api.post("/auth/verify-email/resend/").status_code == 401
