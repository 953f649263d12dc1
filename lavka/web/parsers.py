"""Request bodies: JSON objects of bounded size, and uploads where a view asks for them."""

from collections.abc import Mapping
from typing import Any

from rest_framework.parsers import BaseParser, MultiPartParser

from lavka.kernel.errors import Malformed
from lavka.web import json
from lavka.web.bodies import MAX_JSON_BYTES
from lavka.web.problems import TooComplex, TooLarge


class JSONParser(BaseParser):
    """`application/json`, strictly decoded; a broken body is 400, a large one 413."""

    media_type = "application/json"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Read at most one byte over the operation's limit."""
        limit = min(_limit_of(parser_context), MAX_JSON_BYTES)
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise TooLarge(limit=limit)
        try:
            return json.loads(body)
        except json.TooComplexError:
            raise TooComplex from None
        except (ValueError, RecursionError):
            raise Malformed from None


class UploadParser(MultiPartParser):
    """`multipart/form-data` of up to the operation's limit."""

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Refuse by the announced length; texts of the form are UTF-8, whatever it says."""
        context = dict(parser_context or {}, encoding="utf-8")
        limit = _limit_of(parser_context)
        if int(context["request"].META.get("CONTENT_LENGTH") or 0) > limit:
            raise TooLarge(limit=limit)
        return super().parse(stream, media_type, context)


def _limit_of(context: Mapping[str, Any] | None) -> int:
    limit: int = (context or {})["view"].max_body_bytes
    return limit
