"""Another address for an account: confirmed from its mailbox, and undone from the old one."""

import re
from datetime import timedelta
from functools import partial
from threading import Barrier

import pytest
from django.core import mail
from django.utils import timezone

from lavka.accounts import selectors, tokens
from lavka.accounts.errors import InvalidToken
from lavka.accounts.models import EmailChange, Session, User
from lavka.accounts.services import email_changes
from lavka.accounts.tasks import purge_sessions
from lavka.kernel.models import OutboxEvent
from lavka.notifications.models import SentMail
from tests.accounts.factories import (
    PASSWORD,
    make_customer,
    make_email_change,
    make_staff,
    sign_in,
)
from tests.client import Api
from tests.happening import follow_events
from tests.racing import race, race_each

pytestmark = pytest.mark.django_db

CHANGE, CONFIRM, UNDO = "/auth/email/change/", "/auth/email/confirm/", "/auth/email/undo/"
OLD, NEW, OTHER = "ada@example.com", "lovelace@example.com", "countess@example.com"


@pytest.fixture
def ada() -> User:
    return make_customer(email=OLD, email_verified_at=timezone.now())


def ask(api: Api, access: str, email: str = NEW, password: str = PASSWORD):
    return api.post(CHANGE, {"email": email, "current_password": password}, token=access)


def mailed(kind: str) -> list:
    """The mails of this kind so far, the oldest first."""
    follow_events()
    return [each for each in mail.outbox if f".{kind}@" in each.extra_headers["Message-ID"]]


def token_in(message) -> str:
    (token,) = re.findall(r"^[\w-]+:[\w-]+:[\w-]+$", message.body, re.MULTILINE)
    return token


def email_of(user: User) -> str:
    return User.objects.get(pk=user.pk).email


@pytest.mark.parametrize("is_staff", [False, True])
def test_the_new_mailbox_confirms_and_the_old_one_is_told(api: Api, is_staff: bool):
    user = (make_staff if is_staff else make_customer)(email=OLD)
    asking, other = sign_in(api, user), sign_in(api, user)

    asked = ask(api, asking["access"])
    (link,), (notice,) = mailed("change_email"), mailed("email_change_requested")
    before = email_of(user)
    confirmed = api.post(CONFIRM, {"token": token_in(link)})
    (told,) = mailed("email_changed")

    assert (asked.status_code, confirmed.status_code, before) == (202, 204, OLD)
    assert [each.to for each in (link, notice, told)] == [[NEW], [OLD], [OLD]]
    # What a stranger chose is in no mail.
    assert OLD not in link.body
    assert NEW not in notice.body + told.body
    me = api.get("/me/", token=asking["access"]).json()
    assert (me["email"], me["is_email_verified"]) == (NEW, True)
    refreshed = [
        api.post("/auth/token/refresh/", {"refresh": each["refresh"]}).status_code
        for each in (asking, other)
    ]
    assert refreshed == [200, 401]
    signed_in = [
        api.post("/auth/token/", {"email": email, "password": PASSWORD}).status_code
        for email in (OLD, NEW)
    ]
    assert signed_in == [401, 200]


def test_asking_needs_the_password_and_another_address(api: Api, ada: User):
    access = sign_in(api, ada)["access"]

    wrong = ask(api, access, password="a wrong guess")
    same = ask(api, access, " ADA@example.com")
    odd = ask(api, access, "no address")

    assert [each.status_code for each in (wrong, same, odd)] == [422, 422, 422]
    assert wrong.json()["code"] == "wrong_password"
    assert same.json()["errors"][0]["code"] == "unchanged"
    assert api.post(CHANGE, {"email": NEW, "current_password": PASSWORD}).status_code == 401
    assert not EmailChange.objects.exists()


def test_a_link_is_good_once_even_when_the_address_comes_back(api: Api, ada: User):
    ask(api, sign_in(api, ada)["access"])
    (link,) = mailed("change_email")
    statuses = [api.post(CONFIRM, {"token": token_in(link)}).status_code for _ in range(2)]

    ask(api, api.post("/auth/token/", {"email": NEW, "password": PASSWORD}).json()["access"], OLD)
    back = api.post(CONFIRM, {"token": token_in(mailed("change_email")[1])})
    again = api.post(CONFIRM, {"token": token_in(link)})

    assert (statuses, back.status_code, again.status_code) == ([204, 422], 204, 422)
    assert email_of(ada) == OLD


def set_password(api: Api, user: User, access: str) -> None:
    body = {"current_password": PASSWORD, "new_password": "another secret phrase"}
    assert api.post("/auth/password/change/", body, token=access).status_code == 204


def reset_password(api: Api, user: User, access: str) -> None:
    body = {"token": tokens.reset_of(user), "password": "another secret phrase"}
    assert api.post("/auth/password/reset/", body).status_code == 204


