"""One id per request: taken from the caller when it is sane, in every log line and answer."""

import logging
import random
import re
from contextvars import ContextVar

HEADER = "X-Request-ID"

_sane = re.compile(r"[A-Za-z0-9._:\-]{8,64}").fullmatch
_current: ContextVar[str] = ContextVar("request_id", default="-")


def current_request_id() -> str:
    """The id of the request at hand, "-" outside of one."""
    return _current.get()


def begin(offered: str) -> str:
    """Adopt the caller's id, or make one: it is no secret, and asks the kernel for nothing."""
    request_id = offered if _sane(offered) else f"{random.getrandbits(128):032x}"
    _current.set(request_id)
    return request_id


class RequestIdFilter(logging.Filter):
    """Puts `request_id` on each log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Annotate; never drops a record."""
        record.request_id = current_request_id()
        return True
