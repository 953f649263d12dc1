"""What time it is, where nobody passes an instant on: now, unless whoever began says otherwise.

Flows ask it between their transactions, events and the stock's ledger when they are written. The
demo plays a year in a minute: what it does at an instant of the past is written down as of then.
"""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.utils import timezone

_instant: ContextVar[datetime.datetime | None] = ContextVar("instant", default=None)


def now() -> datetime.datetime:
    """The present, or the instant that was set."""
    return _instant.get() or timezone.now()


def instant() -> datetime.datetime | None:
    """The instant that was set, None for the present."""
    return _instant.get()


@contextmanager
def set_to(at: datetime.datetime) -> Iterator[None]:
    """Let it be `at` for all that runs inside, also in threads that it hands work to."""
    token = _instant.set(at)
    try:
        yield
    finally:
        _instant.reset(token)
