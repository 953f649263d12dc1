"""Pages about accounts: a link shows, a form acts, and scanners of mail spend nothing."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from lavka.accounts import tokens
from lavka.accounts.events import (
    EmailVerified,
    PasswordChanged,
    PasswordResetRequested,
    SignInLinkRequested,
)
from lavka.accounts.models import User
from lavka.accounts.services import email_changes
from lavka.kernel.models import OutboxEvent
from tests.accounts.factories import PASSWORD, make_customer, make_email_change, make_staff, sign_in
from tests.storefront.forms import Page, send

pytestmark = pytest.mark.django_db

NEW = "another secret phrase"


def told(event: type) -> int:
    return OutboxEvent.objects.filter(name=event.name).count()


def scan(path: str) -> None:
    """What mail scanners do with a link before its reader sees it."""
    for method in ("get", "head", "get"):
        assert getattr(Client(), method)(path).status_code == 200


def test_an_address_is_verified_by_the_button_not_by_the_link(browser: Client):
    user = make_customer(email="ada@example.com")
    path = f"/verify-email?token={tokens.verification_of(user)}"
    scan(path)

    page = Page(browser.get(path))
    assert "ada@example.com" in page.text
    assert not User.objects.get(pk=user.pk).is_email_verified
    answer = send(browser, path, page)

    assert "Your e-mail address is confirmed" in Page(answer).text
    assert User.objects.get(pk=user.pk).is_email_verified
    assert told(EmailVerified) == 1
    again = Page(browser.get(path))
    assert "Your e-mail address is confirmed" in again.text
    assert again.forms == []


def test_an_address_is_changed_by_the_button_not_by_the_link(browser: Client):
    change = make_email_change(make_customer(email="ada@example.com"))
    path = f"/change-email?token={tokens.email_change_of(change)}"
    scan(path)

    page = Page(browser.get(path))
    assert "lovelace@example.com" in page.text
    assert "ada@example.com" not in page.text
    answer = send(browser, path, page)

    assert "Your e-mail address is changed" in Page(answer).text
    assert User.objects.get(pk=change.user_id).email == "lovelace@example.com"
    assert browser.get(path).status_code == 422


def test_a_change_of_address_is_undone_by_the_button_not_by_the_link(browser: Client):
    change = make_email_change(make_customer(email="ada@example.com"))
    path = f"/undo-email-change?token={tokens.email_undo_of(change)}"
    email_changes.confirm_change(token=tokens.email_change_of(change), at=timezone.now())
    scan(path)

    page = Page(browser.get(path))
    assert "lovelace@example.com" in page.text
    answer = send(browser, path, page)

    assert "/forgot-password" in Page(answer).links
    assert User.objects.get(pk=change.user_id).email == "ada@example.com"
    assert browser.get(path).status_code == 422


def test_a_password_is_set_once(browser: Client, api):
    user = make_customer()
    path = f"/reset-password?token={tokens.reset_of(user)}"
    scan(path)

    answer = send(browser, path, Page(browser.get(path)), password=NEW)

    assert answer.status_code == 200
    assert "Your new password is set" in Page(answer).text
    assert NEW not in answer.content.decode()
    sign_in(api, user, NEW)
    used = browser.get(path)
    assert used.status_code == 422
    assert "/forgot-password" in Page(used).links
    assert told(PasswordChanged) == 1


def test_a_password_is_masked_and_managers_may_fill_it_in(browser: Client):
    reset = f"/reset-password?token={tokens.reset_of(make_customer())}"
    fields = {
        "/admin/login/": ("password", "current-password"),
        reset: ("password", "new-password"),
    }

    for path, (name, kind) in fields.items():
        (field,) = re.findall(
            rf'<input[^>]*name="{name}"[^>]*>', browser.get(path).content.decode()
        )
        assert 'type="password"' in field
        assert f'autocomplete="{kind}"' in field
        assert "onpaste" not in field


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short", "This password is too short. It must contain at least 8 characters."),
        ("password", "This password is too common."),
        ("", "This field may not be blank."),
        ("x" * 257, "Ensure this field has no more than 256 characters."),
        ("nul\x00 in a phrase", "Null characters are not allowed."),
    ],
)
def test_a_poor_password_is_refused_with_the_reason_and_the_link_still_holds(
    browser: Client, password: str, reason: str
):
    user = make_customer()
    path = f"/reset-password?token={tokens.reset_of(user)}"

    refused = send(browser, path, Page(browser.get(path)), password=password)

    assert refused.status_code == 422
    assert reason in Page(refused).text
    assert User.objects.get(pk=user.pk).check_password(PASSWORD)
    assert send(browser, path, Page(refused), password=NEW).status_code == 200


@pytest.mark.parametrize(
    "page", ["verify-email", "reset-password", "change-email", "undo-email-change"]
)
@pytest.mark.parametrize("token", ["", "forged", "a.b", "%00", "é", "x" * 5000])
def test_a_link_that_is_no_link_says_so(browser: Client, page: str, token: str):
    shown = browser.get(f"/{page}?token={token}")

    assert shown.status_code == 422
    assert "This link does not work" in Page(shown).text


def test_links_of_a_closed_account_and_of_a_past_address_do_not_work(browser: Client):
    closed, moved = make_customer(), make_customer()
    old = [tokens.verification_of(closed), tokens.verification_of(moved)]
    reset = tokens.reset_of(closed)
    User.objects.filter(pk=closed.pk).update(is_active=False)
    User.objects.filter(pk=moved.pk).update(email="moved@example.com")

    answers = [browser.get(f"/verify-email?token={token}") for token in old]
    answers.append(browser.get(f"/reset-password?token={reset}"))

    assert [answer.status_code for answer in answers] == [422] * 3


def test_an_old_link_does_not_work(browser: Client, monkeypatch):
    user = make_customer()
    token = tokens.reset_of(user)
    later = timezone.now().replace(tzinfo=None) + timedelta(hours=2)
    monkeypatch.setattr(tokens._reset_tokens, "_now", lambda: later)

    assert browser.get(f"/reset-password?token={token}").status_code == 422


def test_whoever_forgot_a_password_is_mailed_a_link_and_nobody_learns_who_has_an_account(
    browser: Client,
):
    user = make_customer()
    page = Page(browser.get("/forgot-password"))

    answers = [
        send(browser, "/forgot-password", page, email=email)
        for email in (user.email.upper(), "nobody@example.com")
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert Page(answers[0]).text == Page(answers[1]).text
    assert told(PasswordResetRequested) == 2
    assert mail.outbox == []


def test_what_is_no_address_is_refused_and_kept_for_its_writer(browser: Client):
    page = Page(browser.get("/forgot-password"))

    refused = send(browser, "/forgot-password", page, email='"><script>@')

    assert refused.status_code == 422
    assert "Enter a valid email address." in Page(refused).text
    assert "<script>" not in refused.content.decode()
    assert told(PasswordResetRequested) == 0


def test_a_mailbox_is_not_flooded(browser: Client):
    email = make_customer().email
    page = Page(browser.get("/forgot-password"))

    answers = [send(browser, "/forgot-password", page, email=email) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 6
    assert told(PasswordResetRequested) == 1


def test_who_asks_for_too_many_mails_is_refused(browser: Client, settings):
    settings.LAVKA = settings.LAVKA | {"THROTTLES": True}
    page = Page(browser.get("/sign-in-link"))

    answers = [
        send(browser, "/sign-in-link", page, email=f"{number}@example.com") for number in range(31)
    ]

    assert {answer.status_code for answer in answers[:-1]} == {200}
    assert answers[-1].status_code == 429
    assert int(answers[-1]["Retry-After"]) > 0
    assert "too many requests" in Page(answers[-1]).text


def test_staff_enter_the_admin_by_a_mailed_link(browser: Client):
    staff = make_staff(email="ada@example.com")
    path = f"/sign-in?token={tokens.sign_in_of(staff, at=timezone.now())}"
    scan(path)

    page = Page(browser.get(path))
    assert "ada@example.com" in page.text
    answer = send(browser, path, page)

    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert browser.get("/admin/").status_code == 200
    assert browser.cookies["lavka_device"]["httponly"]
    assert browser.get(path).status_code == 422
    assert Client().post("/sign-in", {"token": path.partition("=")[2]}).status_code == 422


def test_a_code_from_the_mail_is_as_good_as_its_link(browser: Client):
    staff = make_staff(email="ada@example.com")
    asked = send(browser, "/sign-in-link", Page(browser.get("/sign-in-link")), email=staff.email)
    page = Page(asked)
    assert told(SignInLinkRequested) == 1

    code = tokens.sign_in_of(staff, at=timezone.now())
    shown = send(browser, "/sign-in-link", page, token=code)
    entered = send(browser, "/sign-in", Page(shown))

    assert "ada@example.com" in Page(shown).text
    assert entered["Location"] == "/admin/"


def test_a_customers_link_is_left_for_the_pages_of_a_shop_front(browser: Client, api):
    token = tokens.sign_in_of(make_customer(), at=timezone.now())
    path = f"/sign-in?token={token}"

    page = browser.get(path)
    posted = Client().post("/sign-in", {"token": token, "enter": "1"})

    assert "This link is for the shop's own pages" in Page(page).text
    assert posted.status_code == 200
    assert "sessionid" not in posted.cookies
    assert api.post("/auth/sign-in-link/token/", {"token": token}).status_code == 200


def test_the_door_of_the_admin_leads_to_the_mailed_link(browser: Client):
    assert 'href="/sign-in-link"' in browser.get("/admin/login/").content.decode()
