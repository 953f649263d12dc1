"""Stock on the wire."""

from typing import Any

from django.core.validators import validate_slug
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.serializers import Serializer

from lavka.inventory.errors import WAREHOUSES_PATH
from lavka.inventory.models import (
    DATE_FITS,
    LIMIT_FITS,
    MAX_UNITS,
    Hold,
    StockLevel,
    StockMovement,
    StockPolicy,
    Warehouse,
)
from lavka.kernel.actors import ActorKind
from lavka.web.serializers import (
    Input,
    StrictCharField,
    StrictIntegerField,
    StrictUUIDField,
)

MAX_PRIORITY = 2**31 - 1


class WarehouseField(StrictCharField):
    """The code of a warehouse that there is."""

    def __init__(self, *, choices_url: str = WAREHOUSES_PATH, **options: Any) -> None:
        """Accept what a code may be."""
        super().__init__(
            max_length=50, validators=[validate_slug], choices_url=choices_url, **options
        )


class ReferenceField(StrictCharField):
    """What staff note beside a movement: a delivery note, a reason in words."""

    def __init__(self, **options: Any) -> None:
        """May be left out."""
        super().__init__(max_length=100, allow_blank=True, default="", **options)


class StockInput(Input):
    """How many units were counted."""

    warehouse = WarehouseField()
    on_hand = StrictIntegerField(min_value=0, max_value=MAX_UNITS)
    reference = ReferenceField()


class AdjustmentInput(Input):
    """How many units came, or went."""

    warehouse = WarehouseField()
    by = StrictIntegerField(
        min_value=-MAX_UNITS, max_value=MAX_UNITS, help_text=_("Negative when units leave.")
    )
    reason = serializers.ChoiceField(choices=StockMovement.BY_STAFF)
    reference = ReferenceField()


class TransferInput(Input):
    """How many units move between two warehouses."""

    default_error_messages = {"same": _("Two different warehouses are expected.")}

    variant_id = StrictUUIDField()
    origin = WarehouseField()
    destination = WarehouseField()
    quantity = StrictIntegerField(min_value=1, max_value=MAX_UNITS)
    reference = ReferenceField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError for a move to the same place."""
        if attrs["origin"] == attrs["destination"]:
            message = str(self.error_messages["same"])
            raise serializers.ValidationError({"destination": [message]}, code="same")
        return attrs


class PolicyInput(Input):
    """What happens when the variant is out."""

    default_error_messages = {"limit": LIMIT_FITS, "date": DATE_FITS}

    when_out = serializers.ChoiceField(choices=StockPolicy.WhenOut.choices)
    backorder_limit = StrictIntegerField(min_value=0, max_value=MAX_UNITS, default=0)
    available_on = serializers.DateField(allow_null=True, default=None)
    low_stock_threshold = StrictIntegerField(
        min_value=0, max_value=MAX_UNITS, allow_null=True, default=None
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError for a limit or a date that does not fit."""
        rule, choices = attrs["when_out"], StockPolicy.WhenOut
        if (rule == choices.DENY) != (attrs["backorder_limit"] == 0):
            message = str(self.error_messages["limit"])
            raise serializers.ValidationError({"backorder_limit": [message]}, code="limit")
        if (rule == choices.PREORDER) != (attrs["available_on"] is not None):
            message = str(self.error_messages["date"])
            raise serializers.ValidationError({"available_on": [message]}, code="date")
        return attrs


class WarehouseInput(Input):
    """A warehouse."""

    code = WarehouseField(choices_url="")
    name = StrictCharField(max_length=100)
    priority = StrictIntegerField(min_value=0, max_value=MAX_PRIORITY, default=0)


class WarehouseChangeInput(Input):
    """What may change of a warehouse."""

    name = StrictCharField(max_length=100)
    priority = StrictIntegerField(min_value=0, max_value=MAX_PRIORITY)


class WarehouseOutput(Serializer):
    """A warehouse."""

    code = serializers.CharField()
    name = serializers.CharField()
    priority = serializers.IntegerField(help_text=_("The lowest number is taken first."))


class StockLevelOutput(Serializer):
    """Units of a variant in a warehouse."""

    variant_id = serializers.UUIDField()
    warehouse = serializers.CharField()
    on_hand = serializers.IntegerField()
    reserved = serializers.IntegerField(help_text=_("Promised to carts and orders."))
    available = serializers.IntegerField(
        help_text=_("On hand less reserved, plus what may be sold beyond stock.")
    )


