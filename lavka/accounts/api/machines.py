"""Views that a machine may call with its API key, as staff call them with their token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.permissions import IsAuthenticated

from lavka.accounts.services import keys
from lavka.web.tokens import BearerAuthentication
from lavka.web.views import IsStaff, StaffView, in_thread

if TYPE_CHECKING:
    from rest_framework.request import Request


@dataclass(frozen=True, slots=True)
class Machine:
    """Who presents a key; `MachineView.authorize` finds out whether it is good."""

    key: str
    is_authenticated: bool = True


class KeyOrBearer(BearerAuthentication):
    """`Authorization: Bearer <API key or access token>`."""

    def authenticate(self, request: Request) -> Any:
        """Take a key as it is; it is looked up where there is a thread for it."""
        scheme, _, raw = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() == "bearer" and raw.strip().startswith(keys.MARK):
            return Machine(raw.strip()), None
        return super().authenticate(request)


class IsStaffOrMachine(IsStaff):
    """Staff, or somebody with a key."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """True for a staff token and for a key."""
        return isinstance(request.user, Machine) or super().has_permission(request, view)


class MachineView(StaffView):
    """A staff view that a key with `scope` opens too."""

    authentication_classes = (KeyOrBearer,)
    permission_classes = (IsAuthenticated, IsStaffOrMachine)
    scope: ClassVar[str]

    async def authorize(self) -> None:
        """Raises Unauthenticated for a key that is not good; Denied without the right or scope."""
        user: Any = self.request.user
        if isinstance(user, Machine):
            await in_thread(keys.admit, key=user.key, scope=self.scope, at=timezone.now())
        else:
            await super().authorize()


class KeyOrBearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Swagger's Authorize button, for the views of machines."""

    target_class = KeyOrBearer
    name = "key_or_bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """HTTP bearer with an API key or a JWT."""
        return {"type": "http", "scheme": "bearer", "description": "An API key or an access token."}
