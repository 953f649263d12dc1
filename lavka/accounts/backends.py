"""Signing in to the admin: the same lock as in the API."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone

from lavka.accounts import rules
from lavka.accounts.errors import TooManyAttempts
from lavka.accounts.models import User
from lavka.accounts.services import credentials
from lavka.kernel.threads import in_thread


class LockingBackend(ModelBackend):
    """Django's rights, behind `credentials.proven_user`; a locked address is answered as wrong."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **fields: Any,
    ) -> User | None:
        """The active user who proved the password, None for anybody else."""
        given = username or fields.get(User.USERNAME_FIELD)
        if not given or password is None:
            return None
        try:
            email = rules.normal_email(given)
            return credentials.proven_user(email=email, password=password, at=timezone.now())
        except (TooManyAttempts, ValueError):
            raise PermissionDenied from None

    async def aauthenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **fields: Any,
    ) -> User | None:
        """The same, off the event loop; Django's own would go around the lock."""
        return await in_thread(self.authenticate, request, username, password, **fields)
