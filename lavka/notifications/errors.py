"""What can go wrong with mail."""

from django.utils.translation import gettext_lazy as _

from lavka.kernel.errors import Conflict


class MailInFlight(Conflict):
    """Another worker claimed the mail and has neither sent it nor given it back."""

    code = "mail_in_flight"
    message = _("This mail is being sent right now.")
