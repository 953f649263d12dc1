"""Quantities and policies of a product file become counted stock.

A quantity is a count the first time a file says it of a variant that nobody has counted. Said again
it is old news: what was sold since stays sold. Another quantity is a new count.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from lavka.catalog.models import Variant
from lavka.imports.models import ImportedQuantity
from lavka.imports.shopify import ProductDraft, Refused
from lavka.imports.shopify_variants import POLICY, QUANTITY, Policy, VariantDraft
from lavka.imports.tables import Refusal
from lavka.inventory import services as inventory
from lavka.inventory.errors import StockPromised
from lavka.inventory.models import MAX_UNITS, StockLevel, StockPolicy
from lavka.inventory.selectors import policy_of
from lavka.inventory.services.changes import lock_levels

REFERENCE = "product import"
_WHEN_OUT = StockPolicy.WhenOut


def lock_stock_of(slug: str) -> None:
    """Take the product's stock levels before the product, as buyers do. Locks: the levels."""
    lock_levels(list(Variant.objects.filter(product__slug=slug).values_list("pk", flat=True)))


def stock_of(slug: str) -> Any:
    """What an import may change of a product's stock, to be compared."""
    variants = Variant.objects.filter(product__slug=slug).order_by("pk")
    levels = variants.exclude(stock_levels=None).order_by("stock_levels")
    return (
        list(levels.values_list("stock_levels", "stock_levels__on_hand")),
        list(variants.values_list("pk", "stock_policy__when_out", "imported_quantity__quantity")),
    )


def save_stock(draft: ProductDraft, warehouse: str) -> None:
    """Count a saved product's tracked variants in the warehouse, and set their policies.

    Raises: Refused, for less than is promised to buyers.
    """
    tracked = Variant.objects.filter(product__slug=draft.slug, track_inventory=True)
    ids = dict(tracked.values_list("sku", "pk"))
    said = [(ids[each.sku], each) for each in draft.variants if each.sku in ids]
    _count(draft, said, warehouse)
    for variant_id, variant in said:
        _set_policy(variant_id, variant)


def _count(draft: ProductDraft, said: Sequence[tuple[UUID, VariantDraft]], warehouse: str) -> None:
    known = ImportedQuantity.objects.in_bulk([variant_id for variant_id, _ in said])
    news = {
        variant_id: variant
        for variant_id, variant in said
        if variant.quantity is not None
        and (variant_id not in known or known[variant_id].quantity != variant.quantity)
    }
    levels = StockLevel.objects.filter(variant_id__in=news)
    by_hand = {each.variant_id for each in levels if each.variant_id not in known}
    if by_hand:
        draft.notes.append("quantity was left out, as the stock was counted before")
    counts = {each: variant.quantity or 0 for each, variant in news.items() if each not in by_hand}
    if counts:
        _require_unpromised(news, counts, warehouse)
        inventory.count_stock(counts=counts, warehouse=warehouse, reference=REFERENCE)
    ImportedQuantity.objects.bulk_create(
        [ImportedQuantity(variant_id=each, quantity=v.quantity or 0) for each, v in news.items()],
        update_conflicts=True,
        unique_fields=["variant"],
        update_fields=["quantity"],
    )


def _require_unpromised(news: dict[UUID, VariantDraft], counts: dict[UUID, int], code: str) -> None:
    refusals = [
        Refusal(
            line=news[level.variant_id].line,
            column=QUANTITY,
            code=StockPromised.code,
            reason=StockPromised(reserved=level.reserved).detail,
        )
        for level in lock_levels(list(counts))
        if level.warehouse.code == code
        and counts[level.variant_id] + level.backorder_limit < level.reserved
    ]
    if refusals:
        raise Refused(refusals)


def _set_policy(variant_id: UUID, variant: VariantDraft) -> None:
    """Deny, or sell beyond stock without a limit; a backorder or preorder of the staff goes on."""
    current = policy_of(variant_id)
    is_sold_on = current.when_out != _WHEN_OUT.DENY
    if variant.policy is None or is_sold_on == (variant.policy is Policy.CONTINUE):
        return
    try:
        inventory.set_policy(
            variant_id=variant_id,
            when_out=_WHEN_OUT.DENY if is_sold_on else _WHEN_OUT.BACKORDER,
            backorder_limit=0 if is_sold_on else MAX_UNITS,
            low_stock_threshold=current.low_stock_threshold,
        )
    except StockPromised as fault:
        raise Refused(
            [Refusal(line=variant.line, column=POLICY, code=fault.code, reason=fault.detail)]
        ) from fault
