"""Staff say what products are like: attributes and product types."""

from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import OpenApiExample
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.catalog import selectors, services
from lavka.catalog.api.manage.serializers import (
    AttributeChangeInput,
    AttributeInput,
    ManagedAttributeOutput,
    ManagedProductTypeOutput,
    ProductTypeChangeInput,
    ProductTypeInput,
)
from lavka.catalog.api.references import choices_of, uses_of
from lavka.catalog.api.shapes import attribute_json, product_type_json
from lavka.catalog.errors import InUse, Taken
from lavka.web.bodies import KIB
from lavka.web.etags import IF_MATCH, PreconditionFailed, require_match, tagged
from lavka.web.pages import PageRequest, page_of
from lavka.web.schema import PAGE_PARAMETERS, operation
from lavka.web.serializers import page_output
from lavka.web.views import StaffView, in_thread

_COLOR = OpenApiExample(
    "A color",
    {
        "code": "color",
        "name": "Color",
        "kind": "choice",
        "choices": [{"code": "red", "label": "Red"}, {"code": "sea-blue", "label": "Sea blue"}],
    },
    request_only=True,
)
_KETTLE = OpenApiExample(
    "A kettle",
    {
        "code": "kettle",
        "name": "Kettle",
        "attributes": [
            {"attribute": "color", "is_option": True},
            {"attribute": "volume", "is_required": True},
        ],
    },
    request_only=True,
)


class AttributesView(StaffView):
    """Every attribute."""

    rights = {"GET": "catalog.view_attribute", "POST": "catalog.add_attribute"}

    @operation(
        "list_attributes",
        "List attributes with their choices",
        parameters=PAGE_PARAMETERS,
        responses=page_output(ManagedAttributeOutput, "ManagedAttributePage"),
    )
    async def get(self, request: Request) -> Response:
        wanted = PageRequest.of(request.query_params)

        def page() -> dict[str, object]:
            rows = selectors.attributes()
            return page_of(rows, order=("code",), wanted=wanted, render=attribute_json)

        return Response(await in_thread(page))

    @operation(
        "create_attribute",
        "Create an attribute",
        request=AttributeInput,
        max_body_bytes=1024 * KIB,
        responses={201: ManagedAttributeOutput},
        errors=[Taken],
        examples=[_COLOR],
        description="Code and kind stay for good.",
    )
    async def post(self, request: Request) -> Response:
        values = choices_of(AttributeInput.read(request.data))

        def create() -> dict[str, Any]:
            return attribute_json(services.create_attribute(**values))

        return tagged(await in_thread(create), status=201)


class AttributeView(StaffView):
    """One attribute."""

    rights = {
        "GET": "catalog.view_attribute",
        "PATCH": "catalog.change_attribute",
        "DELETE": "catalog.delete_attribute",
    }

    @operation("get_attribute", "Get an attribute", responses=ManagedAttributeOutput)
    async def get(self, request: Request, attribute_id: UUID) -> Response:
        attribute = await in_thread(selectors.attributes().get, pk=attribute_id)
        return Response(attribute_json(attribute))

    @operation(
        "update_attribute",
        "Change an attribute or its choices",
        parameters=[IF_MATCH],
        request=AttributeChangeInput,
        max_body_bytes=1024 * KIB,
        responses=ManagedAttributeOutput,
        errors=[InUse, PreconditionFailed],
        description="`choices` is the whole list; a choice that products have cannot be left out.",
    )
    async def patch(self, request: Request, attribute_id: UUID) -> Response:
        values = choices_of(AttributeChangeInput.read(request.data, partial=True))

        @transaction.atomic
        def change() -> dict[str, Any]:
            self._require_match(attribute_id)
            services.update_attribute(attribute_id=attribute_id, **values)
            return attribute_json(selectors.attributes().get(pk=attribute_id))

        return tagged(await in_thread(change))

    @operation(
        "delete_attribute",
        "Delete an attribute that no type uses",
        parameters=[IF_MATCH],
        responses={204: None},
        errors=[InUse, PreconditionFailed],
    )
    async def delete(self, request: Request, attribute_id: UUID) -> Response:
        @transaction.atomic
        def delete() -> None:
            self._require_match(attribute_id)
            services.delete_attribute(attribute_id=attribute_id)

        await in_thread(delete)
        return Response(status=204)

    def _require_match(self, attribute_id: UUID) -> None:
        rows = selectors.attributes().select_for_update()
        require_match(self.request, lambda: attribute_json(rows.get(pk=attribute_id)))


class ProductTypesView(StaffView):
    """Every product type."""

    rights = {"GET": "catalog.view_producttype", "POST": "catalog.add_producttype"}

    @operation(
        "list_product_types",
        "List product types with their attributes",
        parameters=PAGE_PARAMETERS,
        responses=page_output(ManagedProductTypeOutput, "ManagedProductTypePage"),
    )
    async def get(self, request: Request) -> Response:
        wanted = PageRequest.of(request.query_params)

        def page() -> dict[str, object]:
            rows = selectors.product_types()
            return page_of(rows, order=("code",), wanted=wanted, render=product_type_json)

        return Response(await in_thread(page))

    @operation(
        "create_product_type",
        "Create a product type",
        request=ProductTypeInput,
        max_body_bytes=64 * KIB,
        responses={201: ManagedProductTypeOutput},
        errors=[Taken],
        examples=[_KETTLE],
        description="The code stays for good. An option is an attribute of the kind choice.",
    )
    async def post(self, request: Request) -> Response:
        values = ProductTypeInput.read(request.data)

        def create() -> dict[str, Any]:
            created = services.create_product_type(**uses_of(values))
            return product_type_json(selectors.product_types().get(pk=created.pk))

        return tagged(await in_thread(create), status=201)


class ProductTypeView(StaffView):
    """One product type."""

    rights = {
        "GET": "catalog.view_producttype",
        "PATCH": "catalog.change_producttype",
        "DELETE": "catalog.delete_producttype",
    }

    @operation("get_product_type", "Get a product type", responses=ManagedProductTypeOutput)
    async def get(self, request: Request, product_type_id: UUID) -> Response:
        found = await in_thread(selectors.product_types().get, pk=product_type_id)
        return Response(product_type_json(found))

    @operation(
        "update_product_type",
        "Change a product type",
        parameters=[IF_MATCH],
        request=ProductTypeChangeInput,
        max_body_bytes=64 * KIB,
        responses=ManagedProductTypeOutput,
        errors=[InUse, PreconditionFailed],
        description="`attributes` is the whole list; one that products use cannot be left out.",
    )
    async def patch(self, request: Request, product_type_id: UUID) -> Response:
        values = ProductTypeChangeInput.read(request.data, partial=True)

        @transaction.atomic
        def change() -> dict[str, Any]:
            self._require_match(product_type_id)
            services.update_product_type(product_type_id=product_type_id, **uses_of(values))
            return product_type_json(selectors.product_types().get(pk=product_type_id))

        return tagged(await in_thread(change))

    @operation(
        "delete_product_type",
        "Delete a product type without products",
        parameters=[IF_MATCH],
        responses={204: None},
        errors=[InUse, PreconditionFailed],
    )
    async def delete(self, request: Request, product_type_id: UUID) -> Response:
        @transaction.atomic
        def delete() -> None:
            self._require_match(product_type_id)
            services.delete_product_type(product_type_id=product_type_id)

        await in_thread(delete)
        return Response(status=204)

    def _require_match(self, product_type_id: UUID) -> None:
        rows = selectors.product_types().select_for_update()
        require_match(self.request, lambda: product_type_json(rows.get(pk=product_type_id)))
