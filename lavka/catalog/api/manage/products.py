"""Staff run the range: products and their variants."""

from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.catalog import selectors, services
from lavka.catalog.api.manage.serializers import (
    ManagedProductLineOutput,
    ManagedProductOutput,
    ManagedVariantOutput,
    ManagedVariantsOutput,
    ProductChangeInput,
    ProductInput,
    VariantInput,
    VariantsInput,
)
from lavka.catalog.api.references import resolved, variants_of
from lavka.catalog.api.shapes import product_json, product_line_json, variant_json
from lavka.catalog.errors import InUse, ReferenceGone, Taken
from lavka.catalog.models import Product
from lavka.web import parameters
from lavka.web.bodies import KIB
from lavka.web.etags import IF_MATCH, PreconditionFailed, require_match, tagged
from lavka.web.pages import PageRequest, page_of
from lavka.web.parameters import text_parameter
from lavka.web.schema import PAGE_PARAMETERS, operation
from lavka.web.serializers import page_output
from lavka.web.views import StaffView, in_thread

FILTERS = [
    OpenApiParameter("status", str, enum=list(Product.Status.values)),
    text_parameter("q", "Words of name and brand, a part of the slug or of a SKU, or a GTIN."),
]
_VARIANT = {
    "sku": "KETTLE-RED",
    "options": {"color": "red"},
    "price": {"amount": 4900, "currency": "USD"},
    "compare_at_price": {"amount": 5900, "currency": "USD"},
}
_KETTLE = OpenApiExample(
    "A kettle",
    {
        "product_type": "kettle",
        "name": "Whistling kettle",
        "category": "kitchen",
        "attributes": {"volume": 1.7},
        "status": "published",
        "variants": [_VARIANT],
    },
    request_only=True,
)
_VARIANTS = OpenApiExample("One variant", {"variants": [_VARIANT]}, request_only=True)


class ProductsView(StaffView):
    """Every product, in any state."""

    rights = {"GET": "catalog.view_product", "POST": "catalog.add_product"}

    @operation(
        "list_managed_products",
        "List products in any state, newest first",
        parameters=[*FILTERS, *PAGE_PARAMETERS],
        responses=page_output(ManagedProductLineOutput, "ManagedProductPage"),
    )
    async def get(self, request: Request) -> Response:
        query = request.query_params
        status = parameters.choice(query, "status", Product.Status.values)
        words, wanted = query.get("q", ""), PageRequest.of(query)

        def page() -> dict[str, object]:
            rows = selectors.products_matching(status, words)
            return page_of(rows, order=("-id",), wanted=wanted, render=product_line_json)

        return Response(await in_thread(page))

    @operation(
        "create_product",
        "Create a product",
        request=ProductInput,
        max_body_bytes=1024 * KIB,
        responses={201: ManagedProductOutput},
        errors=[Taken, ReferenceGone],
        examples=[_KETTLE],
        description="A draft unless `status` says otherwise. Without a slug, one is made from the "
        "name. Attributes and variants are checked against the product type.",
    )
    async def post(self, request: Request) -> Response:
        values = ProductInput.read(request.data)
        variants = variants_of(values.pop("variants", []))

        def create() -> dict[str, Any]:
            created = services.create_product(variants=variants, **resolved(values))
            return product_json(selectors.whole_products().get(pk=created.pk))

        return tagged(await in_thread(create), status=201)


class ProductView(StaffView):
    """One product."""

    rights = {
        "GET": "catalog.view_product",
        "PATCH": "catalog.change_product",
        "DELETE": "catalog.delete_product",
    }

    @operation("get_managed_product", "Get a product", responses=ManagedProductOutput)
    async def get(self, request: Request, product_id: UUID) -> Response:
        def read() -> dict[str, Any]:
            return product_json(selectors.whole_products().get(pk=product_id))

        return Response(await in_thread(read))

    @operation(
        "update_product",
        "Change a product",
        parameters=[IF_MATCH],
        request=ProductChangeInput,
        max_body_bytes=1024 * KIB,
        responses=ManagedProductOutput,
        errors=[Taken, ReferenceGone, PreconditionFailed],
        description="`attributes` is the whole mapping. A new slug leads on from the old one. "
        "A product is published only if its attributes are what its type asks for.",
    )
    async def patch(self, request: Request, product_id: UUID) -> Response:
        values = ProductChangeInput.read(request.data, partial=True)

        @transaction.atomic
        def change() -> dict[str, Any]:
            require_product_match(request, product_id)
            services.update_product(product_id=product_id, **resolved(values))
            return product_json(selectors.whole_products().get(pk=product_id))

        return tagged(await in_thread(change))

    @operation(
        "delete_product",
        "Delete a product with its variants and pictures",
        parameters=[IF_MATCH],
        responses={204: None},
        errors=[InUse, PreconditionFailed],
    )
    async def delete(self, request: Request, product_id: UUID) -> Response:
        @transaction.atomic
        def delete() -> None:
            require_product_match(request, product_id)
            services.delete_product(product_id=product_id)

        await in_thread(delete)
        return Response(status=204)


