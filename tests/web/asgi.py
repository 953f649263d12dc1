"""Speaks ASGI to an application, message by message, as a server would."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

CHUNK = {"type": "http.request", "more_body": True}
GONE = {"type": "http.disconnect"}


@dataclass
class Client:
    """One request: `messages` are what the server receives, the last one stays until told."""

    method: str
    path: str
    messages: list[dict[str, Any]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    query: bytes = b""
    said: list[dict[str, Any]] = field(default_factory=list)
    leaving: asyncio.Event = field(default_factory=asyncio.Event)
    hearing: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def receive(self) -> dict[str, Any]:
        if self.messages:
            return self.messages.pop(0)
        await self.leaving.wait()
        return GONE

    async def send(self, message: dict[str, Any]) -> None:
        async with self.hearing:
            self.said.append(message)
            self.hearing.notify_all()

    async def has_said(self, messages: int) -> None:
        """Wait until it has said that many."""
        async with self.hearing:
            await self.hearing.wait_for(lambda: len(self.said) >= messages)

    def scope(self) -> dict[str, Any]:
        named = {"host": "localhost"} | self.headers
        return {
            "type": "http",
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": self.path,
            "query_string": self.query,
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
            "client": ("127.0.0.1", 50000),
            "server": ("localhost", 80),
        }

    async def ask(self, application: Any) -> "Client":
        if not self.messages:
            self.messages = [{"type": "http.request", "body": b"", "more_body": False}]
        await application(self.scope(), self.receive, self.send)
        return self

    @property
    def status(self) -> int:
        return int(self.said[0]["status"])

    @property
    def answered(self) -> dict[str, str]:
        return {name.decode().lower(): value.decode() for name, value in self.said[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.said[1:])


def in_one_piece(body: bytes) -> list[dict[str, Any]]:
    return [{"type": "http.request", "body": body, "more_body": False}]


def in_pieces(body: bytes, size: int) -> list[dict[str, Any]]:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return [CHUNK | {"body": piece} for piece in pieces] + in_one_piece(b"")
