"""Guessing passwords: counted before the guess is checked, refused alike for everybody."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from threading import Barrier

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lavka.accounts import rules, tokens
from lavka.accounts.errors import TooManyAttempts
from lavka.accounts.models import KnownPlace, LoginFailure, Session, User
from lavka.accounts.rules import Source
from lavka.accounts.services import credentials, places
from lavka.accounts.tasks import purge_sessions
from tests.accounts.factories import PASSWORD, make_customer, make_staff, sign_in, token_of
from tests.accounts.guessing import (
    CAFE,
    HOME,
    STRANGER,
    besiege,
    guess,
    place,
    spray,
)
from tests.accounts.hashing import counted_hashes
from tests.racing import race

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("is_known", [True, False])
def test_the_eleventh_guess_from_a_place_is_refused_even_if_it_is_right(api, is_known):
    email = make_customer().email if is_known else "nobody@example.com"

    statuses = [guess(api, email).status_code for _ in range(10)]
    with counted_hashes() as hashes:
        refused = guess(api, email, PASSWORD)

    assert statuses == [401] * 10
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
    assert 890 <= int(refused["Retry-After"]) <= 900
    assert hashes == []
    assert round(LoginFailure.objects.get(email=email, source=STRANGER).failures) == 10
    assert not Session.objects.exists()


@pytest.mark.parametrize("make", [make_customer, make_staff])
def test_a_stranger_locks_themselves_out_and_nobody_else(api, make: Callable[[], User]):
    user = make()
    for _ in range(12):
        guess(api, user.email)

    assert guess(api, user.email, PASSWORD).status_code == 429
    assert guess(api, user.email, PASSWORD, source=HOME).status_code == 200


def test_many_strangers_slow_down_unknown_places_for_minutes_and_known_ones_not(api):
    user = make_customer()
    device = guess(api, user.email, PASSWORD, source=HOME).json()["device"]

    besiege(user.email)

    elsewhere = guess(api, user.email, PASSWORD, source=CAFE)
    assert elsewhere.status_code == 429
    assert 1 <= int(elsewhere["Retry-After"]) <= 300
    assert guess(api, user.email, PASSWORD, source=HOME).status_code == 200
    assert guess(api, user.email, PASSWORD, source=CAFE, device=device).status_code == 200
    # Known by now.
    assert guess(api, user.email, PASSWORD, source=CAFE).status_code == 200


def test_a_browser_is_known_by_its_cookie(api):
    user = make_customer()
    answer = guess(api, user.email, PASSWORD, source=HOME)
    besiege(user.email)
    cookie = answer.headers["Set-Cookie"]

    assert cookie.startswith(f"lavka_device={answer.json()['device']};")
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=31536000"} <= set(cookie.split("; "))
    api.client.defaults["REMOTE_ADDR"] = CAFE
    known = api.post(
        "/auth/token/",
        {"email": user.email, "password": PASSWORD},
        Cookie=f"lavka_device={answer.json()['device']}",
    )
    assert (known.status_code, known.json()["device"]) == (200, answer.json()["device"])


def test_a_stranger_in_the_same_network_does_not_lock_a_known_device(api):
    user = make_customer()
    device = guess(api, user.email, PASSWORD, source=CAFE).json()["device"]

    for _ in range(11):
        last = guess(api, user.email, source=CAFE)

    assert last.status_code == 429
    assert guess(api, user.email, PASSWORD, source=CAFE, device=device).status_code == 200


def test_a_device_that_locks_itself_is_one_of_its_network(api):
    user = make_customer()
    device = guess(api, user.email, PASSWORD, source=HOME).json()["device"]

    statuses = [
        guess(api, user.email, source=STRANGER, device=device).status_code for _ in range(21)
    ]

    # Ten of the device, ten of the network that it is in.
    assert statuses == [401] * 20 + [429]
    assert guess(api, user.email, PASSWORD, source=STRANGER, device=device).status_code == 429
    assert guess(api, user.email, PASSWORD, source=CAFE, device=device).status_code == 200


def test_whoever_shows_a_stolen_device_does_not_lock_its_owner_out(api):
    user = make_customer()
    device = guess(api, user.email, PASSWORD, source=HOME).json()["device"]
    for _ in range(25):
        guess(api, user.email, source=STRANGER, device=device)

    assert guess(api, user.email, PASSWORD, source=HOME, device=device).status_code == 200


@pytest.mark.parametrize("device", ["made-up", "a" * 64, "ü", "a" * 63 + "\x01", ""])
def test_a_device_that_the_account_does_not_know_is_a_stranger(api, device: str):
    user, other = make_customer(), make_customer()
    theirs = guess(api, other.email, PASSWORD, source=HOME).json()["device"]
    besiege(user.email)
    api.client.defaults["REMOTE_ADDR"] = STRANGER

    for shown in (device, theirs):
        body = {"email": user.email, "password": PASSWORD} | ({"device": shown} if shown else {})
        answer = api.post("/auth/token/", body)
        assert answer.status_code in {422, 429}, shown


def test_one_browser_may_be_known_to_several_accounts(api):
    mine, theirs = make_customer(), make_customer()

    first = guess(api, mine.email, PASSWORD).json()["device"]
    second = guess(api, theirs.email, PASSWORD, device=first).json()["device"]
    made_up = guess(api, theirs.email, PASSWORD, device="chosen-by-somebody").json()["device"]

    assert first == second
    assert made_up not in {first, "chosen-by-somebody"}


def test_spraying_many_accounts_from_one_network_is_slowed_down(api):
    victim, customer = make_customer(), make_customer()
    device = guess(api, customer.email, PASSWORD).json()["device"]
    spray()

    sprayed = guess(api, victim.email, PASSWORD)

    assert (sprayed.status_code, 1 <= int(sprayed["Retry-After"]) <= 300) == (429, True)
    assert guess(api, victim.email, PASSWORD, source=HOME).status_code == 200
    assert guess(api, customer.email, PASSWORD, device=device).status_code == 200


def allowed_within(hours: int, sources: Callable[[int], Source]) -> int:
    """How many guesses get through on one account with an attempt every ten seconds."""
    begin, through = timezone.now(), 0
    for number in range(hours * 360):
        try:
            credentials.claim_attempt(
                email="ada@example.com",
                source=sources(number),
                at=begin + timedelta(seconds=10 * number),
            )
        except TooManyAttempts:
            continue
        through += 1
    return through


def test_guessing_stays_bounded_whoever_guesses():
    # Ten, then after 15, 30 and 60 minutes, and each hour; 50, and then one in five minutes.
    assert allowed_within(4, lambda _: place()) <= 10 + 2 + 3
    LoginFailure.objects.all().delete()
    assert allowed_within(4, lambda number: Source(f"network {number}")) <= 50 + 10 + 4 * 12


def test_an_ipv6_subscriber_is_one_place(api):
    email = make_customer().email

    statuses = [
        guess(api, email, source=f"2001:db8:1:2:{number:x}::9").status_code for number in range(11)
    ]

    assert statuses == [401] * 10 + [429]
    assert guess(api, email, source="2001:db8:1:3::9").status_code == 401
    assert guess(api, email, source="::ffff:203.0.113.9").status_code == 401
    assert LoginFailure.objects.filter(source="203.0.113.9").exists()


def test_a_success_forgets_the_failures_of_its_place_only(api):
    user, other = make_customer(), make_customer()
    for _ in range(9):
        guess(api, user.email)
    guess(api, other.email)
    guess(api, user.email, source=CAFE)

    guess(api, user.email, PASSWORD)

    left = {(each.email, each.source): round(each.failures) for each in LoginFailure.objects.all()}
    assert left == {
        ("", STRANGER): 1,
        ("", CAFE): 1,
        (user.email, ""): 1,
        (user.email, CAFE): 1,
        (other.email, ""): 1,
        (other.email, STRANGER): 1,
    }
    assert [guess(api, user.email).status_code for _ in range(11)] == [401] * 10 + [429]


def waits(source: Callable[[], Source], claims: int, email: str) -> list[float]:
    """After how many seconds each of the further claims is allowed, one right after the other."""
    at, found = timezone.now(), []
    for _ in range(claims):
        before = at
        while True:
            try:
                credentials.claim_attempt(email=email, source=source(), at=at)
                break
            except TooManyAttempts as refused:
                at += timedelta(seconds=refused.retry_after_seconds)
        found.append((at - before).total_seconds())
    return found


def test_each_further_failure_from_a_place_waits_twice_as_long_up_to_an_hour():
    found = waits(place, 15, "ada@example.com")

    assert [seconds / 60 for seconds in found] == [0] * 10 + [15, 30, 60, 60, 60]


def test_each_further_failure_on_an_account_waits_twice_as_long_up_to_five_minutes():
    numbers = count()

    found = waits(lambda: Source(f"network {next(numbers)}"), 63, "ada@example.com")

    assert found == [0] * 51 + [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]


def test_time_forgets_failures():
    at = timezone.now()
    for _ in range(10):
        credentials.claim_attempt(email="ada@example.com", source=place(), at=at)

    credentials.claim_attempt(
        email="ada@example.com", source=place(), at=at + timedelta(days=2, hours=13)
    )

    assert {round(each.failures) for each in LoginFailure.objects.all()} == {1}
    assert {each.locked_until for each in LoginFailure.objects.all()} == {None}


def test_what_is_kept_is_bounded_and_purged():
    user, at = make_customer(), timezone.now()
    for number in range(25):
        places.remember_place(
            user_id=user.pk, source=Source(f"network {number}"), at=at + timedelta(seconds=number)
        )
    credentials.claim_attempt(email="old@example.com", source=place(), at=at - timedelta(days=4))

    kinds = Counter(KnownPlace.objects.values_list("kind", flat=True))
    assert kinds == {"device": rules.MAX_KNOWN_PLACES, "network": rules.MAX_KNOWN_PLACES}
    assert places.known_places(email=user.email, source=Source("network 4")) == []
    assert places.known_places(email=user.email, source=Source("network 5")) == ["network 5"]
    KnownPlace.objects.update(used_at=at - timedelta(days=366))
    purge_sessions()
    assert (KnownPlace.objects.count(), LoginFailure.objects.count()) == (0, 0)


def test_a_place_is_kept_without_its_address_and_the_token_of_a_device(api):
    user = make_customer()
    device = guess(api, user.email, PASSWORD, source=HOME).json()["device"]

    kept = "".join(KnownPlace.objects.values_list("digest", flat=True))

    assert len(kept) == 128
    assert HOME not in kept
    assert device not in kept


@pytest.mark.parametrize("known", [True, False])
def test_an_attempt_costs_the_same_whoever_has_the_address(api, known: bool):
    email = make_customer().email if known else "nobody@example.com"

    with counted_hashes() as hashes, CaptureQueriesContext(connection) as queries:
        guess(api, email)

    assert len(hashes) == 1
    assert [query["sql"].split()[0] for query in queries] == [
        *("SELECT", "SAVEPOINT", "INSERT", "INSERT", "INSERT", "RELEASE", "SELECT")
    ]


@pytest.mark.django_db(transaction=True)
def test_parallel_guesses_do_not_exceed_the_limit():
    def claim() -> None:
        credentials.claim_attempt(email="ada@example.com", source=place(), at=timezone.now())

    outcomes = Counter(race(claim, times=16))

    assert outcomes == {None: 10, TooManyAttempts: 6}
    assert {round(each.failures) for each in LoginFailure.objects.all()} == {10}


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


@pytest.mark.django_db(transaction=True)
def test_parallel_attempts_on_many_accounts_from_many_networks_do_not_block_each_other():
    numbers = count()

    def claim_some() -> None:
        for _ in range(10):
            number = next(numbers)
            credentials.claim_attempt(
                email=f"{number % 3}@example.com",
                source=Source(f"network {number % 4}"),
                at=timezone.now(),
            )

    outcomes = Counter(race(claim_some, times=6))

    assert set(outcomes) <= {None, TooManyAttempts}


def test_a_stolen_access_token_does_not_help_to_guess_the_password(api):
    user = make_customer()
    body = {"current_password": "wrong", "new_password": "another good one"}
    api.client.defaults["REMOTE_ADDR"] = STRANGER

    answers = [api.post("/auth/password/change/", body, token=token_of(user)) for _ in range(11)]
    closing = api.request("DELETE", "/me/", {"current_password": PASSWORD}, token=token_of(user))

    assert [each.status_code for each in answers] == [422] * 10 + [429]
    assert closing.status_code == 429
    assert guess(api, user.email, PASSWORD).status_code == 429
    assert guess(api, user.email, PASSWORD, source=HOME).status_code == 200


@pytest.mark.parametrize("way", ["change", "reset"])
def test_with_a_new_password_only_this_device_is_known(api, way: str):
    user = make_customer()
    here, there = (guess(api, user.email, PASSWORD, source=s).json() for s in (HOME, CAFE))
    api.client.defaults["REMOTE_ADDR"] = HOME

    if way == "change":
        body = {"current_password": PASSWORD, "new_password": "another good one"}
        answer = api.post(
            "/auth/password/change/", body | {"device": here["device"]}, token=here["access"]
        )
    else:
        body = {"token": tokens.reset_of(user), "password": "another good one"}
        answer = api.post("/auth/password/reset/", body | {"device": here["device"]})

    assert answer.status_code == 204
    assert f"lavka_device={here['device']};" in answer.headers["Set-Cookie"]
    found = [
        places.known_places(email=user.email, source=Source("x", pair["device"]))
        for pair in (here, there)
    ]
    assert (len(found[0]), found[1]) == (1, [])
    assert KnownPlace.objects.count() == 2


def test_a_closed_account_leaves_no_place(api):
    user = make_customer()
    access = sign_in(api, user)["access"]

    answer = api.request("DELETE", "/me/", {"current_password": PASSWORD}, token=access)

    assert answer.status_code == 204
    assert not KnownPlace.objects.exists()
