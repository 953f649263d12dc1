"""Sending: claim deliveries, ask the receiver with no transaction open, record what it said."""

import datetime
import http.client
import random
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from uuid import UUID

from cryptography.fernet import InvalidToken
from django.utils import timezone

from lavka.kernel.conf import options
from lavka.kernel.outbound import Connection, NotReached, connection_to, is_public
from lavka.webhooks import rules, services
from lavka.webhooks.rules import Answer
from lavka.webhooks.services import Claim
from lavka.webhooks.signatures import Keys, headers_of

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
                services.record_attempt(
                    delivery_id=under_way[asked].delivery.pk,
                    answer=asked.result(),
                    started_at=at,
                    luck=random.random(),  # noqa: S311 - a pause, not a secret
                )


def _ask(claim: Claim, at: datetime.datetime) -> Answer:
    """Post a delivery; touches no database, as it runs in a thread of its own."""
    started = time.monotonic()
    try:
        with connection_to(claim.url, seconds=SECONDS, is_allowed=_is_allowed) as connection:
            status_code, excerpt, retry_after = _exchange(connection, claim, at)
    except NotReached as fault:
        return Answer(None, _since(started), error=f"{fault.code}: {fault.reason}")
    except InvalidToken:
        error = "unreadable_key: it was sealed with another SECRET_KEY"
        return Answer(None, _since(started), error=error)
    return Answer(status_code, _since(started), excerpt=excerpt, retry_after=retry_after)


def _exchange(connection: Connection, claim: Claim, at: datetime.datetime) -> tuple[int, str, str]:
    body = rules.encoded(claim.delivery.body)
    keys = [
        Keys.unseal(bytes(key.sealed_secret), bytes(key.sealed_private_key)) for key in claim.keys
    ]
    signed: Mapping[str, str] = headers_of(
        message_id=str(claim.delivery.event_id),
        timestamp=int(at.timestamp()),
        body=body,
        keys=keys,
    )
    connection.request("POST", connection.target, body=body, headers={**_HEADERS, **signed})
    response = connection.getresponse()
    return response.status, _excerpt(response), response.getheader("Retry-After", "")


def _excerpt(response: http.client.HTTPResponse) -> str:
    """The first bytes of an answer, or what came of them before it broke off."""
    content = b""
    try:
        while len(content) < EXCERPT_BYTES:
            block = response.read1(EXCERPT_BYTES - len(content))
            if not block:
                break
            content += block
    except (OSError, ValueError, http.client.HTTPException):
        # Whoever has sent a status has answered.
        content += b" [cut off]"
    # PostgreSQL stores no U+0000.
    return content.decode(errors="replace").replace("\x00", "\ufffd")


def _is_allowed(address: str) -> bool:
    return options.webhooks_allow_private or is_public(address)


def _since(started: float) -> datetime.timedelta:
    return datetime.timedelta(seconds=time.monotonic() - started)
