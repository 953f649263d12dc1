"""Which handler serves a request, and what a process does when it starts and stops serving."""

import asyncio
from dataclasses import dataclass

from lavka.kernel import database, threads
from lavka.web import hot, limits, metrics, revocation
from lavka.web.bodies import MAX_UNREAD_BYTES, SMALL_BYTES, App, Receive, Scope, Send
from lavka.web.listener import Listener

FAST_LANE = "/api/v1/"
# What machines ask every few seconds needs no session either.
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})


@dataclass(frozen=True, slots=True)
class Entrance:
    """The API goes to the fast lane; pages, admin and documentation to Django's own handler."""

    fast_lane: App
    everything_else: App

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route by path; answer the server's lifespan."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif is_on_fast_lane(scope["path"]):
            await self.fast_lane(scope, receive, send)
        else:
            await self.everything_else(scope, receive, send)


def is_on_fast_lane(path: str) -> bool:
    """Whether the fast lane serves it."""
    return path.startswith(FAST_LANE) or path in PROBES


def limit_of_form(path: str) -> int:
    """How many bytes a form outside of the API may have: only staff upload anything."""
    return MAX_UNREAD_BYTES if path.startswith("/admin/") else SMALL_BYTES


async def _live(receive: Receive, send: Send) -> None:
    """Connections are opened when they are needed, and closed in order at the end."""
    await receive()
    listener = Listener(hot.start(), revocation.start())
    sampling = asyncio.create_task(metrics.keep_sampling(), name="metrics")
    await send({"type": "lifespan.startup.complete"})
    await receive()
    sampling.cancel()
    await listener.stop()
    hot.stop()
    revocation.stop()
    threads.drain()
    await database.close()
    await limits.close()
    await send({"type": "lifespan.shutdown.complete"})
