"""Carts as a whole."""

import datetime
from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.translation import gettext as _

from lavka.addresses.validation import clean_addresses
from lavka.carts import pricing, selectors
from lavka.carts.errors import AddressMissing
from lavka.carts.models import Cart
from lavka.carts.services.writing import expiry_of, open_cart, put_back
from lavka.inventory import services as inventory
from lavka.kernel import rows
from lavka.kernel.conf import options
from lavka.kernel.errors import FieldError, Invalid, Unauthenticated

_ORDER = """
UPDATE carts_cart SET status = CASE status WHEN 'open' THEN 'ordered' ELSE status END
WHERE id = %s
"""


@transaction.atomic
def create_cart(*, owner_id: UUID | None, at: datetime.datetime) -> Cart:
    """Open an empty cart, owned by a customer or reached by its id alone.

    Raises: Unauthenticated, for an account that was closed.
    """
    if owner_id is not None:
        owners = get_user_model().objects.filter(pk=owner_id, is_active=True)
        if not owners.exists():
            raise Unauthenticated
    cart = Cart(
        owner_id=owner_id,
        currency=options.currency,
        created_at=at,
        changed_at=at,
        expires_at=expiry_of(at),
    )
    return rows.insert(cart)


class Contact(NamedTuple):
    """Whom a cart is for; a business may say its VAT number."""

    email: str
    vat_number: str = ""


@transaction.atomic
def set_addresses(
    *,
    cart_id: UUID,
    caller_id: UUID | None,
    contact: Contact,
    shipping: Mapping[str, str],
    billing: Mapping[str, str] | None,
    at: datetime.datetime,
) -> None:
    """Say whom the cart is for and where it goes; without `billing` the invoice goes there too.

    Raises: Invalid, for what an address's country refuses; Cart.DoesNotExist; CartClosed.
    Locks: the cart.
    """
    given = {"shipping": shipping, "billing": billing}
    addresses = clean_addresses({name: each for name, each in given.items() if each is not None})
    cart = open_cart(cart_id, caller_id, at)
    cart.email, cart.vat_number = contact
    cart.shipping_address, cart.billing_address = addresses["shipping"], addresses.get("billing")
    put_back(cart, at, "email", "vat_number", "shipping_address", "billing_address")


@transaction.atomic
def set_shipping_option(
    *, cart_id: UUID, caller_id: UUID | None, option_id: str, at: datetime.datetime
) -> None:
    """Choose one of the ways to ship the cart.

    Raises: Cart.DoesNotExist; CartClosed; AddressMissing; Invalid, for what is not offered.
    Locks: the cart.
    """
    cart = open_cart(cart_id, caller_id, at)
    if cart.shipping_address is None:
        raise AddressMissing
    offered = pricing.price(cart, selectors.lines_of(cart), at, has_details=False).shipping_options
    choices = tuple(option.id for option in offered)
    if option_id not in choices:
        detail = _("This way of shipping is not offered.")
        path = f"/api/v1/carts/{cart_id}/shipping-options/"
        raise Invalid(errors=[FieldError("#/id", "does_not_exist", detail, choices, path)])
    cart.shipping_option_id = option_id
    put_back(cart, at, "shipping_option_id")


@transaction.atomic
def delete_cart(*, cart_id: UUID, caller_id: UUID | None, at: datetime.datetime) -> None:
    """Throw a cart away with what it kept from others.

    Raises: Cart.DoesNotExist; CartClosed. Locks: the cart, its hold, its stock levels.
    """
    cart = open_cart(cart_id, caller_id, at)
    inventory.release_reservation(holder=cart.pk)
    cart.delete()


def order_cart(*, cart_id: UUID) -> None:
    """Close a cart that became an order; one that is closed already stays as it is.

    A cart may be merged while its payment is under way, which must not stop the order.
    One statement, so it needs no savepoint in its caller's transaction.
    Raises: Cart.DoesNotExist. Locks: the cart.
    """
    if not rows.execute(_ORDER, [cart_id]):
        raise Cart.DoesNotExist


@transaction.atomic
def forget_expired(*, at: datetime.datetime, limit: int) -> int:
    """Delete up to `limit` carts whose time is over; returns how many.

    What they held of stock ended long before. Locks: carts that nobody else has locked.
    """
    expired = Cart.objects.filter(expires_at__lte=at).order_by("expires_at")
    unlocked = expired.select_for_update(of=("self",), skip_locked=True)
    ids = list(unlocked.values_list("pk", flat=True)[:limit])
    Cart.objects.filter(pk__in=ids).delete()
    return len(ids)


@transaction.atomic
def forget_customer(*, customer_id: UUID) -> int:
    """Delete the carts of a customer who left, with what they kept; returns how many.

    Locks: the carts, then each one's hold and stock levels.
    """
    carts = list(Cart.objects.filter(owner_id=customer_id).locked().order_by("pk"))
    for cart in carts:
        inventory.release_reservation(holder=cart.pk)
        cart.delete()
    return len(carts)
