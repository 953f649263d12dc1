"""Signing in by a mailed link: always possible, once, and without telling who has an account."""

from collections import Counter
from datetime import timedelta
from threading import Barrier

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lavka.accounts import tokens
from lavka.accounts.errors import InvalidToken
from lavka.accounts.events import PasswordResetRequested, SignInLinkRequested
from lavka.accounts.models import LoginFailure, RequestedMail, Session, User
from lavka.accounts.rules import PAUSES, MailPurpose, Source
from lavka.accounts.services import sessions
from lavka.accounts.tasks import purge_sessions
from lavka.kernel.models import OutboxEvent
from lavka.notifications import flows
from lavka.notifications.models import SentMail
from tests.accounts.factories import PASSWORD, make_customer, make_staff, sign_in
from tests.client import Api
from tests.racing import race

pytestmark = pytest.mark.django_db

LINK, TOKEN = "/auth/sign-in-link/", "/auth/sign-in-link/token/"
NEW = "a much better secret"


def token_of_mail(user: User) -> str:
    event = OutboxEvent.objects.filter(name=SignInLinkRequested.name).latest("id")
    flows.mail_user(kind=SentMail.Kind.SIGN_IN, event_id=event.pk, user_id=user.pk)
    lines = mail.outbox[-1].body.split("\n\n")
    return next(line.strip() for line in lines if line.count(":") == 2 and "/" not in line)


def lock(user: User) -> None:
    later = timezone.now() + timedelta(hours=1)
    for source in ("", "127.0.0.1"):
        LoginFailure.objects.create(
            email=user.email, source=source, failures=99, failed_at=timezone.now(),
            locked_until=later,
        )  # fmt: skip


@pytest.mark.parametrize("is_staff", [False, True])
def test_whoever_reads_the_mail_signs_in_while_passwords_are_refused(api: Api, is_staff: bool):
    user = make_staff() if is_staff else make_customer(email_verified_at=timezone.now())
    lock(user)
    refused = api.post("/auth/token/", {"email": user.email, "password": PASSWORD})

    asked = api.post(LINK, {"email": user.email})
    answer = api.post(TOKEN, {"token": token_of_mail(user)})

    assert (refused.status_code, asked.status_code, answer.status_code) == (429, 202, 200)
    assert api.get("/me/", token=answer.json()["access"]).json()["is_email_verified"]
    pair = api.post("/auth/token/refresh/", {"refresh": answer.json()["refresh"]})
    assert pair.status_code == 200
    # The place is known from now on.
    device = answer.json()["device"]
    assert f"lavka_device={device};" in answer.headers["Set-Cookie"]
    known = {"email": user.email, "password": PASSWORD, "device": device}
    assert api.post("/auth/token/", known).status_code == 200


def test_whoever_registered_with_the_address_of_another_is_out_once_its_owner_signs_in(api: Api):
    stranger = {"email": "ada@example.com", "password": PASSWORD}
    assert api.post("/auth/register/", stranger).status_code == 201
    theirs = api.post("/auth/token/", stranger).json()
    owner = User.objects.get(email=stranger["email"])

    api.post(LINK, {"email": owner.email})
    answer = api.post(TOKEN, {"token": token_of_mail(owner)})

    assert answer.status_code == 200
    assert api.get("/me/", token=answer.json()["access"]).json()["is_email_verified"]
    assert api.post("/auth/token/", stranger).status_code == 401
    assert api.post("/auth/token/refresh/", {"refresh": theirs["refresh"]}).status_code == 401
    device = stranger | {"device": theirs["device"]}
    assert api.post("/auth/token/", device).status_code == 401
    assert OutboxEvent.objects.filter(name=PasswordResetRequested.name).count() == 1
    # What proves an address that was proven before takes nothing.
    owner.refresh_from_db()
    owner.set_password(NEW)
    owner.save()
    api.post(LINK, {"email": owner.email})
    assert api.post(TOKEN, {"token": token_of_mail(owner)}).status_code == 200
    assert api.post("/auth/token/", stranger | {"password": NEW}).status_code == 200


def test_a_token_is_good_once_and_takes_the_older_ones_with_it(api: Api):
    user = make_customer(email_verified_at=timezone.now())
    at = timezone.now()
    older, token, newer = (
        tokens.sign_in_of(user, at=at + timedelta(seconds=seconds)) for seconds in (-60, -30, 30)
    )

    statuses = [
        api.post(TOKEN, {"token": each}).status_code for each in (token, token, older, newer, newer)
    ]

    assert statuses == [200, 422, 422, 200, 422]
    assert Session.objects.count() == 2


def test_of_an_unknown_address_nobody_learns(api: Api):
    user = make_customer()
    answers, costs = [], []
    for email in (user.email, "nobody@example.com"):
        with CaptureQueriesContext(connection) as queries:
            answers.append(api.post(LINK, {"email": email}))
        costs.append([query["sql"].split()[0] for query in queries])

    assert [(each.status_code, each.content) for each in answers] == [(202, b"")] * 2
    assert costs[0] == costs[1]
    named = [event.aggregate for event in OutboxEvent.objects.filter(name=SignInLinkRequested.name)]
    assert [each == user.pk for each in named] == [True, False]


@pytest.mark.parametrize(
    "what", ["password", "address", "signed out everywhere", "deactivated", "too old", "forged"]
)
def test_a_token_lapses_with_what_it_stands_on(api: Api, what: str):
    user = make_customer()
    token = tokens.sign_in_of(user, at=timezone.now())
    if what == "password":
        user.set_password(NEW)
        user.save()
    elif what == "address":
        User.objects.update(email="other@example.com")
    elif what == "signed out everywhere":
        sessions.revoke_sessions(user_ids=[user.pk], at=timezone.now())
    elif what == "deactivated":
        User.objects.update(is_active=False)
    elif what == "too old":
        token = tokens.sign_in_of(user, at=timezone.now() - tokens.SIGN_IN_LIFETIME)
    else:
        token = tokens.sign_in_of(make_customer(), at=timezone.now())[:-1]

    answer = api.post(TOKEN, {"token": token})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_token")
    assert not Session.objects.exists()