class ProductVariantsView(StaffView):
    """The variants of a product."""

    rights = {
        "GET": "catalog.view_variant",
        "POST": "catalog.add_variant",
        "PUT": "catalog.change_variant",
    }

    @operation("list_variants", "List a product's variants", responses=ManagedVariantsOutput)
    async def get(self, request: Request, product_id: UUID) -> Response:
        return Response(await in_thread(_variants, product_id))

    @operation(
        "add_variant",
        "Add a variant",
        request=VariantInput,
        responses={201: ManagedVariantOutput},
        errors=[Taken],
    )
    async def post(self, request: Request, product_id: UUID) -> Response:
        [values] = variants_of([VariantInput.read(request.data)])

        @transaction.atomic
        def add() -> dict[str, Any]:
            return variant_json(services.add_variant(product_id=product_id, values=values))

        return tagged(await in_thread(add), status=201)

    @operation(
        "set_variants",
        "Set all variants of a product",
        request=VariantsInput,
        max_body_bytes=1024 * KIB,
        responses=ManagedVariantsOutput,
        errors=[Taken, InUse],
        examples=[_VARIANTS],
        description="Known by SKU: those that are not named are deleted. All or none.",
    )
    async def put(self, request: Request, product_id: UUID) -> Response:
        variants = variants_of(VariantsInput.read(request.data)["variants"])

        @transaction.atomic
        def change() -> dict[str, Any]:
            services.set_variants(product_id=product_id, variants=variants)
            return _variants(product_id)

        return Response(await in_thread(change))


class VariantView(StaffView):
    """One variant."""

    rights = {
        "GET": "catalog.view_variant",
        "PATCH": "catalog.change_variant",
        "DELETE": "catalog.delete_variant",
    }

    @operation("get_variant", "Get a variant", responses=ManagedVariantOutput)
    async def get(self, request: Request, variant_id: UUID) -> Response:
        variant = await in_thread(selectors.variants().get, pk=variant_id)
        return Response(variant_json(variant))

    @operation(
        "update_variant",
        "Change a variant",
        parameters=[IF_MATCH],
        request=VariantInput,
        responses=ManagedVariantOutput,
        errors=[Taken, PreconditionFailed],
    )
    async def patch(self, request: Request, variant_id: UUID) -> Response:
        values: Any = VariantInput.read(request.data, partial=True)

        @transaction.atomic
        def change() -> dict[str, Any]:
            self._require_match(variant_id)
            return variant_json(services.change_variant(variant_id=variant_id, **values))

        return tagged(await in_thread(change))

    @operation(
        "delete_variant",
        "Delete a variant",
        parameters=[IF_MATCH],
        responses={204: None},
        errors=[InUse, PreconditionFailed],
    )
    async def delete(self, request: Request, variant_id: UUID) -> Response:
        @transaction.atomic
        def delete() -> None:
            self._require_match(variant_id)
            services.delete_variant(variant_id=variant_id)

        await in_thread(delete)
        return Response(status=204)

    def _require_match(self, variant_id: UUID) -> None:
        """Every writer of variants locks their product, so that is the lock to hold."""

        def current() -> dict[str, Any]:
            owner = selectors.variants().values("product")
            Product.objects.select_for_update().get(pk__in=owner.filter(pk=variant_id))
            return variant_json(selectors.variants().get(pk=variant_id))

        require_match(self.request, current)


def require_product_match(request: Request, product_id: UUID) -> None:
    """Lock the product and refuse a change of what the caller has not seen."""
    rows = selectors.whole_products().select_for_update(of=("self",))
    require_match(request, lambda: product_json(rows.get(pk=product_id)))


def _variants(product_id: UUID) -> dict[str, Any]:
    product = selectors.whole_products().get(pk=product_id)
    return {"items": [variant_json(each) for each in product.variants.all()]}
