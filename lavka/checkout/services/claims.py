"""Pieces whose money goes back: counted first, then paid out, or counted back.

What a crash leaves between the two is a claim past its time, which the sweeper takes up.
"""

import datetime
from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.db.models import F, Sum

from lavka.checkout import rules, selectors
from lavka.checkout.models import RefundClaim
from lavka.fulfilment import services as fulfilment
from lavka.fulfilment.models import ReturnRequest
from lavka.kernel.actors import Actor
from lavka.orders import services as orders
from lavka.orders.models import Order
from lavka.payments.models import Operation
from lavka.payments.rules import OperationKind, OperationState

State = RefundClaim.State


@transaction.atomic(durable=True)
def claim_lines(
    *,
    order_id: UUID,
    quantities: Mapping[UUID, int],
    key: str,
    actor: Actor,
    at: datetime.datetime,
) -> tuple[RefundClaim, bool]:
    """Count pieces (order line id → pieces > 0) as refunded; says whether this call did.

    A key that came before gives its claim, unless that was released.
    Raises: Order.DoesNotExist; UnknownLine; MoreThanLeft, with `line` and `left`;
    KeyReused.
    Locks: the order.
    """
    order = Order.objects.placed().locked().get(pk=order_id)
    asked = RefundClaim(quantities=_plain(quantities))
    selectors.require_same_refund(order_id, key, asked.fingerprint)
    earlier = RefundClaim.objects.standing().filter(order=order, key=key).first()
    if earlier is not None:
        return earlier, False
    return _claim(order.pk, quantities, key, actor, at), True


@transaction.atomic(durable=True)
def claim_return(
    *, return_id: UUID, actor: Actor, at: datetime.datetime
) -> tuple[RefundClaim | None, bool]:
    """Count the pieces of a received return as refunded; says whether this call did.

    None for a return that was refunded by hand.
    Raises: ReturnRequest.DoesNotExist; ReturnInTheWrongState; MoreThanLeft. Locks: the order.
    """
    order_id = ReturnRequest.objects.values_list("order_id", flat=True).get(pk=return_id)
    Order.objects.locked().get(pk=order_id)
    earlier = RefundClaim.objects.standing().filter(return_request=return_id).first()
    if earlier is not None:
        return earlier, False
    refund = fulfilment.claim_refund(return_id=return_id)
    if refund is None:
        return None, False
    key = f"return {return_id}"
    return _claim(refund.order_id, refund.quantities, key, actor, at, return_id), True


@transaction.atomic(durable=True)
def take_up_claim(*, claim_id: UUID, at: datetime.datetime) -> bool:
    """Say that the caller goes on with a claim whose time is over; False when somebody else does.

    Each attempt leaves more time to the next.
    """
    due = RefundClaim.objects.filter(pk=claim_id, state=State.CLAIMED, due_at__lte=at)
    attempts = RefundClaim.objects.values_list("attempts", flat=True).get(pk=claim_id)
    return bool(due.update(attempts=F("attempts") + 1, due_at=at + rules.pause_after(attempts)))


@transaction.atomic(durable=True)
def settle_claim(*, claim_id: UUID, is_refused: bool, at: datetime.datetime) -> None:
    """Close a claim whose money went; release a refused one of whose money nothing can have gone.

    Any other stays for the sweeper. Locks: the order.
    """
    order_id = RefundClaim.objects.values_list("order_id", flat=True).get(pk=claim_id)
    Order.objects.locked().get(pk=order_id)
    claim = RefundClaim.objects.get(pk=claim_id)
    if claim.state != State.CLAIMED:
        return
    asked = Operation.objects.filter(
        payment__order=claim.order_id, kind=OperationKind.REFUND, key=claim.key
    ).exclude(state=OperationState.FAILED)
    gone = asked.filter(state=OperationState.SUCCEEDED).aggregate(sum=Sum("amount"))["sum"] or 0
    if gone >= claim.amount:
        claim.state = State.PAID
    elif is_refused and not asked.exists():
        claim.state = State.RELEASED
        orders.unclaim_refund(order_id=claim.order_id, quantities=claim.pieces)
        if claim.return_request_id is not None:
            fulfilment.unclaim_refund(return_id=claim.return_request_id)
    else:
        return
    claim.settled_at = at
    claim.save(update_fields=["state", "settled_at"])


def _claim(
    order_id: UUID,
    quantities: Mapping[UUID, int],
    key: str,
    actor: Actor,
    at: datetime.datetime,
    return_id: UUID | None = None,
) -> RefundClaim:
    amount = orders.claim_refund(order_id=order_id, quantities=quantities)
    return RefundClaim.objects.create(
        order_id=order_id,
        return_request_id=return_id,
        key=key,
        quantities=_plain(quantities),
        amount=amount.amount,
        claimed_by=actor,
        claimed_at=at,
        due_at=at + rules.pause_after(0),
    )


def _plain(quantities: Mapping[UUID, int]) -> dict[str, int]:
    """As JSON has it."""
    return {str(line_id): pieces for line_id, pieces in quantities.items()}
