"""Signing in to the admin: the same throttles and known places as in the API."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone

from lavka.accounts import devices, rules
from lavka.accounts.errors import TooManyAttempts
from lavka.accounts.models import User
from lavka.accounts.services import credentials, places, requested_mail, sessions
from lavka.kernel.threads import in_thread


class LockingBackend(ModelBackend):
    """Django's rights, behind `credentials.proven_user`."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **fields: Any,
    ) -> User | None:
        """The active user who proved the password, None for anybody else.

        Raises: PermissionDenied, while attempts are put off.
        """
        given = username or fields.get(User.USERNAME_FIELD)
        if not given or password is None:
            return None
        source, at = devices.source_of(request), timezone.now()
        attempt = devices.SignInAttempt() if request is None else devices.SignInAttempt.of(request)
        try:
            email = rules.normal_email(given)
            user = credentials.proven_user(email=email, password=password, source=source, at=at)
        except ValueError:
            raise PermissionDenied from None
        except TooManyAttempts as refused:
            attempt.refused = refused
            raise PermissionDenied from refused
        if user is not None:
            attempt.device = places.remember_place(user_id=user.pk, source=source, at=at)
            sessions.log_sign_in(user, method="password")
            # Django notes the sign-in, on which the tokens of such mails hang.
            requested_mail.let_next_mail_follow(users=User.objects.filter(pk=user.pk))
        return user

    async def aauthenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **fields: Any,
    ) -> User | None:
        """The same, off the event loop; Django's own would go around the throttles."""
        return await in_thread(self.authenticate, request, username, password, **fields)
