"""Why a reader cannot go on from where it was."""

from django.utils.translation import gettext_lazy as _

from lavka.kernel.errors import Conflict, NotFound


class EventsDropped(NotFound):
    """The events after the named position are kept no longer; reading on would miss some."""

    status = 410
    code = "events_dropped"
    title = _("Events dropped")
    message = _("Events are kept from position %(oldest)d on.")


class AheadOfLog(Conflict):
    """The log does not reach the named position: it was restored from a backup since."""

    code = "ahead_of_log"
    title = _("Ahead of the log")
    message = _("The log ends at position %(last)d.")
