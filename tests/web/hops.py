"""Counts how often something leaves the event loop for a thread."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from asgiref.sync import AsyncToSync, SyncToAsync


@contextmanager
def counted_hops(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every call that was handed to a thread while it is open, by any of the ways there are."""
    hops: list[str] = []

    def watch(owner: type, name: str) -> None:
        original = getattr(owner, name)

        def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
            hops.append(f"{owner.__name__}.{name}")
            return original(self, *args, **kwargs)

        monkeypatch.setattr(owner, name, watched)

    # Worker threads, `run_in_executor` and `to_thread` all end in `submit`.
    with monkeypatch.context() as patched:
        monkeypatch = patched
        watch(ThreadPoolExecutor, "submit")
        watch(SyncToAsync, "__call__")
        watch(AsyncToSync, "__call__")
        yield hops
