"""Quantities and policies of a product file become counted stock.

A quantity is a count the first time a file says it of a variant that nobody has counted. Said again
it is old news: what was sold since stays sold. Another quantity is a new count, in the warehouse of
the one before.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from lavka.catalog.models import Variant
from lavka.imports.models import ImportedQuantity
from lavka.imports.shopify import ProductDraft, Refused
from lavka.imports.shopify_variants import POLICY, QUANTITY, Policy, VariantDraft
from lavka.imports.tables import Refusal
from lavka.inventory import services as inventory
from lavka.inventory.errors import StockPromised
from lavka.inventory.models import MAX_UNITS, StockLevel, StockMovement, StockPolicy, Warehouse
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


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where quantities are counted: in `warehouse`.

    Unless staff named it, a variant that was counted in another by its last quantity is again.
    """

    warehouse: Warehouse
    is_named: bool

    def of(self, last: ImportedQuantity | None) -> Warehouse:
        """The warehouse for a variant whose last quantity was this."""
        if self.is_named or last is None or last.warehouse is None:
            return self.warehouse
        return last.warehouse


def save_stock(draft: ProductDraft, destination: Destination) -> None:
    """Count a saved product's tracked variants, and set their policies.

    Raises: Refused, for less than is promised to buyers, and for a count in one warehouse while
    units of the last one lie in another, since both would be sold.
    """
    tracked = Variant.objects.filter(product__slug=draft.slug, track_inventory=True)
    ids = dict(tracked.values_list("sku", "pk"))
    said = [(ids[each.sku], each) for each in draft.variants if each.sku in ids]
    _count(draft, said, destination)
    for variant_id, variant in said:
        _set_policy(variant_id, variant)


def _count(
    draft: ProductDraft, said: Sequence[tuple[UUID, VariantDraft]], destination: Destination
) -> None:
    ids = [variant_id for variant_id, _ in said]
    known = ImportedQuantity.objects.select_related("warehouse").in_bulk(ids)
    news = {
        variant_id: variant
        for variant_id, variant in said
        if variant.quantity is not None
        and (variant_id not in known or known[variant_id].quantity != variant.quantity)
    }
    places = {each: destination.of(known.get(each)) for each in news}
    levels = lock_levels(list(news))
    by_hand = {
        each.variant_id
        for each in levels
        if _is_by_hand(each, known.get(each.variant_id), destination)
    }
    if by_hand:
        draft.notes.append("quantity was left out, as the stock was counted before")
    counts = {each: variant.quantity or 0 for each, variant in news.items() if each not in by_hand}
    refusals = [
        Refusal(line=news[level.variant_id].line, column=QUANTITY, code=code, reason=reason)
        for level in levels
        if level.variant_id in counts
        for code, reason in _faults(
            level, counts[level.variant_id], known.get(level.variant_id), destination
        )
    ]
    if refusals:
        raise Refused(refusals)
    for place in sorted({places[each] for each in counts}, key=lambda each: each.pk):
        there = {each: count for each, count in counts.items() if places[each] == place}
        inventory.count_stock(counts=there, warehouse=place.code, reference=REFERENCE)
    _remember(news, places, counts)


def _remember(
    news: dict[UUID, VariantDraft], places: dict[UUID, Warehouse], counted: Collection[UUID]
) -> None:
    """Keep what the file said, and where that was counted."""
    ImportedQuantity.objects.bulk_create(
        [
            ImportedQuantity(
                variant_id=each,
                quantity=variant.quantity or 0,
                warehouse=places[each] if each in counted else None,
            )
            for each, variant in news.items()
        ],
        update_conflicts=True,
        unique_fields=["variant"],
        update_fields=["quantity", "warehouse"],
    )


def _is_by_hand(level: StockLevel, last: ImportedQuantity | None, destination: Destination) -> bool:
    """Whether staff counted the variant, and no quantity of a file was counted before.

    A count of theirs outlives the first quantity only, where it lies in the warehouse that the next
    is counted in, or staff name that.
    """
    if last is None or last.warehouse_id is not None or destination.is_named:
        return last is None
    return level.on_hand > 0 and level.warehouse_id != destination.of(last).pk


def _faults(
    level: StockLevel, count: int, last: ImportedQuantity | None, destination: Destination
) -> Iterator[tuple[str, str]]:
    """Why the variant of a level cannot be counted: codes with reasons."""
    place = destination.of(last)
    if level.warehouse_id == place.pk:
        if count + level.backorder_limit < level.reserved:
            yield StockPromised.code, StockPromised(reserved=level.reserved).detail
    elif level.on_hand and last is not None and _may_hold_counted(level, last, destination):
        yield (
            "counted_elsewhere",
            f"{level.on_hand} units of the last quantity may lie in warehouse "
            f"“{level.warehouse.code}” and would be sold beside those in “{place.code}”: move them "
            "there first, or say with --warehouse where the quantity is counted.",
        )


def _may_hold_counted(level: StockLevel, last: ImportedQuantity, destination: Destination) -> bool:
    """Whether units of the last quantity lie in a warehouse besides the one to be counted.

    Staff who name the warehouse know what they moved between others.
    """
    if level.warehouse_id == last.warehouse_id or destination.is_named:
        return level.warehouse_id == last.warehouse_id
    moved = StockMovement.Reason.TRANSFER
    return level.movements.filter(reason=moved, quantity__gt=0).exists()


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
