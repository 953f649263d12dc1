"""Advisory locks of PostgreSQL by name, for rules over rows that are not there yet."""

import zlib
from collections.abc import Iterable

from lavka.kernel import rows

_LOCK = "SELECT pg_advisory_xact_lock(%s, key) FROM unnest(%s::int[]) AS key"


def lock_names(space: int, names: Iterable[str]) -> None:
    """Hold these names until the transaction ends: one statement, in one order.

    `space` is a number of the caller's own. Two names may share a lock; they wait for each other.
    """
    keys = sorted(zlib.crc32(name.encode()) - 2**31 for name in names)
    rows.execute(_LOCK, [space, keys])
