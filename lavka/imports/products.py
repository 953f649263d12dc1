"""Saves products that a file describes, each in its own transaction, safely repeated."""

import hashlib
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from lavka.catalog import services as catalog
from lavka.catalog.models import Attribute, Brand, Category, Product, ProductType, Variant
from lavka.catalog.rules import choice_code_from, slug_from
from lavka.catalog.services import TypeAttributeValues, VariantValues
from lavka.imports.shopify import ProductDraft, Refused
from lavka.imports.shopify_variants import COST, VariantDraft, with_own_sku, without_gtin
from lavka.imports.stock import Destination, lock_stock_of, save_stock, stock_of
from lavka.imports.tables import Refusal
from lavka.kernel.errors import ShopError

TAGS = "tags"


def save_draft(draft: ProductDraft, *, destination: Destination, is_dry_run: bool = False) -> str:
    """Create or change the product at the draft's slug: "created", "changed" or "unchanged".

    The draft is the truth about the product: a variant that it does not name is deleted, unless
    its stock was ever counted. Quantities go to the `destination`, see `save_stock`.
    Raises: Refused; then nothing is written.
    Locks: the stock levels of the product's variants, the schema, shared, and the product.
    """
    try:
        with transaction.atomic():
            lock_stock_of(draft.slug)
            _leave_to_others(draft)
            before = _snapshot(draft.slug)
            _save(draft)
            save_stock(draft, destination)
            is_same = before == _snapshot(draft.slug)
            # Nothing is left behind of a dry run, nor an event of a change that changed nothing.
            transaction.set_rollback(is_same or is_dry_run)
    except ShopError as error:
        raise Refused(list(_refusals(draft, error))) from error
    if is_same:
        return "unchanged"
    return "created" if before is None else "changed"


def _leave_to_others(draft: ProductDraft) -> None:
    """SKUs and barcodes of other products stay theirs: Shopify lets several variants have one."""
    others = Variant.objects.exclude(product__slug=draft.slug)
    skus, gtins = ({getattr(each, name) for each in draft.variants} for name in ("sku", "gtin"))
    skus = set(others.filter(sku__in=skus).values_list("sku", flat=True))
    gtins = set(others.filter(gtin__in=gtins - {""}).values_list("gtin", flat=True))
    for place, variant in enumerate(draft.variants):
        if variant.sku in skus:
            draft.variants[place] = with_own_sku(variant, draft.slug, draft.notes)
        if variant.gtin in gtins:
            draft.variants[place] = without_gtin(draft.variants[place], draft.notes)


def _save(draft: ProductDraft) -> None:
    """Write the product and its variants."""
    options = {name: _option(name) for v in draft.variants for name in v.options}
    tags = _attribute(TAGS, "Tags", Attribute.Kind.CHOICES) if draft.tags else None
    attributes = {}
    if tags is not None:
        codes = [catalog.ensure_choice(attribute=tags, label=tag).code for tag in draft.tags]
        attributes[tags.code] = list(dict.fromkeys(codes))
    existing = list(Variant.objects.filter(product__slug=draft.slug))
    variants = [_values_of(each, options, existing) for each in draft.variants]
    ids = _ids_of(variants, existing)
    for each in _counted_before(existing, ids):
        draft.notes.append("variant is not in the file and was left, as its stock was counted")
        variants.append(catalog.values_of(each))
        ids.append(each.pk)
    catalog.save_product(
        slug=draft.slug,
        variants=variants,
        ids=ids,
        product_type=_product_type(list(options.values())),
        name=draft.name,
        description=draft.description,
        brand=_brand(draft.brand),
        category=_category(draft.shelves),
        attributes=attributes,
        status=draft.status,
        seo_title=draft.seo_title,
        seo_description=draft.seo_description,
    )


def _values_of(
    variant: VariantDraft, options: dict[str, Attribute], existing: list[Variant]
) -> VariantValues:
    """A variant as it is to be; a file that does not tell costs leaves them."""
    cost = variant.cost
    if not variant.is_cost_said:
        cost = next((each.cost for each in existing if each.sku == variant.sku), None)
    return VariantValues(
        sku=variant.sku,
        gtin=variant.gtin,
        options={
            options[name].code: catalog.ensure_choice(attribute=options[name], label=label).code
            for name, label in variant.options.items()
        },
        price=variant.price,
        compare_at_price=variant.compare_at_price,
        cost=cost,
        track_inventory=variant.track_inventory,
        weight_grams=variant.weight_grams,
    )


