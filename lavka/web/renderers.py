"""Responses: compact UTF-8 JSON, whatever the client says it accepts."""

from collections.abc import Mapping
from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from lavka.web import json


class JSONRenderer(BaseRenderer):
    """`application/json`, which needs no charset (RFC 8259, section 11)."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Encode once, to bytes; what is bytes already is ready-made JSON."""
        if isinstance(data, bytes):
            return data
        return b"" if data is None else json.dumps(data)


class OneFormat(BaseContentNegotiation):
    """There is one parser per media type and one renderer, so `Accept` decides nothing."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """The parser of the request's media type, none for an unknown one (415)."""
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        """The first renderer."""
        return renderers[0], renderers[0].media_type
