"""System checks of the fast lane: what would bring a thread hop back is refused at start."""

from collections.abc import Iterator
from inspect import iscoroutinefunction
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.db import connections
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.deprecation import MiddlewareMixin
from django.utils.module_loading import import_string
from rest_framework.throttling import SimpleRateThrottle

from lavka.web.entrance import is_on_fast_lane


@register
def check_fast_lane(**_: Any) -> list[CheckMessage]:
    """Every reason why a request on the fast lane would leave the event loop."""
    return [*_middleware(), *_views(), *_database()]


def _middleware() -> Iterator[Error]:
    for path in settings.FAST_LANE_MIDDLEWARE:
        if not _is_async_native(import_string(path)):
            yield Error(
                f"{path} is not async-native, and would cost each request of the API two threads.",
                hint="Write it as `async_only_middleware`, or move it to MIDDLEWARE.",
                obj="FAST_LANE_MIDDLEWARE",
                id="lavka.E051",
            )


def _is_async_native(factory: Any) -> bool:
    if not getattr(factory, "async_capable", False):
        return False
    # It calls itself async and runs its hooks in threads.
    if isinstance(factory, type) and issubclass(factory, MiddlewareMixin):
        return False

    async def get_response(request: object) -> None:
        """The innermost handler."""

    return iscoroutinefunction(factory(get_response))


def _views() -> Iterator[Error]:
    for path, view in _views_below("/", get_resolver()):
        if not is_on_fast_lane(path):
            continue
        if not iscoroutinefunction(view):
            yield Error(
                f"The view of {path} is not async, and the fast lane serves no other.",
                hint="Derive it from `lavka.web.views.View`.",
                obj=view,
                id="lavka.E052",
            )
        for throttle in getattr(getattr(view, "cls", None), "throttle_classes", ()):
            if issubclass(throttle, SimpleRateThrottle):
                yield Error(
                    f"The view of {path} counts requests in Django's cache, which blocks.",
                    hint="Give it a `read_limit` or `write_limit` (lavka/web/limits.py).",
                    obj=view,
                    id="lavka.E053",
                )


def _views_below(prefix: str, resolver: URLResolver) -> Iterator[tuple[str, Any]]:
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _views_below(path, pattern)
        elif isinstance(pattern, URLPattern):
            yield path, pattern.callback


def _database() -> Iterator[Error]:
    for alias, database in connections.settings.items():
        if database["ATOMIC_REQUESTS"]:
            yield Error(
                "ATOMIC_REQUESTS cannot wrap async views.",
                hint="A service is one transaction; leave ATOMIC_REQUESTS off.",
                obj=f"DATABASES[{alias!r}]",
                id="lavka.E054",
            )
        pool = database["OPTIONS"].get("pool")
        if isinstance(pool, dict) and pool["max_size"] < settings.WORKER_THREADS:
            yield Error(
                "There are more worker threads than database connections, so threads would wait.",
                hint="WORKER_THREADS may be at most the pool's max_size.",
                obj=f"DATABASES[{alias!r}]",
                id="lavka.E055",
            )
