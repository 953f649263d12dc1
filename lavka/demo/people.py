"""The demo's people: two logins with passwords of this clone, and those who wrote the reviews."""

import datetime
import json
import os
import secrets
from pathlib import Path
from random import Random
from typing import TypedDict

from anyascii import anyascii
from django.contrib.auth.hashers import make_password
from django.db import transaction

from lavka.accounts.models import User
from lavka.demo import goods

STAFF_EMAIL = "staff@example.com"
CUSTOMER_EMAIL = "customer@example.com"
# The two have been there for longer than the oldest product.
JOINED_AGO = datetime.timedelta(days=500)


class BadLoginsFile(Exception):
    """The logins file is there and cannot be understood."""


class Login(TypedDict):
    """How to get in."""

    email: str
    password: str


class Logins(TypedDict):
    """One who may do everything, one who buys."""

    staff: Login
    customer: Login


def ensure_logins(path: Path, *, at: datetime.datetime) -> Logins:
    """Two users who can log in; their passwords are in the file at `path` and nowhere else.

    A file that exists keeps its passwords. Without one, new passwords are set and written to a
    file that only its owner reads. A password that was changed in the shop stays changed.
    Raises: BadLoginsFile; OSError, when the file cannot be written.
    """
    is_new = not path.exists()
    logins = _fresh_logins() if is_new else _read(path)
    if is_new:
        _write(path, logins)
    _ensure_user(logins["staff"], is_new, name="Demo staff", is_staff=True, at=at)
    _ensure_user(logins["customer"], is_new, name="Demo customer", is_staff=False, at=at)
    return logins


@transaction.atomic
def ensure_reviewers(*, at: datetime.datetime) -> list[User]:
    """The customers who wrote the reviews, in a fixed order; nobody can log in as one of them."""
    chance = Random("reviewers")  # noqa: S311 - the same people every time, nothing secret
    names = [name for group in goods.read("people").values() for name in group]
    users = [
        User(
            email=email_of(name),
            name=name,
            password=make_password(None),
            language="ru" if name in goods.read("people")["russian"] else "en",
            email_verified_at=at,
            joined_at=at - datetime.timedelta(days=chance.randint(430, 800)),
        )
        for name in names
    ]
    User.objects.bulk_create(users, ignore_conflicts=True)
    found = User.objects.in_bulk([user.email for user in users], field_name="email")
    return [found[user.email] for user in users]


def email_of(name: str) -> str:
    """The address of an invented person: `anna.vetrova@example.com`."""
    return f"{anyascii(name).lower().replace("'", '').replace(' ', '.')}@example.com"


def _ensure_user(
    login: Login, is_new: bool, *, name: str, is_staff: bool, at: datetime.datetime
) -> None:
    user = User.objects.filter(email=login["email"].lower()).first()
    if user is None:
        User.objects.create_user(
            login["email"],
            login["password"],
            name=name,
            is_staff=is_staff,
            is_superuser=is_staff,
            email_verified_at=at,
            joined_at=at - JOINED_AGO,
        )
    elif is_new:
        user.set_password(login["password"])
        user.save(update_fields=["password"])


def _fresh_logins() -> Logins:
    return {
        "staff": {"email": STAFF_EMAIL, "password": secrets.token_urlsafe(12)},
        "customer": {"email": CUSTOMER_EMAIL, "password": secrets.token_urlsafe(12)},
    }


def _read(path: Path) -> Logins:
    try:
        said = json.loads(path.read_text())
        return {
            "staff": _login(said["staff"]),
            "customer": _login(said["customer"]),
        }
    except (ValueError, TypeError, KeyError) as fault:
        raise BadLoginsFile(
            f"{path} is not a logins file; remove it and new passwords are made."
        ) from fault


def _login(said: dict[str, str]) -> Login:
    return {"email": str(said["email"]), "password": str(said["password"])}


def _write(path: Path, logins: Logins) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(logins, file, indent=2)
        file.write("\n")
