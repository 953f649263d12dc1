"""`Idempotency-Key`: a write that is sent again happens once, and is answered as the first time.

A handler that only uses the database runs in one hop and one transaction together with its key:
both are there after a crash, or neither. A handler that calls other systems (`calls_out` of its
`@operation`) cannot: its key is claimed in a transaction of its own, with a lease, and answered in
another. When the process dies between them the key may be used again once the lease is over, and
the handler finds by itself how far it had come.

An answer may hold what is told once, such as a new API key, so all are sealed where they are kept.
"""

import datetime
import logging
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Protocol
from uuid import UUID

from cryptography.fernet import InvalidToken
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from psycopg.types.json import Jsonb

from lavka.kernel import keys, rows
from lavka.kernel.errors import Conflict, Malformed, ShopError, Unavailable
from lavka.kernel.idempotency import KeyReused, is_unguessable
from lavka.kernel.threads import in_thread, run_here
from lavka.web.limits import network_of
from lavka.web.models import IdempotentRequest

logger = logging.getLogger(__name__)

HEADER = "HTTP_IDEMPOTENCY_KEY"
PATTERN = "^[!-~]{1,255}$"
LEASE = datetime.timedelta(seconds=60)
# What a sealed answer begins with: Fernet's version, and a time before the year 2106.
SEALED = b"gAAAAA"
KEPT_FOR = datetime.timedelta(hours=48)
# A refusal of these changed nothing and is the client's to mend, under the same key if it likes.
NOT_KEPT = frozenset({400, 401, 403, 413, 415, 422, 429})


class KeyRequired(Malformed):
    """The operation creates an order or moves money, and the request has no key."""

    code = "idempotency_key_required"
    title = _("Idempotency-Key required")
    message = _("Send an Idempotency-Key, so that the request may safely be sent again.")


class KeyMalformed(Malformed):
    """The key is not 1 to 255 visible ASCII characters."""

    code = "idempotency_key_malformed"
    title = _("Idempotency-Key malformed")
    message = _("An Idempotency-Key is 1 to 255 visible ASCII characters, such as a UUID.")


class KeyGuessable(Malformed):
    """Nobody signed in sends the key, and others could send the same one."""

    code = "idempotency_key_guessable"
    title = _("Idempotency-Key guessable")
    message = _(
        "Without signing in, an Idempotency-Key has to be random, so that nobody else gets your "
        "answer: send a new UUID of version 4 or 7, 32 hexadecimal digits or a ULID."
    )


class RequestInProgress(Conflict):
    """The first request with the key is not answered yet."""

    code = "request_in_progress"
    title = _("Request in progress")
    message = _("The same request is being worked on. Ask again in a moment.")
    retry_after_seconds = 1


Respond = Callable[[], Coroutine[Any, Any, HttpResponseBase]]


