"""What can go wrong with a cart."""

from django.utils.translation import gettext_lazy as _

from lavka.kernel.errors import Conflict


class CartClosed(Conflict):
    """The cart became an order, or part of another cart; `status` says which."""

    code = "cart_closed"
    title = _("Cart is closed")
    message = _("This cart can no longer be changed.")


class CartFull(Conflict):
    """The cart has as many lines as a cart may have; `limit` says how many."""

    code = "cart_full"
    title = _("Cart is full")
    message = _("A cart holds up to %(limit)d different things.")


class TooManyPieces(Conflict):
    """One line would have more pieces than `limit`."""

    code = "too_many_pieces"
    title = _("Too many pieces")
    message = _("A cart holds up to %(limit)d pieces of one thing.")


class AddressMissing(Conflict):
    """Nobody has said where the cart goes."""

    code = "address_missing"
    title = _("Address missing")
    message = _("Say where it goes first.")
