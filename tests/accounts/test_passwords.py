"""Passwords: forgotten, reset, changed."""

from collections import Counter
from datetime import datetime, timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lavka.accounts import tokens
from lavka.accounts.errors import InvalidToken
from lavka.accounts.models import LoginFailure, User
from lavka.accounts.rules import Source
from lavka.accounts.services import passwords
from lavka.kernel.models import OutboxEvent
from tests.accounts.factories import PASSWORD, make_customer, sign_in
from tests.racing import race

pytestmark = pytest.mark.django_db

NEW = "a much better secret"


def names() -> list[str]:
    return list(OutboxEvent.objects.order_by("id").values_list("name", flat=True))


def test_forgetting_tells_nobody_who_has_an_account(api):
    owner = make_customer()
    answers, statements = [], []
    for email in (owner.email.upper(), "nobody@example.com"):
        with CaptureQueriesContext(connection) as queries:
            answer = api.post("/auth/password/forgot/", {"email": email})
        headers = {name: value for name, value in answer.items() if name != "X-Request-ID"}
        answers.append((answer.status_code, answer.content, headers))
        statements.append([query["sql"].split()[0] for query in queries])

    assert answers[0] == answers[1]
    assert answers[0][:2] == (202, b"")
    assert statements[0] == statements[1]
    mine, nobodys = OutboxEvent.objects.order_by("id")
    assert mine.name == nobodys.name == "accounts.password_reset_requested"
    assert mine.aggregate == owner.pk
    assert not User.objects.filter(pk=nobodys.aggregate).exists()


def test_an_address_has_thirty_such_mails_sent_at_once_and_others_go_on(api, settings):
    settings.LAVKA = settings.LAVKA | {"THROTTLES": True}
    own = uuid4().hex
    api.client.defaults["REMOTE_ADDR"] = f"stranger-{own}"
    paths = ["/auth/password/forgot/", "/auth/sign-in-link/"] * 16

    statuses = [
        api.post(path, {"email": f"{number}@example.com"}).status_code
        for number, path in enumerate(paths)
    ]
    api.client.defaults["REMOTE_ADDR"] = f"owner-{own}"
    email = {"email": "0@example.com"}
    elsewhere = {api.post(path, email).status_code for path in paths[:2]}

    assert statuses == [202] * 30 + [429] * 2
    assert elsewhere == {202}


def test_a_reset_sets_the_password_verifies_unlocks_and_signs_out(api):
    user = make_customer()
    pair = sign_in(api, user)
    LoginFailure.objects.create(
        email=user.email,
        failures=10,
        failed_at=timezone.now(),
        locked_until=timezone.now() + timedelta(minutes=15),
    )

    answer = api.post("/auth/password/reset/", {"token": tokens.reset_of(user), "password": NEW})

    assert (answer.status_code, answer.content) == (204, b"")
    assert api.post("/auth/token/refresh/", {"refresh": pair["refresh"]}).status_code == 401
    assert sign_in(api, user, NEW)
    assert User.objects.get().is_email_verified
    assert names() == ["accounts.password_changed"]


def test_a_reset_token_is_good_for_one_use(api):
    user = make_customer()
    token = tokens.reset_of(user)
    api.post("/auth/password/reset/", {"token": token, "password": NEW})

    again = api.post("/auth/password/reset/", {"token": token, "password": "yet another one"})

    assert (again.status_code, again.json()["code"]) == (422, "invalid_token")
    assert User.objects.get().check_password(NEW)


def test_a_reset_token_is_good_for_an_hour(api, monkeypatch):
    user = make_customer()
    token = tokens.reset_of(user)
    later = datetime.now() + timedelta(hours=1, seconds=2)  # noqa: DTZ005 - as the generator does
    monkeypatch.setattr(tokens._ResetTokens, "_now", lambda self: later)

    answer = api.post("/auth/password/reset/", {"token": token, "password": NEW})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_token")
    assert User.objects.get().check_password(PASSWORD)


def test_a_token_resets_nobody_elses_password(api):
    mine, theirs = make_customer(), make_customer()
    forged = tokens.reset_of(theirs).split(".")[0] + "." + tokens.reset_of(mine).split(".")[1]

    answers = [
        api.post("/auth/password/reset/", {"token": token, "password": NEW})
        for token in (forged, "x", "ü.x", "." * 9, "AAAA.b-c")
    ]

    assert {(each.status_code, each.json()["code"]) for each in answers} == {(422, "invalid_token")}
    assert names() == []


def test_a_reset_refuses_a_weak_password_and_leaves_the_token_good(api):
    user = make_customer(email="adalovelace@example.com")
    token = tokens.reset_of(user)

    weak = api.post("/auth/password/reset/", {"token": token, "password": "adalovelace"})

    assert weak.status_code == 422
    assert [(error["pointer"], error["code"]) for error in weak.json()["errors"]] == [
        ("#/password", "password_too_similar")
    ]
    assert User.objects.get().check_password(PASSWORD)
    good = api.post("/auth/password/reset/", {"token": token, "password": NEW})
    assert good.status_code == 204


@pytest.mark.django_db(transaction=True)
def test_of_parallel_resets_with_one_token_exactly_one_wins():
    token = tokens.reset_of(make_customer())

    outcomes = race(
        lambda: passwords.reset_password(
            token=token, password=NEW, source=Source("x"), at=timezone.now()
        ),
        times=6,
    )

    assert Counter(each is InvalidToken for each in outcomes) == {False: 1, True: 5}
    assert names() == ["accounts.password_changed"]


@pytest.mark.django_db(transaction=True)
def test_control_checking_the_token_first_lets_every_parallel_reset_win():
    token = tokens.reset_of(make_customer())
    looked = Barrier(6)

    def look_then_save() -> bool:
        user = User.objects.get()
        is_good = tokens.is_reset_of(user, token)
        looked.wait(timeout=20)
        user.set_password(NEW)
        user.save()
        return is_good

    assert Counter(race(look_then_save, times=6)) == {True: 6}


def test_changing_the_password_ends_the_other_sessions(api):
    user = make_customer()
    here, there = sign_in(api, user), sign_in(api, user)

    answer = api.post(
        "/auth/password/change/",
        {"current_password": PASSWORD, "new_password": NEW},
        token=here["access"],
    )

    assert answer.status_code == 204
    statuses = [
        api.post("/auth/token/refresh/", {"refresh": pair["refresh"]}).status_code
        for pair in (here, there)
    ]
    assert statuses == [200, 401]
    assert sign_in(api, user, NEW)
    assert names() == ["accounts.password_changed"]


@pytest.mark.parametrize(
    ("current", "new", "pointer", "code"),
    [
        ("wrong", NEW, "#/current_password", "wrong_password"),
        (PASSWORD, "12345678", "#/new_password", "password_too_common"),
    ],
)
def test_a_refused_change_changes_nothing(api, current, new, pointer, code):
    # A random address may have enough of the new password's digits to be "too similar".
    user = make_customer(email="ada@example.com")
    pair = sign_in(api, user)

    answer = api.post(
        "/auth/password/change/",
        {"current_password": current, "new_password": new},
        token=pair["access"],
    )

    assert answer.status_code == 422
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [
        (pointer, code)
    ]
    assert User.objects.get().check_password(PASSWORD)
    assert names() == []
    assert api.post("/auth/password/change/", {}).status_code == 401
