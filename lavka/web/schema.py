"""The OpenAPI description: what `lavka.web.views` does for every view, said once."""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.serializers import ListSerializer

from lavka.kernel.errors import (
    Denied,
    Invalid,
    Malformed,
    NotFound,
    ShopError,
    Unauthenticated,
    Unavailable,
)
from lavka.web import api_keys, idempotency
from lavka.web.bodies import SMALL_BYTES
from lavka.web.pages import DEFAULT_LIMIT, MAX_CURSOR, MAX_LIMIT
from lavka.web.parameters import Bound, number_parameter, text_parameter
from lavka.web.problems import (
    CONTENT_TYPE,
    MethodNotAllowed,
    QueryTooLong,
    TooComplex,
    TooLarge,
    TooManyRequests,
    UnsupportedMediaType,
)
from lavka.web.serializers import BoundedDictField, Input, ProblemOutput

LIMIT = number_parameter(
    "limit", "Rows per page.", minimum=1, maximum=MAX_LIMIT, default=DEFAULT_LIMIT
)
CURSOR = text_parameter("cursor", "The `next` of the page before.", max_length=MAX_CURSOR)
COUNT = OpenApiParameter(
    "count", str, enum=["true", "false"],
    description="`true` adds the number of rows, exact up to 10,000.",
)  # fmt: skip
PAGE_PARAMETERS = [LIMIT, CURSOR, COUNT]
KEY, REQUIRED_KEY = (
    OpenApiParameter(
        "Idempotency-Key",
        {"type": "string", "pattern": idempotency.PATTERN},
        OpenApiParameter.HEADER,
        required=is_required,
        description="Makes it safe to send the request again: it happens once, and is answered as "
        "the first time with `Idempotent-Replayed: true`, for 48 hours. A guest without a cart or "
        "order in the path sends a random one, a UUID of version 4 or 7, at least 32 hexadecimal "
        "digits or a ULID, and is answered so as long as they come from the same network.",
    )
    for is_required in (False, True)
)


def operation[F: Callable[..., Any]](  # noqa: PLR0913 - what there is to say of an operation
    operation_id: str,
    summary: str,
    *,
    errors: Sequence[type[ShopError]] = (),
    responses: Any = None,
    requires_key: bool = False,
    calls_out: bool = False,
    max_body_bytes: int = SMALL_BYTES,
    **options: Any,
) -> Callable[[F], F]:
    """`extend_schema` with a summary, a method name for clients, and this operation's own errors.

    `requires_key` refuses a request without an `Idempotency-Key`. `calls_out` says that the
    handler waits for other systems, not only for the database (`lavka.web.idempotency`). One that
    takes more than `SMALL_BYTES` may not: its body is parsed, and it runs, in a worker thread.
    Errors that follow from the view (401, 403, 404, 413, 422, 429 …) are added by `Schema`. The
    query parameters named here are the only ones that `View` lets through; one of the style
    `deepObject` stands for all its members.
    """
    asked = [
        parameter
        for parameter in options.get("parameters", ())
        if parameter.location == OpenApiParameter.QUERY
    ]
    bounds = {each.name: Bound.of(each) for each in asked}
    objects = {each.name: bounds.pop(each.name) for each in asked if each.style == "deepObject"}
    extended = extend_schema(
        operation_id=operation_id,
        summary=summary,
        responses=responses if isinstance(responses, dict) else {200: responses},
        **options,
    )

    def describe(handler: F) -> F:
        described: Any = extended(handler)
        described.query_parameters, described.query_objects = bounds, objects
        described.own_errors = tuple(errors)
        described.has_body = options.get("request") is not None
        described.requires_key, described.calls_out = requires_key, calls_out
        described.max_body_bytes = max_body_bytes
        return described  # type: ignore[no-any-return]

    return describe


def _problem(errors: Sequence[type[ShopError]]) -> OpenApiResponse:
    codes = ", ".join(f"`{error.code}`" for error in errors)
    return OpenApiResponse(
        ProblemOutput,
        description=f"{errors[0].title}: {codes}",
        examples=[
            OpenApiExample(error.code, _example(error), media_type=CONTENT_TYPE) for error in errors
        ],
    )


def _example(error: type[ShopError]) -> dict[str, object]:
    return {
        "type": f"/api/docs/errors/#{error.code}",
        "title": str(error.title),
        "status": error.status,
        "detail": str(error.message),
        "code": error.code,
        "request_id": "4f0c1b7e5a1d4d0e9f5a8a3a7c2b6e10",
    }


