"""One task a kind of mail; each runs for every event that its handler names."""

import datetime
from typing import Any
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from lavka.kernel.delivery import Task
from lavka.notifications import flows, services
from lavka.notifications.errors import MailInFlight
from lavka.notifications.models import SentMail

Kind = SentMail.Kind

KEEP_RECORDS = datetime.timedelta(days=90)
# About half an hour, as jitter halves the pauses. The longest pause is shorter than the visibility
# timeout of a Valkey broker, which would deliver a waiting message a second time.
PATIENT: dict[str, Any] = {
    "acks_late": True,
    "autoretry_for": (*Task.autoretry_for, MailInFlight),
    "max_retries": 60,
    "retry_backoff": 2,
    "retry_backoff_max": 60,
    "retry_jitter": True,
}


@shared_task(name="notifications.send_verification", **PATIENT)
def send_verification(*, event_id: str, user_id: str, **_: object) -> None:
    """Mail the token that verifies an address, unless it is verified by now."""
    flows.mail_user(kind=Kind.VERIFY_EMAIL, event_id=UUID(event_id), user_id=UUID(user_id))


@shared_task(name="notifications.send_account_exists", **PATIENT)
def send_account_exists(*, event_id: str, user_id: str, **_: object) -> None:
    """Tell an owner that somebody tried to register their address."""
    flows.mail_user(kind=Kind.ACCOUNT_EXISTS, event_id=UUID(event_id), user_id=UUID(user_id))


@shared_task(name="notifications.send_password_reset", **PATIENT)
def send_password_reset(*, event_id: str, user_id: str, **_: object) -> None:
    """Mail the token for a new password; nobody's id gets no mail."""
    flows.mail_user(kind=Kind.RESET_PASSWORD, event_id=UUID(event_id), user_id=UUID(user_id))


@shared_task(name="notifications.send_sign_in_link", **PATIENT)
def send_sign_in_link(*, event_id: str, user_id: str, **_: object) -> None:
    """Mail the token that signs in; nobody's id gets no mail."""
    flows.mail_user(kind=Kind.SIGN_IN, event_id=UUID(event_id), user_id=UUID(user_id))


@shared_task(name="notifications.send_password_changed", **PATIENT)
def send_password_changed(*, event_id: str, user_id: str, **_: object) -> None:
    """Tell an owner that their password is another now."""
    flows.mail_user(kind=Kind.PASSWORD_CHANGED, event_id=UUID(event_id), user_id=UUID(user_id))


@shared_task(name="notifications.send_email_change", **PATIENT)
def send_email_change(*, event_id: str, user_id: str, change_id: str, **_: object) -> None:
    """Mail the token that confirms another address; one that somebody else has gets no mail."""
    _mail_email_change(Kind.CHANGE_EMAIL, event_id, user_id, change_id)


@shared_task(name="notifications.send_email_change_requested", **PATIENT)
def send_email_change_requested(
    *, event_id: str, user_id: str, change_id: str, **_: object
) -> None:
    """Tell the old address that another one is asked for."""
    _mail_email_change(Kind.EMAIL_CHANGE_REQUESTED, event_id, user_id, change_id)


@shared_task(name="notifications.send_email_changed", **PATIENT)
def send_email_changed(*, event_id: str, user_id: str, change_id: str, **_: object) -> None:
    """Tell the old address that it is the account's no more, unless it was restored by now."""
    _mail_email_change(Kind.EMAIL_CHANGED, event_id, user_id, change_id)


def _mail_email_change(kind: Kind, event_id: str, user_id: str, change_id: str) -> None:
    flows.mail_email_change(
        kind=kind, event_id=UUID(event_id), user_id=UUID(user_id), change_id=UUID(change_id)
    )


@shared_task(name="notifications.send_order_placed", **PATIENT)
def send_order_placed(*, event_id: str, order_id: str, **_: object) -> None:
    """Confirm an order."""
    flows.mail_buyer(kind=Kind.ORDER_PLACED, event_id=UUID(event_id), order_id=UUID(order_id))


@shared_task(name="notifications.send_order_shipped", **PATIENT)
def send_order_shipped(*, event_id: str, shipment_id: str, order_id: str, **_: object) -> None:
    """Tell a buyer what is on its way; each parcel has a mail of its own."""
    flows.mail_shipment(
        event_id=UUID(event_id), shipment_id=UUID(shipment_id), order_id=UUID(order_id)
    )


@shared_task(name="notifications.send_order_cancelled", **PATIENT)
def send_order_cancelled(*, event_id: str, order_id: str, **_: object) -> None:
    """Tell a buyer that an order is cancelled, and what becomes of the money."""
    flows.mail_cancellation(event_id=UUID(event_id), order_id=UUID(order_id))


@shared_task(name="notifications.send_order_refunded", **PATIENT)
def send_order_refunded(
    *, event_id: str, order_id: str, operation_id: str | None = None, **_: object
) -> None:
    """Tell a buyer what goes back, unless the mail about the cancellation does."""
    operation = None if operation_id is None else UUID(operation_id)
    flows.mail_refund(event_id=UUID(event_id), order_id=UUID(order_id), operation_id=operation)


@shared_task(name="notifications.send_return_changed", **PATIENT)
def send_return_changed(
    *, event_id: str, return_id: str, order_id: str, status: str = "", **_: object
) -> None:
    """Tell a buyer that a return is approved, refused or received."""
    flows.mail_return(
        event_id=UUID(event_id), return_id=UUID(return_id), order_id=UUID(order_id), status=status
    )


@shared_task(name="notifications.send_back_in_stock", **PATIENT)
def send_back_in_stock(*, event_id: str, user_id: str, variant_id: str, **_: object) -> None:
    """Tell a customer that what they waited for is back."""
    flows.mail_waiting(event_id=UUID(event_id), user_id=UUID(user_id), variant_id=UUID(variant_id))


@shared_task(name="notifications.purge_sent_mail")
def purge_sent_mail(**_: object) -> None:
    """Delete records that no event can ask for any more."""
    services.purge_sent_mail(before=timezone.now() - KEEP_RECORDS)
