"""The shop's tables as SQLAlchemy's declarative models."""

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import DateTime, ForeignKey, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from bench.contenders import shapes


class Base(DeclarativeBase):
    """What all tables share."""

    type_annotation_map = {dict[str, Any]: JSONB, datetime: DateTime(timezone=True)}


class Brand(Base):
    """Who makes it."""

    __tablename__ = "catalog_brand"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    slug: Mapped[str]
    name: Mapped[str]


class Category(Base):
    """A shelf."""

    __tablename__ = "catalog_category"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    parent_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("catalog_category.id"))
    slug: Mapped[str]
    name: Mapped[str]
    parent: Mapped["Category | None"] = relationship(remote_side=[id])


class Attribute(Base):
    """A typed property."""

    __tablename__ = "catalog_attribute"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    code: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    unit: Mapped[str]
    choices: Mapped[list["Choice"]] = relationship(order_by="Choice.position, Choice.label")


class Choice(Base):
    """One value of a choice attribute."""

    __tablename__ = "catalog_choice"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    attribute_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("catalog_attribute.id"))
    code: Mapped[str]
    label: Mapped[str]
    position: Mapped[int]


class ProductType(Base):
    """The schema of a kind of product."""

    __tablename__ = "catalog_producttype"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    type_attributes: Mapped[list["TypeAttribute"]] = relationship(order_by="TypeAttribute.position")


class TypeAttribute(Base):
    """One attribute of a product type."""

    __tablename__ = "catalog_typeattribute"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    product_type_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("catalog_producttype.id"))
    attribute_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("catalog_attribute.id"))
    is_option: Mapped[bool]
    position: Mapped[int]
    attribute: Mapped[Attribute] = relationship()


class Variant(Base):
    """One thing that can be bought."""

    __tablename__ = "catalog_variant"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    product_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("catalog_product.id"))
    sku: Mapped[str]
    gtin: Mapped[str]
    options: Mapped[dict[str, Any]]
    price_amount: Mapped[int]
    compare_at_amount: Mapped[int | None]
    is_in_stock: Mapped[bool]
    weight_grams: Mapped[int | None]
    position: Mapped[int]
    image_links: Mapped[list["VariantImage"]] = relationship(order_by="VariantImage.position")


class VariantImage(Base):
    """A picture that shows a variant."""

    __tablename__ = "catalog_variantimage"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    variant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("catalog_variant.id"))
    image_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("catalog_productimage.id"))
    position: Mapped[int]


class Image(Base):
    """A picture."""

    __tablename__ = "catalog_productimage"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    product_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("catalog_product.id"))
    file: Mapped[str]
    alt: Mapped[str]
    width: Mapped[int | None]
    height: Mapped[int | None]
    thumbnails: Mapped[dict[str, Any]]
    position: Mapped[int]


class Rating(Base):
    """How many reviews gave a product each number of stars."""

    __tablename__ = "reviews_productrating"
    product_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("catalog_product.id"), primary_key=True
    )
    stars_1: Mapped[int]
    stars_2: Mapped[int]
    stars_3: Mapped[int]
    stars_4: Mapped[int]
    stars_5: Mapped[int]
    count: Mapped[int]
    average: Mapped[Decimal | None]


class Product(Base):
    """What a customer looks at; the properties are what the card shows of its rows."""

    __tablename__ = "catalog_product"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    slug: Mapped[str]
    name: Mapped[str]
    description: Mapped[str]
    attributes: Mapped[dict[str, Any]]
    status: Mapped[str]
    seo_title: Mapped[str]
    seo_description: Mapped[str]
    brand_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("catalog_brand.id"))
    category_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("catalog_category.id"))
    product_type_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("catalog_producttype.id"))
    brand: Mapped[Brand | None] = relationship()
    category: Mapped[Category | None] = relationship()
    product_type: Mapped[ProductType] = relationship()
    variants: Mapped[list[Variant]] = relationship(order_by="Variant.position, Variant.id")
    images: Mapped[list[Image]] = relationship(order_by="Image.position, Image.id")
    rating_row: Mapped[Rating | None] = relationship(uselist=False)

    @property
    def price(self) -> Any:
        """Of the cheapest variant."""
        return shapes.money(shapes.cheapest(self.variants).price_amount)

    @property
    def compare_at_price(self) -> Any:
        """What that variant cost before."""
        return shapes.money(shapes.cheapest(self.variants).compare_at_amount)

    @property
    def image(self) -> Any:
        """The first picture."""
        return shapes.card_image(self.images)

    @property
    def rating(self) -> Any:
        """Average and count."""
        return shapes.rating(self.rating_row)

    @property
    def in_stock(self) -> bool:
        """Whether any variant is."""
        return any(variant.is_in_stock for variant in self.variants)

    @property
    def variant_count(self) -> int:
        """How many there are."""
        return len(self.variants)


class User(Base):
    """A customer."""

    __tablename__ = "accounts_user"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    email: Mapped[str]
    name: Mapped[str]
    language: Mapped[str]
    is_staff: Mapped[bool]
    is_active: Mapped[bool]
    email_verified_at: Mapped[datetime | None]
    joined_at: Mapped[datetime]

    @property
    def is_email_verified(self) -> bool:
        """Whether the address was proven to be theirs."""
        return self.email_verified_at is not None


class Review(Base):
    """What one customer says about one product."""

    __tablename__ = "reviews_review"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("uuidv7()"))
    product_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("catalog_product.id"))
    author_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts_user.id"))
    rating: Mapped[int]
    title: Mapped[str]
    text: Mapped[str]
    status: Mapped[str]
    helpful: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class OutboxEvent(Base):
    """An event that waits for the relay, as the other contenders' models append it."""

    __tablename__ = "kernel_outboxevent"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("uuidv7()"))
    name: Mapped[str]
    aggregate: Mapped[uuid.UUID]
    payload: Mapped[dict[str, Any]]
