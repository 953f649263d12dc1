"""What was cut off is finished: by a provider's webhook, or by the sweeper."""

import logging
from collections.abc import Awaitable
from uuid import UUID

from django.utils import timezone

from lavka.kernel.actors import Actor
from lavka.kernel.threads import in_thread
from lavka.payments import selectors, services
from lavka.payments.flows.asking import give_back, resolve
from lavka.payments.models import ProviderEvent

logger = logging.getLogger(__name__)

BATCH = 200


async def look_into(*, provider_event_id: UUID) -> None:
    """Act on a stored webhook: ask the provider how things stand, whatever the webhook says.

    So a webhook that comes twice, late or before its elder cannot turn anything back.
    Raises: ProviderEvent.DoesNotExist.
    """
    spoken = await in_thread(ProviderEvent.objects.get, pk=provider_event_id)
    if spoken.processed_at is not None:
        return
    provider = Actor.provider(spoken.method)
    for operation in await in_thread(list, selectors.operations_meant_by(spoken)):
        await resolve(operation_id=operation.pk, told_by=provider)
    await in_thread(services.mark_processed, provider_event_id=provider_event_id, at=timezone.now())


async def sweep(*, actor: Actor) -> int:
    """Finish what was cut off and give back what nobody waits for; returns how many were tried."""
    now = timezone.now()
    tried = 0
    for payment_id in await in_thread(list, selectors.expired_payments(now)[:BATCH]):
        await in_thread(services.expire_payment, payment_id=payment_id, actor=actor, at=now)
    for operation in await in_thread(list, selectors.operations_to_look_up(now)[:BATCH]):
        await _go_on(resolve(operation_id=operation.pk), operation.pk)
        tried += 1
    for payment in await in_thread(list, selectors.payments_to_give_back(now)[:BATCH]):
        await _go_on(give_back(payment_id=payment.pk, actor=actor), payment.pk)
        tried += 1
    return tried


async def _go_on(attempt: Awaitable[object], subject: UUID) -> None:
    try:
        await attempt
    except Exception:
        # One that cannot be finished must not stand in the way of the others.
        logger.exception("could not finish %s", subject)
