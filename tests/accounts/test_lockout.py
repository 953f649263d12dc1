"""Guessing passwords: counted before the guess is checked, refused alike for everybody."""

from collections import Counter
from datetime import timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from django.db.models import F
from django.utils import timezone

from lavka.accounts.errors import TooManyAttempts
from lavka.accounts.models import LoginFailure, Session
from lavka.accounts.services import credentials
from tests.accounts.factories import PASSWORD, make_customer, sign_in, token_of
from tests.accounts.hashing import counted_hashes
from tests.racing import race

pytestmark = pytest.mark.django_db


def guess(api, email: str, password: str = "not the password"):
    return api.post("/auth/token/", {"email": email, "password": password})


@pytest.mark.parametrize("is_known", [True, False])
def test_the_eleventh_guess_is_refused_even_if_it_is_right(api, is_known):
    email = make_customer().email if is_known else "nobody@example.com"

    statuses = [guess(api, email).status_code for _ in range(10)]
    with counted_hashes() as hashes:
        refused = guess(api, email, PASSWORD)

    assert statuses == [401] * 10
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
    assert 890 <= int(refused["Retry-After"]) <= 900
    assert hashes == []
    assert LoginFailure.objects.get().failures == 10
    assert not Session.objects.exists()


def test_a_success_forgets_the_failures_of_its_address_only(api):
    user, other = make_customer(), make_customer()
    for _ in range(9):
        guess(api, user.email)
    guess(api, other.email)

    sign_in(api, user)

    assert LoginFailure.objects.get().email == other.email
    assert [guess(api, user.email).status_code for _ in range(10)] == [401] * 10


def test_each_further_failure_locks_twice_as_long_up_to_a_day():
    at = timezone.now()
    email = "ada@example.com"
    for _ in range(10):
        credentials.claim_attempt(email=email, at=at)
    minutes = []
    for _ in range(9):
        lock = LoginFailure.objects.get().locked_until - at
        minutes.append(lock.total_seconds() / 60)
        at += lock
        credentials.claim_attempt(email=email, at=at)

    assert minutes == [15, 30, 60, 120, 240, 480, 960, 1440, 1440]


def test_two_quiet_days_forget_everything():
    at = timezone.now()
    for _ in range(10):
        credentials.claim_attempt(email="ada@example.com", at=at)

    credentials.claim_attempt(email="ada@example.com", at=at + timedelta(days=2, seconds=1))

    failure = LoginFailure.objects.get()
    assert (failure.failures, failure.locked_until) == (1, None)


@pytest.mark.django_db(transaction=True)
def test_parallel_guesses_do_not_exceed_the_limit():
    def claim() -> None:
        credentials.claim_attempt(email="ada@example.com", at=timezone.now())

    outcomes = Counter(race(claim, times=16))

    assert outcomes == {None: 10, TooManyAttempts: 6}
    assert LoginFailure.objects.get().failures == 10


@pytest.mark.django_db(transaction=True)
def test_control_checking_first_lets_every_parallel_guess_pass():
    LoginFailure.objects.create(email="ada@example.com", failures=0, failed_at=timezone.now())
    looked = Barrier(16)

    def look_then_count() -> bool:
        is_allowed = LoginFailure.objects.get().failures < 10
        looked.wait(timeout=20)
        if is_allowed:
            LoginFailure.objects.update(failures=F("failures") + 1)
        return is_allowed

    assert Counter(race(look_then_count, times=16)) == {True: 16}


def test_a_stolen_access_token_does_not_help_to_guess_the_password(api):
    user = make_customer()
    body = {"current_password": "wrong", "new_password": "another good one"}

    answers = [api.post("/auth/password/change/", body, token=token_of(user)) for _ in range(11)]

    assert [each.status_code for each in answers] == [422] * 10 + [429]
    assert guess(api, user.email, PASSWORD).status_code == 429


def test_an_address_gets_thirty_attempts_a_minute_whoever_it_tries(api, settings):
    settings.LAVKA = settings.LAVKA | {"THROTTLES": True}
    api.client.defaults["REMOTE_ADDR"] = f"client-{uuid4()}"

    answers = [api.post("/auth/token/", {}) for _ in range(40)]

    codes = [each.json()["code"] for each in answers]
    assert codes[:30] == ["invalid"] * 30
    assert "too_many_requests" in codes[30:]
    assert {each["Retry-After"] for each in answers if each.status_code == 429} <= {"1", "2"}


def test_without_a_counter_nobody_guesses(api, settings):
    settings.LAVKA = settings.LAVKA | {"THROTTLES": True, "VALKEY_URL": "redis://127.0.0.1:1/0"}

    answer = guess(api, "ada@example.com")

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
