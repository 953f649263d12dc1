"""Ids of seeded rows: version 7 in shape, rising in time, and known as seeded."""

import datetime
from enum import IntEnum

# Everything in the seeded shop happens between these two, whenever it is loaded.
OPENED_AT = datetime.datetime(2023, 1, 1, tzinfo=datetime.UTC)
CLOSED_AT = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
OPENED_MS = int(OPENED_AT.timestamp() * 1000)
CLOSED_MS = int(CLOSED_AT.timestamp() * 1000)

_MARK = "9eed"


class Kind(IntEnum):
    """Which table the row is in."""

    CUSTOMER = 1
    PRODUCT = 2
    VARIANT = 3
    REVIEW = 4
    VOTE = 5


def seeded_id(kind: Kind, number: int, milliseconds: int) -> str:
    """The id of row `number`: a UUID of version 7 whose random part is mark and number.

    Source: RFC 9562, 5.7.
    """
    return f"{milliseconds >> 16:08x}-{milliseconds & 0xFFFF:04x}-7{kind:03x}-{_MARK}-{number:012x}"


def like_seeded(kind: Kind) -> str:
    """A LIKE pattern for the text of seeded ids; a random id fits it once in 4 · 10^12."""
    return f"________-____-7{kind:03x}-{_MARK}-0000%"


def moment(number: int, of: int) -> int:
    """The millisecond at which row `number` of `of` came to the shop."""
    return OPENED_MS + (CLOSED_MS - OPENED_MS) * number // of
