"""One request, its answer, and whether two contenders have answered the same."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lavka.cli.ports import LOOPBACK

# How the next page is named, and whether a page is counted, is the contender's own way.
PAGE_ALONE = "items"
SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request; `numbered_path` asks for the same page by number, where that differs."""

    path: str
    numbered_path: str = ""
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    def by_number(self) -> "Request":
        """The same request for a contender with numbered pages."""
        return Request(
            path=self.numbered_path or self.path,
            method=self.method,
            headers=self.headers,
            body=self.body,
        )


@dataclass(frozen=True)
class Answer:
    """A status and a decoded body; None for an empty one."""

    status: int
    body: Any
    etag: str = ""


class Client:
    """One kept connection to a contender."""

    def __init__(self, port: int) -> None:
        """Connect at the first request."""
        self._connection = http.client.HTTPConnection(LOOPBACK, port, timeout=SECONDS)

    def send(self, request: Request) -> Answer:
        """Send and read. Raises: OSError or HTTPException from the connection."""
        body = None if request.body is None else json.dumps(request.body)
        try:
            self._connection.request(request.method, request.path, body, dict(request.headers))
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        return Answer(response.status, _decoded(content), response.headers.get("ETag", ""))

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def difference(expected: Answer, found: Answer) -> str:
    """Where `found` says something else than `expected`; empty when it does not."""
    if found.status != expected.status:
        return f"status {found.status} instead of {expected.status}"
    return _difference(_page_alone(expected.body), _page_alone(found.body), "")


def _page_alone(body: Any) -> Any:
    if isinstance(body, dict) and PAGE_ALONE in body:
        return {PAGE_ALONE: body[PAGE_ALONE]}
    return body


def _difference(expected: Any, found: Any, where: str) -> str:
    if isinstance(expected, dict) and isinstance(found, dict):
        if expected.keys() != found.keys():
            return (
                f"{where or '/'}: fields {sorted(expected.keys() ^ found.keys())} on one side only"
            )
        pairs = [(expected[name], found[name], f"{where}/{name}") for name in expected]
    elif isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            return f"{where or '/'}: {len(found)} instead of {len(expected)} entries"
        pairs = [
            (mine, its, f"{where}/{place}")
            for place, (mine, its) in enumerate(zip(expected, found, strict=True))
        ]
    else:
        return "" if _is_same(expected, found) else f"{where}: {found!r} instead of {expected!r}"
    return next(filter(None, (_difference(*pair) for pair in pairs)), "")


def _is_same(expected: Any, found: Any) -> bool:
    """Equal as JSON: 5 is 5.0, and `true` is not 1, which Python takes for equal."""
    return isinstance(expected, bool) == isinstance(found, bool) and expected == found


def _decoded(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return content.decode(errors="replace")
