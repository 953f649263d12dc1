"""How payments and the ledger are read."""

import datetime
from uuid import UUID

from django.db.models import FETCH_RAISE, Count, F, Prefetch, Q, QuerySet, Sum

from lavka.kernel import rows
from lavka.kernel.idempotency import KeyReused
from lavka.orders.rules import PaymentSums
from lavka.payments.gateways import registry
from lavka.payments.gateways.protocol import Gateway
from lavka.payments.models import LedgerEntry, Operation, Payment, ProviderEvent
from lavka.payments.rules import (
    UNDECIDED,
    UNFINISHED,
    Account,
    OperationKind,
    OperationState,
    PaymentInput,
)

# By then the process that asked has its answer, or is gone.
LEASE = datetime.timedelta(seconds=60)
# A webhook that is this late may have been lost.
PATIENCE = datetime.timedelta(minutes=5)
# After so many refusals within so long, giving back pauses.
REFUSALS, RESPITE = 5, datetime.timedelta(hours=1)
# Nobody comes back from their bank after this.
EXPIRY = datetime.timedelta(hours=24)


@rows.Compiled
def _payment(payment_id: UUID) -> QuerySet[Payment]:
    return Payment.objects.filter(pk=payment_id)


def payment(payment_id: UUID) -> Payment:
    """A payment alone; raises Payment.DoesNotExist."""
    return _payment.get(payment_id)


def payments_of(order_id: UUID) -> QuerySet[Payment]:
    """An order's payments, the first one first, with what was asked of their providers."""
    return all_payments().filter(order_id=order_id).order_by("id")


def all_payments() -> QuerySet[Payment]:
    """Every payment with its operations: 2 queries."""
    operations = Operation.objects.order_by("id").fetch_mode(FETCH_RAISE)
    return Payment.objects.prefetch_related(Prefetch("operations", operations)).fetch_mode(
        FETCH_RAISE
    )


def waiting_payment(order_id: UUID) -> Payment | None:
    """The order's payment that its customer has begun and not confirmed."""
    waiting = Payment.objects.undecided().filter(order_id=order_id, abandoned_at=None)
    return waiting.exclude(reference="").first()


def payment_by_key(order_id: UUID, key: str, means: PaymentInput) -> Payment | None:
    """The payment that was opened under the key; raises KeyReused, if by another means."""
    earlier = Payment.objects.filter(order_id=order_id, key=key).first()
    if earlier is not None and (earlier.method, earlier.token) != (
        means.method,
        means.token,
    ):
        raise KeyReused
    return earlier


_HELD = """
SELECT coalesce(sum(authorised - voided - refunded), 0)
    + coalesce(sum(amount) FILTER (WHERE status = ANY(%s)), 0)
FROM payments_payment WHERE order_id = %s AND abandoned_at IS NULL
"""


def held_for(order_id: UUID) -> int:
    """What an order's payments hold, taken or not, or are being asked for, in minor units."""
    return int(rows.fetch_one(_HELD, [[*map(str, UNDECIDED)], order_id])[0])


_SUMS = """
SELECT coalesce(sum(authorised - captured - voided), 0), coalesce(sum(captured), 0),
    coalesce(sum(refunded), 0)
FROM payments_payment WHERE order_id = %s
"""


def is_promised(order_id: UUID) -> bool:
    """Whether an order has only a promise of its money, from somebody who pays later: 1 query."""
    payments = Payment.objects.filter(order_id=order_id, abandoned_at=None)
    return any(each.pays_later for each in _gateways_of(payments))


def is_vouched_for(order_id: UUID) -> bool:
    """Whether a provider has once approved money of an order, and no mere promise: 1 query."""
    payments = Payment.objects.filter(order_id=order_id, authorised__gt=0)
    return not all(each.pays_later for each in _gateways_of(payments))


def _gateways_of(payments: QuerySet[Payment]) -> list[Gateway]:
    """The gateways that were used, as far as the shop has them still."""
    used = set(payments.values_list("method", flat=True))
    return [registry.gateway_of(method) for method in registry.methods() if method in used]


def sums_of(order_id: UUID) -> PaymentSums:
    """What an order's payments add up to; the caller holds the order's row."""
    return PaymentSums(*map(int, rows.fetch_one(_SUMS, [order_id])))


def operation_with_payment(operation_id: UUID) -> Operation:
    """An operation and its payment; raises Operation.DoesNotExist."""
    return Operation.objects.select_related("payment").get(pk=operation_id)


def operations_to_look_up(at: datetime.datetime) -> QuerySet[Operation]:
    """What was cut off, or waits for a webhook that may be lost; least recently asked first."""
    started = Q(state=OperationState.STARTED, started_at__lte=at - LEASE) & (
        Q(looked_up_at=None) | Q(looked_up_at__lte=at - LEASE)
    )
    waiting = Q(state=OperationState.WAITING, started_at__lte=at - PATIENCE) & (
        Q(looked_up_at=None) | Q(looked_up_at__lte=at - PATIENCE)
    )
    return Operation.objects.filter(started | waiting).order_by(
        F("looked_up_at").asc(nulls_first=True), "id"
    )


def payments_to_give_back(at: datetime.datetime) -> QuerySet[Payment]:
    """Abandoned payments that hold money or may come to, longest untouched first.

    One whose provider has refused several times lately is left alone for a while.
    """
    refused = Count(
        "operations",
        filter=Q(operations__state=OperationState.FAILED, operations__finished_at__gt=at - RESPITE),
    )
    payments = Payment.objects.to_give_back().annotate(refused=refused)
    return payments.filter(refused__lt=REFUSALS).order_by("updated_at")


def expired_payments(at: datetime.datetime) -> QuerySet[Payment, UUID]:
    """Ids of payments that their customers have left undecided for too long."""
    left = Payment.objects.undecided().filter(abandoned_at=None, created_at__lte=at - EXPIRY)
    return left.order_by("created_at").values_list("id", flat=True)


def operations_meant_by(spoken: ProviderEvent) -> QuerySet[Operation]:
    """What a webhook may be about: the operation it names, and all that its payment waits for.

    Also a request for money that was given up, as the webhook may say that it was approved.
    """
    of_payment = Q(payment__method=spoken.method) & Q(payment__reference=spoken.reference)
    is_open = Q(state__in=UNFINISHED) | Q(state=OperationState.FAILED, kind=OperationKind.AUTHORISE)
    named = Q(pk=spoken.key) if spoken.key else Q(pk=None)
    by_reference = of_payment if spoken.reference else Q(pk=None)
    return Operation.objects.filter(is_open & (named | by_reference)).order_by("id")


def balance_of(account: Account, **of: object) -> dict[str, int]:
    """What an account took in minus what it gave, in minor units by currency.

    `of` narrows the entries down, as `order_id=…` or `payment=…`.
    """
    entries = LedgerEntry.objects.filter(**of).order_by()
    balances: dict[str, int] = {}
    for direction, sign in ((Q(target=account), 1), (Q(source=account), -1)):
        sums = entries.filter(direction).values("currency").annotate(total=Sum("amount"))
        for each in sums:
            balances[each["currency"]] = balances.get(each["currency"], 0) + sign * each["total"]
    return balances
