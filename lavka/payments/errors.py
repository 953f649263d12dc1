"""What can go wrong with payments."""

from django.utils.translation import gettext_lazy as _

from lavka.kernel.errors import Conflict, Malformed, ShopError, Unavailable


class PaymentDeclined(ShopError):
    """The provider refused; `reason` is its word for why, such as `insufficient_funds`."""

    status = 402
    code = "payment_declined"
    title = _("Payment declined")
    message = _("The payment was declined. Nothing was charged.")


class PaymentOpen(Conflict):
    """The order has a payment that is not decided yet; `payment` is its id."""

    code = "payment_open"
    message = _("A payment of this order is still under way.")


class NothingDue(Conflict):
    """The order's payments already cover its total; `due` is what is missing, in minor units."""

    code = "nothing_due"
    message = _("That is more than is still to be paid.")


class NotCapturable(Conflict):
    """More than is authorised and not captured; `available` is in minor units."""

    code = "not_capturable"
    message = _("That is more than can be captured: %(available)s minor units are left.")


class NotVoidable(Conflict):
    """Nothing is authorised that could be given up, or it is being captured right now."""

    code = "not_voidable"
    message = _("There is no authorisation left to void.")


class NotRefundable(Conflict):
    """More than was captured and not refunded; `available` is in minor units."""

    code = "not_refundable"
    message = _("That is more than can be refunded: %(available)s minor units are left.")


class GatewayUnavailable(Unavailable):
    """The provider gave no answer: whether the money moved is not known until it is looked up."""

    code = "gateway_unavailable"
    message = _("The payment provider does not answer. We will find out what became of it.")


class WrongSignature(Malformed):
    """A webhook that its provider did not sign."""

    code = "wrong_signature"
    message = _("The signature does not fit the body.")
