"""The books side by side: orders, payments, ledger, provider."""

import datetime
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, Sum
from django.db.models.functions import Coalesce

from lavka.kernel.models import DriftReport
from lavka.kernel.money import CurrencyMismatch
from lavka.kernel.threads import in_thread
from lavka.orders.models import Order
from lavka.orders.rules import OrderStatus
from lavka.payments.gateways import registry
from lavka.payments.gateways.protocol import Statement
from lavka.payments.models import Operation, Payment
from lavka.payments.rules import AMOUNT_MISMATCH, Account

# Whose money the shop may keep.
_OWING = set(OrderStatus) - {OrderStatus.DRAFT, OrderStatus.CANCELLED}
# What is younger than this may still be on its way.
LAG = datetime.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference; `ours` and `theirs` are captured minus refunded, in minor units."""

    what: str
    subject: str
    ours: int
    theirs: int


async def reconcile(*, since: datetime.datetime, at: datetime.datetime) -> DriftReport:
    """Compare orders, payments, ledger and providers since then; mends nothing.

    What changed within `LAG` or has an unfinished operation is left for the next run.
    Raises: GatewayUnavailable.
    """
    payments = await in_thread(_payments, since)
    drifts = await in_thread(_order_drifts, since, at)
    drifts += [
        Drift("ledger", str(each.pk), _net(each), each.in_ledger)
        for each in payments
        if _net(each) != each.in_ledger
    ]
    drifts += await in_thread(_unbooked, since)
    for method in registry.methods():
        gateway = registry.gateway_of(method)
        if gateway.keeps_books:
            statements = await gateway.statements(since)
            of_method = [each for each in payments if each.method == method]
            drifts += await in_thread(_provider_drifts, of_method, statements, at)
    return await in_thread(
        DriftReport.objects.create,
        subject="money",
        checked=len(payments),
        drifted=len(drifts),
        details={"drifts": [asdict(each) for each in drifts[:100]]},
    )


def _order_drifts(since: datetime.datetime, at: datetime.datetime) -> list[Drift]:
    """Orders against what their payments hold: kept otherwise, paid twice, or paid for nothing."""
    recent = Payment.objects.filter(order=OuterRef("pk"), created_at__gte=since)
    captured, refunded = Sum("payments__captured"), Sum("payments__refunded")
    orders = (
        Order.objects.filter(Exists(recent), updated_at__lte=at - LAG)
        .annotate(paid=Coalesce(captured - refunded, 0))
        .order_by("id")
    )
    drifts = []
    for order in orders:
        kept = order.captured_amount - order.refunded_amount
        owed = order.total_amount if order.status in _OWING else 0
        if kept != order.paid:
            drifts.append(Drift("order", str(order.pk), kept, order.paid))
        if order.paid > owed:
            drifts.append(Drift("paid too much", str(order.pk), owed, order.paid))
    return drifts


def _unbooked(since: datetime.datetime) -> list[Drift]:
    """What providers did with another amount or currency than was asked for."""
    operations = Operation.objects.unfinished().filter(
        reason=AMOUNT_MISMATCH, payment__created_at__gte=since
    )
    return [Drift(AMOUNT_MISMATCH, str(each.pk), each.amount, 0) for each in operations]


def _payments(since: datetime.datetime) -> list[Any]:
    """Payments since then, with what is `in_ledger` and whether something `is_under_way`."""
    into, out_of = Q(entries__target=Account.CLEARING), Q(entries__source=Account.CLEARING)
    return list(
        Payment.objects.filter(created_at__gte=since)
        .annotate(
            in_ledger=Coalesce(Sum("entries__amount", filter=into), 0)
            - Coalesce(Sum("entries__amount", filter=out_of), 0),
            is_under_way=Exists(Operation.objects.unfinished().filter(payment=OuterRef("pk"))),
        )
        .order_by("id")
    )


def _provider_drifts(
    payments: Iterable[Any], statements: Iterable[Statement], at: datetime.datetime
) -> list[Drift]:
    theirs = {each.reference: each.captured - each.refunded for each in statements}
    inexact = {each.reference for each in statements if not each.is_exact}
    drifts = []
    for payment in payments:
        ours, nothing = payment.money(_net(payment)), payment.money(0)
        their = theirs.pop(payment.reference, nothing) if payment.reference else nothing
        is_at_rest = not payment.is_under_way and payment.updated_at <= at - LAG
        what = AMOUNT_MISMATCH if payment.reference in inexact else "provider"
        if is_at_rest and (their != ours or what == AMOUNT_MISMATCH):
            what = what if their.currency == ours.currency else CurrencyMismatch.code
            drifts.append(Drift(what, str(payment.pk), ours.amount, their.amount))
    known = set(
        Operation.objects.unfinished()
        .filter(pk__in=[each.key for each in statements if each.key])
        .values_list("pk", flat=True)
    )
    asked = {each.reference for each in statements if each.key in known}
    return drifts + [
        Drift("unknown charge", reference, 0, net.amount)
        for reference, net in theirs.items()
        if (net.amount or reference in inexact) and reference not in asked
    ]


def _net(payment: Payment) -> int:
    return payment.captured - payment.refunded
