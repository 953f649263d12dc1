"""Sending: claim deliveries, ask the receiver with no transaction open, record what it said."""

import datetime
import logging
import random
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from uuid import UUID

from cryptography.fernet import InvalidToken
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from lavka.kernel.conf import options
from lavka.kernel.outbound import NotReached, Request, Response, exchange, is_loopback, is_public
from lavka.webhooks import rules, services
from lavka.webhooks.rules import Answer
from lavka.webhooks.services import Claim
from lavka.webhooks.signatures import Keys, headers_of

logger = logging.getLogger(__name__)

# One attempt, from the connection to the last byte that is read of the answer.
SECONDS = 15
EXCERPT_BYTES = 1000
_HEADERS = {
    "Content-Type": "application/json",
    "User-Agent": "Lavka-Webhooks/1.0",
    "Connection": "close",
}


def deliver(*, endpoint_id: UUID, until: datetime.datetime) -> None:
    """Send what is due to an endpoint, several at once, until nothing is or time is up.

    A worker that dies in the middle sends again when its claims have run out: receivers tell a
    repetition by its `webhook-id`. Deliveries come in no promised order.
    """
    while (at := timezone.now()) < until:
        claims = services.claim_deliveries(endpoint_id=endpoint_id, at=at)
        if not claims:
            return
        with ThreadPoolExecutor(len(claims)) as threads:
            under_way = {threads.submit(_ask, claim, at): claim for claim in claims}
            for asked in as_completed(under_way):
                _record(under_way[asked], asked.result(), at)


def _record(claim: Claim, answer: Answer, at: datetime.datetime) -> None:
    """Write an attempt down; a bug on the way to it is an attempt that failed.

    Raises: OperationalError, InterfaceError: then the claim runs out.
    """
    try:
        _write(claim, answer, at)
    except (OperationalError, InterfaceError):
        raise
    except Exception as bug:
        logger.exception("what came of delivery %s cannot be recorded", claim.delivery.pk)
        _write(claim, _failed(answer.duration, "not_recorded", type(bug).__name__), at)


def _write(claim: Claim, answer: Answer, at: datetime.datetime) -> None:
    services.record_attempt(
        delivery_id=claim.delivery.pk,
        answer=answer,
        started_at=at,
        luck=random.random(),  # noqa: S311 - a pause, not a secret
    )


def _ask(claim: Claim, at: datetime.datetime) -> Answer:
    """Post a delivery; touches no database, as it runs in a thread of its own, and never raises."""
    started = time.monotonic()
    try:
        response = _post(claim, at)
    except NotReached as fault:
        return _failed(_since(started), fault.code, fault.reason)
    except InvalidToken:
        return _failed(_since(started), "unreadable_key", "it was sealed with another SECRET_KEY")
    except Exception as bug:
        logger.exception("delivery %s cannot be sent", claim.delivery.pk)
        return _failed(_since(started), "not_sent", type(bug).__name__)
    return Answer(
        response.status,
        _since(started),
        excerpt=_excerpt(response),
        retry_after=response.retry_after,
    )


def _post(claim: Claim, at: datetime.datetime) -> Response:
    body = rules.encoded(claim.delivery.body)
    keys = [
        Keys.unseal(bytes(key.sealed_secret), bytes(key.sealed_private_key)) for key in claim.keys
    ]
    signed = headers_of(
        message_id=str(claim.delivery.event_id),
        timestamp=int(at.timestamp()),
        body=body,
        keys=keys,
    )
    request = Request(
        method="POST",
        url=claim.url,
        headers=_HEADERS | signed,
        body=body,
        limit=EXCERPT_BYTES - 1,
        seconds=SECONDS,
    )
    return exchange(request, is_allowed=_is_allowed)


def _excerpt(response: Response) -> str:
    """The first bytes of an answer, or what came of them before it broke off."""
    content = response.content[:EXCERPT_BYTES].decode(errors="replace")
    return f"{content} [cut off]" if response.fault else content


def _failed(duration: datetime.timedelta, code: str, reason: str) -> Answer:
    return Answer(None, duration, error=f"{code}: {reason}")


def _is_allowed(address: str) -> bool:
    is_own = options.webhooks_allow_loopback and is_loopback(address)
    return options.webhooks_allow_private or is_public(address) or is_own


def _since(started: float) -> datetime.timedelta:
    return datetime.timedelta(seconds=time.monotonic() - started)
