"""Decisions about accounts: how an address is spelled, how long repeated failures lock."""

import datetime

# The tenth failure in a row locks for 15 minutes, each further one twice as long, up to a day.
FREE_FAILURES = 9
FIRST_LOCK = datetime.timedelta(minutes=15)
LONGEST_LOCK = datetime.timedelta(days=1)
# A longer pause than the longest lock starts the count anew.
FORGET_AFTER = datetime.timedelta(days=2)


def normal_email(text: str) -> str:
    """The one spelling of an address: trimmed, in lower case, its domain in ASCII (RFC 5890).

    Raises: ValueError, for a domain that has no ASCII form.
    """
    local, at, domain = text.strip().lower().rpartition("@")
    if not domain.isascii():
        domain = domain.encode("idna").decode("ascii")
    return f"{local}{at}{domain}"


def closed_email(user_id: object) -> str:
    """What stands in for a closed account's address; `.invalid` never resolves (RFC 2606)."""
    return f"closed-{user_id}@closed.invalid"
