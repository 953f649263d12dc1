"""What can go wrong with shipments and returns."""

from django.utils.translation import gettext_lazy as _

from lavka.kernel.errors import Conflict


class ReturnInTheWrongState(Conflict):
    """The return's status does not allow it; `return_request` is its id, `status` its status."""

    code = "return_in_the_wrong_state"
    message = _("The return's status does not allow this.")


class NothingToReturn(Conflict):
    """More than was shipped and is not on its way back; `line` is the line, `left` what is left."""

    code = "nothing_to_return"
    message = _("Only %(left)s pieces of this line can be returned.")