def sign_out_everywhere(api: Api, user: User, access: str) -> None:
    assert api.post("/auth/logout-all/", token=access).status_code == 204


def ask_for_another(api: Api, user: User, access: str) -> None:
    assert ask(api, access, OTHER).status_code == 202


def move(api: Api, user: User, access: str) -> None:
    User.objects.filter(pk=user.pk).update(email=OTHER)


def deactivate(api: Api, user: User, access: str) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def close(api: Api, user: User, access: str) -> None:
    gone = api.delete("/me/", token=access, body={"current_password": PASSWORD})
    assert gone.status_code == 204


@pytest.mark.parametrize(
    "step",
    [set_password, reset_password, sign_out_everywhere, ask_for_another, move, deactivate, close],
)
def test_what_voids_a_wish_voids_its_links(api: Api, ada: User, step):
    access = sign_in(api, ada)["access"]
    ask(api, access)
    (link,), (notice,) = mailed("change_email"), mailed("email_change_requested")
    step(api, User.objects.get(pk=ada.pk), access)
    before = email_of(ada)

    answers = [
        api.post(CONFIRM, {"token": token_in(link)}),
        api.post(UNDO, {"token": token_in(notice)}),
    ]

    assert [each.json()["code"] for each in answers] == ["invalid_token"] * 2
    assert email_of(ada) == before


def test_a_link_lasts_an_hour_and_that_to_undo_eight_days(api: Api, ada: User, monkeypatch):
    ask(api, sign_in(api, ada)["access"])
    (link,), (notice,) = mailed("change_email"), mailed("email_change_requested")

    with monkeypatch.context() as patch:
        patch.setattr(tokens, "EMAIL_CHANGE_LIFETIME", timedelta(seconds=-1))
        late = api.post(CONFIRM, {"token": token_in(link)})
    with monkeypatch.context() as patch:
        patch.setattr(tokens, "EMAIL_UNDO_LIFETIME", timedelta(seconds=-1))
        too_late = api.post(UNDO, {"token": token_in(notice)})

    assert (late.status_code, too_late.status_code) == (422, 422)
    assert timedelta(hours=1) == tokens.EMAIL_CHANGE_LIFETIME
    assert timedelta(days=8) == tokens.EMAIL_UNDO_LIFETIME
    assert api.post(UNDO, {"token": token_in(notice)}).status_code == 204


@pytest.mark.parametrize("path", [CONFIRM, UNDO])
@pytest.mark.parametrize("token", ["forged", "a:b:c", "%00", "é"])
def test_what_is_no_token_is_refused(api: Api, path: str, token: str):
    answer = api.post(path, {"token": token})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_token")


def test_a_token_for_one_thing_does_no_other(api: Api, ada: User):
    change = make_email_change(ada)
    confirming, undoing = tokens.email_change_of(change), tokens.email_undo_of(change)

    statuses = [
        api.post(path, {"token": token}).status_code
        for path, token in (
            (CONFIRM, undoing), (UNDO, confirming), (CONFIRM, tokens.verification_of(ada)),
            ("/auth/verify-email/", confirming), ("/auth/sign-in-link/token/", undoing),
        )
    ]  # fmt: skip

    assert statuses == [422] * 5


def test_nobody_learns_that_somebody_has_the_address(api: Api, ada: User):
    make_customer(email=OTHER)
    access = sign_in(api, ada)["access"]

    free, taken = ask(api, access, NEW), ask(api, access, OTHER)
    follow_events()
    change = EmailChange.objects.get(user=ada)
    confirmed = api.post(CONFIRM, {"token": tokens.email_change_of(change)})

    assert (free.status_code, free.content) == (taken.status_code, taken.content)
    assert [each.to for each in mailed("change_email")] == []
    assert OTHER not in {each.to[0] for each in mail.outbox}
    assert confirmed.json()["code"] == "invalid_token"
    assert email_of(ada) == OLD


def test_asking_twice_mails_once_a_minute(api: Api, ada: User):
    access = sign_in(api, ada)["access"]
    for _ in range(3):
        ask(api, access)
    assert len(mailed("change_email")) == 1

    EmailChange.objects.update(requested_at=timezone.now() - timedelta(minutes=2))
    ask(api, access)

    older, newer = mailed("change_email")
    answers = [api.post(CONFIRM, {"token": token_in(each)}).status_code for each in (older, newer)]
    assert answers == [422, 204]


def test_a_strangers_mailbox_gets_no_more_than_its_budget(api: Api, settings):
    settings.LAVKA = settings.LAVKA | {"MAILS_A_DAY": {"account": 2}}
    for number in range(4):
        user = make_customer(email=f"ada{number}@example.com")
        ask(api, sign_in(api, user)["access"], f"lovelace+{number}@example.com")

    assert len(mailed("change_email")) == 2
    assert len(mailed("email_change_requested")) == 4