def _ids_of(variants: list[VariantValues], existing: list[Variant]) -> list[UUID | None]:
    """Which existing variant each is: by its SKU, or by its options when only the SKU is new."""
    by_sku = {each.sku: each.pk for each in existing}
    named = {values.sku for values in variants}
    renamed = {
        frozenset(each.options.items()): each.pk for each in existing if each.sku not in named
    }
    return [
        by_sku.get(values.sku) or renamed.get(frozenset(values.options.items()))
        for values in variants
    ]


def _counted_before(existing: list[Variant], ids: list[UUID | None]) -> QuerySet[Variant]:
    """Those that the file does not name and that cannot be deleted: the ledger leans on them."""
    gone = [each.pk for each in existing if each.pk not in ids]
    return Variant.objects.filter(pk__in=gone, stock_levels__isnull=False).distinct()


def _option(name: str) -> Attribute:
    code = choice_code_from(name).replace("-", "_")[:40]
    return _attribute(code if code[:1].isalpha() else f"option_{code}", name, "choice")


def _attribute(code: str, name: str, kind: str) -> Attribute:
    """The attribute of this code, or beside one of another kind, `<code>_<kind>`."""
    found = Attribute.objects.filter(code=code).first()
    if found is not None and found.kind != kind:
        return _attribute(f"{code}_{kind}", name, kind)
    return found or catalog.create_attribute(code=code, name=name[:100], kind=kind)


def _product_type(options: list[Attribute]) -> ProductType:
    """A type for each set of options, in the order in which a file first has them."""
    code = "_".join(["imported", *sorted(option.code for option in options)])
    if len(code) > 50:
        code = f"imported_{hashlib.blake2b(code.encode(), digest_size=8).hexdigest()}"
    found = ProductType.objects.filter(code=code).first()
    if found is not None:
        return found
    tags = _attribute(TAGS, "Tags", Attribute.Kind.CHOICES)
    names = ", ".join(option.name for option in options)
    return catalog.create_product_type(
        code=code,
        name=f"Imported: {names}"[:100] if names else "Imported",
        attributes=[
            *(TypeAttributeValues(attribute=option, is_option=True) for option in options),
            TypeAttributeValues(attribute=tags),
        ],
    )


def _brand(name: str) -> Brand | None:
    slug = slug_from(name)
    if not slug:
        return None
    return Brand.objects.filter(slug=slug).first() or catalog.create_brand(slug=slug, name=name)


def _category(names: list[str]) -> Category | None:
    """The last of nested shelves, each made when it is missing."""
    category: Category | None = None
    path: list[str] = []
    for name in names:
        path.append(slug_from(name))
        slug = "-".join(part for part in path if part)[:200]
        if slug:
            found: Category | None = Category.objects.filter(slug=slug).first()
            category = found or catalog.create_category(slug=slug, name=name, parent=category)
    return category


def _snapshot(slug: str) -> Any:
    """What an import may change of a product, to be compared."""
    product = Product.objects.filter(slug=slug).values(*_FIELDS).first()
    if product is None:
        return None
    variants = Variant.objects.filter(product__slug=slug).order_by("position", "sku")
    return product, list(variants.values(*_VARIANT_FIELDS)), stock_of(slug)


_FIELDS = ["product_type", "name", "description", "brand", "category", "attributes", "status",
           "seo_title", "seo_description"]  # fmt: skip
_VARIANT_FIELDS = ["sku", "gtin", "options", "price_amount", "compare_at_amount", "cost_amount",
                   "track_inventory", "weight_grams", "position"]  # fmt: skip
_COLUMNS = {
    "sku": "Variant SKU",
    "gtin": "Variant Barcode",
    "price": "Variant Price",
    "cost": COST,
    "weight_grams": "Variant Grams",
    "options": "Option1 Value",
}


def _refusals(draft: ProductDraft, error: ShopError) -> list[Refusal]:
    """What the catalogue refused, at the line and column that it came from."""
    if not error.errors:
        return [Refusal(line=draft.line, column="", code=error.code, reason=error.detail)]
    found = []
    for each in error.errors:
        parts = each.pointer.split("/")
        line, column = draft.line, ""
        if len(parts) > 3 and parts[1] == "variants" and int(parts[2]) < len(draft.variants):
            line, column = draft.variants[int(parts[2])].line, _COLUMNS.get(parts[3], "")
        found.append(Refusal(line=line, column=column, code=each.code, reason=each.detail))
    return found
