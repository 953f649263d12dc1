"""Products and their variants."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from lavka.catalog import rules, selectors
from lavka.catalog.errors import Taken
from lavka.catalog.models import Brand, Category, Product, ProductType, Variant
from lavka.catalog.rules import VariantValues
from lavka.catalog.services.announcements import announce_products
from lavka.catalog.services.images import write_variant_images
from lavka.catalog.services.writing import hold_schema, insert_with_slug, refusals_named
from lavka.kernel.conf import options
from lavka.kernel.money import Money


class ProductContent(TypedDict, total=False):
    """What staff say about a product; `attributes` is the whole mapping of codes to values."""

    product_type: ProductType
    name: str
    description: str
    brand: Brand | None
    category: Category | None
    attributes: Mapping[str, Any]
    status: str
    publish_at: datetime.datetime | None
    unpublish_at: datetime.datetime | None
    seo_title: str
    seo_description: str


class VariantContent(TypedDict, total=False):
    """What staff say about a variant."""

    sku: str
    gtin: str
    options: Mapping[str, str]
    price: Money
    compare_at_price: Money | None
    cost: Money | None
    track_inventory: bool
    weight_grams: int | None
    image_ids: Sequence[UUID] | None


@transaction.atomic
def create_product(
    *, slug: str = "", variants: Sequence[VariantValues] = (), **content: Unpack[ProductContent]
) -> Product:
    """Create a product with its variants; an empty `slug` is made from the name.

    Raises: Invalid; Taken, for slug, SKU or GTIN; ReferenceGone.
    Locks: the schema, shared. Emits: ProductChanged.
    """
    hold_schema()
    product = Product(slug=slug)
    _fill(product, content)
    insert_with_slug(product)
    _write_variants(product, variants)
    return product


@transaction.atomic
def update_product(
    *, product_id: UUID, slug: str = "", **content: Unpack[ProductContent]
) -> Product:
    """Change what is named; an empty `slug` leaves it, a new one leads on from the old.

    Raises: Product.DoesNotExist; Invalid; Taken, for the slug; ReferenceGone.
    Locks: the schema, shared, and the product. Emits: ProductChanged.
    """
    hold_schema()
    product = _locked(product_id)
    product.slug = slug or product.slug
    _fill(product, content)
    with refusals_named():
        product.save()
    return product


@transaction.atomic
def save_product(
    *,
    slug: str,
    variants: Sequence[VariantValues],
    ids: Sequence[UUID | None] | None = None,
    **content: Unpack[ProductContent],
) -> Product:
    """Make the product at `slug` what is said here, whether or not it exists: safe to repeat.

    `variants` is the whole set, known by SKU or, as in `set_variants`, by `ids`: others of the
    product are deleted.
    Raises: Invalid, with `#/attributes/<code>` and `#/variants/<index>/…`; Taken, for a SKU or
    GTIN of another product; ReferenceGone.
    Locks: the schema, shared, and the product. Emits: ProductChanged.
    """
    hold_schema()
    product = _at_slug(slug)
    if product is None:
        try:
            return create_product(slug=slug, variants=variants, **content)
        except Taken:
            # Another writer created it a moment ago; a taken SKU has no product here and stays.
            product = _at_slug(slug)
            if product is None:
                raise
    _fill(product, content)
    with refusals_named():
        product.save()
    _write_variants(product, variants, ids)
    return product


@transaction.atomic
def delete_product(*, product_id: UUID) -> None:
    """Delete a product with its variants and pictures.

    Raises: Product.DoesNotExist; InUse. Locks: the product. Emits: ProductChanged, ImageRemoved.
    """
    product = _locked(product_id)
    with refusals_named():
        product.delete()


@transaction.atomic
def set_status(*, product_ids: Sequence[UUID], status: str) -> int:
    """Publish, archive or take back several products; returns how many changed.

    A product whose attributes its type refuses is not published.
    Raises: Invalid. Locks: the schema, shared, and the products. Emits: ProductChanged.
    """
    hold_schema()
    found = Product.objects.select_for_update(no_key=True).exclude(status=status)
    changed = list(found.filter(pk__in=product_ids).order_by("pk"))
    for product in changed:
        _fill(product, {"status": status})
        product.save(update_fields=["status", "attributes", "updated_at"])
    return len(changed)


@transaction.atomic
def set_variants(
    *,
    product_id: UUID,
    variants: Sequence[VariantValues],
    ids: Sequence[UUID | None] | None = None,
) -> Product:
    """Make these the product's variants: others are deleted.

    `ids`, one beside each variant, says which existing one it is; without it the SKU says so.
    Raises: Product.DoesNotExist; Invalid, with `#/variants/<index>/…`; Taken; InUse.
    Locks: the schema, shared, and the product. Emits: ProductChanged.
    """
    hold_schema()
    product = _locked(product_id)
    _write_variants(product, variants, ids)
    product.save(update_fields=["updated_at"])
    return product


@transaction.atomic
def add_variant(*, product_id: UUID, values: VariantValues) -> Variant:
    """Add a variant after the others.

    Raises: Product.DoesNotExist; Invalid, with `#/price` and so on; Taken.
    Locks: the schema, shared, and the product. Emits: ProductChanged.
    """
    hold_schema()
    product = _locked(product_id)
    count = product.variants.count()
    if count >= rules.MAX_VARIANTS:
        rules.refuse_more_variants("#")
    variant = Variant(product=product, position=count)
    _save_variant(variant, values, are_options_new=True)
    return variant


@transaction.atomic
def change_variant(*, variant_id: UUID, **content: Unpack[VariantContent]) -> Variant:
    """Change one variant.

    Raises: Variant.DoesNotExist; Invalid, with `#/price` and so on; Taken.
    Locks: the schema, shared, and the variant's product. Emits: ProductChanged.
    """
    hold_schema()
    variant = _locked_variant(variant_id)
    values = replace(values_of(variant), **content)
    _save_variant(variant, values, are_options_new="options" in content)
    return variant


@transaction.atomic
def delete_variant(*, variant_id: UUID) -> None:
    """Delete one variant.

    Raises: Variant.DoesNotExist; InUse. Locks: its product. Emits: ProductChanged.
    """
    variant = _locked_variant(variant_id)
    with refusals_named():
        variant.delete()


@transaction.atomic
def set_has_stock(*, flags: Mapping[UUID, bool]) -> set[UUID]:
    """Note which variants (by id) have stock; returns those that look different now.

    One that is sold without counting looks the same either way.
    Locks: the products of those whose flag changes, by id. Emits: ProductChanged, for each variant
    that looks different.
    """
    differing = Q()
    for has_stock in (True, False):
        ids = [each for each, flag in flags.items() if flag is has_stock]
        differing |= Q(pk__in=ids, has_stock=not has_stock)
    changed = list(Variant.objects.filter(differing))
    if not changed:
        return set()
    locked = Product.objects.filter(pk__in={each.product_id for each in changed})
    list(locked.order_by("pk").select_for_update(no_key=True).values_list("pk"))
    Variant.objects.filter(differing).update(has_stock=~F("has_stock"))
    shown = [each for each in changed if each.track_inventory]
    announce_products(product_ids=sorted({each.product_id for each in shown}))
    return {each.pk for each in shown}


def _locked(product_id: UUID) -> Product:
    return Product.objects.select_for_update(no_key=True).get(pk=product_id)


def _at_slug(slug: str) -> Product | None:
    return Product.objects.select_for_update(no_key=True).filter(slug=slug).first()


def _locked_variant(variant_id: UUID) -> Variant:
    """The variant, its product locked first, so that two sets of variants never interleave."""
    product_id = Variant.objects.values_list("product", flat=True).get(pk=variant_id)
    product = _locked(product_id)
    variant = Variant.objects.get(pk=variant_id)
    variant.product = product
    return variant


def _fill(product: Product, content: ProductContent) -> None:
    """Set the values; attributes are checked when they, the type or the status move."""
    for name, value in content.items():
        setattr(product, name, value)
    rules.check_window(product.publish_at, product.unpublish_at)
    is_published = content.get("status") == Product.Status.PUBLISHED
    if is_published or {"attributes", "product_type"} & content.keys():
        own = selectors.rules_of(product.product_type_id)
        product.attributes = rules.checked_attributes(own, product.attributes)


def _save_variant(variant: Variant, values: VariantValues, *, are_options_new: bool) -> None:
    rules.check_variant(values, currency=options.currency)
    if are_options_new:
        own = selectors.rules_of(variant.product.product_type_id)
        rules.check_options(own, values.options, pointer="#/options")
    with refusals_named():
        _assign(variant, values).save()
        write_variant_images(
            product_id=variant.product_id, image_ids={variant.pk: values.image_ids}, pointer="#"
        )


def _write_variants(
    product: Product,
    variants: Sequence[VariantValues],
    ids: Sequence[UUID | None] | None = None,
) -> None:
    own = selectors.rules_of(product.product_type_id)
    rules.check_variants(own, variants, currency=options.currency)
    _refuse_taken(product, variants)
    rows: dict[object, Variant] = {}
    for row in product.variants.all():
        rows[row.sku if ids is None else row.pk] = row
    keys: Sequence[object] = [values.sku for values in variants] if ids is None else ids
    wanted = [
        _assign(rows.get(key) or Variant(product=product), values, position)
        for position, (key, values) in enumerate(zip(keys, variants, strict=True))
    ]
    known = [variant for variant in wanted if not variant._state.adding]
    fresh = [variant for variant in wanted if variant._state.adding]
    with refusals_named():
        # In this order a new variant may have the options that an old one had.
        product.variants.exclude(pk__in=[variant.pk for variant in known]).delete()
        Variant.objects.bulk_update(known, _COLUMNS)
        Variant.objects.bulk_create(fresh)
        write_variant_images(
            product_id=product.pk,
            image_ids={
                variant.pk: values.image_ids
                for variant, values in zip(wanted, variants, strict=True)
            },
            pointer="#/variants/{index}",
        )


def _refuse_taken(product: Product, variants: Sequence[VariantValues]) -> None:
    """Say which variant's SKU or GTIN is another product's; a race meets the constraint."""
    others = Variant.objects.exclude(product=product)
    skus = set(others.filter(sku__in=[v.sku for v in variants]).values_list("sku", flat=True))
    gtins = set(
        others.filter(gtin__in=[v.gtin for v in variants if v.gtin]).values_list("gtin", flat=True)
    )
    taken = [f"#/variants/{n}/sku" for n, v in enumerate(variants) if v.sku in skus]
    taken += [f"#/variants/{n}/gtin" for n, v in enumerate(variants) if v.gtin in gtins]
    if taken:
        raise Taken.at(*taken)


_COLUMNS = [
    "sku", "gtin", "options", "price_amount", "compare_at_amount", "cost_amount",
    "track_inventory", "weight_grams", "position",
]  # fmt: skip


def _assign(variant: Variant, values: VariantValues, position: int | None = None) -> Variant:
    before = values.compare_at_price
    variant.sku = values.sku
    variant.gtin = values.gtin
    variant.options = dict(values.options)
    variant.price_amount = values.price.amount
    variant.compare_at_amount = before.amount if before is not None else None
    variant.cost_amount = values.cost.amount if values.cost is not None else None
    if values.track_inventory is not None:
        variant.track_inventory = values.track_inventory
    variant.weight_grams = values.weight_grams
    variant.position = variant.position if position is None else position
    return variant


def values_of(variant: Variant) -> VariantValues:
    """A variant as it is."""
    return VariantValues(
        sku=variant.sku,
        price=variant.price,
        compare_at_price=variant.compare_at_price,
        gtin=variant.gtin,
        options=variant.options,
        cost=variant.cost,
        track_inventory=variant.track_inventory,
        weight_grams=variant.weight_grams,
    )
