"""Log lines: one JSON object each, or a short line for a person at a terminal.

Whatever a request brings, it stays within its line: JSON escapes it, and so does `PlainLine`.
"""

import json
import logging
import re
import time
from functools import lru_cache
from typing import Any

from django.http import HttpRequest

from lavka.kernel.plain_text import printable

MAX_PATH = 2000
PLAIN = "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"

access = logging.getLogger("lavka.access")

# What is random in a path is a key: of a guest's cart, a shared wishlist, a bank's page. Other
# ids are of version 7.
_key_in_path = re.compile(
    r"(?<=/)[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE
)
HIDDEN = "***"


def config(*, is_json: bool, level: str) -> dict[str, Any]:
    """The `LOGGING` setting: everything to stderr, with the request's id on each line."""
    plain_formatter = {"()": "lavka.web.logging.PlainLine"}
    json_formatter = {
        "()": "pythonjsonlogger.json.JsonFormatter",
        "fmt": "%(asctime)s %(levelname)s %(name)s %(request_id)s %(message)s",
        "rename_fields": {"asctime": "at", "levelname": "level", "name": "logger"},
        "datefmt": "%Y-%m-%dT%H:%M:%S%z",
    }
    stderr = {"class": "logging.StreamHandler", "formatter": "lines"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "request_id": {"()": "lavka.web.request_id.RequestIdFilter"},
            "hide_keys": {"()": "lavka.web.logging.HideKeys"},
        },
        "formatters": {
            "lines": json_formatter if is_json else plain_formatter,
            "access": {"()": "lavka.web.logging.AccessLine"} if is_json else plain_formatter,
            "security": {"()": "lavka.kernel.security_log.SecurityLine"},
        },
        "handlers": {
            "stderr": stderr | {"filters": ["request_id", "hide_keys"]},
            # Its paths are shown without keys already.
            "access": stderr | {"filters": ["request_id"], "formatter": "access"},
            "security": stderr | {"formatter": "security"},
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "propagate": True},
            "django.request": {"level": "ERROR"},
            "lavka.access": {"handlers": ["access"], "level": level, "propagate": False},
            # Whatever the level of the rest: it is not for finding faults.
            "lavka.security": {"handlers": ["security"], "level": "INFO", "propagate": False},
            # It tells of every connection that is lent and returned.
            "psycopg.pool": {"level": "WARNING"},
        },
    }


def shown(path: str) -> str:
    """A path as a log may have it: without the keys that open something."""
    return _key_in_path.sub(HIDDEN, path)


class HideKeys(logging.Filter):
    """Takes keys out of paths in whatever a line says; never drops a record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the message if it names a key."""
        message = record.getMessage()
        hidden = shown(message)
        if hidden != message:
            record.msg, record.args = hidden, ()
        return True


def log_access(request: HttpRequest, status: int, seconds: float) -> None:
    """One line per request, without the search for the calling line that loggers begin with."""
    if access.isEnabledFor(logging.INFO):
        path = shown(request.path[:MAX_PATH])
        fields = {
            "method": request.method,
            "path": path,
            "status": status,
            "milliseconds": round(seconds * 1000, 2),
        }
        arguments = (request.method, path, status)
        record = access.makeRecord(
            access.name, logging.INFO, "", 0, "%s %s %s", arguments, None, extra=fields
        )
        access.handle(record)


class PlainLine(logging.Formatter):
    """One line a message; below it a trace, indented so that none of it looks like a message."""

    def __init__(self) -> None:
        """Format as `PLAIN`."""
        super().__init__(PLAIN, defaults={"request_id": "-"})

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Escape what would begin another line or move a terminal's cursor."""
        record.message = printable(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        """Indent the trace."""
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - logging's name
        """Indent the stack."""
        return _indented(super().formatStack(stack_info))


def _indented(trace: str) -> str:
    return "\n".join(f"    {printable(line)}" for line in trace.splitlines())


class AccessLine(logging.Formatter):
    """The fields of an access line as JSON, named as on every other line."""

    def format(self, record: Any) -> str:
        """Encode once; it is written for every request."""
        return json.dumps(
            {
                "at": _at(int(record.created)),
                "level": record.levelname,
                "logger": record.name,
                "request_id": record.request_id,
                "message": record.getMessage(),
                "method": record.method,
                "path": record.path,
                "status": record.status,
                "milliseconds": record.milliseconds,
            }
        )


@lru_cache(maxsize=2)
def _at(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(second))
