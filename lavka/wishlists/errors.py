"""What can go wrong with wishes."""

from django.utils.translation import gettext_lazy as _

from lavka.kernel.errors import Conflict


class TooManyWishlists(Conflict):
    """The customer has as many wishlists as one may have; `limit` says how many."""

    code = "too_many_wishlists"
    title = _("Too many wishlists")
    message = _("You can have up to %(limit)d wishlists.")


class WishlistFull(Conflict):
    """The wishlist has as many things as it may have; `limit` says how many."""

    code = "wishlist_full"
    title = _("Wishlist is full")
    message = _("A wishlist holds up to %(limit)d different things.")


class TooManyAlerts(Conflict):
    """The customer waits for as many things as one may wait for; `limit` says how many."""

    code = "too_many_alerts"
    title = _("Too many alerts")
    message = _("You can wait for up to %(limit)d things.")


class StillInStock(Conflict):
    """There is nothing to wait for."""

    code = "still_in_stock"
    title = _("In stock")
    message = _("This can be bought right now.")
