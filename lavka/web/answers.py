"""Answers whose body is ready: serialised when it was written, not when it is read."""

from collections.abc import Mapping

from django.http import HttpResponse


class Ready(HttpResponse):
    """A body that is JSON already, sent as it is; a view may give its `ETag` with it."""

    def __init__(
        self, body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        """Send `body`, UTF-8."""
        super().__init__(body, content_type="application/json", status=status, headers=headers)
