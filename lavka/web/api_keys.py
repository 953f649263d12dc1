"""API keys on staff views; which keys there are and what they allow, `lavka.accounts` registers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from rest_framework.authentication import BaseAuthentication

from lavka.kernel.errors import Unauthenticated
from lavka.web.tokens import CHALLENGE

if TYPE_CHECKING:
    from rest_framework.request import Request

PREFIX = "lavka_"


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """An API key as the request sent it; `StaffView.authorize` looks it up."""

    secret: str = field(repr=False)
    is_authenticated: bool = True


@dataclass(frozen=True, slots=True)
class KeyCaller:
    """The program behind a valid API key, and the member of the staff whose rights it borrows.

    `rights` are those that its scopes cover; it has them while its maker holds them.
    """

    id: UUID
    created_by_id: UUID
    secret: str = field(repr=False)
    rights: frozenset[str] = frozenset()
    is_authenticated: bool = True

    @property
    def pk(self) -> UUID:
        """DRF's name for `id`."""
        return self.id


class KeyDirectory(Protocol):
    """The keys of the shop."""

    async def authorize(self, *, secret: str, right: str) -> KeyCaller:
        """The caller with this key, which must allow `right`; raises Unauthenticated, Denied."""

    def scope_for(self, right: str) -> str | None:
        """The scope that a key needs to use `right`; None when no key may use it."""


_directories: list[KeyDirectory] = []


def register_directory(directory: KeyDirectory) -> None:
    """Look keys up there, instead of wherever was registered before."""
    _directories[:] = [directory]


async def authorize(secret: str, right: str) -> KeyCaller:
    """The caller with this key; raises Unauthenticated, Denied, Unavailable."""
    if not _directories:
        raise Unauthenticated
    return await _directories[0].authorize(secret=secret, right=right)


def scope_for(right: str) -> str | None:
    """The scope that a key needs to use `right`; None when no key may use it."""
    return _directories[0].scope_for(right) if _directories else None


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer <API key>`; anything else is left to the next authentication."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        """Take a key as it is: looking it up is a query, which `authorize` awaits."""
        scheme, _, raw = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        secret = raw.strip()
        if scheme.lower() == "bearer" and secret.startswith(PREFIX):
            return PresentedKey(secret), None
        return None

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401."""
        return CHALLENGE
