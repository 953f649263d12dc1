"""Sessions of the admin: rows that last as long as a session of staff in the API."""

import datetime
from typing import Any

from django.contrib.sessions.backends import db
from django.http import HttpRequest
from django.utils import timezone

from lavka.accounts import rules

_BEGAN_AT = "_began_at"


class SessionStore(db.SessionStore):
    """Ends after `STAFFS_SESSION.idle` without a request, and `longest` after the sign-in."""

    def cycle_key(self) -> None:
        """Also begin the `longest` anew: somebody has just proven who they are."""
        super().cycle_key()
        self.pop(_BEGAN_AT, None)

    def get_expiry_age(self, **known: Any) -> int:
        """In seconds; for the cookie."""
        return max(0, int((self.get_expiry_date(**known) - timezone.now()).total_seconds()))

    def get_expiry_date(self, **known: Any) -> datetime.datetime:
        """When it ends if no request comes any more; for the row."""
        at: datetime.datetime = known.get("modification") or timezone.now()
        began_at = datetime.datetime.fromisoformat(self.setdefault(_BEGAN_AT, at.isoformat()))
        return rules.STAFFS_SESSION.ends_at(began_at=began_at, at=at)


def begin_session(*, request: HttpRequest, **known: Any) -> None:
    """Change the cookie's key at each sign-in: Django keeps it for the same user."""
    request.session.cycle_key()
