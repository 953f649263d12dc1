"""Where products stand: categories and brands."""

from typing import TypedDict, Unpack
from uuid import UUID

from django.db import connection, transaction

from lavka.catalog.errors import CategoryCycle, InUse
from lavka.catalog.models import Brand, Category
from lavka.catalog.services.writing import insert_with_slug, refusals_named

_TREE_LOCK = 7_305_931_002


class BrandContent(TypedDict, total=False):
    """What staff say about a brand; an empty slug is made from the name, or stays as it is."""

    slug: str
    name: str
    description: str
    seo_title: str
    seo_description: str


class CategoryContent(BrandContent, total=False):
    """What staff say about a category; `position` orders those with the same parent."""

    parent: Category | None
    position: int


@transaction.atomic
def create_brand(**content: Unpack[BrandContent]) -> Brand:
    """Create a brand; raises Taken, for a slug that the caller chose."""
    brand = Brand(**content)
    insert_with_slug(brand)
    return brand


@transaction.atomic
def update_brand(*, brand_id: UUID, **content: Unpack[BrandContent]) -> Brand:
    """Change what is named; a new slug leads on from the old one.

    Raises: Brand.DoesNotExist; Taken. Locks: the brand. Emits: BrandChanged.
    """
    brand = Brand.objects.select_for_update(no_key=True).get(pk=brand_id)
    _assign(brand, content)
    with refusals_named():
        brand.save()
    return brand


@transaction.atomic
def delete_brand(*, brand_id: UUID) -> None:
    """Delete a brand without products; raises Brand.DoesNotExist, InUse. Locks: the brand."""
    brand = Brand.objects.select_for_update().get(pk=brand_id)
    if brand.products.exists():
        raise InUse
    with refusals_named():
        brand.delete()


@transaction.atomic
def create_category(**content: Unpack[CategoryContent]) -> Category:
    """Create a category; raises Taken, for a slug that the caller chose, and ReferenceGone."""
    category = Category(**content)
    insert_with_slug(category)
    return category


@transaction.atomic
def update_category(*, category_id: UUID, **content: Unpack[CategoryContent]) -> Category:
    """Change what is named; another `parent` moves it with all that stands inside.

    Raises: Category.DoesNotExist; CategoryCycle; Taken; ReferenceGone.
    Locks: the category, and the whole tree against other moves. Emits: CategoryChanged.
    """
    if "parent" in content:
        _take_tree()
    category: Category = Category.objects.select_for_update(no_key=True).get(pk=category_id)
    parent = content.get("parent")
    if parent is not None and _stands_in(parent, category):
        raise CategoryCycle
    _assign(category, content)
    with refusals_named():
        category.save()
    return category


@transaction.atomic
def delete_category(*, category_id: UUID) -> None:
    """Delete a category in which nothing stands.

    Raises: Category.DoesNotExist; InUse. Locks: the category.
    """
    category = Category.objects.select_for_update().get(pk=category_id)
    if category.products.exists() or category.children.exists():
        raise InUse
    with refusals_named():
        category.delete()


def _take_tree() -> None:
    """Two moves that are each fine alone can make a circle together, so moves queue up."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_TREE_LOCK])


def _stands_in(inner: Category, outer: Category) -> bool:
    ancestors = Category.objects.ancestors(inner.pk, include_self=True)
    return bool(ancestors.filter(pk=outer.pk).exists())


def _assign(row: Brand | Category, content: BrandContent | CategoryContent) -> None:
    for name, value in content.items():
        if name != "slug" or value:
            setattr(row, name, value)
