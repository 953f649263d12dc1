"""What is forgotten: quotes, and drafts that came to nothing."""

import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from lavka.carts.models import Cart
from lavka.checkout.models import Quote
from lavka.orders.models import Order
from lavka.orders.services import forget_drafts
from lavka.payments.models import Payment
from lavka.payments.rules import PaymentStatus
from lavka.payments.services import forget_payments

CAME_TO_NOTHING = (PaymentStatus.FAILED, PaymentStatus.VOIDED)


@transaction.atomic
def purge_quotes(*, before: datetime.datetime, limit: int) -> int:
    """Delete up to `limit` quotes that ended before then; returns how many."""
    ended = Quote.objects.filter(expires_at__lt=before).order_by("expires_at")
    unlocked = ended.select_for_update(of=("self",), skip_locked=True)
    ids = list(unlocked.values_list("pk", flat=True)[:limit])
    return Quote.objects.filter(pk__in=ids).delete()[0]


@transaction.atomic
def purge_drafts(*, before: datetime.datetime, limit: int) -> int:
    """Delete up to `limit` drafts that nobody has touched since then; returns how many.

    One whose cart is still there may be paid yet. One whose payments ever held money, or may come
    to, is a part of the books and stays.
    Locks: drafts that nobody else has locked.
    """
    cart = Cart.objects.filter(pk=OuterRef("cart_id"))
    live = Payment.objects.filter(order=OuterRef("pk")).exclude(status__in=CAME_TO_NOTHING)
    idle = Order.objects.drafts().filter(updated_at__lt=before, checkout=None, history=None)
    past = idle.exclude(Exists(cart)).exclude(Exists(live)).order_by("updated_at")
    unlocked = past.select_for_update(of=("self",), skip_locked=True)
    ids = list(unlocked.values_list("pk", flat=True)[:limit])
    forget_payments(order_ids=ids)
    return forget_drafts(order_ids=ids)
