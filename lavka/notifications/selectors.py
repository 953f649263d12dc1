"""Who gets a mail, and what mails say of an order's money."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, Q, Sum

from lavka.accounts import selectors as accounts
from lavka.accounts.models import User
from lavka.accounts.rules import MailPurpose, mailbox_digest
from lavka.checkout.models import RefundClaim
from lavka.kernel.actors import ActorKind
from lavka.notifications.rules import purpose_of
from lavka.orders.models import Order, OrderLine
from lavka.orders.rules import PAYMENT_OVERDUE, EventKind
from lavka.payments.gateways import registry
from lavka.payments.models import Operation, Payment
from lavka.payments.rules import OperationKind, OperationState
from lavka.payments.selectors import is_vouched_for


def budget_of(
    kind: str, to: str, *, user_id: UUID | None = None, order_id: UUID | None = None
) -> str:
    """Out of which budget a mail to this address goes, empty for none: 1 to 3 queries.

    It is the mailbox's, which all its spellings share, until somebody has proved that it is theirs.
    What lets somebody back into an account is no stranger's to use up: the spellings that others
    register after it draw on no budget but that of the mailbox. Mails that anybody can ask for are
    then bounded by their pauses (`lavka.accounts.rules`), others by a budget of the account.
    """
    if is_proven(to, user_id=user_id, order_id=order_id):
        return ""
    if user_id is None or purpose_of(kind) != "recovery":
        return mailbox_digest(to)
    if not accounts.is_first_of_mailbox(email=to, user_id=user_id):
        return mailbox_digest(to)
    return "" if kind in MailPurpose else user_id.hex


def is_proven(email: str, *, user_id: UUID | None = None, order_id: UUID | None = None) -> bool:
    """Whether whoever reads this address has asked for a mail about the account or the order.

    They have proved that the address is theirs, or paid, be it that a provider vouches for the
    money: 1 query, 2 for an order that is not captured. Anybody can name the address of somebody
    else, and nobody pays to flood a mailbox. Nobody registers as staff: the shop chose those.
    """
    if user_id is not None:
        is_chosen = Q(is_staff=True) | Q(is_superuser=True)
        owners = User.objects.filter(is_chosen | Q(email_verified_at__isnull=False))
        return owners.filter(pk=user_id, email=email).exists()
    if order_id is None:
        return False
    is_theirs = Q(customer__email=F("email"), customer__email_verified_at__isnull=False)
    is_paid = Q(captured_amount__gt=0)
    return Order.objects.filter(is_theirs | is_paid, pk=order_id).exists() or is_vouched_for(
        order_id
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Cancellation:
    """How an order was cancelled, and where its money stood then, in minor units.

    `is_paid_later` says that money came after it, of which the cancellation told nothing.
    """

    is_overdue: bool
    is_customers: bool
    captured: int
    refunded: int
    is_paid_later: bool


def cancellation_of(order: Order) -> Cancellation | None:
    """What the history says; None for an order that is not cancelled: 1 query.

    The history stays as it is while the money goes back, so a mail says the same however late.
    """
    kinds = [EventKind.CAPTURED, EventKind.REFUNDED, EventKind.CANCELLED]
    entries = list(order.history.filter(kind__in=kinds).order_by("id"))
    moment = next((i for i, each in enumerate(entries) if each.kind == EventKind.CANCELLED), None)
    if moment is None:
        return None
    cancelled, before, after = entries[moment], entries[:moment], entries[moment:]

    def moved(kind: EventKind) -> int:
        return sum(each.details["amount"]["amount"] for each in before if each.kind == kind)

    return Cancellation(
        is_overdue=cancelled.details.get("reason") == PAYMENT_OVERDUE,
        is_customers=cancelled.actor_kind in {ActorKind.CUSTOMER, ActorKind.GUEST},
        captured=moved(EventKind.CAPTURED),
        refunded=moved(EventKind.REFUNDED),
        is_paid_later=any(each.kind == EventKind.CAPTURED for each in after),
    )


def reserved_for(order: Order) -> int:
    """What was reserved with the customer's bank and never taken, in minor units: 1 query.

    A promise to pay later reserves nothing.
    """
    methods = [each for each in registry.methods() if registry.gateway_of(each).pays_later]
    untouched = Payment.objects.filter(order=order, captured=0).exclude(method__in=methods)
    return untouched.aggregate(sum=Sum("authorised"))["sum"] or 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Refund:
    """What one request for a refund gave back, in minor units, and for which pieces, if for any."""

    amount: int
    pieces: list[tuple[OrderLine, int]]


def refund_of(order: Order, operation_id: UUID) -> Refund | None:
    """The refund that the operation completes: 3 queries, 4 when it is for pieces.

    None for one that is not the latest of its request, which may go over several payments: the
    latest tells of them all.
    """
    refunds = Operation.objects.filter(payment__order=order, kind=OperationKind.REFUND)
    asked = refunds.get(pk=operation_id)
    parts = list(
        refunds.filter(key=asked.key, state=OperationState.SUCCEEDED).order_by("finished_at", "id")
    )
    if parts[-1].pk != operation_id:
        return None
    claim = RefundClaim.objects.standing().filter(order=order, key=asked.key).first()
    quantities = {} if claim is None else claim.pieces
    lines = OrderLine.objects.filter(pk__in=quantities)
    return Refund(
        amount=sum(each.amount for each in parts),
        pieces=[(line, quantities[line.pk]) for line in lines],
    )
