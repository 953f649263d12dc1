"""Signing in and out, and what becomes of refresh tokens."""

from collections import Counter
from datetime import timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from lavka.accounts import tasks
from lavka.accounts.errors import RefreshTokenReused
from lavka.accounts.models import LoginFailure, Session, User
from lavka.accounts.services import sessions
from lavka.accounts.tokens import TokenPair
from tests.accounts.factories import PASSWORD, make_customer, make_staff, sign_in, token_of
from tests.accounts.hashing import counted_hashes
from tests.racing import race

pytestmark = pytest.mark.django_db


def refreshed(api, refresh: str):
    return api.post("/auth/token/refresh/", {"refresh": refresh})


def test_the_access_token_names_user_session_and_staff(api):
    staff = make_staff()

    pair = sign_in(api, staff)

    claims = AccessToken(pair["access"]).payload
    session = Session.objects.get()
    assert set(claims) == {"token_type", "exp", "iat", "jti", "sub", "staff", "sid", "iss", "aud"}
    assert (claims["sub"], claims["staff"], claims["sid"]) == (
        str(staff.pk),
        True,
        str(session.pk),
    )
    assert claims["exp"] - claims["iat"] == 5 * 60
    assert RefreshToken(pair["refresh"]).payload["exp"] == int(session.expires_at.timestamp())
    assert api.get("/me/", token=pair["access"]).json()["id"] == str(staff.pk)


STRANGE_CLAIMS = [
    {"exp": 1e300},
    {"exp": -1e300},
    {"exp": 10**30},
    {"exp": "soon"},
    {"exp": None},
    {"exp": [1]},
    {"iat": 1e300},
    {"nbf": 1e300},
    {"sub": 5, "sid": 5, "jti": 5},
    {"sub": None, "sid": None, "jti": None},
    {"sub": "me", "sid": "this", "jti": "one"},
    {"sub": {}, "sid": [], "jti": True},
]


@pytest.mark.parametrize("claims", STRANGE_CLAIMS, ids=str)
def test_a_token_with_the_right_signature_and_strange_claims_is_none(api, claims):
    access, refresh = AccessToken(), RefreshToken()
    session = {"sub": str(uuid4()), "sid": str(uuid4()), "staff": False}
    for token in (access, refresh):
        token.payload |= session | claims

    read = api.get("/me/", token=str(access))
    exchanged, ended = (
        api.post(path, {"refresh": str(refresh)})
        for path in ("/auth/token/refresh/", "/auth/logout/")
    )

    assert (read.status_code, read.json()["code"]) == (401, "unauthenticated")
    assert (exchanged.status_code, exchanged.json()["code"]) == (401, "invalid_refresh_token")
    assert ended.status_code == 204


def test_a_token_of_any_length_is_not_even_looked_at(api):
    huge = AccessToken()
    huge.payload |= {"sub": str(uuid4()), "sid": str(uuid4()), "staff": False, "more": "a" * 5000}

    assert api.get("/products/", token=str(huge)).status_code == 401
    assert api.get("/products/", token="a" * 100_000).status_code == 401


def test_unknown_wrong_and_inactive_are_answered_alike_for_the_same_work(api):
    make_customer(email="known@example.com")
    make_customer(email="gone@example.com", is_active=False)
    tries = [
        ("known@example.com", "not the password"),
        ("nobody@example.com", PASSWORD),
        ("gone@example.com", PASSWORD),
    ]
    answers, costs = [], []
    for email, password in tries:
        with counted_hashes() as hashes, CaptureQueriesContext(connection) as queries:
            answer = api.post("/auth/token/", {"email": email, "password": password})
        body = answer.json()
        del body["request_id"]
        headers = {name: value for name, value in answer.items() if name != "X-Request-ID"}
        answers.append((answer.status_code, body, headers))
        costs.append((len(hashes), len(queries)))

    assert answers[0] == answers[1] == answers[2]
    assert (answers[0][0], answers[0][1]["code"]) == (401, "invalid_credentials")
    assert costs[0] == costs[1] == costs[2]
    assert costs[0][0] == 1
    assert not Session.objects.exists()


def test_an_expired_access_token_does_not_keep_anybody_from_refreshing(api):
    pair = sign_in(api, make_customer())

    answer = api.post("/auth/token/refresh/", {"refresh": pair["refresh"]}, token="expired")

    assert answer.status_code == 200


