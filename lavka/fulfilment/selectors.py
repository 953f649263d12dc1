"""How shipments and returns are read."""

from uuid import UUID

from django.db.models import FETCH_RAISE, Prefetch, QuerySet

from lavka.fulfilment.models import ReturnLine, ReturnRequest, Shipment, ShipmentLine


def shipments_of(order_id: UUID) -> QuerySet[Shipment]:
    """An order's parcels, the first one first: 2 queries."""
    return all_shipments().filter(order_id=order_id).order_by("id")


def all_shipments() -> QuerySet[Shipment]:
    """Every parcel with what is in it, for staff: 2 queries."""
    lines = ShipmentLine.objects.order_by("id").fetch_mode(FETCH_RAISE)
    return Shipment.objects.prefetch_related(Prefetch("lines", lines)).fetch_mode(FETCH_RAISE)


def returns_of(order_id: UUID) -> QuerySet[ReturnRequest]:
    """An order's returns, the first one first: 2 queries."""
    return all_returns().filter(order_id=order_id).order_by("id")


def all_returns() -> QuerySet[ReturnRequest]:
    """Every return with its lines, for staff: 2 queries."""
    lines = ReturnLine.objects.order_by("id").fetch_mode(FETCH_RAISE)
    return ReturnRequest.objects.prefetch_related(Prefetch("lines", lines)).fetch_mode(FETCH_RAISE)