class Schema(AutoSchema):
    """Adds to each operation the refusals that its view can give."""

    def get_tags(self) -> list[str]:
        """One tag per domain: the path's first noun, all staff paths under their own."""
        parts = [part for part in self.path.removeprefix("/api/v1/").split("/") if part]
        return [f"manage {parts[1]}" if parts[0] == "manage" else parts[0]]

    def _get_serializer_name(
        self, serializer: Any, direction: Any, bypass_extensions: bool = False
    ) -> str:
        """`Review` and `ReviewInput`, not `ReviewOutput` and `ReviewInputRequest`."""
        named: Any = super()
        name: str = named._get_serializer_name(serializer, direction, bypass_extensions)
        return name.replace("InputRequest", "Input").removesuffix("Output")

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        """A body's unknown fields are an error, and the schema says so."""
        mapping: Any = super()
        mapped: dict[str, Any] = mapping._map_basic_serializer(serializer, direction)
        if isinstance(serializer, Input):
            mapped["additionalProperties"] = False
        return mapped

    def _map_serializer_field(
        self, field: Any, direction: Any, bypass_extensions: bool = False
    ) -> Any:
        """The bounds of lists and objects, which drf-spectacular leaves out."""
        mapping: Any = super()
        mapped: dict[str, Any] = mapping._map_serializer_field(field, direction, bypass_extensions)
        most = getattr(field, "max_length", None)
        if isinstance(field, ListSerializer) and most is not None:
            mapped["maxItems"] = most
        if isinstance(field, BoundedDictField):
            names = {"maxLength": field.max_name_length}
            mapped |= {"maxProperties": field.max_entries, "propertyNames": names}
        return mapped

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        by_status: dict[str, list[type[ShopError]]] = {}
        for error in dict.fromkeys([*self._own_errors(), *self._refusals()]):
            by_status.setdefault(str(error.status), []).append(error)
        for status, errors in by_status.items():
            bodies.setdefault(
                status,
                self._get_response_for_code(_problem(errors), status, [CONTENT_TYPE], direction),
            )
        if self.method == "GET" and "200" in bodies:
            bodies["304"] = {"description": str(_("Unchanged since the `ETag` you named."))}
        return dict(sorted(bodies.items()))

    def _get_request_body(self, direction: Any = "request") -> Any:
        """Drf-spectacular describes no body of a DELETE, but one may ask for proof."""
        described: Any = super()
        is_delete = self.method == "DELETE" and self._has_body()
        if is_delete:
            self.method = "PUT"
        try:
            body = described._get_request_body(direction)
        finally:
            if is_delete:
                self.method = "DELETE"
        return body and body | {"x-max-body-bytes": self._says("max_body_bytes")}

    def get_override_parameters(self) -> list[Any]:
        """Every write may carry an `Idempotency-Key`."""
        if not self._takes_key():
            return []
        return [REQUIRED_KEY if self._says("requires_key") else KEY]

    def _takes_key(self) -> bool:
        view: Any = self.view
        return self.method not in {"GET", "HEAD", "OPTIONS"} and view.keeps_answers

    def _has_body(self) -> bool:
        return bool(self._says("has_body"))

    def _says(self, name: str) -> Any:
        return getattr(getattr(self.view, self.method.lower(), None), name, False)

    def _own_errors(self) -> Sequence[type[ShopError]]:
        handler = getattr(self.view, self.method.lower(), None)
        own: Sequence[type[ShopError]] = getattr(handler, "own_errors", ())
        return own

    def _get_response_for_code(
        self,
        serializer: Any,
        status_code: str,
        media_types: list[str] | None = None,
        direction: str = "response",
    ) -> Any:
        if int(str(status_code)[0]) >= 4:
            media_types = [CONTENT_TYPE]
        described: Any = super()
        return described._get_response_for_code(serializer, status_code, media_types, direction)

    def _refusals(self) -> list[type[ShopError]]:
        """What the view answers before, or instead of, its handler."""
        view: Any = self.view
        found: list[type[ShopError]] = [Invalid, QueryTooLong, Unavailable]
        if view.authentication_classes:
            found += [Unauthenticated]
        if not {AllowAny, IsAuthenticated}.issuperset(view.permission_classes):
            found += [Denied]
        if "{" in self.path:
            found += [NotFound]
        found += self._refusals_of_keys()
        if self._has_body():
            found += [Malformed, TooComplex, TooLarge, UnsupportedMediaType]
        limit = view.read_limit if self.method == "GET" else view.write_limit
        if limit is not None:
            found += [TooManyRequests]
        return found

    def _refusals_of_keys(self) -> list[type[ShopError]]:
        found: list[type[ShopError]] = []
        if self._takes_key():
            found += idempotency.REFUSALS
        if self._takes_key() and AllowAny in self.view.permission_classes:
            found += [idempotency.KeyGuessable]
        if self._says("requires_key"):
            found += [idempotency.KeyRequired]
        return found


def share_refusals(result: dict[str, Any], **_options: Any) -> dict[str, Any]:
    """Keep each refusal once, under `components/responses`, however many operations give it."""
    shared: dict[str, Any] = result.setdefault("components", {}).setdefault("responses", {})
    for operations in result["paths"].values():
        for described in operations.values():
            for status, response in described["responses"].items():
                if int(status) < 400:
                    continue
                codes = response["content"][CONTENT_TYPE]["examples"]
                name = "Or".join(codes)
                shared[name] = response
                described["responses"][status] = {"$ref": f"#/components/responses/{name}"}
    return result


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Swagger's Authorize button."""

    target_class = "lavka.web.tokens.BearerAuthentication"
    name = "bearer"

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[str]]]:
        """With the permission that staff need (OpenAPI 3.1, roles of a security requirement)."""
        right = getattr(auto_schema.view, "rights", {}).get(auto_schema.method)
        return [{"bearer": [right] if right else []}]

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """HTTP bearer with a JWT."""
        description = (
            "The access token of a session. Where a permission is named, it is one of staff who "
            "hold it; superusers hold every one."
        )
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": description,
        }


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Swagger's Authorize button for the reads of staff that a program may do with its key."""

    target_class = "lavka.web.api_keys.ApiKeyAuthentication"
    name = "api_key"

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        """With the scope that the key needs (OpenAPI 3.1, security requirement object)."""
        rights = auto_schema.view.rights if auto_schema.method == "GET" else {}
        scope = api_keys.scope_for(rights.get("GET", ""))
        return [{"api_key": [str(scope)]}] if scope else []

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """HTTP bearer with a key."""
        description = (
            "A key of a program, made by staff under `/api/v1/manage/api-keys/`. It reads what its "
            "scopes name, while whoever made it is active staff and holds the right themselves."
        )
        return {"type": "http", "scheme": "bearer", "description": description}


__all__ = [
    "COUNT", "CURSOR", "LIMIT", "PAGE_PARAMETERS",
    "MethodNotAllowed", "OpenApiTypes", "Schema", "operation",
]  # fmt: skip