def test_a_refresh_gives_a_new_pair_of_the_same_session(api):
    user = make_customer()
    pair = sign_in(api, user)

    fresh = refreshed(api, pair["refresh"]).json()

    assert fresh["refresh"] != pair["refresh"]
    assert Session.objects.count() == 1
    assert AccessToken(fresh["access"])["sid"] == str(Session.objects.get().pk)
    assert refreshed(api, fresh["refresh"]).status_code == 200


@pytest.mark.parametrize(
    ("make", "idle", "longest"),
    [
        (make_customer, timedelta(days=30), timedelta(days=180)),
        (make_staff, timedelta(hours=8), timedelta(hours=24)),
    ],
)
def test_a_session_ends_unused_and_at_last_however_it_is_used(api, make, idle, longest):
    pair = sign_in(api, make())
    began = Session.objects.get()

    unused = began.expires_at - began.created_at
    Session.objects.update(created_at=timezone.now() - longest + timedelta(minutes=10))
    used = refreshed(api, pair["refresh"])
    left = Session.objects.get().expires_at - timezone.now()
    Session.objects.update(expires_at=timezone.now())
    ended = refreshed(api, used.json()["refresh"])

    assert unused == idle
    assert used.status_code == 200
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)
    assert (ended.status_code, ended.json()["code"]) == (401, "invalid_refresh_token")


@pytest.mark.parametrize(
    ("began", "used", "status"),
    [
        (timedelta(hours=23), timedelta(hours=7), 200),
        (timedelta(days=20), timedelta(hours=1), 401),
        (timedelta(hours=9), timedelta(hours=9), 401),
    ],
    ids=str,
)
def test_a_session_that_began_as_a_longer_one_ends_with_those_of_staff(api, began, used, status):
    pair = sign_in(api, make_staff())
    now = timezone.now()
    Session.objects.update(
        created_at=now - began, used_at=now - used, expires_at=now + timedelta(days=10)
    )

    answer = refreshed(api, pair["refresh"])

    assert answer.status_code == status
    assert status == 200 or answer.json()["code"] == "invalid_refresh_token"


def test_whoever_becomes_staff_while_they_sign_in_has_the_session_of_staff(api, monkeypatch):
    user, proven = make_customer(), sessions.credentials.proven_user

    def proven_then_promoted(**given):
        found = proven(**given)
        User.objects.filter(pk=user.pk).update(is_staff=True)
        return found

    monkeypatch.setattr(sessions.credentials, "proven_user", proven_then_promoted)
    pair = sign_in(api, user)

    assert AccessToken(pair["access"])["staff"] is True
    assert Session.objects.get().expires_at <= timezone.now() + timedelta(hours=8)


def test_a_replayed_refresh_token_ends_its_session_and_no_other(api):
    user = make_customer()
    stolen, other = sign_in(api, user), sign_in(api, user)
    fresh = refreshed(api, stolen["refresh"]).json()

    replayed = refreshed(api, stolen["refresh"])

    assert (replayed.status_code, replayed.json()["code"]) == (401, "refresh_token_reused")
    ended = refreshed(api, fresh["refresh"])
    assert (ended.status_code, ended.json()["code"]) == (401, "invalid_refresh_token")
    assert refreshed(api, other["refresh"]).status_code == 200


def test_what_is_no_refresh_token_is_refused(api):
    user = make_customer()
    pair = sign_in(api, user)
    expired = RefreshToken()
    expired.set_exp(lifetime=-timedelta(seconds=1))
    nameless = RefreshToken()
    strange = RefreshToken()
    strange["sid"] = str(uuid4())
    bad = ["garbage", "ü", pair["access"], str(expired), str(nameless), str(strange)]

    answers = [refreshed(api, each) for each in bad]

    assert {(each.status_code, each.json()["code"]) for each in answers} == {
        (401, "invalid_refresh_token")
    }
    assert refreshed(api, pair["refresh"]).status_code == 200


def test_a_deactivated_user_refreshes_no_more(api):
    user = make_customer()
    pair = sign_in(api, user)
    User.objects.update(is_active=False)

    answer = refreshed(api, pair["refresh"])

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_refresh_token")
    assert api.get("/me/", token=pair["access"]).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_of_parallel_refreshes_with_one_token_exactly_one_wins(api):
    pair = sign_in(api, make_customer())

    outcomes = race(lambda: sessions.refresh(raw=pair["refresh"], at=timezone.now()), times=8)

    kinds = Counter(each if isinstance(each, type) else type(each) for each in outcomes)
    assert kinds == {TokenPair: 1, RefreshTokenReused: 7}
    assert Session.objects.get().revoked_at is not None


