"""The pydantic models of FastAPI's answers."""

import uuid
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bench.contenders import shapes
from bench.contenders.fastapi_models import Product, Variant


class FromRow(BaseModel):
    """A model that reads attributes of rows."""

    model_config = ConfigDict(from_attributes=True)


class Link(FromRow):
    """A brand or a category, by name."""

    slug: str
    name: str


class Card(FromRow):
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


class Page(BaseModel):
    """One numbered page."""

    items: list[Card]
    count: int


class VariantOut(FromRow):
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

    @classmethod
    def of(cls, variant: Variant) -> "VariantOut":
        """The wire's form of a row."""
        return cls(
            id=variant.id,
            sku=variant.sku,
            gtin=variant.gtin or None,
            options=variant.options,
            price=shapes.money(variant.price_amount),
            compare_at_price=shapes.money(variant.compare_at_amount),
            in_stock=variant.is_in_stock,
            weight_grams=variant.weight_grams,
            image_ids=[each.image_id for each in variant.image_links],
        )


class ProductOut(Card):
    """A product's page."""

    description: str
    attributes: list[dict[str, Any]]
    options: list[dict[str, Any]]
    variants: list[VariantOut]
    images: list[dict[str, Any]]
    breadcrumbs: list[Link]
    seo: dict[str, str]

    @classmethod
    def of(cls, product: Product) -> "ProductOut":
        """The wire's form of a product whose relations are loaded."""
        card = Card.model_validate(product).model_dump()
        described = product.product_type.type_attributes
        return cls(
            **card | {"rating": shapes.full_rating(product.rating_row)},
            description=product.description,
            attributes=shapes.attributes(_of(described, is_option=False), product.attributes),
            options=shapes.options(_of(described, is_option=True), product.variants),
            variants=[VariantOut.of(each) for each in product.variants],
            images=[shapes.image(each) for each in product.images],
            breadcrumbs=shapes.breadcrumbs(product.category),
            seo=shapes.seo(product),
        )


class Profile(FromRow):
    """A user, as they see themselves."""

    id: uuid.UUID
    email: str
    name: str
    language: str
    is_email_verified: bool
    is_staff: bool
    joined_at: datetime


class ReviewIn(BaseModel):
    """What a customer says."""

    rating: int = Field(ge=1, le=5)
    title: str = Field("", max_length=200)
    text: str = Field("", max_length=10_000)


class ReviewOut(BaseModel):
    """A review as its author sees it."""

    id: uuid.UUID
    rating: int
    title: str
    text: str
    author: str
    helpful: int
    created_at: datetime
    status: str
    product: str


def _of(described: list[Any], *, is_option: bool) -> list[Any]:
    return [
        (each.attribute, each.attribute.choices)
        for each in described
        if each.is_option == is_option
    ]
