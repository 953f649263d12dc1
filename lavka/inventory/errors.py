"""What can go wrong with stock."""

from collections.abc import Sequence
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from lavka.kernel.errors import Conflict, FieldError, Invalid

# Beyond so many units a refusal does not tell how many there are.
MOST_TOLD = 10
# Where all warehouses are listed.
WAREHOUSES_PATH = "/api/v1/manage/warehouses/"


class OutOfStock(Conflict):
    """There is less than was asked for; `variants` lists each with `requested` and `available`.

    `available` is told up to 10: whoever asks for 999 does not learn what the shop has.
    """

    code = "out_of_stock"
    title = _("Out of stock")
    message = _("There is not enough in stock.")


def shortage(variant_id: UUID, *, requested: int, available: int) -> dict[str, object]:
    """A variant that falls short, as `OutOfStock` tells it."""
    told = max(min(available, requested, MOST_TOLD), 0)
    return {"variant_id": variant_id, "requested": requested, "available": told}


class StockPromised(Conflict):
    """The units are promised to buyers; `reserved` says how many are."""

    code = "stock_promised"
    title = _("Stock is promised")
    message = _("%(reserved)d units are promised to buyers, so there cannot be fewer.")


class NotTracked(Conflict):
    """The variant is sold without counting."""

    code = "not_tracked"
    title = _("Not tracked")
    message = _("This variant is sold without counting. Track its inventory first.")


class NotOnHand(Conflict):
    """What shall leave the warehouse has not come in yet."""

    code = "not_on_hand"
    title = _("Not on hand")
    message = _("The warehouse does not hold that many units.")


class NotAllocated(Conflict):
    """The order has no claim to that many units."""

    code = "not_allocated"
    title = _("Not allocated")
    message = _("The order has no claim to that many units.")


class NotShipped(Conflict):
    """More would come back than was sent."""

    code = "not_shipped"
    title = _("Not shipped")
    message = _("More units would come back than were shipped.")


def unknown_warehouse(pointer: str, codes: Sequence[str]) -> Invalid:
    """The refusal of a code that no warehouse has; `codes` are those that there are."""
    detail = str(_("There is no warehouse with this code."))
    return Invalid(errors=[FieldError(pointer, "does_not_exist", detail, codes, WAREHOUSES_PATH)])