@pytest.mark.django_db(transaction=True)
def test_control_read_then_write_lets_every_parallel_refresh_win(api):
    sign_in(api, make_customer())
    known = Session.objects.get().current_token
    looked = Barrier(8)

    def look_then_write() -> bool:
        session = Session.objects.get()
        looked.wait(timeout=20)
        if session.current_token != known:
            return False
        session.current_token = uuid4()
        session.save()
        return True

    assert Counter(race(look_then_write, times=8)) == {True: 8}


def test_signing_out_ends_one_session_and_says_nothing_about_tokens(api):
    user = make_customer()
    here, there = sign_in(api, user), sign_in(api, user)

    answers = [
        api.post("/auth/logout/", {"refresh": token})
        for token in (here["refresh"], here["refresh"], "garbage")
    ]

    assert [each.status_code for each in answers] == [204, 204, 204]
    assert refreshed(api, here["refresh"]).status_code == 401
    assert refreshed(api, there["refresh"]).status_code == 200


def test_signing_out_everywhere_ends_ones_own_sessions_only(api):
    user, other = make_customer(), make_customer()
    mine, mine_too, theirs = sign_in(api, user), sign_in(api, user), sign_in(api, other)

    assert api.post("/auth/logout-all/").status_code == 401
    assert api.post("/auth/logout-all/", token=mine["access"]).status_code == 204

    assert [refreshed(api, pair["refresh"]).status_code for pair in (mine, mine_too, theirs)] == [
        401,
        401,
        200,
    ]


def test_open_sessions_are_listed_with_the_present_one_marked(api, django_assert_num_queries):
    user = make_customer()
    api.client.defaults["HTTP_USER_AGENT"] = "Phone " + "x" * 300
    pair = sign_in(api, user)

    with django_assert_num_queries(1):
        answer = api.get("/me/sessions/", token=pair["access"]).json()

    assert answer["next"] is None
    (session,) = answer["items"]
    assert session["is_current"] is True
    assert session["user_agent"] == ("Phone " + "x" * 300)[:200]

    sign_in(api, user)
    sign_in(api, user)
    sign_in(api, make_customer())
    with django_assert_num_queries(1):
        three = api.get("/me/sessions/", token=pair["access"]).json()["items"]
    assert [each["is_current"] for each in three] == [False, False, True]


def test_a_session_is_revoked_by_its_user_only(api):
    user, other = make_customer(), make_customer()
    pair, theirs = sign_in(api, user), sign_in(api, other)
    mine_id = Session.objects.get(user=user).pk
    their_id = Session.objects.get(user=other).pk

    refused = api.delete(f"/me/sessions/{their_id}/", token=pair["access"])
    done = api.delete(f"/me/sessions/{mine_id}/", token=pair["access"])
    again = api.delete(f"/me/sessions/{mine_id}/", token=pair["access"])

    assert (refused.status_code, done.status_code, again.status_code) == (404, 204, 404)
    assert refreshed(api, pair["refresh"]).status_code == 401
    assert refreshed(api, theirs["refresh"]).status_code == 200


def test_the_purge_keeps_what_still_counts(api):
    user = make_customer()
    sign_in(api, user)
    sign_in(api, user)
    at = timezone.now()
    old = Session.objects.first()
    Session.objects.filter(pk=old.pk).update(expires_at=at - timedelta(seconds=1))
    LoginFailure.objects.create(email="old@example.com", failed_at=at - timedelta(days=3))
    LoginFailure.objects.create(email="new@example.com", failed_at=at)

    tasks.purge_sessions()

    assert Session.objects.exclude(pk=old.pk).get()
    assert not Session.objects.filter(pk=old.pk).exists()
    assert LoginFailure.objects.get().email == "new@example.com"


def test_a_token_of_somebody_who_was_deleted_is_no_token(api):
    user = make_customer()
    token = token_of(user)
    user.delete()

    answers = [
        api.get("/me/", token=token),
        api.patch("/me/", {"name": "x"}, token=token),
        api.post("/auth/verify-email/resend/", token=token),
    ]

    assert [each.status_code for each in answers] == [401, 401, 401]
