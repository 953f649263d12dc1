"""What can go wrong with webhooks."""

from django.utils.translation import gettext_lazy as _

from lavka.kernel.errors import Conflict


class EndpointDisabled(Conflict):
    """Nothing is sent to an endpoint that is switched off."""

    code = "endpoint_disabled"
    message = _("This endpoint is disabled. Enable it first.")


class DeliveryWithheld(Conflict):
    """What the endpoint's owner may not read is not sent."""

    code = "delivery_withheld"
    message = _(
        "The owner of this endpoint may not read this event. Save the endpoint to become its owner."
    )


class DeliveryUnderWay(Conflict):
    """The delivery waits for its turn already, or is being sent."""

    code = "delivery_under_way"
    message = _("This delivery is still under way.")
