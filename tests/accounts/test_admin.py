"""The staff's pages for people, and the lock on their door."""

from datetime import timedelta
from io import StringIO

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from lavka.accounts.models import LoginFailure, Session, User
from lavka.kernel.models import OutboxEvent
from tests.accounts.factories import PASSWORD, make_address, make_customer, make_staff, sign_in

pytestmark = pytest.mark.django_db

MODELS = ["user", "address", "session", "loginfailure"]
NEW = "a much better secret"


@pytest.fixture
def browser() -> Client:
    return Client()


def log_in(browser: Client, email: str, password: str = PASSWORD):
    return browser.post("/admin/login/", {"username": email, "password": password})


def test_createsuperuser_makes_staff_without_asking(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_EMAIL", "Boss@Example.com")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)

    call_command("createsuperuser", "--noinput", stdout=StringIO())

    boss = User.objects.get(email="boss@example.com")
    assert (boss.is_staff, boss.is_superuser, boss.check_password(PASSWORD)) == (True, True, True)


@pytest.mark.parametrize("model", MODELS)
def test_every_list_and_row_opens(browser, api, model):
    staff = make_staff()
    sign_in(api, make_customer(name="Ada"))
    make_address(staff)
    LoginFailure.objects.create(email="x@example.com", failures=1, failed_at=timezone.now())
    browser.force_login(staff)
    of_model = next(
        each for each in admin.site._registry if each._meta.label_lower == f"accounts.{model}"
    )

    listed = browser.get(f"/admin/accounts/{model}/?q=a")
    row = browser.get(f"/admin/accounts/{model}/{of_model.objects.first().pk}/change/")

    assert (listed.status_code, row.status_code) == (200, 200)


def test_staff_add_a_user_whose_address_is_spelled_one_way(browser):
    browser.force_login(make_staff())
    fields = {"email": "New@Пример.рф", "name": "", "language": "ru"}

    page = browser.get("/admin/accounts/user/add/")
    languages = page.context["adminform"].form.fields["language"].choices
    assert [code for code, _ in languages] == ["en", "ru"]
    answer = browser.post(
        "/admin/accounts/user/add/",
        fields | {"password1": NEW, "password2": NEW, "usable_password": "true"},
    )

    assert answer.status_code == 302
    user = User.objects.get(email="new@xn--e1afmkfd.xn--p1ai")
    assert (user.check_password(NEW), user.is_staff) == (True, False)


def test_another_address_is_not_verified_yet(browser):
    user = make_customer(email_verified_at=timezone.now())
    browser.force_login(make_staff())
    inlines = {
        f"{name}-{part}": "0"
        for name in ("addresses", "sessions")
        for part in ("TOTAL_FORMS", "INITIAL_FORMS")
    }

    answer = browser.post(
        f"/admin/accounts/user/{user.pk}/change/",
        inlines | {"email": "Other@Example.com", "language": "en", "is_active": "on"},
    )

    assert answer.status_code == 302, answer.context["errors"]
    user.refresh_from_db()
    assert (user.email, user.is_email_verified) == ("other@example.com", False)


def test_a_password_set_by_staff_ends_the_sessions(browser, api):
    user = make_customer()
    pair = sign_in(api, user)
    browser.force_login(make_staff())

    answer = browser.post(
        f"/admin/accounts/user/{user.pk}/password/",
        {"password1": NEW, "password2": NEW, "usable_password": "true"},
    )

    assert answer.status_code == 302
    assert sign_in(api, user, NEW)
    assert api.post("/auth/token/refresh/", {"refresh": pair["refresh"]}).status_code == 401
    assert OutboxEvent.objects.get().name == "accounts.password_changed"


def test_the_actions_sign_out_and_unlock(browser, api):
    user, other = make_customer(), make_customer()
    sign_in(api, user)
    sign_in(api, other)
    LoginFailure.objects.create(email=user.email, failures=3, failed_at=timezone.now())
    browser.force_login(make_staff())

    for action in ("revoke_sessions", "unlock"):
        answer = browser.post(
            "/admin/accounts/user/", {"action": action, "_selected_action": [str(user.pk)]}
        )
        assert answer.status_code == 302

    assert Session.objects.get(revoked_at=None).user == other
    assert not LoginFailure.objects.exists()


def test_staff_without_all_rights_touch_no_staff_and_give_no_rights(browser):
    clerk = make_staff("accounts.view_user", "accounts.change_user")
    boss, customer = make_staff(), make_customer()
    browser.force_login(clerk)

    on_boss = browser.post(
        f"/admin/accounts/user/{boss.pk}/password/", {"password1": NEW, "password2": NEW}
    )
    page = browser.get(f"/admin/accounts/user/{customer.pk}/change/")

    assert on_boss.status_code == 403
    assert User.objects.get(pk=boss.pk).check_password(PASSWORD)
    assert page.status_code == 200
    assert set(page.context["adminform"].form.fields) == {
        "email",
        "password",
        "name",
        "language",
        "is_active",
    }


def test_the_door_opens_for_active_staff_only(browser):
    staff, customer = make_staff(), make_customer()

    assert log_in(browser, customer.email).status_code == 200
    assert log_in(browser, "x@" + "я" * 80 + ".рф").status_code == 200
    assert log_in(browser, staff.email.upper()).status_code == 302


def test_signing_out_clears_what_the_browser_kept(browser):
    log_in(browser, make_staff().email)
    kept = browser.get("/admin/")

    forgets = browser.post("/admin/logout/")

    assert "no-store" in kept["Cache-Control"]
    assert forgets.status_code == 200
    assert forgets["Clear-Site-Data"] == '"cache", "storage"'
    assert browser.get("/admin/").status_code == 302
    assert "Clear-Site-Data" not in browser.get("/admin/logout/")


def test_the_door_is_locked_after_ten_failures(browser):
    staff = make_staff()
    for _ in range(10):
        log_in(browser, staff.email, "wrong")

    assert log_in(browser, staff.email).status_code == 200
    LoginFailure.objects.update(locked_until=timezone.now() - timedelta(seconds=1))
    assert log_in(browser, staff.email).status_code == 302
    assert not LoginFailure.objects.exists()
