"""Rate limits: a token bucket per caller, counted in Valkey in one round trip (GCRA)."""

import asyncio
import logging
import math
import time
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any
from weakref import WeakKeyDictionary

import redis.asyncio as valkey
from django.http import HttpRequest
from redis.exceptions import RedisError

from lavka.kernel.conf import options
from lavka.kernel.errors import Unavailable
from lavka.web.problems import TooManyRequests

logger = logging.getLogger(__name__)

# Generic cell rate algorithm (ITU-T I.371): one stored instant per bucket, its theoretical
# arrival time. One further ahead than requests can have put it is from before the clock was set
# back, and forgotten. Returns whether the request is allowed, what is left, and the wait in
# milliseconds.
_TAKE = """
local now, gap, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local arrival = tonumber(redis.call('GET', KEYS[1]) or now)
if arrival > now + 2 * burst * gap then arrival = now end
arrival = math.max(arrival, now)
local earliest = arrival + gap - burst * gap
if earliest > now then return {0, 0, math.ceil(earliest - now)} end
arrival = arrival + gap
redis.call('SET', KEYS[1], string.format('%.3f', arrival), 'PX', math.ceil(arrival - now) + 1000)
return {1, math.floor((burst * gap - (arrival - now)) / gap), math.ceil(arrival - now)}
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """`burst` requests at once, refilled evenly over `per_seconds`, per caller.

    `fails_open` says what happens while Valkey is away: reads and ordinary writes go on, attempts
    to guess a secret do not.
    """

    name: str
    burst: int
    per_seconds: int
    fails_open: bool = True

    def policy(self) -> str:
        """The `RateLimit-Policy` field (draft-ietf-httpapi-ratelimit-headers-10)."""
        return f'"{self.name}";q={self.burst};w={self.per_seconds}'


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left after this request, and in how many seconds the bucket is full again."""

    limit: Limit
    remaining: int
    resets_in_seconds: int

    def headers(self) -> dict[str, str]:
        """`RateLimit` and `RateLimit-Policy`."""
        left = f'"{self.limit.name}";r={self.remaining};t={self.resets_in_seconds}'
        return {"RateLimit-Policy": self.limit.policy(), "RateLimit": left}


async def take(limit: Limit, caller: str) -> Allowance | None:
    """Take one token; None when limits are off or cannot be counted.

    Raises: TooManyRequests; Unavailable, when Valkey is away and the limit does not fail open.
    """
    if not options.are_limits_on:
        return None
    gap_ms = limit.per_seconds * 1000 / limit.burst
    key, now_ms = f"limit:{limit.name}:{caller}", time.time() * 1000
    try:
        allowed, remaining, wait_ms = await _client().eval(
            _TAKE, 1, key, f"{now_ms:.3f}", f"{gap_ms:.6f}", str(limit.burst)
        )
    except (RedisError, OSError) as fault:
        logger.warning("limits cannot be counted: %s", fault, extra={"limit": limit.name})
        if limit.fails_open:
            return None
        raise Unavailable from fault
    seconds = math.ceil(wait_ms / 1000)
    if not allowed:
        raise TooManyRequests(retry_after_seconds=max(seconds, 1))
    return Allowance(limit, int(remaining), seconds)


def caller_of(request: HttpRequest, user_id: object) -> str:
    """The bucket's owner: the user, or the network that the proxy in front saw."""
    return f"u{user_id}" if user_id else f"a{network_of(request)}"


def network_of(request: HttpRequest) -> str:
    """What counts as one caller: an IPv4 address, or the /64 that an IPv6 subscriber has."""
    return _network(address_of(request))


@lru_cache(maxsize=1024)
def _network(address: str) -> str:
    try:
        found = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is None:
            return f"{IPv6Address(int(found) >> 64 << 64)}/64"
        found = found.ipv4_mapped
    return str(found)


def address_of(request: HttpRequest) -> str:
    """The client's address, as Uvicorn found it.

    Uvicorn reads `X-Forwarded-For` only of peers named by `FORWARDED_ALLOW_IPS`, from the right to
    the first address that is not one of them, so a client cannot choose its own.
    """
    return str(request.META.get("REMOTE_ADDR") or "local")


_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = WeakKeyDictionary()


def _client() -> Any:
    """One client per event loop: its connections belong to the loop that opened them."""
    loop = asyncio.get_running_loop()
    client = _clients.get(loop)
    if client is None:
        client = valkey.from_url(
            options.valkey_url,
            socket_timeout=0.5,
            socket_connect_timeout=0.5,
            max_connections=64,
        )
        _clients[loop] = client
    return client


async def close() -> None:
    """Close the running loop's client, when the process stops serving."""
    client = _clients.pop(asyncio.get_running_loop(), None)
    if client is not None:
        await client.aclose()
