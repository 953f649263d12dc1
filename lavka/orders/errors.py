"""What can go wrong with orders."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from lavka.kernel.errors import Conflict, FieldError, NotFound


class UnknownLine(NotFound):
    """A line is named that the order does not have; told with those that it has."""

    message = _("The order has no such line.")

    @classmethod
    def among(cls, line_ids: Iterable[object]) -> "UnknownLine":
        """Name the order's own lines."""
        choices = tuple(map(str, line_ids))
        return cls(errors=[FieldError("#/lines", "does_not_exist", str(cls.message), choices)])


class OrderInTheWrongState(Conflict):
    """The order's status does not allow it; `order` is its id, `status` where it stands."""

    code = "order_in_the_wrong_state"
    message = _("The order's status does not allow this.")


class AlreadyPlaced(Conflict):
    """The cart has become an order; `order` is its id."""

    code = "already_placed"
    message = _("This cart has already been ordered.")


class MoreThanLeft(Conflict):
    """More pieces of a line than there are left; `line` is its id, `left` how many are."""

    code = "more_than_left"
    message = _("Only %(left)s pieces of this line are left.")


class EditChanged(Conflict):
    """The edit comes to something else than its preview has shown; `total` is the new one."""

    code = "edit_changed"
    message = _("The order or a price has changed since. Please look at the preview again.")


class NothingLeft(Conflict):
    """An edit would leave an order without lines."""

    code = "nothing_left"
    message = _("An order keeps at least one line. Cancel it instead.")
