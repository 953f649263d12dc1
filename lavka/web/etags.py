"""If-Match: a change that overwrites nobody's work."""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.kernel.errors import ShopError
from lavka.web import caching, json

IF_MATCH = OpenApiParameter(
    "If-Match",
    {"type": "string", "maxLength": caching.MAX_TAGS},
    OpenApiParameter.HEADER,
    description="The `ETag` of what you read: 412 if somebody changed it since.",
)


class PreconditionFailed(ShopError):
    """The resource changed since the caller read it."""

    status = 412
    code = "precondition_failed"
    title = _("Changed meanwhile")
    message = _("Somebody changed this since you read it. Read it again, then repeat your change.")


def require_match(request: Request, current: Callable[[], Any]) -> None:
    """Refuse a change of what the caller has not seen; a request without If-Match may go on.

    `current` makes the payload as a read would show it, from rows that the caller holds locked.
    Raises: PreconditionFailed.
    """
    seen = request.META.get("HTTP_IF_MATCH", "")
    if seen and not caching.names(seen, caching.tag_of(json.dumps(current()))):
        raise PreconditionFailed


def tagged(payload: Any, *, status: int = 200) -> Response:
    """The answer to a write, with the ETag that a read would give now."""
    return Response(payload, status=status, headers={"ETag": caching.tag_of(json.dumps(payload))})
