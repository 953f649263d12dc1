"""Everyone walks along the shelves."""

from django.http import HttpResponseBase, HttpResponsePermanentRedirect
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.catalog import selectors
from lavka.catalog.api.serializers import BrandOutput, CategoryOutput, CategoryTreeOutput
from lavka.catalog.api.shapes import brand_json, category_json, node_json
from lavka.catalog.models import SlugHistory
from lavka.web.caching import CATALOGUE
from lavka.web.pages import PageRequest, page_of
from lavka.web.schema import PAGE_PARAMETERS, operation
from lavka.web.serializers import page_output
from lavka.web.views import View, in_thread

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
        def tree() -> list[object]:
            return [node_json(category) for category in selectors.category_tree()]

        return Response({"items": await in_thread(tree)})


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
        return await in_thread(_category, slug)


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

        def page() -> dict[str, object]:
            brands = selectors.brands()
            return page_of(brands, order=("name", "id"), wanted=wanted, render=brand_json)

        return Response(await in_thread(page))


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
        return await in_thread(_brand, slug)


def _category(slug: str) -> HttpResponseBase:
    category = selectors.categories().filter(slug=slug).first()
    if category is None:
        return _moved(SlugHistory.Kind.CATEGORY, slug, "categories")
    children = selectors.categories().filter(parent=category)
    return Response(category_json(category, selectors.breadcrumbs(category), list(children)))


def _brand(slug: str) -> HttpResponseBase:
    brand = selectors.brands().filter(slug=slug).first()
    if brand is None:
        return _moved(SlugHistory.Kind.BRAND, slug, "brands")
    return Response(brand_json(brand))


def _moved(kind: SlugHistory.Kind, slug: str, path: str) -> HttpResponseBase:
    """Lead on from a past slug; raises DoesNotExist for what never was here."""
    current = selectors.current_slug(kind, slug)
    if current is None:
        raise SlugHistory.DoesNotExist
    return HttpResponsePermanentRedirect(f"/api/v1/{path}/{current}/")
