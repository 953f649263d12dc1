"""Webhooks of providers: stored when they come in, looked into afterwards."""

import datetime
from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from django.db import transaction

from lavka.kernel import events
from lavka.kernel.errors import Malformed, NotFound
from lavka.kernel.idempotency import KeyReused
from lavka.kernel.plain_text import storable
from lavka.payments.events import ProviderSpoke
from lavka.payments.gateways import registry
from lavka.payments.gateways.protocol import Notification
from lavka.payments.models import MAX_EVENT_KIND, MAX_REFERENCE, ProviderEvent


@transaction.atomic
def receive_webhook(
    *, method: str, body: bytes, headers: Mapping[str, str], at: datetime.datetime
) -> bool:
    """Check who signed a webhook and store it; False when it has come before.

    Raises: NotFound, for a method that the shop does not take; WrongSignature; Malformed, for a
    body that says nothing the shop can read; KeyReused, when the provider's id for it was that of
    a webhook about something else.
    Emits: ProviderSpoke, for a new one.
    """
    if method not in registry.methods():
        raise NotFound
    told, payload = _read(method, body, headers)
    spoken, is_new = ProviderEvent.objects.get_or_create(
        method=method,
        event_id=told.event_id,
        defaults={
            "kind": told.kind,
            "reference": told.reference,
            "key": told.key,
            "payload": payload,
            "received_at": at,
        },
    )
    about = (spoken.kind, spoken.reference, spoken.key)
    if not is_new and about != (told.kind, told.reference, told.key):
        raise KeyReused
    if is_new:
        events.publish(ProviderSpoke(provider_event_id=spoken.pk))
    return is_new


def _read(method: str, body: bytes, headers: Mapping[str, str]) -> tuple[Notification, str]:
    """What a webhook tells, as far as the database keeps it. Raises: WrongSignature, Malformed."""
    try:
        told = registry.gateway_of(method).read_webhook(body, headers)
        payload = body.decode()
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as fault:
        raise Malformed from fault
    is_text = all(isinstance(each, str) for each in (told.event_id, told.kind, told.reference))
    if not is_text or not _keeps(told.event_id) or "\x00" in payload:
        raise Malformed
    kept = replace(
        told,
        kind=storable(told.kind, MAX_EVENT_KIND),
        reference=storable(told.reference, MAX_REFERENCE),
    )
    return kept, payload


def _keeps(event_id: str) -> bool:
    """Whether the database tells it from every other id."""
    return event_id != "" and event_id == storable(event_id, MAX_REFERENCE)


@transaction.atomic
def mark_processed(*, provider_event_id: UUID, at: datetime.datetime) -> None:
    """Note that a webhook was looked into."""
    ProviderEvent.objects.filter(pk=provider_event_id, processed_at=None).update(processed_at=at)


@transaction.atomic
def purge_webhooks(*, before: datetime.datetime) -> int:
    """Delete webhooks that were looked into before then; returns how many."""
    return ProviderEvent.objects.filter(processed_at__lt=before).delete()[0]
