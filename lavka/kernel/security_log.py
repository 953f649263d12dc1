"""The security log: who got in or did not, and who changed what lets people in or costs money.

One JSON object a line, by the logger `lavka.security`; docs/security-log.md lists the events and
the fields. Services call `record` in their transaction; what succeeded is written when it commits.
Nothing secret goes in: no password, no token, no key, and no e-mail address that is nobody's.
"""

from __future__ import annotations

import datetime
import json
import logging
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from lavka.kernel import actors, keys
from lavka.kernel.actors import Actor

logger = logging.getLogger("lavka.security")
# All rights that there are fit in: of what was handed out nothing goes unsaid.
MAX_TEXT, MAX_ITEMS = 200, 1000


class SecurityEvent(StrEnum):
    """What is logged; a name never gets another meaning."""

    # ruff: disable[S105] - names, not secrets
    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    PASSWORD_CHECK = "password_check"
    REFRESH_TOKEN_REUSE = "refresh_token_reuse"
    SESSIONS_ENDED = "sessions_ended"
    LOGIN_FAILURES_CLEARED = "login_failures_cleared"
    PASSWORD_CHANGED = "password_changed"
    PASSWORD_RESET = "password_reset"
    PASSWORD_SET = "password_set"
    EMAIL_VERIFIED = "email_verified"
    EMAIL_CHANGE_REQUESTED = "email_change_requested"
    EMAIL_CHANGED = "email_changed"
    EMAIL_CHANGE_UNDONE = "email_change_undone"
    ACCOUNT_CREATED = "account_created"
    ACCOUNT_ACTIVATED = "account_activated"
    ACCOUNT_DEACTIVATED = "account_deactivated"
    ACCOUNT_CLOSED = "account_closed"
    ACCOUNT_DELETED = "account_deleted"
    RIGHTS_CHANGED = "rights_changed"
    GROUP_CREATED = "group_created"
    GROUP_CHANGED = "group_changed"
    GROUP_DELETED = "group_deleted"
    ACCESS_DENIED = "access_denied"
    API_KEY_CREATED = "api_key_created"
    API_KEY_REVOKED = "api_key_revoked"
    WEBHOOK_ENDPOINT_CREATED = "webhook_endpoint_created"
    WEBHOOK_ENDPOINT_CHANGED = "webhook_endpoint_changed"
    WEBHOOK_ENDPOINT_DELETED = "webhook_endpoint_deleted"
    WEBHOOK_KEYS_ROTATED = "webhook_keys_rotated"
    WEBHOOK_EVENTS_WITHHELD = "webhook_events_withheld"
    TAX_RATE_CREATED = "tax_rate_created"
    TAX_RATE_CHANGED = "tax_rate_changed"
    TAX_RATE_DELETED = "tax_rate_deleted"
    SHIPPING_RATE_CREATED = "shipping_rate_created"
    SHIPPING_RATE_CHANGED = "shipping_rate_changed"
    SHIPPING_RATE_DELETED = "shipping_rate_deleted"
    WAREHOUSE_CREATED = "warehouse_created"
    WAREHOUSE_CHANGED = "warehouse_changed"
    WAREHOUSE_DELETED = "warehouse_deleted"
    STOCK_POLICY_CHANGED = "stock_policy_changed"
    SYNONYM_CREATED = "synonym_created"
    SYNONYM_CHANGED = "synonym_changed"
    SYNONYM_DELETED = "synonym_deleted"
    # ruff: enable[S105]


class Outcome(StrEnum):
    """How it ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    # Refused without a look, as attempts came too often.
    LOCKED = "locked"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Object:
    """What it was done to: `kind` as the API calls it, `id` as it names it, `name` for people."""

    kind: str
    id: object
    name: str = ""


# The address and the id of the request at hand.
_request: ContextVar[tuple[str, str] | None] = ContextVar("security_request", default=None)


def begin_request(address: str, request_id: str) -> None:
    """What is logged from here on belongs to this request."""
    _request.set((address, request_id))


def record(
    event: SecurityEvent,
    on: Object | None = None,
    *,
    outcome: Outcome = Outcome.SUCCESS,
    actor: Actor | None = None,
    **details: Any,
) -> None:
    """Log what was done to `on`, by `actor` or else by whoever acts (`lavka.kernel.actors`).

    A success is written when the transaction commits, anything else at once: it changed nothing.
    """
    fields = _fields(event, on, outcome, actor or actors.current(), details)
    write = partial(_write, fields)
    if outcome == Outcome.SUCCESS:
        transaction.on_commit(write)
    else:
        write()


def digest_of(email: str) -> str:
    """What stands for an e-mail address that is nobody's, so that attempts on it can be counted."""
    return keys.sign(keys.SECURITY_LOG, email.encode())[:16]


def _fields(
    event: SecurityEvent,
    on: Object | None,
    outcome: Outcome,
    actor: Actor,
    details: Mapping[str, Any],
) -> dict[str, Any]:
    address, request_id = _request.get() or (None, None)
    return {
        "at": timezone.now().astimezone(datetime.UTC).isoformat(timespec="milliseconds"),
        "event": event.value,
        "outcome": outcome.value,
        "actor": _plain(actor.as_json()),
        "address": _plain(address),
        "request_id": request_id,
        "object": None
        if on is None
        else _plain(
            {"kind": on.kind, "id": None if on.id is None else str(on.id), "name": on.name}
        ),
        "details": _plain(details),
    }


def _plain(value: Any) -> Any:
    """As JSON, in bounds."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in list(value.items())[:MAX_ITEMS]}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(each) for each in sorted(value, key=str)[:MAX_ITEMS]]
    return str(value)[:MAX_TEXT]


def _write(fields: Mapping[str, Any]) -> None:
    logger.info("%s %s", fields["event"], fields["outcome"], extra={"security": fields})


class SecurityLine(logging.Formatter):
    """A record's fields as one line of JSON in ASCII, whatever else the logs look like."""

    def format(self, record: Any) -> str:
        """JSON escapes control characters, so that no value begins a line of its own."""
        return json.dumps({"logger": record.name, **record.security})
