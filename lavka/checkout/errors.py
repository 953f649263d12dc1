"""What can go wrong between cart and order."""

from django.utils.translation import gettext_lazy as _

from lavka.kernel.errors import Conflict, FieldError, Invalid


class CartIncomplete(Conflict):
    """The cart cannot be ordered yet; `missing` names what it lacks, as the cart calls it."""

    code = "cart_incomplete"
    title = _("Cart is incomplete")
    message = _("Something is missing before this cart can be ordered.")


class QuoteChanged(Conflict):
    """What the customer agreed to no longer holds; `totals` are the new ones. Ask for a quote."""

    code = "quote_changed"
    title = _("Quote changed")
    message = _("The cart, a price or the shipping has changed since. Please look at it again.")


class PayLaterRefused(Conflict):
    """Too much waits for its payment already, of this buyer or from this network.

    It does not say how much: whoever orders in another's name would learn what they owe.
    """

    code = "pay_later_refused"
    title = _("Cannot be paid later")
    message = _(
        "This order cannot be paid later: too much is waiting for its payment already. Choose "
        "another way to pay, or order less."
    )


class FreeOrderRefused(Conflict):
    """Too many orders for which nothing is due wait to be sent, of this buyer or this network."""

    code = "free_order_refused"
    title = _("Too much ordered for nothing")
    message = _(
        "Orders for which nothing is to be paid are limited, and too much was ordered so already. "
        "Order less, or come back later."
    )


def unknown_quote() -> Invalid:
    """The refusal of a quote that is not this cart's."""
    detail = str(_("This cart has no such quote."))
    return Invalid(errors=[FieldError("#/quote_id", "does_not_exist", detail)])
