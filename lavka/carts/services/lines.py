"""The lines of a cart."""

import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from lavka.carts.errors import CartFull, TooManyPieces
from lavka.carts.models import MAX_LINES, MAX_QUANTITY, Cart, CartLine
from lavka.carts.selectors import lines_of
from lavka.carts.services.writing import open_cart, put_back
from lavka.catalog.selectors import Article, articles_of
from lavka.inventory.errors import OutOfStock, shortage
from lavka.inventory.selectors import available_for
from lavka.kernel import rows
from lavka.kernel.errors import FieldError, Invalid

# What of a line changes, with the customer's last step.
_TOLD = ("quantity", "sku", "unit_price_amount", "product_slug", "product_name")


@transaction.atomic
def add_line(
    *,
    cart_id: UUID,
    caller_id: UUID | None,
    variant_id: UUID,
    quantity: int,
    at: datetime.datetime,
) -> None:
    """Put pieces of a variant into a cart; those that are in it already add up.

    Raises: Cart.DoesNotExist; CartClosed; Invalid, for a variant that is not sold; TooManyPieces;
    CartFull; OutOfStock, with `variants`. Locks: the cart.
    """
    cart = open_cart(cart_id, caller_id, at)
    article = _on_sale(variant_id, at)
    lines = lines_of(cart)
    line = next((each for each in lines if each.variant_id == variant_id), None)
    if line is None:
        if len(lines) >= MAX_LINES:
            raise CartFull(limit=MAX_LINES)
        line = CartLine(cart=cart, variant_id=variant_id, quantity=0)
    _fill(cart, line, article, line.quantity + quantity, at)
    put_back(cart, at)


@transaction.atomic
def change_line(
    *,
    cart_id: UUID,
    caller_id: UUID | None,
    line_id: UUID,
    quantity: int,
    at: datetime.datetime,
) -> None:
    """Set how many pieces a line has; the customer has seen the price as it is now.

    Raises: Cart.DoesNotExist; CartClosed; CartLine.DoesNotExist; Invalid, for a variant that is
    no longer sold; OutOfStock, with `variants`. Locks: the cart.
    """
    cart = open_cart(cart_id, caller_id, at)
    line = cart.lines.get(pk=line_id)
    _fill(cart, line, _on_sale(line.variant_id, at), quantity, at)
    put_back(cart, at)


@transaction.atomic
def remove_line(
    *, cart_id: UUID, caller_id: UUID | None, line_id: UUID, at: datetime.datetime
) -> None:
    """Take a line out.

    Raises: Cart.DoesNotExist; CartClosed; CartLine.DoesNotExist. Locks: the cart.
    """
    cart = open_cart(cart_id, caller_id, at)
    cart.lines.get(pk=line_id).delete()
    put_back(cart, at)


def _on_sale(variant_id: UUID, at: datetime.datetime) -> Article:
    article = articles_of([variant_id], at, has_details=False).get(variant_id)
    if article is None:
        detail = _("This is not sold here.")
        refused = FieldError(
            "#/variant_id", "does_not_exist", detail, choices_url="/api/v1/products/"
        )
        raise Invalid(errors=[refused])
    return article


def _fill(
    cart: Cart, line: CartLine, article: Article, quantity: int, at: datetime.datetime
) -> None:
    """Save the line with as many pieces, and what the customer is told of the variant."""
    if quantity > MAX_QUANTITY:
        raise TooManyPieces(limit=MAX_QUANTITY)
    _require_stock(cart, article.variant_id, quantity, at)
    line.quantity, line.sku = quantity, article.sku
    line.unit_price_amount = article.price.require(cart.currency).amount
    line.product_slug, line.product_name = article.product_slug, article.product_name
    if line._state.adding:
        rows.insert(line)
    else:
        rows.update(line, *_TOLD)


def _require_stock(cart: Cart, variant_id: UUID, quantity: int, at: datetime.datetime) -> None:
    found = available_for({variant_id: quantity}, at, holder=cart.pk)
    available = found.get(variant_id, 0)
    if available is not None and available < quantity:
        raise OutOfStock(variants=[shortage(variant_id, requested=quantity, available=available)])