def test_the_old_mailbox_stops_a_wish_and_whoever_had_it(api: Api, ada: User):
    thief = sign_in(api, ada)
    ask(api, thief["access"])
    (link,), (notice,) = mailed("change_email"), mailed("email_change_requested")

    undone = api.post(UNDO, {"token": token_in(notice)})
    confirmed = api.post(CONFIRM, {"token": token_in(link)})
    (reset,) = mailed("reset_password")

    assert (undone.status_code, confirmed.status_code) == (204, 422)
    assert email_of(ada) == OLD
    assert not User.objects.get(pk=ada.pk).has_usable_password()
    assert api.post("/auth/token/refresh/", {"refresh": thief["refresh"]}).status_code == 401
    assert reset.to == [OLD]
    body = {"token": re.search(r"^[\w-]+\.[\w-]+$", reset.body, re.MULTILINE)[0]}
    assert (
        api.post("/auth/password/reset/", body | {"password": "mine again now"}).status_code == 204
    )
    assert api.post(UNDO, {"token": token_in(notice)}).status_code == 422


def test_the_old_mailbox_takes_the_account_back_however_often_it_was_moved(api: Api, ada: User):
    access = sign_in(api, ada)["access"]
    ask(api, access)
    api.post(CONFIRM, {"token": token_in(mailed("change_email")[0])})
    ask(api, access, OTHER)
    api.post(CONFIRM, {"token": token_in(mailed("change_email")[1])})
    first, second = mailed("email_changed")

    statuses = [api.post(UNDO, {"token": token_in(each)}).status_code for each in (first, second)]

    assert [first.to, second.to] == [[OLD], [NEW]]
    assert statuses == [204, 422]
    assert email_of(ada) == OLD
    assert not Session.objects.filter(user=ada, revoked_at=None).exists()
    assert len(mailed("email_changed")) == 2


def test_an_address_that_staff_gave_is_not_undone(api: Api, ada: User):
    ask(api, sign_in(api, ada)["access"])
    api.post(CONFIRM, {"token": token_in(mailed("change_email")[0])})
    User.objects.filter(pk=ada.pk).update(email=OTHER)

    answer = api.post(UNDO, {"token": token_in(mailed("email_changed")[0])})

    assert (answer.status_code, email_of(ada)) == (422, OTHER)


def test_an_old_address_that_somebody_has_by_now_stays_theirs(api: Api, ada: User):
    ask(api, sign_in(api, ada)["access"])
    api.post(CONFIRM, {"token": token_in(mailed("change_email")[0])})
    make_customer(email=OLD)

    answer = api.post(UNDO, {"token": token_in(mailed("email_changed")[0])})

    assert (answer.status_code, email_of(ada)) == (422, NEW)


def test_changes_are_forgotten_when_nothing_can_be_done_about_them(ada: User):
    make_email_change(ada)
    for days, left in ((8, 1), (9, 0)):
        EmailChange.objects.update(requested_at=timezone.now() - timedelta(days=days))
        purge_sessions()
        assert EmailChange.objects.count() == left


def test_a_change_that_came_to_nothing_meanwhile_is_not_mailed(ada: User):
    change = make_email_change(ada)
    User.objects.filter(pk=ada.pk).update(password="another")

    assert selectors.pending_email_change(change.pk) is None
    assert not SentMail.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_parallel_confirmations_of_one_address_one_wins():
    made = [tokens.email_change_of(make_email_change(make_customer())) for _ in range(6)]
    calls = [partial(email_changes.confirm_change, token=each, at=timezone.now()) for each in made]

    outcomes = race_each(*calls)

    assert sorted(map(str, outcomes)) == sorted(map(str, [None, *[InvalidToken] * 5]))
    assert User.objects.filter(email=NEW).count() == 1
    assert OutboxEvent.objects.filter(name="accounts.email_changed").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_parallel_uses_of_one_link_one_counts():
    token = tokens.email_change_of(make_email_change(make_customer()))

    outcomes = race(lambda: email_changes.confirm_change(token=token, at=timezone.now()), times=6)

    assert sorted(map(str, outcomes)) == sorted(map(str, [None, *[InvalidToken] * 5]))


@pytest.mark.django_db(transaction=True)
def test_control_looking_first_lets_every_use_count():
    token = tokens.email_change_of(make_email_change(make_customer()))
    looked = Barrier(4)

    def look() -> bool:
        change = selectors.email_change_to_confirm(token)
        looked.wait(timeout=20)
        return change.confirmed_at is None

    assert race(look, times=4) == [True] * 4
