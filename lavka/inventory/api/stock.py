"""Staff count, receive, move and look at stock."""

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.catalog import selectors as catalog
from lavka.inventory import selectors, services
from lavka.inventory.api import serializers
from lavka.inventory.api.serializers import level_json, movement_json, policy_json
from lavka.inventory.errors import NotOnHand, NotTracked, StockPromised
from lavka.kernel.errors import NotFound
from lavka.web import parameters
from lavka.web.pages import PageRequest, page_of
from lavka.web.parameters import text_parameter
from lavka.web.schema import PAGE_PARAMETERS, operation
from lavka.web.serializers import page_output
from lavka.web.views import StaffView, in_thread

_COUNT = OpenApiExample("A count", {"warehouse": "main", "on_hand": 5}, request_only=True)
_DELIVERY = OpenApiExample(
    "A delivery",
    {"warehouse": "main", "by": 24, "reason": "receipt", "reference": "DN-1041"},
    request_only=True,
)
_MOVE = OpenApiExample(
    "A move",
    {
        "variant_id": "01a20adc-bec6-7edd-9eea-85eaf4679678",
        "origin": "main",
        "destination": "north",
        "quantity": 3,
    },
    request_only=True,
)
_PREORDER = OpenApiExample(
    "A preorder",
    {"when_out": "preorder", "backorder_limit": 100, "available_on": "2027-03-01"},
    request_only=True,
)
FILTERS = [
    OpenApiParameter("variant_id", OpenApiTypes.UUID, description="Only of this variant."),
    text_parameter("warehouse", "Only in the warehouse of this code.", max_length=50),
]


class StockView(StaffView):
    """The stock of one variant."""

    rights = {"GET": "inventory.view_stocklevel", "PUT": "inventory.change_stocklevel"}

    @operation("get_stock", "Get a variant's stock", responses=serializers.StockOutput)
    async def get(self, request: Request, variant_id: UUID) -> Response:
        return Response(await in_thread(_stock, variant_id))

    @operation(
        "set_stock",
        "Say how many units were counted",
        request=serializers.StockInput,
        responses=serializers.StockLevelOutput,
        errors=[StockPromised],
        examples=[_COUNT],
        description="The difference goes into the ledger. Never below what is reserved. A new "
        "variant is out of stock until its first count; of one with `track_inventory` off the "
        "number is kept, and limits nothing.",
    )
    async def put(self, request: Request, variant_id: UUID) -> Response:
        count = serializers.StockInput.read(request.data)

        def change() -> dict[str, Any]:
            return level_json(
                services.set_on_hand(variant_id=variant_id, actor=self.actor, **count)
            )

        return Response(await in_thread(change))


class AdjustmentsView(StaffView):
    """What comes and goes."""

    rights = {"POST": "inventory.change_stocklevel"}

    @operation(
        "adjust_stock",
        "Add or take away units",
        request=serializers.AdjustmentInput,
        responses={201: serializers.StockLevelOutput},
        errors=[StockPromised, NotOnHand],
        examples=[_DELIVERY],
    )
    async def post(self, request: Request, variant_id: UUID) -> Response:
        adjustment = serializers.AdjustmentInput.read(request.data)

        def change() -> dict[str, Any]:
            return level_json(
                services.adjust_stock(variant_id=variant_id, actor=self.actor, **adjustment)
            )

        return Response(await in_thread(change), status=201)


class PolicyView(StaffView):
    """What happens when a variant is out."""

    rights = {"PUT": "inventory.change_stockpolicy"}

    @operation(
        "set_stock_policy",
        "Set what happens when a variant is out",
        request=serializers.PolicyInput,
        responses=serializers.PolicyOutput,
        errors=[NotTracked, StockPromised],
        examples=[_PREORDER],
    )
    async def put(self, request: Request, variant_id: UUID) -> Response:
        policy: Any = serializers.PolicyInput.read(request.data)

        def change() -> dict[str, Any]:
            return policy_json(services.set_policy(variant_id=variant_id, **policy))

        return Response(await in_thread(change))


class TransfersView(StaffView):
    """Moves between warehouses."""

    rights = {"POST": "inventory.change_stocklevel"}

    @operation(
        "transfer_stock",
        "Move units between warehouses",
        request=serializers.TransferInput,
        responses={201: serializers.LevelsOutput},
        errors=[StockPromised, NotOnHand, NotFound],
        examples=[_MOVE],
    )
    async def post(self, request: Request) -> Response:
        transfer = serializers.TransferInput.read(request.data)

        def change() -> list[dict[str, Any]]:
            levels = services.transfer_stock(actor=self.actor, **transfer)
            return [level_json(level) for level in levels]

        return Response({"levels": await in_thread(change)}, status=201)


class MovementsView(StaffView):
    """The ledger."""

    rights = {"GET": "inventory.view_stockmovement"}

    @operation(
        "list_stock_movements",
        "List what came and went, newest first",
        parameters=[*FILTERS, *PAGE_PARAMETERS],
        responses=page_output(serializers.MovementOutput, "StockMovementPage"),
    )
    async def get(self, request: Request) -> Response:
        query = request.query_params
        variant_id = parameters.uuid(query, "variant_id")
        warehouse, wanted = query.get("warehouse"), PageRequest.of(query)

        def page() -> dict[str, object]:
            rows = selectors.movements()
            if variant_id is not None:
                rows = rows.filter(level__variant_id=variant_id)
            if warehouse is not None:
                rows = rows.filter(level__warehouse__code=warehouse)
            return page_of(rows, order=("-id",), wanted=wanted, render=movement_json)

        return Response(await in_thread(page))


def _stock(variant_id: UUID) -> dict[str, Any]:
    variant = catalog.variants().get(pk=variant_id)
    levels = list(selectors.levels_of(variant.pk))
    return {
        "variant_id": variant.pk,
        "track_inventory": variant.track_inventory,
        "on_hand": sum(level.on_hand for level in levels),
        "reserved": sum(level.reserved for level in levels),
        "available": sum(level.available for level in levels),
        "policy": policy_json(selectors.policy_of(variant.pk)),
        "levels": [level_json(level) for level in levels],
    }
