"""What the sandbox does with a request; the token alone decides, so that tests can foretell it."""

import datetime
import json
from uuid import UUID

from django.db import transaction
from django.db.models import F

from lavka.kernel import clock, events, keys, rows
from lavka.kernel.money import Money
from lavka.payments.sandbox.events import WebhookDue
from lavka.payments.sandbox.models import Charge, ChargeChange, Webhook

Status = Charge.Status
Kind = ChargeChange.Kind

SIGNATURE_HEADER = "Sandbox-Signature"
# Charges the money, then lets the shop wait in vain.
TIMEOUT_AFTER_CHARGE = "timeout_after_charge"
# Gives up before anything happened.
ERROR = "error"
DUPLICATED_WEBHOOKS, REORDERED_WEBHOOKS = "duplicated_webhooks", "reordered_webhooks"
# Charges the money; declines every refund, or gives no answer after it went.
REFUND_DECLINED, TIMEOUT_AFTER_REFUND = "refund_declined", "timeout_after_refund"
# What is not named here is declined as an unknown token.
REQUIRES_ACTION, PENDING = "requires_action", "pending"
APPROVED_AT_ONCE = {
    "success",
    TIMEOUT_AFTER_CHARGE,
    DUPLICATED_WEBHOOKS,
    REORDERED_WEBHOOKS,
    REFUND_DECLINED,
    TIMEOUT_AFTER_REFUND,
}
REASONS = {"declined": "declined", "insufficient_funds": "insufficient_funds"}
TOKENS = (*sorted(APPROVED_AT_ONCE), REQUIRES_ACTION, PENDING, *REASONS, ERROR)


@transaction.atomic(durable=True)
def open_charge(
    *, key: UUID, token: str, amount: Money, wants_capture: bool, return_url: str = ""
) -> Charge:
    """Decide on a request for money; a key that comes again gets the first decision."""
    charge = Charge(
        key=key,
        token=token,
        amount=amount.amount,
        currency=amount.currency,
        wants_capture=wants_capture,
        return_url=return_url,
        created_at=clock.now(),
        **_decision(token),
    )
    _take_money(charge)
    if not rows.insert_once(charge, "key"):
        return Charge.objects.get(key=key)
    _tell_decision(charge)
    return charge


@transaction.atomic(durable=True)
def confirm_charge(*, charge_id: UUID, is_confirmed: bool) -> Charge:
    """Let the customer's word decide on what waits for it; later words change nothing.

    A token `pending` waits for the provider itself, and is confirmed the same way.
    Raises: Charge.DoesNotExist. Locks: the charge.
    """
    charge = Charge.objects.select_for_update(no_key=True).get(pk=charge_id)
    if charge.status in {Status.WAITS_FOR_CUSTOMER, Status.PROCESSING}:
        charge.status = Status.APPROVED if is_confirmed else Status.DECLINED
        charge.reason = "" if is_confirmed else "authentication_failed"
        _take_money(charge)
        charge.save(update_fields=["status", "reason", "captured"])
        _tell_decision(charge)
    return charge


@transaction.atomic(durable=True)
def change_charge(*, key: UUID, charge_id: UUID, kind: Kind, amount: int) -> ChargeChange:
    """Capture, void or refund; `is_done` is False when the books do not allow it.

    Raises: Charge.DoesNotExist. Locks: the charge.
    """
    charge = Charge.objects.select_for_update(no_key=True).get(pk=charge_id)
    earlier = charge.changes.filter(pk=key).first()
    if earlier is not None:
        return earlier
    change = ChargeChange.objects.create(
        key=key,
        charge=charge,
        kind=kind,
        amount=amount,
        is_done=_apply(charge, kind, amount),
        created_at=clock.now(),
    )
    if change.is_done:
        _tell(charge, f"charge.{kind}")
    return change


def find_charge(*, key: UUID) -> Charge | None:
    """What was opened under the shop's key."""
    return Charge.objects.filter(key=key).first()


def find_change(*, key: UUID) -> ChargeChange | None:
    """What was done under the shop's key, with its charge."""
    return ChargeChange.objects.select_related("charge").filter(pk=key).first()


def charges_since(since: datetime.datetime) -> list[Charge]:
    """The books, oldest first."""
    return list(Charge.objects.filter(created_at__gte=since).order_by("created_at"))


def body_of(webhook: Webhook) -> bytes:
    """What is sent: the same bytes every time."""
    return json.dumps(
        {
            "id": str(webhook.pk),
            "kind": webhook.kind,
            "charge": str(webhook.charge_id),
            "key": str(webhook.charge.key),
        }
    ).encode()


def signature_of(body: bytes) -> str:
    """HMAC-SHA256 over the raw body, with a key of the shop's that is for this alone."""
    return keys.sign(keys.SANDBOX, body)


def is_signed(body: bytes, signature: str) -> bool:
    """Whether the sandbox wrote the body."""
    return keys.is_signature(keys.SANDBOX, body, signature)


def _decision(token: str) -> dict[str, str]:
    if token in APPROVED_AT_ONCE:
        return {"status": Status.APPROVED}
    if token == REQUIRES_ACTION:
        return {"status": Status.WAITS_FOR_CUSTOMER}
    if token == PENDING:
        return {"status": Status.PROCESSING}
    return {"status": Status.DECLINED, "reason": REASONS.get(token, "unknown_token")}


def _take_money(charge: Charge) -> None:
    """Of an approved charge."""
    if charge.status == Status.APPROVED and charge.wants_capture:
        charge.captured = charge.amount


def _tell_decision(charge: Charge) -> None:
    """Tell the shop what was decided."""
    kinds = [f"charge.{charge.status}"]
    if charge.captured:
        kinds.append("charge.captured")
    if charge.token == REORDERED_WEBHOOKS:
        kinds.reverse()
    _tell(charge, *kinds)


def _apply(charge: Charge, kind: Kind, amount: int) -> bool:
    """Change the books by one guarded statement; the row is locked, the guard is the rule."""
    charges, left = Charge.objects.filter(pk=charge.pk), F("amount") - F("captured") - F("voided")
    if kind == Kind.REFUND:
        within = charges.exclude(token=REFUND_DECLINED).filter(captured__gte=F("refunded") + amount)
        return bool(within.update(refunded=F("refunded") + amount))
    approved = charges.filter(status=Status.APPROVED)
    if kind == Kind.CAPTURE:
        within = approved.filter(amount__gte=F("captured") + F("voided") + amount)
        return bool(within.update(captured=F("captured") + amount))
    waiting = charges.filter(status__in=[Status.WAITS_FOR_CUSTOMER, Status.PROCESSING])
    if waiting.update(status=Status.CANCELLED):
        return True
    within = approved.filter(amount__gt=F("captured") + F("voided"))
    return bool(within.update(voided=F("voided") + left))


def _tell(charge: Charge, *kinds: str) -> None:
    webhooks = [Webhook(charge=charge, kind=kind) for kind in kinds]
    rows.insert_all(webhooks)
    times = 2 if charge.token == DUPLICATED_WEBHOOKS else 1
    events.publish_all(
        WebhookDue(webhook_id=webhook.pk) for webhook in webhooks for _ in range(times)
    )
