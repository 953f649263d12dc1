"""Changing an order before anything is shipped: looked at first, then done under the lock."""

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from lavka.catalog.selectors import articles_of
from lavka.inventory import services as inventory
from lavka.inventory.services.changes import lock_levels
from lavka.kernel.actors import Actor, in_name_of
from lavka.kernel.errors import FieldError, Invalid
from lavka.orders.errors import EditChanged, MoreThanLeft, NothingLeft
from lavka.orders.events import OrderEdited
from lavka.orders.models import Order, OrderLine
from lavka.orders.rules import EventKind, LineContent, OrderContent, OrderStatus, share
from lavka.orders.services.drafts import fill, line_of
from lavka.orders.services.history import announce_order, record_event
from lavka.orders.services.lifecycle import lines_of, require_next
from lavka.tax.calculator import Taxable, calculator
from lavka.tax.rules import shares_to_keep


@dataclass(frozen=True, kw_only=True, slots=True)
class EditWish:
    """What shall be different: order line id → pieces, 0 to take it out; variant id → more."""

    quantities: Mapping[UUID, int] = field(default_factory=dict)
    added: Mapping[UUID, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """What an order would become. Each line of `content` goes with its row, None for a new one."""

    order: Order
    rows: Sequence[OrderLine | None]
    content: OrderContent

    @property
    def due(self) -> int:
        """What would be missing, in minor units; what would be too much is below zero."""
        paid = self.order.refundable_amount + self.order.authorised_amount
        return self.content.total - paid


def preview_edit(*, order_id: UUID, wish: EditWish, at: datetime.datetime) -> Edit:
    """Compute what an edit would come to; nothing is stored and nothing is held.

    Lines that stay keep their price, added ones have today's; tax is that of the day of the order.
    Raises: Order.DoesNotExist; OrderInTheWrongState; UnknownLine; MoreThanLeft, for
    pieces that were refunded; NothingLeft; Invalid, for what is not on sale; CurrencyMismatch.
    """
    return _edited(Order.objects.placed().get(pk=order_id), wish, at)


@in_name_of
@transaction.atomic
def edit_order(
    *, order_id: UUID, wish: EditWish, expected_total: int, actor: Actor, at: datetime.datetime
) -> Order:
    """Do what a preview has shown, if it still comes to `expected_total` (minor units).

    More pieces take stock, fewer give it back. What was paid too much goes back by the event.
    Raises: as `preview_edit`; EditChanged, with the new `total`; OutOfStock, with `variants`.
    Locks: the order, the stock levels of all its variants. Emits: OrderEdited.
    """
    order = Order.objects.placed().locked().get(pk=order_id)
    before = order.total.as_json()
    edit = _edited(order, wish, at)
    if edit.content.total != expected_total:
        raise EditChanged(total=order.money(edit.content.total).as_json())
    _move_stock(order, edit.content, at)
    fill(order, edit.content)
    order.save()
    _write_lines(edit)
    record_event(
        order_id=order.pk, kind=EventKind.EDITED, actor=actor, at=at,
        before=before, after=order.total.as_json(),
    )  # fmt: skip
    announce_order(OrderEdited, order)
    return order


def _edited(order: Order, wish: EditWish, at: datetime.datetime) -> Edit:
    require_next(order, OrderStatus.CANCELLED)  # as long as it may be called off
    lines_of(order, wish.quantities)
    kept = [
        (row, _kept(row, wish.quantities.get(row.pk, row.quantity)))
        for row in order.lines.order_by("position")
    ]
    rows: list[OrderLine | None] = [row for row, line in kept if line is not None]
    contents = [line for _row, line in kept if line is not None]
    added = _added(order, wish.added, at)
    if not contents and not added:
        raise NothingLeft
    return Edit(
        order=order,
        rows=rows + [None] * len(added),
        content=_content(order, [*contents, *added]),
    )


def _kept(row: OrderLine, quantity: int) -> LineContent | None:
    """The line with another quantity and its share of the discount; None without any."""
    if quantity < row.refunded_quantity:
        raise MoreThanLeft(line=str(row.pk), left=row.quantity - row.refunded_quantity)
    if quantity == 0:
        return None
    return LineContent(
        variant_id=row.variant_id,
        product_id=row.product_id,
        sku=row.sku,
        name=row.name,
        options=row.options,
        selected_options=row.selected_options,
        image=row.image,
        unit_price=row.unit_price_amount,
        quantity=quantity,
        discount=share(row.discount_amount, part=quantity, whole=row.quantity),
    )


def _added(order: Order, added: Mapping[UUID, int], at: datetime.datetime) -> list[LineContent]:
    articles = articles_of(added, at)
    missing = [
        FieldError(
            f"#/add/{index}/variant_id",
            "does_not_exist",
            _("This is not on sale."),
            choices_url="/api/v1/products/",
        )
        for index, variant_id in enumerate(added)
        if variant_id not in articles
    ]
    if missing:
        raise Invalid(errors=missing)
    return [
        LineContent(
            variant_id=article.variant_id,
            product_id=article.product_id,
            sku=article.sku,
            name=article.product_name,
            options=article.options,
            selected_options=article.selected_options,
            image=article.image,
            unit_price=article.price.require(order.currency).amount,
            quantity=quantity,
        )
        for article, quantity in ((articles[each], quantity) for each, quantity in added.items())
    ]


def _content(order: Order, lines: Sequence[LineContent]) -> OrderContent:
    """The whole order with these lines, taxed as on its day; the shipping stays."""
    placed_at = order.placed_at or order.created_at
    taxes = calculator().taxes(
        parts=[
            Taxable(amount=line.subtotal - line.discount, variant_id=line.variant_id)
            for line in lines
        ],
        address=order.shipping_address,
        on=placed_at.date(),
        are_included=order.is_tax_included,
    )
    return OrderContent(
        currency=order.currency,
        email=order.email,
        vat_number=order.vat_number,
        language=order.language,
        lines=tuple(replace(line, taxes=each) for line, each in zip(lines, taxes, strict=True)),
        shipping_address=order.shipping_address,
        billing_address=order.billing_address,
        shipping_option=order.shipping_option,
        shipping=order.shipping_amount,
        shipping_taxes=order.shipping_taxes,
        is_tax_included=order.is_tax_included,
    )


def _move_stock(order: Order, content: OrderContent, at: datetime.datetime) -> None:
    """Take what is more and let go of what is less, with all levels locked in one order first."""
    before: Counter[UUID] = Counter()
    for line in order.lines.all():
        before[line.variant_id] += line.quantity
    after: Counter[UUID] = Counter()
    for sold in content.lines:
        after[sold.variant_id] += sold.quantity
    lock_levels(before.keys() | after.keys())
    fewer = before - after
    if fewer:
        inventory.release_allocation(order_id=order.pk, quantities=fewer)
    if after - before:
        inventory.allocate_reservation(holder=order.pk, order_id=order.pk, quantities=after, at=at)


def _write_lines(edit: Edit) -> None:
    """Change the rows that stay in place, so that their ids hold; the others go or come."""
    stays = [row.pk for row in edit.rows if row is not None]
    position = max(edit.order.lines.values_list("position", flat=True))
    edit.order.lines.exclude(pk__in=stays).delete()
    for row, line in zip(edit.rows, edit.content.lines, strict=True):
        if row is None:
            position += 1
            line_of(edit.order, line, position).save(force_insert=True)
        else:
            row.quantity, row.discount_amount = line.quantity, line.discount
            row.tax_amount, row.taxes = line.tax, shares_to_keep(line.taxes)
            row.save(update_fields=["quantity", "discount_amount", "tax_amount", "taxes"])
