"""Shipments and returns on the wire."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.serializers import Serializer

from lavka.fulfilment.models import ReturnRequest, Shipment
from lavka.fulfilment.rules import ReturnReason, ReturnStatus, ShipmentStatus
from lavka.orders.api.serializers import LineQuantitiesInput
from lavka.web.serializers import HttpUrlField, Input, StrictBooleanField, StrictCharField


class ShipmentInput(LineQuantitiesInput):
    """What is handed to the carrier."""

    carrier = StrictCharField(max_length=100, allow_blank=True, default="")
    tracking_number = StrictCharField(max_length=100, allow_blank=True, default="")
    tracking_url = HttpUrlField(max_length=500, allow_blank=True, default="")


class ReturnInput(LineQuantitiesInput):
    """What a customer wants to send back, and why."""

    reason = serializers.ChoiceField(choices=ReturnReason.choices)
    comment = StrictCharField(max_length=2000, allow_blank=True, default="")


class ReceivedInput(Input):
    """Whether what came back can be sold again."""

    restock = StrictBooleanField()


class PiecesOutput(Serializer):
    """So many pieces of an order line."""

    line_id = serializers.UUIDField()
    quantity = serializers.IntegerField()


class ShipmentOutput(Serializer):
    """One parcel."""

    id = serializers.UUIDField()
    order_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=ShipmentStatus.choices)
    carrier = serializers.CharField()
    tracking_number = serializers.CharField()
    tracking_url = serializers.CharField()
    lines = PiecesOutput(many=True)
    sent_at = serializers.DateTimeField()
    delivered_at = serializers.DateTimeField(allow_null=True)


class ShipmentsOutput(Serializer):
    """An order's parcels, the first one first."""

    items = ShipmentOutput(many=True)


class ReturnOutput(Serializer):
    """A return and how far it has come."""

    id = serializers.UUIDField()
    order_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=ReturnStatus.choices)
    reason = serializers.ChoiceField(choices=ReturnReason.choices)
    comment = serializers.CharField()
    lines = PiecesOutput(many=True)
    is_restocked = serializers.BooleanField(allow_null=True)
    requested_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    received_at = serializers.DateTimeField(allow_null=True)


class ReturnsOutput(Serializer):
    """An order's returns, the first one first."""

    items = ReturnOutput(many=True)


def shipment_json(shipment: Shipment) -> dict[str, Any]:
    """`ShipmentOutput` of a shipment whose lines are loaded."""
    return {
        "id": shipment.pk,
        "order_id": shipment.order_id,
        "status": shipment.status,
        "carrier": shipment.carrier,
        "tracking_number": shipment.tracking_number,
        "tracking_url": shipment.tracking_url,
        "lines": [pieces_json(line.order_line_id, line.quantity) for line in shipment.lines.all()],
        "sent_at": shipment.sent_at,
        "delivered_at": shipment.delivered_at,
    }


def return_json(asked: ReturnRequest) -> dict[str, Any]:
    """`ReturnOutput` of a return whose lines are loaded."""
    return {
        "id": asked.pk,
        "order_id": asked.order_id,
        "status": asked.status,
        "reason": asked.reason,
        "comment": asked.comment,
        "lines": [pieces_json(line.order_line_id, line.quantity) for line in asked.lines.all()],
        "is_restocked": asked.is_restocked,
        "requested_at": asked.requested_at,
        "decided_at": asked.decided_at,
        "received_at": asked.received_at,
    }


def pieces_json(line_id: UUID, quantity: int) -> dict[str, Any]:
    """`PiecesOutput`."""
    return {"line_id": line_id, "quantity": quantity}
