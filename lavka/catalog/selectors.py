"""How the catalogue is read."""

import datetime
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import FETCH_RAISE, Model, Prefetch, Q, QuerySet

from lavka.catalog.models import (
    Attribute,
    Brand,
    Category,
    Choice,
    Product,
    ProductImage,
    ProductType,
    SlugHistory,
    TypeAttribute,
    Variant,
    VariantImage,
)
from lavka.catalog.rules import AttributeRule, SelectedOption, StoredPicture, gtins_like
from lavka.kernel import database, rows
from lavka.kernel.conf import options
from lavka.kernel.money import Money
from lavka.kernel.reads import read_first

# Of a search of the staff's.
MOST_WORDS = 10
_OWNERS: dict[str, type[Model]] = {
    SlugHistory.Kind.PRODUCT: Product,
    SlugHistory.Kind.CATEGORY: Category,
    SlugHistory.Kind.BRAND: Brand,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Article:
    """A variant that is on sale, with what lines of carts, orders and wishlists show of it.

    `image` is the variant's first picture, or else the product's.
    """

    variant_id: UUID
    product_id: UUID
    product_slug: str
    product_name: str
    sku: str
    options: Mapping[str, str]
    price_amount: int
    weight_grams: int
    selected_options: Sequence[SelectedOption] = ()
    image: StoredPicture | None = None

    @property
    def price(self) -> Money:
        """What it costs, in the shop's currency."""
        return Money(self.price_amount, options.currency)


# The names are looked up one by one: a join would be planned for more options than a variant has.
_DETAILS = """(
        SELECT json_agg(json_build_object('code', option.key, 'name',
            coalesce(attribute.name, option.key), 'value', option.value, 'label', coalesce((
                SELECT label FROM catalog_choice
                WHERE attribute_id = attribute.id AND code = option.value), option.value)
        ) ORDER BY (
            SELECT position FROM catalog_typeattribute
            WHERE product_type_id = product.product_type_id AND attribute_id = attribute.id
        ), option.key)
        FROM jsonb_each_text(variant.options) AS option
        LEFT JOIN LATERAL (
            SELECT id, name FROM catalog_attribute WHERE code = option.key OFFSET 0
        ) AS attribute ON true
    ), (
        SELECT json_build_object('file', file, 'alt', alt, 'width', width, 'height', height,
            'thumbnails', thumbnails)
        FROM catalog_productimage AS image
        LEFT JOIN catalog_variantimage AS link
            ON link.image_id = image.id AND link.variant_id = variant.id
        WHERE image.product_id = product.id
        ORDER BY link.position, image.position, image.id LIMIT 1
    )"""
# A cart asks for it each time it is read or changed. The window is that of `published`.
_ARTICLES = """
SELECT variant.id, product.id, product.slug, product.name, variant.sku, variant.options,
    variant.price_amount, coalesce(variant.weight_grams, 0), {details}
FROM catalog_variant AS variant JOIN catalog_product AS product ON product.id = variant.product_id
WHERE variant.id = {any_of} AND product.status = 'published'
    AND (product.publish_at IS NULL OR product.publish_at <= %s)
    AND (product.unpublish_at IS NULL OR product.unpublish_at > %s)
"""
_WITH_DETAILS = _ARTICLES.format(details=_DETAILS, any_of=rows.ANY_UUID)
_WITHOUT_DETAILS = _ARTICLES.format(details="NULL, NULL", any_of=rows.ANY_UUID)


def articles_of(
    variant_ids: Collection[UUID], at: datetime.datetime, *, has_details: bool = True
) -> dict[UUID, Article]:
    """Those of the variants that customers may buy at the instant `at`: 1 query, or none.

    Where nobody looks at labels and pictures, `has_details=False` saves their lookup.
    """
    if not variant_ids:
        return {}
    query = _WITH_DETAILS if has_details else _WITHOUT_DETAILS
    found = rows.fetch_all(query, [list(variant_ids), at, at])
    return {
        variant_id: Article(
            variant_id=variant_id,
            product_id=product_id,
            product_slug=slug,
            product_name=name,
            sku=sku,
            options=json.loads(chosen),
            price_amount=price,
            weight_grams=weight,
            selected_options=selected or (),
            image=image,
        )
        for variant_id, product_id, slug, name, sku, chosen, price, weight, selected, image in found
    }


async def current_slug(kind: str, slug: str) -> str | None:
    """The slug that a past slug of this kind (SlugHistory.Kind) leads to: 1 query, or None.

    Ask only when no live row has the slug: a live slug wins over a past one. Whether a product
    may be seen is for the caller to check.
    """
    past = SlugHistory.objects.filter(kind=kind, slug=slug).values("target")
    owner: Any = await read_first(_OWNERS[kind]._default_manager.filter(pk__in=past).only("slug"))
    return None if owner is None else str(owner.slug)


def uses_of(product_type_id: UUID) -> QuerySet[TypeAttribute]:
    """A product type's attributes with their choices, in its order: 2 queries."""
    choices = Prefetch("attribute__choices", Choice.objects.all().fetch_mode(FETCH_RAISE))
    uses = TypeAttribute.objects.filter(product_type_id=product_type_id)
    return (
        uses.select_related("attribute").prefetch_related(choices).order_by("position", "id")
    ).fetch_mode(FETCH_RAISE)


def rules_of(product_type_id: UUID) -> list[AttributeRule]:
    """What a product type allows, in its order: 2 queries."""
    return [
        AttributeRule(
            code=use.attribute.code,
            kind=use.attribute.kind,
            choices=tuple(choice.code for choice in use.attribute.choices.all()),
            is_option=use.is_option,
            is_required=use.is_required,
        )
        for use in uses_of(product_type_id)
    ]


def attributes() -> QuerySet[Attribute]:
    """Attributes with their choices: 2 queries."""
    choices = Choice.objects.all().fetch_mode(FETCH_RAISE)
    return Attribute.objects.prefetch_related(Prefetch("choices", choices)).fetch_mode(FETCH_RAISE)


def product_types() -> QuerySet[ProductType]:
    """Product types with their attributes: 2 queries."""
    uses = TypeAttribute.objects.select_related("attribute").order_by("position", "id")
    return ProductType.objects.prefetch_related(
        Prefetch("type_attributes", uses.fetch_mode(FETCH_RAISE))
    ).fetch_mode(FETCH_RAISE)


def brands() -> QuerySet[Brand]:
    """Brands: 1 query."""
    return Brand.objects.all().fetch_mode(FETCH_RAISE)


# Climbs; the library walks the whole tree to find the way.
_BREADCRUMBS = """
WITH RECURSIVE way AS (
    SELECT slug, name, parent_id, 0 AS steps FROM catalog_category WHERE id = %s
    UNION ALL
    SELECT above.slug, above.name, above.parent_id, steps + 1
    FROM catalog_category AS above JOIN way ON above.id = way.parent_id
)
SELECT slug, name FROM way ORDER BY steps DESC
"""


@dataclass(frozen=True, slots=True)
class Link:
    """What a link to a shelf has."""

    slug: str
    name: str


def category_tree() -> QuerySet[Category]:
    """All categories, each before what stands inside it, with `tree_depth`: 1 query."""
    tree: QuerySet[Category] = Category.objects.with_tree_fields()
    return tree.select_related("parent").fetch_mode(FETCH_RAISE)


def categories() -> QuerySet[Category]:
    """Categories in the order of their shelf, with their parents: 1 query."""
    rows: QuerySet[Category] = Category.objects.select_related("parent").order_by(
        "position", "name", "id"
    )
    return rows.fetch_mode(FETCH_RAISE)


async def breadcrumbs(category: Category) -> list[Link]:
    """The way from the top to the category, itself included: 1 query."""
    return [Link(*row) for row in await database.fetch_all(_BREADCRUMBS, [category.pk])]


def products() -> QuerySet[Product]:
    """Products for staff, with type, brand and category, without variants: 1 query."""
    return Product.objects.select_related("product_type", "brand", "category").fetch_mode(
        FETCH_RAISE
    )


def whole_products() -> QuerySet[Product]:
    """Products with all that belongs to them, variants and pictures in order: 4 queries."""
    return products().prefetch_related(
        Prefetch("variants", variants().order_by("position", "id")),
        Prefetch("images", ProductImage.objects.order_by("position", "id").fetch_mode(FETCH_RAISE)),
    )


def image_without_thumbnails(image_id: UUID) -> ProductImage | None:
    """The picture while it still needs thumbnails: 1 query."""
    return ProductImage.objects.filter(pk=image_id, thumbnails={}).first()


def product_ids_of_brand(brand_id: UUID) -> Iterator[UUID]:
    """The brand's products, streamed: 1 query."""
    return Product.objects.filter(brand=brand_id).values_list("pk", flat=True).iterator()


def product_ids_below(category_id: UUID) -> Iterator[UUID]:
    """Products in the category and in all that stand inside it, streamed: 1 query."""
    below = Category.objects.descendants(category_id, include_self=True)
    found = Product.objects.filter(category__in=below.values("pk"))
    return found.values_list("pk", flat=True).iterator()


def product_ids_with_attribute(attribute_id: UUID) -> Iterator[UUID]:
    """Products whose type has the attribute, streamed: 1 query."""
    found = Product.objects.filter(product_type__attributes=attribute_id)
    return found.values_list("pk", flat=True).iterator()


def products_matching(status: str, words: str) -> QuerySet[Product]:
    """Products of a status, if one is named, that staff mean by these words, if there are any."""
    found = products()
    if status:
        found = found.filter(status=status)
    return found.filter(pk__in=product_ids_matching(words)) if words.strip() else found


def product_ids_matching(words: str) -> QuerySet[Any, Any]:
    """The ids of products that staff mean by these words.

    Their name and their brand's have all words, or the slug or a SKU has the text in it, or it is
    a GTIN.
    """
    text = words.strip()
    named = branded = Product.objects.all()
    brands_named = Q()
    for word in text.split()[:MOST_WORDS]:
        in_name = Q(name__folded__contains=word)
        named = named.filter(in_name)
        branded = branded.filter(in_name | Q(brand__in=Brand.objects.filter(in_name)))
        brands_named |= in_name
    # Each has an index of its own, which OR would not let PostgreSQL use.
    return named.values("pk").union(
        branded.filter(brand__in=Brand.objects.filter(brands_named)).values("pk"),
        Product.objects.filter(slug__icontains=text).values("pk"),
        Variant.objects.filter(sku__icontains=text).values("product"),
        Variant.objects.exclude(gtin="").filter(gtin__in=gtins_like(text)).values("product"),
    )


def variants() -> QuerySet[Variant]:
    """Variants, with which pictures show them: 2 queries."""
    links = VariantImage.objects.order_by("position", "id").fetch_mode(FETCH_RAISE)
    return Variant.objects.prefetch_related(Prefetch("image_links", links)).fetch_mode(FETCH_RAISE)


def images() -> QuerySet[ProductImage]:
    """Pictures: 1 query."""
    return ProductImage.objects.all().fetch_mode(FETCH_RAISE)
