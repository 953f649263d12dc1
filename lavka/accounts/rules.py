"""Decisions about accounts: how an address is spelled, how failures slow guessing down."""

import datetime
from dataclasses import dataclass
from hashlib import blake2b

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Source:
    """Where an attempt comes from: a network, and the device token that the client shows."""

    network: str
    device: str = ""


@dataclass(frozen=True, slots=True)
class Throttle:
    """How failed attempts put off the next one.

    `free` of them cost nothing. The next puts the following attempt off by `first`, each further
    one by twice as long, up to `longest`. One failure is forgotten `every` so often.
    """

    free: int
    first: datetime.timedelta
    longest: datetime.timedelta
    every: datetime.timedelta


# On one account from one place: a device that it knows, or a network.
FROM_ONE_PLACE = Throttle(
    free=9,
    first=datetime.timedelta(minutes=15),
    longest=datetime.timedelta(hours=1),
    every=datetime.timedelta(hours=6),
)
# On one account from all places together that it does not know. No place shuts out the others:
# it stops at ten failures, and five such places are free.
ON_ONE_ACCOUNT = Throttle(
    free=50,
    first=datetime.timedelta(seconds=1),
    longest=datetime.timedelta(minutes=5),
    every=datetime.timedelta(minutes=15),
)
# From one network, on accounts that do not know it: spraying.
FROM_ONE_NETWORK = Throttle(
    free=100,
    first=datetime.timedelta(seconds=1),
    longest=datetime.timedelta(minutes=5),
    every=datetime.timedelta(minutes=2),
)
# By then each failure is forgotten that has not been repeated.
FAILURES_KEPT = datetime.timedelta(days=3)


@dataclass(frozen=True, slots=True)
class SessionLife:
    """A session ends after `idle` without use, and `longest` after it began, however it is used."""

    idle: datetime.timedelta
    longest: datetime.timedelta

    def ends_at(self, *, began_at: datetime.datetime, at: datetime.datetime) -> datetime.datetime:
        """When a session ends that is used at `at` and not again."""
        return min(at + self.idle, began_at + self.longest)


# A customer stays signed in on their telephone; staff sign in each day.
CUSTOMERS_SESSION = SessionLife(
    idle=datetime.timedelta(days=30), longest=datetime.timedelta(days=180)
)
STAFFS_SESSION = SessionLife(idle=datetime.timedelta(hours=8), longest=datetime.timedelta(hours=24))


def session_life(*, is_staff: bool) -> SessionLife:
    """How long a session of this user lasts, in the API; the admin's are those of staff."""
    return STAFFS_SESSION if is_staff else CUSTOMERS_SESSION


# Of each kind of place, an account knows the latest; one that was not used for long is forgotten.
MAX_KNOWN_PLACES = 20
PLACES_KEPT = datetime.timedelta(days=365)


class PlaceKind(TextChoices):
    """What an account knows a place by."""

    DEVICE = "device", _("device")
    NETWORK = "network", _("network")


class MailPurpose(TextChoices):
    """Mails that anybody can have sent to an address, each with a budget of its own."""

    VERIFY_EMAIL = "verify_email", _("verify e-mail")
    ACCOUNT_EXISTS = "account_exists", _("account exists")
    RESET_PASSWORD = "reset_password", _("reset password")
    SIGN_IN = "sign_in", _("sign in")


@dataclass(frozen=True, slots=True)
class Pause:
    """How long after a mail the next one is sent: `first`, doubled each time, up to `longest`.

    `longest` is well below the life of the mail's token: whoever asks within the pause has a mail
    in their mailbox that works, whoever had it sent. So nobody uses up another's mails.
    """

    first: datetime.timedelta
    longest: datetime.timedelta


PAUSES = {
    MailPurpose.VERIFY_EMAIL: Pause(datetime.timedelta(minutes=1), datetime.timedelta(hours=12)),
    MailPurpose.ACCOUNT_EXISTS: Pause(datetime.timedelta(hours=1), datetime.timedelta(hours=24)),
    MailPurpose.RESET_PASSWORD: Pause(
        datetime.timedelta(minutes=1), datetime.timedelta(minutes=30)
    ),
    MailPurpose.SIGN_IN: Pause(datetime.timedelta(minutes=1), datetime.timedelta(minutes=5)),
}
# After a longer silence the pauses begin anew.
PAUSES_KEPT = datetime.timedelta(days=2)


def normal_email(text: str) -> str:
    """The one spelling of an address: trimmed, in lower case, its domain in ASCII (RFC 5890).

    Raises: ValueError, for a domain that has no ASCII form.
    """
    local, at, domain = text.strip().lower().rpartition("@")
    if not domain.isascii():
        domain = domain.encode("idna").decode("ascii")
    return f"{local}{at}{domain}"


# Providers that deliver whatever stands between the dots of a local part.
_DOTS_DO_NOT_COUNT = {"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}


def mailbox_of(email: str) -> str:
    """What all spellings of an address have in common that reach the same mailbox.

    A tag after a plus (RFC 5233) and the dots of some providers do not make another mailbox. It is
    for counting, not for sending: two people may share it where a provider reads a plus otherwise.
    """
    local, _at, domain = normal_email(email).rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _DOTS_DO_NOT_COUNT:
        local, domain = local.replace(".", ""), _DOTS_DO_NOT_COUNT[domain]
    return f"{local}@{domain}"


def mailbox_digest(email: str) -> str:
    """A mailbox as it is counted, whatever the spelling.

    It shows no address, but whoever guesses one can tell that it is this. It is not keyed, as
    counts have to outlast a change of the secret.
    """
    return blake2b(mailbox_of(email).encode(), digest_size=16).hexdigest()


def closed_email(user_id: object) -> str:
    """What stands in for a closed account's address; `.invalid` never resolves (RFC 2606)."""
    return f"closed-{user_id}@closed.invalid"
