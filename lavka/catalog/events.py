"""What can happen in the catalogue."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from lavka.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class ProductChanged(Event):
    """A product, or what is shown with it, was created, changed or deleted.

    Its variants, its pictures, its brand, its shelf and its attributes are shown with it.
    """

    name: ClassVar[str] = "catalog.product_changed"
    right: ClassVar[str] = "catalog.view_product"
    product_id: UUID
    slug: str | None = None
    status: str | None = None
    is_deleted: bool | None = None

    @property
    def aggregate(self) -> UUID:
        """The product."""
        return self.product_id


@dataclass(frozen=True, kw_only=True)
class ImageAdded(Event):
    """A picture was stored and has no thumbnails yet."""

    name: ClassVar[str] = "catalog.image_added"
    image_id: UUID

    @property
    def aggregate(self) -> UUID:
        """The picture."""
        return self.image_id


@dataclass(frozen=True, kw_only=True)
class ImageRemoved(Event):
    """A picture's row is gone; `files` are the stored names that nobody needs any more."""

    name: ClassVar[str] = "catalog.image_removed"
    image_id: UUID
    files: list[str]

    @property
    def aggregate(self) -> UUID:
        """The picture."""
        return self.image_id


@dataclass(frozen=True, kw_only=True)
class BrandChanged(Event):
    """A brand was renamed or described anew; its products follow with ProductChanged."""

    name: ClassVar[str] = "catalog.brand_changed"
    brand_id: UUID

    @property
    def aggregate(self) -> UUID:
        """The brand."""
        return self.brand_id


@dataclass(frozen=True, kw_only=True)
class CategoryChanged(Event):
    """A category was renamed or moved; the products on and below it follow with ProductChanged."""

    name: ClassVar[str] = "catalog.category_changed"
    right: ClassVar[str] = "catalog.view_category"
    category_id: UUID
    slug: str | None = None
    parent_id: UUID | None = None

    @property
    def aggregate(self) -> UUID:
        """The category."""
        return self.category_id


@dataclass(frozen=True, kw_only=True)
class AttributeChanged(Event):
    """An attribute, a choice of it or its place in a type changed; its products follow."""

    name: ClassVar[str] = "catalog.attribute_changed"
    attribute_id: UUID

    @property
    def aggregate(self) -> UUID:
        """The attribute."""
        return self.attribute_id
