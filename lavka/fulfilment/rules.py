"""Which states of shipments and returns follow which."""

from collections.abc import Mapping

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ShipmentStatus(TextChoices):
    """Where a shipment is."""

    SENT = "sent", pgettext_lazy("of a shipment", "sent")
    DELIVERED = "delivered", pgettext_lazy("of a shipment", "delivered")


class ReturnStatus(TextChoices):
    """Where a return stands: staff approve or refuse it, the goods come, the money goes."""

    REQUESTED = "requested", pgettext_lazy("of a return", "requested")
    APPROVED = "approved", pgettext_lazy("of a return", "approved")
    REFUSED = "refused", pgettext_lazy("of a return", "refused")
    RECEIVED = "received", pgettext_lazy("of a return", "received")
    REFUNDED = "refunded", pgettext_lazy("of a return", "refunded")


class ReturnReason(TextChoices):
    """Why a customer sends something back."""

    UNWANTED = "unwanted", _("not wanted any more")
    DAMAGED = "damaged", _("damaged")
    WRONG_ITEM = "wrong_item", _("not what was ordered")
    NOT_AS_DESCRIBED = "not_as_described", _("not as described")
    OTHER = "other", _("another reason")


RETURN_TRANSITIONS: Mapping[ReturnStatus, frozenset[ReturnStatus]] = {
    ReturnStatus.REQUESTED: frozenset({ReturnStatus.APPROVED, ReturnStatus.REFUSED}),
    ReturnStatus.APPROVED: frozenset({ReturnStatus.RECEIVED, ReturnStatus.REFUSED}),
    ReturnStatus.REFUSED: frozenset(),
    ReturnStatus.RECEIVED: frozenset({ReturnStatus.REFUNDED}),
    ReturnStatus.REFUNDED: frozenset(),
}

# Their pieces are on the way back and cannot be asked back again.
ON_THE_WAY = (ReturnStatus.REQUESTED, ReturnStatus.APPROVED)


def may_follow(status: str, target: ReturnStatus) -> bool:
    """Whether a return may come from `status` to `target`."""
    return target in RETURN_TRANSITIONS[ReturnStatus(status)]
