"""Staff make API keys for programs, and revoke them."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from lavka.accounts.errors import ScopeNotHeld
from lavka.accounts.models import ApiKey
from lavka.accounts.scopes import Scope
from lavka.accounts.services import keys
from lavka.web.pages import PageRequest, page_of
from lavka.web.schema import PAGE_PARAMETERS, operation
from lavka.web.serializers import (
    BoundedListField,
    Input,
    InstantField,
    StrictCharField,
    page_output,
)
from lavka.web.views import StaffView, in_thread


class ApiKeyInput(Input):
    """What a new key may do, and for how long."""

    name = StrictCharField(max_length=100)
    scopes = BoundedListField(
        child=serializers.ChoiceField(Scope.choices), allow_empty=False, max_length=20
    )
    expires_at = InstantField(required=False, allow_null=True, default=None)

    def validate_expires_at(self, value: Any) -> Any:
        """Refuse a key that would never open anything."""
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError(_("This instant is in the past."), code="past")
        return value


class ApiKeyOutput(Serializer):
    """A key, without what makes it one."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    prefix = serializers.CharField(help_text="How the key begins.")
    scopes = serializers.ListField(child=serializers.ChoiceField(Scope.choices))
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    used_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)


class NewApiKeyOutput(ApiKeyOutput):
    """A key with itself: the only time that it is told."""

    key = serializers.CharField()


EXAMPLE = OpenApiExample(
    "The warehouse listens", {"name": "warehouse", "scopes": ["events:read"]}, request_only=True
)


class ApiKeysView(StaffView):
    """API keys."""

    rights = {"GET": "accounts.view_apikey", "POST": "accounts.add_apikey"}

    @operation(
        "list_api_keys",
        "List API keys, newest first",
        parameters=PAGE_PARAMETERS,
        responses=page_output(ApiKeyOutput, "ApiKeyPage"),
    )
    async def get(self, request: Request) -> Response:
        wanted = PageRequest.of(request.query_params)
        rows, render = ApiKey.objects.all(), _json
        return Response(await in_thread(page_of, rows, order=["-id"], wanted=wanted, render=render))

    @operation(
        "create_api_key",
        "Create an API key",
        description="The answer holds the key; it is told this once and kept nowhere, but sealed "
        "for 48 hours if the request had an `Idempotency-Key` and may be sent again. A key reads "
        "what its scopes name, as far as whoever made it may: their rights are asked at each use, "
        "and the key is revoked for good once they are not active staff any more.",
        request=ApiKeyInput,
        responses={201: NewApiKeyOutput},
        errors=[ScopeNotHeld],
        examples=[EXAMPLE],
    )
    async def post(self, request: Request) -> Response:
        body = ApiKeyInput.read(request.data)
        made, key = await in_thread(
            keys.create_key, **body, created_by=self.caller.id, at=timezone.now()
        )
        return Response({**_json(made), "key": key}, status=201)


class ApiKeyView(StaffView):
    """One key."""

    rights = {"DELETE": "accounts.change_apikey"}

    @operation(
        "revoke_api_key",
        "Revoke an API key",
        description="One's own, or one whose maker is gone; superusers revoke everybody's.",
        responses={204: None},
    )
    async def delete(self, request: Request, key_id: UUID) -> Response:
        await in_thread(keys.revoke_key, key_id=key_id, by=self.caller.id, at=timezone.now())
        return Response(status=204)


def _json(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.pk,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "used_at": key.used_at,
        "revoked_at": key.revoked_at,
    }
