"""How far a purchase has come."""

import datetime
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Sum

from lavka.carts.models import Cart
from lavka.checkout.models import Checkout, Quote, RefundClaim
from lavka.kernel import rows
from lavka.kernel.idempotency import require_same_meaning
from lavka.kernel.money import Money
from lavka.orders.models import Order
from lavka.orders.rules import OrderStatus
from lavka.payments.errors import NotCapturable, NotRefundable
from lavka.payments.models import Operation, Payment
from lavka.payments.rules import UNDECIDED, OperationKind, OperationState
from lavka.payments.selectors import REFUSALS, RESPITE

_HELD = """
SELECT coalesce(sum(authorised - voided - refunded), 0)
FROM payments_payment WHERE order_id = %s AND abandoned_at IS NULL
"""


@rows.Compiled
def quote(quote_id: UUID, cart_id: UUID) -> QuerySet[Quote]:
    """A quote of the cart."""
    return Quote.objects.filter(pk=quote_id, cart_id=cart_id)


@rows.Compiled
def checkout_of(cart_id: UUID) -> QuerySet[Checkout]:
    """The purchase of the cart that is under way."""
    return Checkout.objects.filter(order__cart_id=cart_id)


def order_id_of(cart_id: UUID) -> UUID | None:
    """What the cart became, a draft too: 1 query."""
    row = rows.fetch_one("SELECT id FROM orders_order WHERE cart_id = %s", [cart_id])
    return row[0] if row else None


def cart_id_of(order_id: UUID) -> UUID:
    """The cart, kept or not, that the order was: 1 query. Raises: Order.DoesNotExist."""
    row = rows.fetch_one("SELECT cart_id FROM orders_order WHERE id = %s", [order_id])
    if row is None:
        raise Order.DoesNotExist
    cart_id: UUID = row[0]
    return cart_id


_QUANTITIES = """
SELECT variant_id, sum(quantity) FROM orders_orderline WHERE order_id = %s GROUP BY variant_id
"""


def ordered_quantities(order_id: UUID) -> dict[UUID, int]:
    """Variant id → pieces: 1 query."""
    return dict(rows.fetch_all(_QUANTITIES, [order_id]))


def is_covered(order: Order) -> bool:
    """Whether payments that nobody gave up hold the order's total; the caller holds its row."""
    held = rows.fetch_one(_HELD, [order.pk])[0]
    return bool(held >= order.total_amount)


def live_payment(order_id: UUID) -> Payment | None:
    """The newest payment that may still pay for the order: undecided, or holding money."""
    payments = Payment.objects.filter(order_id=order_id, abandoned_at=None)
    holds = Q(authorised__gt=F("voided") + F("refunded"))
    return payments.filter(Q(status__in=UNDECIDED) | holds).order_by("-id").first()


def newest_payment(order_id: UUID) -> Payment | None:
    """What was tried last, whatever came of it."""
    return _newest_payment.first(order_id)


@rows.Compiled
def _newest_payment(order_id: UUID) -> QuerySet[Payment]:
    return Payment.objects.filter(order_id=order_id).order_by("-id")[:1]


def capture_parts(order: Order) -> list[tuple[UUID, Money]]:
    """What is still to be taken from which payment for the order's total, the oldest first.

    Raises: NotCapturable, when there is nothing.
    """
    payments = Payment.objects.filter(order=order, abandoned_at=None).order_by("id")
    left = order.total_amount - order.captured_amount
    parts = []
    for payment in payments:
        part = min(left, payment.amounts.capturable)
        if part > 0:
            parts.append((payment.pk, payment.money(part)))
            left -= part
    if not parts:
        raise NotCapturable(available=0)
    return parts


def surplus_of(order: Order) -> Money:
    """What was captured beyond the total and is not on its way back."""
    taken = F("captured") - F("refunded") - F("refunding")
    held = Payment.objects.filter(order=order).aggregate(held=Sum(taken))["held"] or 0
    return order.money(max(held - order.total_amount, 0))


def require_same_refund(order_id: UUID, key: str, fingerprint: str) -> None:
    """Compare with whatever was refunded, or tried to be, under the key; raises KeyReused."""
    claims = RefundClaim.objects.filter(order=order_id, key=key)
    operations = Operation.objects.filter(
        payment__order=order_id, kind=OperationKind.REFUND, key=key
    )
    earlier = [each.fingerprint for each in claims] + [each.fingerprint for each in operations]
    for each in earlier:
        require_same_meaning(each, fingerprint)


def refund_parts(order: Order, amount: Money | None, key: str) -> list[tuple[UUID, Money]]:
    """How much of `amount`, or of all there is, goes back on which payment, the oldest first.

    What a call with the same key has begun is not counted twice.
    Raises: NotRefundable, with what is `available`; CurrencyMismatch.
    """
    payments = list(Payment.objects.filter(order=order).order_by("id"))
    begun = {
        each.payment_id: each.amount
        for each in Operation.objects.filter(
            payment__order=order, kind=OperationKind.REFUND, key=key
        ).exclude(state=OperationState.FAILED)
    }
    room = {each.pk: begun.get(each.pk) or each.amounts.refundable for each in payments}
    available = order.money(sum(room.values()))
    left = (amount or available).require(order.currency, "#/amount/currency").amount
    if not 0 < left <= available.amount:
        raise NotRefundable(available=available.amount)
    parts = []
    for payment in payments:
        part = min(left, room[payment.pk])
        if part:
            parts.append((payment.pk, payment.money(part)))
            left -= part
    return parts


def order_of_cart(cart_id: UUID, caller_id: UUID | None, at: datetime.datetime) -> Order:
    """What became of a cart, a draft too, for whoever may reach the cart.

    Raises: Cart.DoesNotExist; Order.DoesNotExist, before the first checkout.
    """
    cart = Cart.objects.reachable(caller_id, at).only("pk").get(pk=cart_id)
    return Order.objects.only("pk").get(cart_id=cart.pk)


def overdue(at: datetime.datetime) -> QuerySet[Checkout]:
    """Drafts whose deadline has passed, the longest overdue first."""
    drafts = Checkout.objects.filter(order__status=OrderStatus.DRAFT, expires_at__lte=at)
    return drafts.order_by("expires_at")


def claims_left_behind(at: datetime.datetime) -> QuerySet[RefundClaim]:
    """Refunds of pieces whose money has not gone in time, the longest overdue first."""
    left = RefundClaim.objects.filter(state=RefundClaim.State.CLAIMED, due_at__lte=at)
    return left.order_by("due_at")


def orders_paid_too_much(at: datetime.datetime) -> QuerySet[Order, UUID]:
    """Ids of orders that hold more than they cost, the longest unchanged first.

    One whose provider has refused several times lately is left alone for a while.
    """
    refused = Count(
        "payments__operations",
        filter=Q(
            payments__operations__state=OperationState.FAILED,
            payments__operations__finished_at__gt=at - RESPITE,
        ),
    )
    orders = Order.objects.placed().paid_too_much().annotate(refused=refused)
    return orders.filter(refused__lt=REFUSALS).order_by("updated_at").values_list("pk", flat=True)
