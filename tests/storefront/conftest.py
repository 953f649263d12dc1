"""Settings and clients of these tests."""

import uuid
from typing import Any

import pytest
from django.test import Client

from lavka.web import limits


@pytest.fixture(autouse=True)
def _fresh_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Buckets that no other test has drawn from."""
    own = uuid.uuid4().hex
    address_of = limits.address_of
    monkeypatch.setattr(limits, "address_of", lambda request: f"{own}-{address_of(request)}")


@pytest.fixture
def browser() -> Client:
    """A client whose forms are checked for their token, as a browser's are."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def front(settings: Any) -> str:
    """A shop front that has pages of its own for every kind of link."""
    settings.LAVKA = settings.LAVKA | {
        "SHOP_URL": "https://front.example",
        "LINKS": {
            "verify_email": "/account/verify?t={token}",
            "reset_password": "/account/password#{token}",
            "change_email": "/account/address?t={token}",
            "undo_email_change": "/account/keep-address?t={token}",
            "sign_in": "/account/enter?t={token}",
            "forgot_password": "/account/forgotten",
            "order": "/my-orders/{number}?key={key}",
            "product": "/shop/{slug}.html",
        },
    }
    return "https://front.example"
