"""Whether a pooled connection still leads to the server, without a question each time."""

import select
import time
from typing import Any

from psycopg_pool import ConnectionPool

TRUSTED_SECONDS = 1.0


def check(connection: Any) -> None:
    """Ask the server, unless it has answered a moment ago and has not hung up since.

    A server that ends hangs up, which its socket shows; what a firewall forgets shows nothing.
    Raises: psycopg.OperationalError, and the pool takes another connection.
    """
    now = time.monotonic()
    if now - getattr(connection, "checked_at", -TRUSTED_SECONDS) < TRUSTED_SECONDS:
        socket = select.poll()
        socket.register(connection.fileno(), select.POLLIN)
        if not socket.poll(0):
            return
    ConnectionPool.check_connection(connection)
    connection.checked_at = now
