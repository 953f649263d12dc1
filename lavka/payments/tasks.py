"""What Celery runs for payments."""

import datetime
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from lavka.kernel import actors
from lavka.kernel.threads import run_flow
from lavka.payments import flows, services
from lavka.payments.sandbox import provider
from lavka.payments.sandbox.models import Webhook

RECONCILED_DAYS = datetime.timedelta(days=30)
KEEP_WEBHOOKS = datetime.timedelta(days=90)


@shared_task(name="payments.look_into")
def look_into(*, provider_event_id: str, **_: object) -> None:
    """Act on a webhook; a second delivery finds it processed and does nothing."""
    run_flow(flows.look_into(provider_event_id=UUID(provider_event_id)))


@shared_task(name="payments.enter_sale")
def enter_sale(*, order_id: str, **_: object) -> None:
    """Write down what was sold; a second delivery finds it written."""
    services.enter_sale(order_id=UUID(order_id), at=timezone.now())


@shared_task(name="payments.deliver_sandbox_webhook")
def deliver_sandbox_webhook(*, webhook_id: str, **_: object) -> None:
    """Hand a webhook of the sandbox in, signed, as a provider would over HTTP."""
    webhook = Webhook.objects.select_related("charge").filter(pk=webhook_id).first()
    if webhook is not None:
        body = provider.body_of(webhook)
        signed = {provider.SIGNATURE_HEADER: provider.signature_of(body)}
        with actors.acting(actors.Actor.provider("sandbox")):
            services.receive_webhook(method="sandbox", body=body, headers=signed, at=timezone.now())


@shared_task(name="payments.purge_webhooks")
def purge_webhooks(**_: object) -> int:
    """Forget webhooks that no provider sends again; returns how many."""
    return services.purge_webhooks(before=timezone.now() - KEEP_WEBHOOKS)


@shared_task(name="payments.sweep")
def sweep(**_: object) -> int:
    """Finish what was cut off; returns how much was tried."""
    return run_flow(flows.sweep(actor=actors.current()))


@shared_task(name="payments.reconcile")
def reconcile(**_: object) -> int:
    """Compare the books of the last month; returns how many differences there are."""
    now = timezone.now()
    report = run_flow(flows.reconcile(since=now - RECONCILED_DAYS, at=now))
    return report.drifted
