"""People for tests."""

import uuid
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Permission
from django.utils import timezone
from rest_framework_simplejwt.tokens import AccessToken

from lavka.accounts.models import Address, EmailChange, User
from lavka.accounts.tokens import email_binding_of

PASSWORD = "correct horse battery"


def make_customer(**overrides: Any) -> User:
    fields = {"email": f"{uuid.uuid4().hex[:12]}@example.com", "password": PASSWORD} | overrides
    return User.objects.create_user(**fields)


def make_staff(*rights: str, **overrides: Any) -> User:
    """Staff with rights such as "catalog.change_product"; a superuser when none is named."""
    staff = make_customer(is_staff=True, is_superuser=not rights, **overrides)
    for right in rights:
        app, codename = right.split(".")
        staff.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    return staff


def token_of(user: User, lifetime: timedelta | None = None) -> str:
    """A valid access token, without a login, and with no session that could be ended."""
    token = AccessToken()
    token.set_exp(lifetime=lifetime or token.lifetime)
    token["sub"], token["staff"], token["sid"] = str(user.pk), user.is_staff, str(uuid.uuid4())
    return str(token)


def sign_in(api: Any, user: User, password: str = PASSWORD) -> dict[str, str]:
    """A session of the user: its token pair."""
    answer = api.post("/auth/token/", {"email": user.email, "password": password})
    assert answer.status_code == 200, answer.content
    return answer.json()


def make_address(user: User, **overrides: Any) -> Address:
    fields = {
        "name": "Ada",
        "line1": "12 St James's Square",
        "city": "London",
        "postal_code": "SW1Y 4JH",
        "country": "GB",
    }
    return Address.objects.create(user=user, **fields | overrides)


def make_email_change(user: User, new_email: str = "lovelace@example.com") -> EmailChange:
    """A pending change of the user's address."""
    return EmailChange.objects.create(
        user=user,
        old_email=user.email,
        new_email=new_email,
        binding=email_binding_of(user),
        session_id=uuid.uuid4(),
        requested_at=timezone.now(),
    )
