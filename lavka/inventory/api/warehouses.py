"""Staff open and close warehouses."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from lavka.catalog.errors import InUse, Taken
from lavka.inventory import selectors, services
from lavka.inventory.api.serializers import (
    WarehouseChangeInput,
    WarehouseInput,
    WarehouseOutput,
    warehouse_json,
)
from lavka.web.pages import PageRequest, page_of
from lavka.web.schema import PAGE_PARAMETERS, operation
from lavka.web.serializers import page_output
from lavka.web.views import StaffView, in_thread


class WarehousesView(StaffView):
    """Every warehouse."""

    rights = {"GET": "inventory.view_warehouse", "POST": "inventory.add_warehouse"}

    @operation(
        "list_warehouses",
        "List warehouses in the order they are taken from",
        parameters=PAGE_PARAMETERS,
        responses=page_output(WarehouseOutput, "WarehousePage"),
    )
    async def get(self, request: Request) -> Response:
        wanted = PageRequest.of(request.query_params)

        def page() -> dict[str, object]:
            rows = selectors.warehouses()
            return page_of(rows, order=("priority", "code"), wanted=wanted, render=warehouse_json)

        return Response(await in_thread(page))

    @operation(
        "create_warehouse",
        "Open a warehouse",
        request=WarehouseInput,
        responses={201: WarehouseOutput},
        errors=[Taken],
    )
    async def post(self, request: Request) -> Response:
        values = WarehouseInput.read(request.data)
        warehouse = await in_thread(services.create_warehouse, **values)
        return Response(warehouse_json(warehouse), status=201)


class WarehouseView(StaffView):
    """One warehouse."""

    rights = {
        "GET": "inventory.view_warehouse",
        "PATCH": "inventory.change_warehouse",
        "DELETE": "inventory.delete_warehouse",
    }

    @operation("get_warehouse", "Get a warehouse", responses=WarehouseOutput)
    async def get(self, request: Request, code: str) -> Response:
        return Response(warehouse_json(await in_thread(selectors.warehouses().get, code=code)))

    @operation(
        "update_warehouse",
        "Rename a warehouse or change its turn",
        request=WarehouseChangeInput,
        responses=WarehouseOutput,
    )
    async def patch(self, request: Request, code: str) -> Response:
        values: Any = WarehouseChangeInput.read(request.data, partial=True)
        warehouse = await in_thread(services.update_warehouse, code=code, **values)
        return Response(warehouse_json(warehouse))

    @operation(
        "delete_warehouse",
        "Close a warehouse that never held stock",
        responses={204: None},
        errors=[InUse],
    )
    async def delete(self, request: Request, code: str) -> Response:
        await in_thread(services.delete_warehouse, code=code)
        return Response(status=204)
