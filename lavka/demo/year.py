"""The demo's year: orders, what became of them, and reviews, each at its instant."""

import datetime
from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from itertools import count

from django.db import transaction

from lavka.accounts.models import User
from lavka.demo import orders, reviews
from lavka.demo.orders import Purchase, Step
from lavka.demo.reviews import Opinion
from lavka.fulfilment.events import ShipmentSent
from lavka.kernel import clock
from lavka.kernel.actors import Actor
from lavka.kernel.models import OutboxEvent
from lavka.notifications import services as notifications
from lavka.notifications.models import SentMail
from lavka.orders.events import OrderPlaced
from lavka.orders.models import Order
from lavka.payments.events import PaymentRefunded

# What tells of an order by mail, and by which.
MAILS = {
    OrderPlaced.name: SentMail.Kind.ORDER_PLACED,
    ShipmentSent.name: SentMail.Kind.ORDER_SHIPPED,
    PaymentRefunded.name: SentMail.Kind.ORDER_REFUNDED,
}
# What happened before that is not mailed about any more.
MAILED_FOR = datetime.timedelta(days=1)

type Happening = Purchase | Opinion | tuple[Order, Step]


def play(
    purchases: Sequence[Purchase],
    opinions: Sequence[Opinion],
    *,
    staff: User,
    voters: list[User],
    at: datetime.datetime,
) -> Iterator[str]:
    """Let everything happen that comes before `at`, in its order; yields "order" and "review".

    It stops where nothing can be sent to a customer.
    """
    numbers = count()
    coming: list[tuple[datetime.datetime, int, Happening]] = [
        *((each.placed_at, next(numbers), each) for each in purchases),
        *((each.written_at, next(numbers), each) for each in opinions),
    ]
    heapify(coming)
    while coming:
        instant, _number, happening = heappop(coming)
        with clock.set_to(instant):
            if isinstance(happening, Opinion):
                reviews.write_review(happening, voters)
                yield "review"
                continue
            if isinstance(happening, Purchase):
                order = orders.buy(happening, instant)
                if order is None:
                    continue
                for later, step in happening.steps:
                    if instant + later < at:
                        heappush(coming, (instant + later, next(numbers), (order, step)))
                yield "order"
            else:
                order, step = happening
                step(order, Actor.staff(staff.pk), instant)
        if instant < at - MAILED_FOR:
            _count_as_mailed(order, instant)


@transaction.atomic
def _count_as_mailed(order: Order, instant: datetime.datetime) -> None:
    """Nobody is mailed today what was mailed back then."""
    told = OutboxEvent.objects.filter(name__in=MAILS, occurred_at=instant)
    for event_id, name in told.values_list("pk", "name"):
        kind = MAILS[name]
        notifications.claim_mail(event_id=event_id, kind=kind, order_id=order.pk, at=instant)
        notifications.mark_mail_sent(event_id=event_id, kind=kind, at=instant)
