"""What Celery runs for checkouts."""

import datetime
import logging
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from lavka.checkout import flows, selectors, services
from lavka.inventory.errors import OutOfStock
from lavka.kernel import actors
from lavka.kernel.conf import options
from lavka.kernel.threads import run_flow
from lavka.orders import selectors as orders
from lavka.orders.models import Order
from lavka.orders.rules import OrderStatus
from lavka.payments import services as payments
from lavka.payments.errors import NotRefundable, PaymentDeclined

logger = logging.getLogger(__name__)

BATCH = 200


@shared_task(name="checkout.finish")
def finish(*, order_id: str, **_: object) -> None:
    """Place the draft whose money has come; a second delivery finds it placed."""
    try:
        run_flow(flows.finish(order_id=UUID(order_id), at=timezone.now()))
    except OutOfStock:
        logger.warning("order %s is paid and out of stock: the money goes back", order_id)


@shared_task(name="checkout.return_money")
def return_money(*, order_id: str, **_: object) -> None:
    """Give a cancelled order's money back; what cannot be done now, the payments' sweeper does."""
    actor = actors.current()
    held = payments.abandon_payments(order_id=UUID(order_id), actor=actor, at=timezone.now())
    run_flow(flows.give_back(held, actor=actor))


@shared_task(name="checkout.refund_surplus")
def refund_surplus(*, order_id: str, **_: object) -> None:
    """Give back what an edit has made too much; a second delivery finds nothing left."""
    flow = flows.refund_surplus(order_id=UUID(order_id), actor=actors.current())
    _attempt(flow, f"surplus of {order_id}")


@shared_task(name="checkout.sweep")
def sweep(**_: object) -> int:
    """Complete or give up drafts past their deadline; returns how many there were."""
    overdue = list(selectors.overdue(timezone.now()).values_list("order_id", flat=True)[:BATCH])
    for order_id in overdue:
        try:
            _settle(order_id)
        except Exception:
            # One that cannot be settled must not stand in the way of the others.
            logger.exception("could not settle draft %s", order_id)
    return len(overdue)


@shared_task(name="checkout.cancel_unpaid")
def cancel_unpaid(**_: object) -> int:
    """Cancel orders whose money did not come in time; returns how many were cancelled."""
    actor, now, cancelled = actors.current(), timezone.now(), 0
    for order_id in Order.objects.overdue(now).values_list("pk", flat=True)[:BATCH]:
        try:
            held = services.cancel_unpaid(order_id=order_id, actor=actor, at=now)
            if held is not None:
                run_flow(flows.give_back(held, actor=actor))
                cancelled += 1
        except Exception:
            # One that cannot be cancelled must not stand in the way of the others.
            logger.exception("could not cancel unpaid order %s", order_id)
    return cancelled


@shared_task(name="checkout.forget_unpaid")
def forget_unpaid(*, order_id: str, **_: object) -> None:
    """An order is paid, sent or cancelled: it waits no more; twice changes nothing."""
    services.forget_unpaid(order_id=UUID(order_id))


@shared_task(name="checkout.purge")
def purge(**_: object) -> int:
    """Forget quotes, drafts that came to nothing, and what counts no more; returns how many."""
    now = timezone.now()
    before = now - datetime.timedelta(days=options.drafts_kept_days)
    forgotten = services.purge_unpaid(at=now)
    for purge_some in (services.purge_quotes, services.purge_drafts):
        while gone := purge_some(before=before, limit=BATCH):
            forgotten += gone
    return forgotten


@shared_task(name="checkout.sweep_refunds")
def sweep_refunds(**_: object) -> int:
    """Pay out what was cut off or refused and is due again; returns how many were tried."""
    now, tried = timezone.now(), 0
    for claim in selectors.claims_left_behind(now)[:BATCH]:
        _go_on(flows.go_on_with_refund(claim=claim), f"refund {claim.pk}")
        tried += 1
    for order_id in selectors.orders_paid_too_much(now)[:BATCH]:
        actor = orders.last_editor(order_id) or actors.current()
        flow = flows.refund_surplus(order_id=order_id, actor=actor)
        _go_on(flow, f"surplus of {order_id}")
        tried += 1
    return tried


def _go_on(flow: Coroutine[Any, Any, None], subject: str) -> None:
    try:
        _attempt(flow, subject)
    except Exception:
        # One that cannot go back must not stand in the way of the others.
        logger.exception("%s could not go back", subject)


def _attempt(flow: Coroutine[Any, Any, None], subject: str) -> None:
    """Run a flow that gives money back; what is refused is tried again later."""
    try:
        run_flow(flow)
    except (NotRefundable, PaymentDeclined) as refused:
        logger.warning("%s does not go back yet: %s", subject, refused.code)


def _settle(order_id: UUID) -> None:
    """Place what is paid, ask once more about what is not decided, give up the rest."""
    try:
        order = services.finalise(order_id=order_id, at=timezone.now())
    except OutOfStock:
        logger.warning("order %s is paid and out of stock: the money goes back", order_id)
    else:
        if order.status != OrderStatus.DRAFT:
            return
    run_flow(flows.give_up(order_id=order_id, actor=actors.current()))
