"""Who gets a mail."""

from uuid import UUID

from django.db.models import F, Q

from lavka.accounts.models import User
from lavka.orders.models import Order
from lavka.payments.selectors import is_vouched_for


def is_proven(email: str, *, user_id: UUID | None = None, order_id: UUID | None = None) -> bool:
    """Whether whoever reads this address has asked for a mail about the account or the order.

    They have proved that the address is theirs, or paid, be it that a provider vouches for the
    money: 1 query, 2 for an order that is not captured. Anybody can name the address of somebody
    else, and nobody pays to flood a mailbox.
    """
    if user_id is not None:
        owners = User.objects.filter(pk=user_id, email=email)
        return owners.exclude(email_verified_at=None).exists()
    if order_id is None:
        return False
    is_theirs = Q(customer__email=F("email"), customer__email_verified_at__isnull=False)
    is_paid = Q(captured_amount__gt=0)
    return Order.objects.filter(is_theirs | is_paid, pk=order_id).exists() or is_vouched_for(
        order_id
    )