class PolicyOutput(Serializer):
    """What happens when the variant is out."""

    when_out = serializers.ChoiceField(choices=StockPolicy.WhenOut.choices)
    backorder_limit = serializers.IntegerField()
    available_on = serializers.DateField(allow_null=True)
    low_stock_threshold = serializers.IntegerField(allow_null=True)


class StockOutput(Serializer):
    """A variant's stock everywhere."""

    variant_id = serializers.UUIDField()
    track_inventory = serializers.BooleanField(
        help_text=_("false: sold without counting, whatever the levels say.")
    )
    on_hand = serializers.IntegerField()
    reserved = serializers.IntegerField()
    available = serializers.IntegerField()
    policy = PolicyOutput()
    levels = StockLevelOutput(many=True)


class LevelsOutput(Serializer):
    """Both ends of a transfer, the origin first."""

    levels = StockLevelOutput(many=True)


class MovementOutput(Serializer):
    """One line of the ledger."""

    id = serializers.UUIDField()
    variant_id = serializers.UUIDField()
    sku = serializers.CharField()
    warehouse = serializers.CharField()
    quantity = serializers.IntegerField(help_text=_("Negative when units leave."))
    reason = serializers.ChoiceField(choices=StockMovement.Reason.choices)
    by = serializers.ChoiceField(choices=ActorKind.choices)
    actor = serializers.CharField(
        allow_null=True,
        help_text=_("The e-mail address of a person, or which key, provider, import or job."),
    )
    actor_id = serializers.UUIDField(allow_null=True)
    reference = serializers.CharField()
    created_at = serializers.DateTimeField()


class ReservedUnitsOutput(Serializer):
    """Units of a variant in a warehouse that nobody else can buy."""

    variant_id = serializers.UUIDField()
    sku = serializers.CharField()
    warehouse = serializers.CharField()
    quantity = serializers.IntegerField()


class ReservationOutput(Serializer):
    """What one cart keeps from others."""

    id = serializers.UUIDField()
    customer_id = serializers.UUIDField(allow_null=True, help_text=_("Null: a guest."))
    address = serializers.CharField(help_text=_("IPv4, or the /64 network of IPv6."))
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(help_text=_("No activity moves the deadline beyond this."))
    units = ReservedUnitsOutput(many=True)


def reservation_json(hold: Hold) -> dict[str, Any]:
    """`ReservationOutput` of a hold whose reservations are loaded."""
    return {
        "id": hold.reference,
        "customer_id": hold.customer_id,
        "address": hold.address,
        "created_at": hold.created_at,
        "expires_at": hold.expires_at,
        "ends_at": hold.ends_at,
        "units": [
            {
                "variant_id": each.level.variant_id,
                "sku": each.level.variant.sku,
                "warehouse": each.level.warehouse.code,
                "quantity": each.quantity,
            }
            for each in hold.reservations.all()
        ],
    }


def warehouse_json(warehouse: Warehouse) -> dict[str, Any]:
    """`WarehouseOutput`."""
    return {"code": warehouse.code, "name": warehouse.name, "priority": warehouse.priority}


def level_json(level: StockLevel) -> dict[str, Any]:
    """`StockLevelOutput` of a level whose warehouse is loaded."""
    return {
        "variant_id": level.variant_id,
        "warehouse": level.warehouse.code,
        "on_hand": level.on_hand,
        "reserved": level.reserved,
        "available": level.available,
    }


def policy_json(policy: StockPolicy) -> dict[str, Any]:
    """`PolicyOutput`."""
    return {
        "when_out": policy.when_out,
        "backorder_limit": policy.backorder_limit,
        "available_on": policy.available_on,
        "low_stock_threshold": policy.low_stock_threshold,
    }


def movement_json(movement: StockMovement) -> dict[str, Any]:
    """`MovementOutput` of a movement whose variant and warehouse are loaded."""
    level = movement.level
    return {
        "id": movement.pk,
        "variant_id": level.variant_id,
        "sku": level.variant.sku,
        "warehouse": level.warehouse.code,
        "quantity": movement.quantity,
        "reason": movement.reason,
        "by": movement.by.kind,
        "actor": getattr(movement, "actor_email", None) or movement.actor_name or None,
        "actor_id": movement.actor_id,
        "reference": movement.reference,
        "created_at": movement.created_at,
    }
