"""Cookies belong to the shop's own host and are for no script to read."""

import json
import os
import secrets
import subprocess
import sys
from http.cookies import Morsel
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.accounts.factories import PASSWORD, make_customer, make_staff

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "DEVICE_COOKIE_NAME")


@pytest.fixture
def _https(settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    for name in NAMES:
        setattr(settings, name, f"__Host-{getattr(settings, name)}")


def is_kept_from_others(cookie: "Morsel[str]") -> bool:
    """Whether a browser takes the cookie under its prefix, and shows it to no script or site."""
    return bool(
        cookie.key.startswith("__Host-")
        and cookie["secure"]
        and cookie["path"] == "/"
        and not cookie["domain"]
        and cookie["httponly"]
        and cookie["samesite"] == "Lax"
    )


@pytest.mark.django_db
@pytest.mark.usefixtures("_https")
def test_every_cookie_is_kept_from_scripts_and_other_hosts():
    browser = Client(enforce_csrf_checks=True)
    staff, customer = make_staff(), make_customer()
    browser.get("/admin/login/", secure=True)
    form = {"username": staff.email, "password": PASSWORD}
    token = browser.cookies["__Host-csrftoken"].value

    entered = browser.post(
        "/admin/login/",
        form | {"csrfmiddlewaretoken": token},
        headers={"Referer": "https://testserver/"},
        secure=True,
    )
    api = Client()
    credentials = {"email": customer.email, "password": PASSWORD}
    api.post("/api/v1/auth/token/", credentials, "application/json", secure=True)

    assert entered.status_code == 302
    cookies = [*browser.cookies.values(), *api.cookies.values()]
    assert {each.key.removeprefix("__Host-") for each in cookies} == {
        "sessionid", "csrftoken", "lavka_device",
    }  # fmt: skip
    assert [each.OutputString() for each in cookies if not is_kept_from_others(each)] == []


@pytest.mark.parametrize(("https", "prefix"), [("1", "__Host-"), ("0", "")])
def test_the_prefix_goes_with_https(tmp_path: Path, https: str, prefix: str):
    """Without HTTPS no browser would keep a cookie that has it."""
    read = (
        "import json; from config import settings; "
        f"print(json.dumps([getattr(settings, name) for name in {NAMES}]))"
    )
    told = subprocess.run(
        [sys.executable, "-c", read],
        env=os.environ
        | {
            "DEBUG": "0",
            "LAVKA_HTTPS": https,
            "SECRET_KEY": secrets.token_urlsafe(50),
            "LAVKA_STATE": str(tmp_path),
        },
        cwd=ROOT,
        capture_output=True,
        check=True,
    )

    plain = ["sessionid", "csrftoken", "lavka_device"]
    assert json.loads(told.stdout) == [f"{prefix}{name}" for name in plain]
