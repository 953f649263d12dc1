"""Request bodies: JSON objects of bounded size, and uploads where a view asks for them."""

from collections.abc import Mapping
from typing import Any

from rest_framework.parsers import BaseParser, MultiPartParser

from lavka.kernel.errors import Malformed
from lavka.web import json
from lavka.web.problems import TooLarge

MAX_BODY_BYTES = 1024 * 1024


class JSONParser(BaseParser):
    """`application/json` up to 1 MiB, strictly decoded; a broken body is 400, a large one 413."""

    media_type = "application/json"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Read at most one byte over the limit."""
        body = stream.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            raise TooLarge
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise Malformed from None


class UploadParser(MultiPartParser):
    """`multipart/form-data` with a file of up to the view's `max_upload_bytes`; 413 above."""

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Refuse by the announced length; texts of the form are UTF-8, whatever it says."""
        context = dict(parser_context or {}, encoding="utf-8")
        length = int(context["request"].META.get("CONTENT_LENGTH") or 0)
        if length > context["view"].max_upload_bytes + MAX_BODY_BYTES:
            raise TooLarge
        return super().parse(stream, media_type, context)
