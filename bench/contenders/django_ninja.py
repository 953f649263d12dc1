"""django-ninja: schemas with resolvers over the ORM, its own page numbers, under WSGI."""

import uuid
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import path
from ninja import ModelSchema, NinjaAPI, Schema
from ninja.pagination import PageNumberPagination, paginate
from ninja.security import HttpBearer
from pydantic import Field
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken

from bench.contenders import querysets, shapes
from lavka.accounts.models import User
from lavka.catalog.models import Product, Variant
from lavka.reviews.models import Review


class Link(Schema):
    """A brand or a category, by name."""

    slug: str
    name: str


class Card(Schema):
    """A product in a list."""

    id: uuid.UUID
    slug: str
    name: str
    brand: Link | None
    category: Link | None
    price: dict[str, Any]
    compare_at_price: dict[str, Any] | None
    image: dict[str, Any] | None
    rating: dict[str, Any]
    in_stock: bool
    variant_count: int

    @staticmethod
    def resolve_price(product: Product) -> Any:
        """Of the cheapest variant."""
        return shapes.money(shapes.cheapest(product.variants.all()).price_amount)

    @staticmethod
    def resolve_compare_at_price(product: Product) -> Any:
        """What that variant cost before."""
        return shapes.money(shapes.cheapest(product.variants.all()).compare_at_amount)

    @staticmethod
    def resolve_image(product: Product) -> Any:
        """The first picture."""
        return shapes.card_image(product.images.all())

    @staticmethod
    def resolve_rating(product: Product) -> Any:
        """Average and count."""
        return shapes.rating(getattr(product, "rating", None))

    @staticmethod
    def resolve_in_stock(product: Product) -> bool:
        """Whether any variant is."""
        return any(variant.is_in_stock for variant in product.variants.all())

    @staticmethod
    def resolve_variant_count(product: Product) -> int:
        """How many there are."""
        return len(product.variants.all())


class VariantOut(Schema):
    """One thing that can be bought."""

    id: uuid.UUID
    sku: str
    gtin: str | None
    options: dict[str, str]
    price: dict[str, Any]
    compare_at_price: dict[str, Any] | None
    in_stock: bool
    weight_grams: int | None
    image_ids: list[uuid.UUID]

    @staticmethod
    def resolve_image_ids(variant: Variant) -> Any:
        """The pictures that show it."""
        return [each.image_id for each in variant.image_links.all()]

    @staticmethod
    def resolve_gtin(variant: Variant) -> str | None:
        """None where there is none."""
        return variant.gtin or None

    @staticmethod
    def resolve_price(variant: Variant) -> Any:
        """What it costs."""
        return shapes.money(variant.price_amount)

    @staticmethod
    def resolve_compare_at_price(variant: Variant) -> Any:
        """What it cost before."""
        return shapes.money(variant.compare_at_amount)

    @staticmethod
    def resolve_in_stock(variant: Variant) -> bool:
        """Under the API's name."""
        return variant.is_in_stock


class ProductOut(Card):
    """A product's page."""

    description: str
    attributes: list[dict[str, Any]]
    options: list[dict[str, Any]]
    variants: list[VariantOut]
    images: list[dict[str, Any]]
    breadcrumbs: list[Link]
    seo: dict[str, str]

    @staticmethod
    def resolve_attributes(product: Product) -> Any:
        """What describes it."""
        described = querysets.described(product, is_option=False)
        return shapes.attributes(described, product.attributes)

    @staticmethod
    def resolve_options(product: Product) -> Any:
        """What a customer chooses between."""
        described = querysets.described(product, is_option=True)
        return shapes.options(described, product.variants.all())

    @staticmethod
    def resolve_images(product: Product) -> Any:
        """All pictures."""
        return [shapes.image(each) for each in product.images.all()]

    @staticmethod
    def resolve_breadcrumbs(product: Product) -> Any:
        """From the root to its category."""
        return shapes.breadcrumbs(product.category)

    @staticmethod
    def resolve_seo(product: Product) -> Any:
        """For search engines."""
        return shapes.seo(product)

    @staticmethod
    def resolve_rating(product: Product) -> Any:
        """Average, count and histogram."""
        return shapes.full_rating(getattr(product, "rating", None))


class Profile(ModelSchema):
    """A user, as they see themselves."""

    is_email_verified: bool

    class Meta:
        model = User
        fields = ["id", "email", "name", "language", "is_staff", "joined_at"]


class ReviewIn(Schema):
    """What a customer says."""

    rating: int = Field(ge=1, le=5)
    title: str = Field("", max_length=200)
    text: str = Field("", max_length=10_000)


class ReviewOut(Schema):
    """A review as its author sees it."""

    id: uuid.UUID
    rating: int
    title: str
    text: str
    author: str = Field(alias="author.name")
    helpful: int
    created_at: datetime
    status: str
    product: str = Field(alias="product.slug")


class Bearer(HttpBearer):
    """The customer of an access token, loaded as JWTAuthentication does."""

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        """None, and so 401, for a token that is not good."""
        try:
            user_id = AccessToken(token)["sub"]
        except TokenError:
            return None
        return User.objects.filter(pk=user_id, is_active=True).first()


api = NinjaAPI(docs_url=None, openapi_url=None)


@api.get("/products/", response=list[Card])
@paginate(PageNumberPagination, page_size=20)
def list_products(
    request: HttpRequest,
    category: str | None = None,
    price_min: int | None = None,
    sort: str = "newest",
) -> Any:
    """The shop window."""
    query = {"category": category, "price_min": price_min, "sort": sort}
    return querysets.wanted(querysets.listed(), query)


@api.get("/products/{slug}/", response=ProductOut)
def get_product(request: HttpRequest, slug: str) -> Any:
    """A product's page."""
    return get_object_or_404(querysets.paged(), slug=slug)


@api.get("/me/", response=Profile, auth=Bearer())
def get_me(request: HttpRequest) -> Any:
    """Whose token it is."""
    return request.auth


@api.post("/products/{slug}/reviews/", response={201: ReviewOut}, auth=Bearer())
def write_review(request: HttpRequest, slug: str, content: ReviewIn) -> Any:
    """A customer writes a review."""
    product = get_object_or_404(Product, slug=slug)
    review = Review.objects.create(product=product, author=request.auth, **content.dict())
    return 201, review


urlpatterns = [path("api/v1/", api.urls)]
