"""The signed-in user: profile, addresses, sessions."""

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.accounts import selectors
from lavka.accounts.api import serializers
from lavka.accounts.api.serializers import AddressInput, AddressOutput, ProfileOutput
from lavka.accounts.devices import source_of
from lavka.accounts.errors import StaffAccount, TooManyAttempts, WrongPassword
from lavka.accounts.models import Address, Session, User
from lavka.accounts.selectors import Profile
from lavka.accounts.services import addresses, profile, sessions
from lavka.web.pages import PageRequest, page_of
from lavka.web.schema import PAGE_PARAMETERS, operation
from lavka.web.serializers import page_output
from lavka.web.views import CustomerView, in_thread

ADDRESS = OpenApiExample(
    "address",
    {
        "name": "Ada Lovelace",
        "line1": "12 St James's Square",
        "city": "London",
        "postal_code": "SW1Y 4JH",
        "country": "GB",
        "is_default_shipping": True,
    },
    request_only=True,
)


class MeView(CustomerView):
    """GET PATCH /me/"""

    @operation("get_me", "Show my profile", responses=ProfileOutput)
    async def get(self, request: Request) -> Response:
        """Who the token belongs to."""
        return Response(_profile(await selectors.profile_of(self.caller.id)))

    @operation(
        "update_me",
        "Change my profile",
        request=serializers.ProfileInput,
        responses=ProfileOutput,
        examples=[OpenApiExample("name", {"name": "Ada"}, request_only=True)],
    )
    async def patch(self, request: Request) -> Response:
        """Change what is named."""
        changes = serializers.ProfileInput.read(request.data, partial=True)
        user = await in_thread(profile.update_profile, user_id=self.caller.id, changes=changes)
        return Response(_profile(user))

    @operation(
        "close_account",
        "Close my account",
        description="For good: the name, the address book and all sessions go, the address is "
        "free again, and reviews stay without a name. Staff accounts are closed by others.",
        request=serializers.CloseAccountInput,
        responses={204: None},
        errors=[WrongPassword, StaffAccount, TooManyAttempts],
    )
    async def delete(self, request: Request) -> Response:
        """Close the account of whoever proves the password."""
        body = serializers.CloseAccountInput.read(request.data)
        await in_thread(
            profile.close_account,
            user_id=self.caller.id,
            current_password=body["current_password"],
            source=source_of(request._request, body.get("device", "")),
            at=timezone.now(),
        )
        return Response(status=204)


class AddressesView(CustomerView):
    """GET POST /me/addresses/"""

    @operation(
        "list_addresses",
        "List my addresses",
        parameters=PAGE_PARAMETERS,
        responses=page_output(AddressOutput, "AddressPage"),
    )
    async def get(self, request: Request) -> Response:
        """The address book, oldest first."""
        return Response(
            await in_thread(
                page_of,
                selectors.addresses_of(self.caller.id),
                order=("created_at", "id"),
                wanted=PageRequest.of(request.query_params),
                render=_address,
            )
        )

    @operation(
        "add_address",
        "Add an address",
        request=AddressInput,
        responses={201: AddressOutput},
        examples=[ADDRESS],
    )
    async def post(self, request: Request) -> Response:
        """Add to the book."""
        fields = AddressInput.read(request.data)
        address = await in_thread(addresses.add_address, user_id=self.caller.id, fields=fields)
        return Response(_address(address), status=201)


class AddressView(CustomerView):
    """GET PATCH DELETE /me/addresses/{id}/"""

    def require_reachable(self) -> None:
        """Raises Address.DoesNotExist."""
        selectors.addresses_of(self.caller.id).get(pk=self.kwargs["address_id"])

    @operation("get_address", "Show one of my addresses", responses=AddressOutput)
    async def get(self, request: Request, address_id: UUID) -> Response:
        """One address; another customer's does not exist."""
        mine = selectors.addresses_of(self.caller.id)
        return Response(_address(await in_thread(mine.get, pk=address_id)))

    @operation(
        "update_address",
        "Change one of my addresses",
        request=AddressInput,
        responses=AddressOutput,
        examples=[OpenApiExample("move", {"city": "Bath"}, request_only=True)],
    )
    async def patch(self, request: Request, address_id: UUID) -> Response:
        """Change what is named."""
        changes = AddressInput.read(request.data, partial=True)
        address = await in_thread(
            addresses.change_address,
            user_id=self.caller.id,
            address_id=address_id,
            changes=changes,
        )
        return Response(_address(address))

    @operation("delete_address", "Delete one of my addresses", responses={204: None})
    async def delete(self, request: Request, address_id: UUID) -> Response:
        """Take it out of the book."""
        await in_thread(addresses.remove_address, user_id=self.caller.id, address_id=address_id)
        return Response(status=204)


class SessionsView(CustomerView):
    """GET /me/sessions/"""

    @operation(
        "list_sessions",
        "List where I am signed in",
        parameters=PAGE_PARAMETERS,
        responses=page_output(serializers.SessionOutput, "SessionPage"),
    )
    async def get(self, request: Request) -> Response:
        """Open sessions, newest first."""
        context = {"session_id": self.caller.session_id}

        def render(session: Session) -> object:
            return serializers.SessionOutput(session, context=context).data

        return Response(
            await in_thread(
                page_of,
                selectors.sessions_of(self.caller.id, timezone.now()),
                order=("-created_at", "-id"),
                wanted=PageRequest.of(request.query_params),
                render=render,
            )
        )


class SessionView(CustomerView):
    """DELETE /me/sessions/{id}/"""

    @operation("revoke_session", "Sign out somewhere else", responses={204: None})
    async def delete(self, request: Request, session_id: UUID) -> Response:
        """End one of the caller's sessions."""
        await in_thread(
            sessions.revoke_session,
            user_id=self.caller.id,
            session_id=session_id,
            at=timezone.now(),
        )
        return Response(status=204)


def _profile(user: Profile | User) -> dict[str, object]:
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "language": user.language,
        "is_email_verified": user.is_email_verified,
        "is_staff": user.is_staff,
        "joined_at": user.joined_at.isoformat().removesuffix("+00:00") + "Z",
    }


def _address(address: Address) -> dict[str, object]:
    return dict(AddressOutput(address).data)
