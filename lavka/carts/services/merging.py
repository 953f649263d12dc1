"""What happens to an anonymous cart when its customer signs in."""

import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from lavka.carts.errors import CartClosed, CartFull
from lavka.carts.models import MAX_LINES, MAX_QUANTITY, Cart, CartLine
from lavka.carts.pricing import Message
from lavka.carts.rules import MergeStrategy
from lavka.carts.services.writing import put_back
from lavka.inventory import services as inventory


@transaction.atomic
def merge_cart(
    *, cart_id: UUID, caller_id: UUID, strategy: MergeStrategy, at: datetime.datetime
) -> tuple[UUID, list[Message]]:
    """Bring a cart into the customer's current one; returns that one's id and what to tell.

    A customer without a current cart takes this one over. Said again, it gives the same cart.
    Raises: Cart.DoesNotExist; CartClosed, for one that was ordered; CartFull.
    Locks: both carts in the order of their ids, the hold and stock levels of the one that goes.
    """
    current = Cart.objects.filter(
        owner_id=caller_id, status=Cart.Status.OPEN, expires_at__gt=at
    ).exclude(pk=cart_id)
    newest = current.order_by("-changed_at").values("pk")[:1]
    carts = _locked(cart_id, newest, caller_id, at)
    cart = carts.pop(cart_id, None)
    if cart is None:
        raise Cart.DoesNotExist
    if cart.status == Cart.Status.MERGED and cart.merged_into_id is not None:
        return cart.merged_into_id, []
    if cart.status != Cart.Status.OPEN:
        raise CartClosed(status=cart.status)
    target = next((each for each in carts.values() if each.status == Cart.Status.OPEN), None)
    if target is None or cart.owner_id is not None:
        cart.owner_id = caller_id
        put_back(cart, at, "owner")
        return cart.pk, []
    messages = _move_lines(cart, target, strategy)
    _fill_gaps(cart, target)
    put_back(
        target,
        at,
        "email",
        "vat_number",
        "shipping_address",
        "billing_address",
        "shipping_option_id",
    )
    inventory.release_reservation(holder=cart.pk)
    cart.status, cart.merged_into = Cart.Status.MERGED, target
    cart.owner_id = caller_id
    cart.save(update_fields=["status", "merged_into", "owner"])
    return target.pk, messages


def _locked(
    cart_id: UUID, newest: QuerySet[Cart, Any], caller_id: UUID, at: datetime.datetime
) -> dict[UUID, Cart]:
    reachable = Cart.objects.reachable(caller_id, at)
    both = reachable.filter(pk=cart_id) | reachable.filter(pk__in=newest)
    return {cart.pk: cart for cart in both.locked().order_by("pk")}


def _move_lines(cart: Cart, target: Cart, strategy: MergeStrategy) -> list[Message]:
    messages: list[Message] = []
    if strategy == MergeStrategy.REPLACE:
        target.lines.all().delete()
    if strategy != MergeStrategy.KEEP:
        have = {line.variant_id: line for line in target.lines.all()}
        lines = list(cart.lines.order_by("id"))
        if len(have.keys() | {line.variant_id for line in lines}) > MAX_LINES:
            raise CartFull(limit=MAX_LINES)
        for line in lines:
            messages += _join(line, have.get(line.variant_id), target)
    cart.lines.all().delete()
    return messages


def _join(line: CartLine, own: CartLine | None, target: Cart) -> list[Message]:
    if own is None:
        line.cart = target
        line.save(update_fields=["cart"])
        return []
    requested = own.quantity + line.quantity
    own.quantity = min(requested, MAX_QUANTITY)
    own.save(update_fields=["quantity"])
    if own.quantity == requested:
        return []
    detail = _("%(quantity)d pieces of %(name)s are the most a cart holds.") % {
        "quantity": own.quantity,
        "name": own.product_name,
    }
    details = {
        "variant_id": own.variant_id, "requested": requested, "available": own.quantity,
    }  # fmt: skip
    return [Message(code="quantity_reduced", detail=detail, details=details)]


def _fill_gaps(cart: Cart, target: Cart) -> None:
    """What the customer has said in the cart that goes, and not yet in the one that stays."""
    target.email = target.email or cart.email
    target.vat_number = target.vat_number or cart.vat_number
    if target.shipping_address is None:
        target.shipping_address = cart.shipping_address
        target.billing_address = cart.billing_address
        target.shipping_option_id = cart.shipping_option_id
