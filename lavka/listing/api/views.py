"""Everyone looks into the shop window."""

from django.http import HttpResponseBase, HttpResponsePermanentRedirect
from drf_spectacular.utils import OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.kernel.errors import NotFound
from lavka.listing import selectors
from lavka.listing.api.parameters import (
    FILTERS,
    SORT,
    after_of,
    cursor_of,
    read_sort,
    read_text,
    read_wanted,
)
from lavka.listing.api.serializers import (
    CardOutput,
    FacetsOutput,
    ProductOutput,
    SuggestionsOutput,
)
from lavka.listing.api.shapes import facets_json, suggestions_json
from lavka.listing.facets import facets_of
from lavka.listing.suggestions import suggestions_for
from lavka.web import json
from lavka.web.answers import Ready
from lavka.web.caching import CATALOGUE
from lavka.web.pages import PageRequest
from lavka.web.parameters import text_parameter
from lavka.web.schema import PAGE_PARAMETERS, operation
from lavka.web.serializers import page_output
from lavka.web.views import View


class ProductsView(View):
    """The shop window."""

    cache_control = CATALOGUE

    @operation(
        "list_products",
        "List products",
        parameters=[*FILTERS, SORT, *PAGE_PARAMETERS],
        responses=page_output(CardOutput, "ProductPage"),
        description=(
            "Published products that have a variant, and so a price. A search ranks the 3,000 "
            "products that fit it first."
        ),
    )
    async def get(self, request: Request) -> Ready:
        query = request.query_params
        page, wanted = PageRequest.of(query), await read_wanted(query)
        sort = read_sort(query, wanted)
        found = await selectors.page_of_cards(
            wanted, sort=sort, limit=page.limit, after=after_of(sort, page.after)
        )
        # The cards are JSON already, and so is a cursor in quotation marks.
        following = "null" if found.after is None else f'"{cursor_of(sort, found.after)}"'
        count = ""
        if page.wants_count:
            number = await selectors.number_of_cards(wanted)
            count = f',"count":{json.dumps(_count(number)).decode()}'
        body = f'{{"items":[{",".join(found.cards)}],"next":{following}{count}}}'
        return Ready(body.encode())


class FacetsView(View):
    """What else may be chosen."""

    cache_control = CATALOGUE

    @operation(
        "list_facets",
        "Count what may be chosen",
        parameters=FILTERS,
        responses=FacetsOutput,
        description=(
            "Takes what the list takes. A facet's counts ignore its own choice. With many "
            "products they are estimates from a sample, and `exact` is false."
        ),
    )
    async def get(self, request: Request) -> Response:
        wanted = await read_wanted(request.query_params)
        return Response(facets_json(await facets_of(wanted), wanted))


class SuggestionsView(View):
    """What a few letters may mean."""

    cache_control = CATALOGUE

    @operation(
        "suggest_products",
        "Suggest as a customer types",
        parameters=[text_parameter("q", "The letters so far.")],
        responses=SuggestionsOutput,
        description="At most eight of each; products by their number of reviews.",
    )
    async def get(self, request: Request) -> Response:
        return Response(suggestions_json(await suggestions_for(read_text(request.query_params))))


class ProductView(View):
    """A product's page."""

    cache_control = CATALOGUE

    @operation(
        "get_product",
        "Get a product",
        responses={
            200: ProductOutput,
            301: OpenApiResponse(description="The product has another slug now: see `Location`."),
        },
        description="By its slug or its id. A past slug redirects to the present one.",
    )
    async def get(self, request: Request, slug: str) -> HttpResponseBase:
        document = await selectors.product_document(slug)
        if document is not None:
            return Ready(document)
        current = await selectors.moved_to(slug)
        if current is None:
            raise NotFound
        return HttpResponsePermanentRedirect(f"/api/v1/products/{current}/")


def _count(counted: int) -> dict[str, object]:
    cap = selectors.COUNT_CAP
    return {"value": min(counted, cap), "exact": counted <= cap}
