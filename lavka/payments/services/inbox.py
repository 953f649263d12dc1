"""Webhooks of providers: stored when they come in, looked into afterwards."""

import datetime
from collections.abc import Mapping
from uuid import UUID

from django.db import transaction

from lavka.kernel import events
from lavka.kernel.errors import NotFound
from lavka.kernel.idempotency import KeyReused
from lavka.payments.events import ProviderSpoke
from lavka.payments.gateways import registry
from lavka.payments.models import ProviderEvent


@transaction.atomic
def receive_webhook(
    *, method: str, body: bytes, headers: Mapping[str, str], at: datetime.datetime
) -> bool:
    """Check who signed a webhook and store it; False when it has come before.

    Raises: NotFound, for a method that the shop does not take; WrongSignature; KeyReused, when the
    provider's id for it was that of a webhook about something else.
    Emits: ProviderSpoke, for a new one.
    """
    if method not in registry.methods():
        raise NotFound
    told = registry.gateway_of(method).read_webhook(body, headers)
    spoken, is_new = ProviderEvent.objects.get_or_create(
        method=method,
        event_id=told.event_id,
        defaults={
            "kind": told.kind,
            "reference": told.reference,
            "key": told.key,
            "payload": body.decode(),
            "received_at": at,
        },
    )
    about = (spoken.kind, spoken.reference, spoken.key)
    if not is_new and about != (told.kind, told.reference, told.key):
        raise KeyReused
    if is_new:
        events.publish(ProviderSpoke(provider_event_id=spoken.pk))
    return is_new


@transaction.atomic
def mark_processed(*, provider_event_id: UUID, at: datetime.datetime) -> None:
    """Note that a webhook was looked into."""
    ProviderEvent.objects.filter(pk=provider_event_id, processed_at=None).update(processed_at=at)


@transaction.atomic
def purge_webhooks(*, before: datetime.datetime) -> int:
    """Delete webhooks that were looked into before then; returns how many."""
    return ProviderEvent.objects.filter(processed_at__lt=before).delete()[0]
