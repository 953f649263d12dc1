"""Everyone walks along the shelves."""

from django.http import HttpResponseBase, HttpResponsePermanentRedirect
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.catalog import selectors
from lavka.catalog.api.serializers import BrandOutput, CategoryOutput, CategoryTreeOutput
from lavka.catalog.api.shapes import brand_json, category_json, node_json
from lavka.catalog.models import SlugHistory
from lavka.kernel.reads import read_all, read_first
from lavka.web.caching import CATALOGUE
from lavka.web.pages import PageRequest, read_page
from lavka.web.schema import PAGE_PARAMETERS, operation
from lavka.web.serializers import page_output
from lavka.web.views import View

MOVED = OpenApiResponse(description="It has another slug now: see `Location`.")
_ID = "0199b2a4-6c1e-7a10-8f3e-2d6f0c9b1a77"
_TREE = OpenApiExample(
    "Two shelves",
    {
        "items": [
            {"id": _ID, "slug": "kitchen", "name": "Kitchen", "parent": None, "depth": 0},
            {"id": _ID, "slug": "kettles", "name": "Kettles", "parent": "kitchen", "depth": 1},
        ]
    },
    response_only=True,
)


class CategoriesView(View):
    """The category tree."""

    cache_control = CATALOGUE

    @operation(
        "list_categories",
        "List the category tree",
        responses=CategoryTreeOutput,
        examples=[_TREE],
        description="All categories, each directly before what stands inside it.",
    )
    async def get(self, request: Request) -> Response:
        tree = await read_all(selectors.category_tree())
        return Response({"items": [node_json(each) for each in tree]})


class CategoryView(View):
    """A category's page."""

    cache_control = CATALOGUE

    @operation(
        "get_category",
        "Get a category",
        responses={200: CategoryOutput, 301: MOVED},
        description="A past slug redirects to the present one.",
    )
    async def get(self, request: Request, slug: str) -> HttpResponseBase:
        category = await read_first(selectors.categories().filter(slug=slug))
        if category is None:
            return await _moved(SlugHistory.Kind.CATEGORY, slug, "categories")
        way = await selectors.breadcrumbs(category)
        children = await read_all(selectors.categories().filter(parent=category))
        return Response(category_json(category, way, children))


class BrandsView(View):
    """Who makes what is sold here."""

    cache_control = CATALOGUE

    @operation(
        "list_brands",
        "List brands by name",
        parameters=PAGE_PARAMETERS,
        responses=page_output(BrandOutput, "BrandPage"),
    )
    async def get(self, request: Request) -> Response:
        wanted = PageRequest.of(request.query_params)
        order = ("name", "id")
        return Response(
            await read_page(selectors.brands(), order=order, wanted=wanted, render=brand_json)
        )


class BrandView(View):
    """A brand's page."""

    cache_control = CATALOGUE

    @operation(
        "get_brand",
        "Get a brand",
        responses={200: BrandOutput, 301: MOVED},
        description="A past slug redirects to the present one.",
    )
    async def get(self, request: Request, slug: str) -> HttpResponseBase:
        brand = await read_first(selectors.brands().filter(slug=slug))
        if brand is None:
            return await _moved(SlugHistory.Kind.BRAND, slug, "brands")
        return Response(brand_json(brand))


async def _moved(kind: SlugHistory.Kind, slug: str, path: str) -> HttpResponseBase:
    """Lead on from a past slug; raises DoesNotExist for what never was here."""
    current = await selectors.current_slug(kind, slug)
    if current is None:
        raise SlugHistory.DoesNotExist
    return HttpResponsePermanentRedirect(f"/api/v1/{path}/{current}/")
