"""Staff keep the shelves: categories and brands."""

from typing import Any
from uuid import UUID

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.catalog import selectors, services
from lavka.catalog.api.manage.serializers import (
    BrandInput,
    CategoryInput,
    ManagedBrandOutput,
    ManagedCategoryOutput,
)
from lavka.catalog.api.references import resolved
from lavka.catalog.api.shapes import managed_brand_json, managed_category_json
from lavka.catalog.errors import CategoryCycle, InUse, Taken
from lavka.web.bodies import KIB
from lavka.web.etags import IF_MATCH, PreconditionFailed, require_match, tagged
from lavka.web.pages import PageRequest, page_of
from lavka.web.schema import PAGE_PARAMETERS, operation
from lavka.web.serializers import page_output
from lavka.web.views import StaffView, in_thread


class BrandsView(StaffView):
    """Every brand."""

    rights = {"GET": "catalog.view_brand", "POST": "catalog.add_brand"}

    @operation(
        "list_managed_brands",
        "List brands",
        parameters=PAGE_PARAMETERS,
        responses=page_output(ManagedBrandOutput, "ManagedBrandPage"),
    )
    async def get(self, request: Request) -> Response:
        wanted = PageRequest.of(request.query_params)

        def page() -> dict[str, object]:
            brands = selectors.brands()
            return page_of(brands, order=("name", "id"), wanted=wanted, render=managed_brand_json)

        return Response(await in_thread(page))

    @operation(
        "create_brand",
        "Create a brand",
        request=BrandInput,
        max_body_bytes=128 * KIB,
        responses={201: ManagedBrandOutput},
        errors=[Taken],
        description="Without a slug, one is made from the name.",
    )
    async def post(self, request: Request) -> Response:
        values = BrandInput.read(request.data)
        brand = await in_thread(services.create_brand, **values)
        return tagged(managed_brand_json(brand), status=201)


class BrandView(StaffView):
    """One brand."""

    rights = {
        "GET": "catalog.view_brand",
        "PATCH": "catalog.change_brand",
        "DELETE": "catalog.delete_brand",
    }

    @operation("get_managed_brand", "Get a brand", responses=ManagedBrandOutput)
    async def get(self, request: Request, brand_id: UUID) -> Response:
        brand = await in_thread(selectors.brands().get, pk=brand_id)
        return Response(managed_brand_json(brand))

    @operation(
        "update_brand",
        "Change a brand",
        parameters=[IF_MATCH],
        request=BrandInput,
        max_body_bytes=128 * KIB,
        responses=ManagedBrandOutput,
        errors=[Taken, PreconditionFailed],
        description="A new slug leads on from the old one.",
    )
    async def patch(self, request: Request, brand_id: UUID) -> Response:
        values = BrandInput.read(request.data, partial=True)

        @transaction.atomic
        def change() -> dict[str, Any]:
            self._require_match(brand_id)
            return managed_brand_json(services.update_brand(brand_id=brand_id, **values))

        return tagged(await in_thread(change))

    @operation(
        "delete_brand",
        "Delete a brand without products",
        parameters=[IF_MATCH],
        responses={204: None},
        errors=[InUse, PreconditionFailed],
    )
    async def delete(self, request: Request, brand_id: UUID) -> Response:
        @transaction.atomic
        def delete() -> None:
            self._require_match(brand_id)
            services.delete_brand(brand_id=brand_id)

        await in_thread(delete)
        return Response(status=204)

    def _require_match(self, brand_id: UUID) -> None:
        rows = selectors.brands().select_for_update()
        require_match(self.request, lambda: managed_brand_json(rows.get(pk=brand_id)))


class CategoriesView(StaffView):
    """Every category."""

    rights = {"GET": "catalog.view_category", "POST": "catalog.add_category"}

    @operation(
        "list_managed_categories",
        "List categories by name",
        parameters=PAGE_PARAMETERS,
        responses=page_output(ManagedCategoryOutput, "ManagedCategoryPage"),
    )
    async def get(self, request: Request) -> Response:
        wanted = PageRequest.of(request.query_params)

        def page() -> dict[str, object]:
            rows = selectors.categories()
            return page_of(rows, order=("name", "id"), wanted=wanted, render=managed_category_json)

        return Response(await in_thread(page))

    @operation(
        "create_category",
        "Create a category",
        request=CategoryInput,
        max_body_bytes=128 * KIB,
        responses={201: ManagedCategoryOutput},
        errors=[Taken],
        description="Without a slug, one is made from the name.",
    )
    async def post(self, request: Request) -> Response:
        values = CategoryInput.read(request.data)

        def create() -> dict[str, Any]:
            return managed_category_json(services.create_category(**resolved(values)))

        return tagged(await in_thread(create), status=201)


class CategoryView(StaffView):
    """One category."""

    rights = {
        "GET": "catalog.view_category",
        "PATCH": "catalog.change_category",
        "DELETE": "catalog.delete_category",
    }

    @operation("get_managed_category", "Get a category", responses=ManagedCategoryOutput)
    async def get(self, request: Request, category_id: UUID) -> Response:
        category = await in_thread(selectors.categories().get, pk=category_id)
        return Response(managed_category_json(category))

    @operation(
        "update_category",
        "Change or move a category",
        parameters=[IF_MATCH],
        request=CategoryInput,
        max_body_bytes=128 * KIB,
        responses=ManagedCategoryOutput,
        errors=[Taken, CategoryCycle, PreconditionFailed],
        description="Another `parent` moves it with all that stands inside.",
    )
    async def patch(self, request: Request, category_id: UUID) -> Response:
        values = CategoryInput.read(request.data, partial=True)

        @transaction.atomic
        def change() -> dict[str, Any]:
            self._require_match(category_id)
            services.update_category(category_id=category_id, **resolved(values))
            return managed_category_json(selectors.categories().get(pk=category_id))

        return tagged(await in_thread(change))

    @operation(
        "delete_category",
        "Delete an empty category",
        parameters=[IF_MATCH],
        responses={204: None},
        errors=[InUse, PreconditionFailed],
    )
    async def delete(self, request: Request, category_id: UUID) -> Response:
        @transaction.atomic
        def delete() -> None:
            self._require_match(category_id)
            services.delete_category(category_id=category_id)

        await in_thread(delete)
        return Response(status=204)

    def _require_match(self, category_id: UUID) -> None:
        rows = selectors.categories().select_for_update(of=("self",))
        require_match(self.request, lambda: managed_category_json(rows.get(pk=category_id)))
