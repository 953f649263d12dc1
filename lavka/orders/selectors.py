"""How orders are read."""

import datetime
from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import FETCH_RAISE, Prefetch, QuerySet
from django.db.models.fields.json import KT
from django.utils import timezone

from lavka.kernel import rows
from lavka.kernel.actors import Actor
from lavka.orders import search_terms, tokens
from lavka.orders.models import FoundBy, Order, OrderEvent, OrderLine
from lavka.orders.rules import EventKind

MAX_DIGITS = 19  # of a number that fits the column


def orders_of(customer_id: UUID) -> QuerySet[Order]:
    """A customer's orders with their lines: 2 queries."""
    return _with_lines(Order.objects.placed().filter(customer_id=customer_id))


def order_for(order_id: UUID, *, customer_id: UUID | None, key: str) -> Order:
    """An order with its lines, for its customer or for whoever holds its key.

    Raises: Order.DoesNotExist, also for everybody else.
    """
    orders = _with_lines(Order.objects.placed())
    if not key:
        if customer_id is None:
            raise Order.DoesNotExist
        return orders.get(pk=order_id, customer_id=customer_id)
    order = orders.get(pk=order_id)
    is_own = customer_id is not None and order.customer_id == customer_id
    if not (is_own or tokens.opens(key, order_id, order.link_version)):
        raise Order.DoesNotExist
    return order


def order_numbered(number: int, *, customer_id: UUID | None, key: str) -> Order:
    """As `order_for`, by the order's number: 3 queries; raises Order.DoesNotExist."""
    order_id = Order.objects.placed().values_list("pk", flat=True).get(number=number)
    return order_for(order_id, customer_id=customer_id, key=key)


def all_orders(
    *,
    status: str = "",
    payment_status: str = "",
    query: str = "",
    since: datetime.date | None = None,
    until: datetime.date | None = None,
) -> QuerySet[Order]:
    """Every order, for staff, with its lines; `query` as in `ids_matching`.

    It was placed on one of the days from `since` to `until`, both included.
    """
    orders = _with_lines(Order.objects.placed())
    if status:
        orders = orders.filter(status=status)
    if payment_status:
        orders = orders.filter(payment_status=payment_status)
    if since:
        orders = orders.filter(placed_at__gte=_midnight(since))
    if until:
        orders = orders.filter(placed_at__lt=_midnight(until + datetime.timedelta(days=1)))
    return orders.filter(pk__in=ids_matching(query)) if query.strip() else orders


def ids_matching(query: str) -> QuerySet[Any, Any]:
    """The ids of orders that staff mean by a text.

    It is a number, a SKU or its beginning, a postal code, a phone or digits of it, or terms that
    are all in e-mail address, names, cities, postal codes and phones. "#" and "№" stand before
    nothing but a number. Drafts are found by their whole e-mail address or SKU.
    """
    typed = query.strip()
    text = typed.lstrip("#№ ")
    if not text:
        return Order.objects.none().values("pk")
    numbered = Order.objects.none()
    if text.isdecimal() and len(text) < MAX_DIGITS:
        numbered = Order.objects.filter(number=int(text))
        if text != typed:
            return numbered.values("pk")
    described = Order.objects.none()
    if conditions := search_terms.conditions_of(text):
        described = Order.objects.placed().alias(described=FoundBy()).filter(*conditions)
    # Each has an index of its own, which OR would not let PostgreSQL use.
    ways = [
        numbered.values("pk"),
        Order.objects.filter(email=text.lower()).values("pk"),
        OrderLine.objects.filter(sku__istartswith=text).values("order"),
        described.values("pk"),
    ]
    return ways[0].union(*ways[1:])


def _midnight(day: datetime.date) -> datetime.datetime:
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time.min))


def history_of(order_id: UUID) -> QuerySet[OrderEvent]:
    """What happened to an order, oldest first, with who did it."""
    entries = OrderEvent.objects.filter(order_id=order_id).select_related("actor")
    return entries.order_by("id").fetch_mode(FETCH_RAISE)


def is_picture_shown(names: Collection[str]) -> bool:
    """Whether an order line shows the picture with one of these files: 1 query."""
    lines = OrderLine.objects.alias(file=KT("image__file"))
    return lines.filter(image__isnull=False, file__in=names).exists()


def last_editor(order_id: UUID) -> Actor | None:
    """Who changed an order's lines last, if anybody did: 1 query."""
    edits = OrderEvent.objects.filter(order_id=order_id, kind=EventKind.EDITED)
    newest = edits.order_by("-id").first()
    return None if newest is None else newest.by


def with_lines(order_id: UUID) -> Order:
    """An order in any state, a draft too, with its lines; raises Order.DoesNotExist."""
    order = _order.get(order_id)
    rows.attach(order, "lines", _lines.all(order_id))
    return order


@rows.Compiled
def _order(order_id: UUID) -> QuerySet[Order]:
    return Order.objects.filter(pk=order_id).fetch_mode(FETCH_RAISE)


@rows.Compiled
def _lines(order_id: UUID) -> QuerySet[OrderLine]:
    lines = OrderLine.objects.filter(order_id=order_id)
    return lines.order_by("position").fetch_mode(FETCH_RAISE)


def _with_lines(orders: QuerySet[Order]) -> QuerySet[Order]:
    lines = OrderLine.objects.order_by("position").fetch_mode(FETCH_RAISE)
    return orders.prefetch_related(Prefetch("lines", lines)).fetch_mode(FETCH_RAISE)
