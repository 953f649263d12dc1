"""What can go wrong with tax rates."""

from django.utils.translation import gettext_lazy as _

from lavka.kernel.errors import Conflict


class RatesOverlap(Conflict):
    """Two rates of one country would hold on the same day."""

    code = "rates_overlap"
    title = _("Rates overlap")
    message = _("Another rate of this country holds on some of these days. End that one first.")