class Answering(Protocol):
    """The parts of a view that turn what its handler gives, or raises, into an answer."""

    def handle_exception(self, exc: Exception) -> HttpResponseBase:
        """The problem."""

    def settle(self, response: HttpResponseBase) -> HttpResponseBase:
        """The rendered answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """One use of a key: whose it is (`id`), and what they ask for (`fingerprint`)."""

    id: UUID
    fingerprint: str

    @classmethod
    def of(cls, request: HttpRequest, key: str, owner: str | None) -> "Claim":
        """`owner` is whose key it is, None when nothing tells one caller from another.

        A key without an owner is told by the caller's network, so that one that stands in some
        documentation is no stranger's elsewhere.
        Raises: KeyMalformed; KeyGuessable, for a key without an owner that others may send too.
        """
        if not re.fullmatch(PATTERN, key):
            raise KeyMalformed
        if owner is None and not is_unguessable(key):
            raise KeyGuessable
        whose = owner or f"a{network_of(request)}"
        owned = blake2b(f"{whose}\n{key}".encode(), digest_size=16)
        asked = blake2b(f"{request.method}\n{request.get_full_path()}\n".encode(), digest_size=32)
        asked.update(request.body)
        return cls(id=UUID(bytes=owned.digest()), fingerprint=asked.hexdigest())


async def perform(
    view: Answering, claim: Claim, respond: Respond, *, calls_out: bool
) -> HttpResponseBase:
    """Answer a request with a key: run `respond` once, or repeat what it answered.

    Raises: KeyReused; RequestInProgress.
    """
    if not calls_out:
        return await in_thread(_perform_in_transaction, view, claim, respond)
    now = timezone.now()
    earlier = await in_thread(_claim, claim, now)
    if earlier is not None:
        return earlier
    try:
        response = view.settle(await respond())
    except Exception as exception:  # noqa: BLE001 - the view tells anticipated ones from bugs
        response = view.handle_exception(exception)
    await in_thread(_keep, claim, response, now + LEASE)
    return response


def purge(*, at: datetime.datetime) -> int:
    """Forget what was answered longer ago than `KEPT_FOR`; returns how many."""
    return IdempotentRequest.objects.filter(created_at__lt=at - KEPT_FOR).delete()[0]


@transaction.atomic
def _perform_in_transaction(view: Answering, claim: Claim, respond: Respond) -> HttpResponseBase:
    now = timezone.now()
    earlier = _claim(claim, now)
    if earlier is not None:
        return earlier
    try:
        with transaction.atomic():
            response = view.settle(run_here(respond()))
    except Exception as exception:  # noqa: BLE001 - the view tells anticipated ones from bugs
        response = view.handle_exception(exception)
    if _is_kept(response):
        _keep(claim, response, now + LEASE)
    else:
        transaction.set_rollback(True)
    return response


# The lock belongs to the transaction, so a twin that comes while it is open is told at once and
# does not wait on the unique index with a connection in its hand.
_CLAIM = """
INSERT INTO web_idempotentrequest (id, fingerprint, leased_until)
SELECT %s, %s, %s WHERE pg_try_advisory_xact_lock(%s)
ON CONFLICT (id) DO NOTHING
"""


@transaction.atomic
def _claim(claim: Claim, now: datetime.datetime) -> HttpResponseBase | None:
    """Take the key, or give the answer it had; raises KeyReused, RequestInProgress."""
    lock = int.from_bytes(claim.id.bytes[:8], signed=True)
    if rows.execute(_CLAIM, [claim.id, claim.fingerprint, now + LEASE, lock]):
        return None
    earlier = IdempotentRequest.objects.filter(pk=claim.id).first()
    if earlier is None:
        raise RequestInProgress
    if earlier.fingerprint != claim.fingerprint:
        raise KeyReused
    if earlier.status is not None:
        return _replayed(earlier)
    abandoned = IdempotentRequest.objects.filter(pk=claim.id, status=None, leased_until__lte=now)
    if not abandoned.update(leased_until=now + LEASE):
        raise RequestInProgress
    return None


_OWN = "WHERE id = %s AND leased_until = %s AND status IS NULL"
_KEEP = f"UPDATE web_idempotentrequest SET status = %s, headers = %s, body = %s {_OWN}"  # noqa: S608
_RELEASE = f"DELETE FROM web_idempotentrequest {_OWN}"  # noqa: S608


@transaction.atomic
def _keep(claim: Claim, response: HttpResponseBase, leased_until: datetime.datetime) -> None:
    """Write the answer beside the key; one that is not kept gives the key back.

    Whoever was too slow and lost the lease to another leaves that one's row alone.
    """
    own = [claim.id, leased_until]
    if _is_kept(response):
        headers = Jsonb(dict(response.headers))
        body = keys.seal(keys.ANSWERS, getattr(response, "content", b""))
        rows.execute(_KEEP, [response.status_code, headers, body, *own])
    else:
        rows.execute(_RELEASE, own)


def _is_kept(response: HttpResponseBase) -> bool:
    return response.status_code < 500 and response.status_code not in NOT_KEPT


def _replayed(earlier: IdempotentRequest) -> HttpResponse:
    headers: Mapping[str, Any] = earlier.headers | {"Idempotent-Replayed": "true"}
    response = HttpResponse(_unsealed(bytes(earlier.body)), status=earlier.status, headers=headers)
    if "Content-Type" not in earlier.headers:
        del response.headers["Content-Type"]
    return response


def _unsealed(body: bytes) -> bytes:
    """What was answered; raises Unavailable when the secret that sealed it is gone.

    What the release before kept, for 48 hours, is not sealed.
    """
    if not body.startswith(SEALED):
        return body
    try:
        return keys.unseal(keys.ANSWERS, body)
    except InvalidToken:
        logger.exception("an answer was sealed by a secret that is gone: keep it as a fallback")
        raise Unavailable from None


REFUSALS: tuple[type[ShopError], ...] = (KeyMalformed, KeyReused, RequestInProgress)
