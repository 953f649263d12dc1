"""Guessing passwords at the door of the admin, and faster than one address may."""

import time
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from lavka.accounts.models import LoginFailure, User
from lavka.web import limits
from tests.accounts.factories import PASSWORD, make_staff, sign_in
from tests.accounts.guessing import (
    CAFE,
    HOME,
    STRANGER,
    besiege,
    guess,
)

pytestmark = pytest.mark.django_db


def enter(browser: Client, email: str, password: str = "wrong", *, source: str = STRANGER) -> Any:
    return browser.post(
        "/admin/login/", {"username": email, "password": password}, REMOTE_ADDR=source
    )


def test_the_door_of_the_admin_is_not_locked_by_strangers(api):
    chief, own, stranger = make_staff(), Client(), Client()
    assert enter(own, chief.email, PASSWORD, source=HOME).status_code == 302
    own.post("/admin/logout/")

    besiege(chief.email)

    refused = enter(stranger, chief.email, PASSWORD)
    assert (refused.status_code, "too many failed attempts" in refused.content.decode()) == (
        200,
        True,
    )
    assert enter(Client(), chief.email, PASSWORD, source=CAFE).status_code == 200
    # By its cookie, from elsewhere.
    assert enter(own, chief.email, PASSWORD, source=CAFE).status_code == 302


def test_admin_and_api_share_failures_and_devices(api):
    chief, browser = make_staff(), Client()
    for _ in range(5):
        enter(Client(), chief.email)
        guess(api, chief.email)
    assert guess(api, chief.email, PASSWORD).status_code == 429
    assert enter(Client(), chief.email, PASSWORD).status_code == 200
    device = guess(api, chief.email, PASSWORD, source=HOME).json()["device"]
    LoginFailure.objects.all().delete()
    besiege(chief.email)
    browser.cookies["lavka_device"] = device
    assert enter(browser, chief.email, PASSWORD, source=CAFE).status_code == 302


def test_the_admins_own_password_page_is_no_way_to_guess(api):
    chief, browser = make_staff(), Client()
    browser.force_login(chief)
    new = {"new_password1": "a much better secret", "new_password2": "a much better secret"}

    def change(old: str) -> Any:
        fields = new | {"old_password": old}
        return browser.post("/admin/password_change/", fields, REMOTE_ADDR=STRANGER)

    wrong = [change(f"wrong {number}") for number in range(10)]
    locked = change(PASSWORD)

    assert {each.status_code for each in wrong} == {200}
    assert "too many failed attempts" in locked.content.decode()
    assert User.objects.get().check_password(PASSWORD)


def test_a_password_of_ones_own_changed_in_the_admin_keeps_this_session_alone(api):
    chief, browser, elsewhere = make_staff(), Client(), Client()
    for each in (browser, elsewhere):
        enter(each, chief.email, PASSWORD)
    pair = sign_in(api, chief)
    fields = {
        "old_password": PASSWORD,
        "new_password1": "a much better secret",
        "new_password2": "a much better secret",
    }

    answer = browser.post("/admin/password_change/", fields)

    assert answer.status_code == 302
    assert browser.get("/admin/").status_code == 200
    assert elsewhere.get("/admin/").status_code == 302
    assert api.post("/auth/token/refresh/", {"refresh": pair["refresh"]}).status_code == 401


@pytest.fixture
def _bucket_stays_empty(monkeypatch):
    """However slow the machine is, no time passes in which it fills again."""
    now = time.time()
    monkeypatch.setattr(limits, "time", SimpleNamespace(time=lambda: now))


@pytest.mark.usefixtures("_bucket_stays_empty")
def test_the_door_of_the_admin_shares_the_rate_limit(api, settings):
    settings.LAVKA = settings.LAVKA | {"THROTTLES": True}
    source = f"client-{uuid4()}"

    pages = [enter(Client(), "", "", source=source) for _ in range(3)]
    api.client.defaults["REMOTE_ADDR"] = source
    answers = [api.post("/auth/token/", {}) for _ in range(40)]
    refused = enter(Client(), "ada@example.com", PASSWORD, source=source)

    assert {page.status_code for page in pages} == {200}
    assert "too_many_requests" in {each.json()["code"] for each in answers}
    assert "too many requests" in refused.content.decode()


@pytest.mark.usefixtures("_bucket_stays_empty")
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