@pytest.mark.parametrize("token", ["x", ".", "a:b:c", "ü" * 50, "=" * 4096])
def test_what_is_no_token_is_refused(api: Api, token: str):
    assert api.post(TOKEN, {"token": token}).status_code == 422


def test_tokens_of_other_mails_sign_nobody_in(api: Api):
    user = make_customer()

    for token in (tokens.verification_of(user), tokens.reset_of(user)):
        assert api.post(TOKEN, {"token": token}).status_code == 422
    sign_in_token = tokens.sign_in_of(user, at=timezone.now())
    assert api.post("/auth/verify-email/", {"token": sign_in_token}).status_code == 422


@pytest.mark.django_db(transaction=True)
def test_of_parallel_uses_of_one_token_exactly_one_signs_in():
    token = tokens.sign_in_of(make_customer(), at=timezone.now())

    def use() -> None:
        sessions.sign_in_by_link(token=token, source=Source("x"), user_agent="", at=timezone.now())

    assert Counter(race(use, times=6)) == {None: 1, InvalidToken: 5}
    assert Session.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_control_looking_first_lets_every_parallel_use_sign_in():
    make_customer()
    looked = Barrier(6)

    def look_then_use() -> bool:
        is_unused = User.objects.get().links_used_at is None
        looked.wait(timeout=20)
        User.objects.update(links_used_at=timezone.now())
        return is_unused

    assert Counter(race(look_then_use, times=6)) == {True: 6}


# How often a mailbox gets a mail that anybody can ask for


ASKING = {
    LINK: "accounts.sign_in_link_requested",
    "/auth/password/forgot/": "accounts.password_reset_requested",
}


def published(name: str) -> int:
    return OutboxEvent.objects.filter(name=name).count()


def move_back(**by: float) -> None:
    for row in RequestedMail.objects.all():
        row.sent_at -= timedelta(**by)
        row.save()


@pytest.mark.parametrize(("path", "event"), ASKING.items(), ids=ASKING)
@pytest.mark.parametrize("is_known", [True, False])
def test_who_asks_often_is_never_refused_and_floods_nobody(
    api: Api, path: str, event: str, is_known: bool
):
    email = make_customer().email if is_known else "nobody@example.com"

    statuses = {api.post(path, {"email": email}).status_code for _ in range(30)}
    after_a_moment = published(event)
    counts = []
    for _ in range(4):
        move_back(minutes=4)
        api.post(path, {"email": email})
        counts.append(published(event))

    assert (statuses, after_a_moment) == ({202}, 1)
    # After one minute, two, four, and eight.
    assert counts == [2, 3, 4, 4]


def test_there_is_always_a_mail_that_works_in_the_mailbox(settings):
    lives = {
        MailPurpose.VERIFY_EMAIL: tokens.VERIFICATION_LIFETIME,
        MailPurpose.RESET_PASSWORD: timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT),
        MailPurpose.SIGN_IN: tokens.SIGN_IN_LIFETIME,
    }

    assert all(PAUSES[purpose].longest * 2 <= life for purpose, life in lives.items())


def test_registering_an_address_uses_up_no_other_mail_of_its_owner(api: Api):
    user = make_customer()
    body = {"email": user.email, "password": NEW}

    answers = [api.post("/auth/register/", body) for _ in range(8)]
    recovered = [api.post(path, {"email": user.email}).status_code for path in ASKING]

    assert {each.status_code for each in answers} == {201}
    assert recovered == [202, 202]
    assert [published(event) for event in ASKING.values()] == [1, 1]
    assert published("accounts.registration_repeated") == 1


def test_a_mail_that_was_used_lets_the_next_follow_at_once(api: Api):
    user = make_customer(email_verified_at=timezone.now())
    api.post(LINK, {"email": user.email})
    api.post("/auth/password/forgot/", {"email": user.email})

    api.post(TOKEN, {"token": token_of_mail(user)})
    for path in ASKING:
        api.post(path, {"email": user.email})

    assert [published(event) for event in ASKING.values()] == [2, 2]


def test_a_mail_whose_token_lapsed_with_the_password_lets_the_next_follow_at_once(api: Api):
    user = make_customer()
    api.post(LINK, {"email": user.email})

    user.set_password(NEW)
    user.save()
    api.post(LINK, {"email": user.email})

    assert published(SignInLinkRequested.name) == 2


def test_a_closed_account_leaves_nothing_of_its_mails(api: Api):
    user = make_customer()
    access = sign_in(api, user)["access"]
    api.post(LINK, {"email": user.email})

    api.delete("/me/", token=access, body={"current_password": PASSWORD})

    assert not RequestedMail.objects.exists()


def test_the_verification_mail_is_sent_again_with_pauses(api: Api):
    access = sign_in(api, make_customer())["access"]

    statuses = [api.post("/auth/verify-email/resend/", token=access).status_code for _ in range(3)]

    assert statuses == [202, 202, 202]
    assert published("accounts.verification_requested") == 1


def test_what_is_remembered_of_mails_is_purged(api: Api):
    api.post(LINK, {"email": "nobody@example.com"})

    move_back(days=3)
    purge_sessions()

    assert not RequestedMail.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_parallel_requests_send_one_mail():
    user = make_customer()

    race(lambda: sessions.request_link(email=user.email, at=timezone.now()), times=8)

    assert published(SignInLinkRequested.name) == 1
