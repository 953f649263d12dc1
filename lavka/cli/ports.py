"""Loopback ports: which are free, and who may listen there."""

import errno
import random
import socket

from lavka.cli.trouble import Trouble

LOOPBACK = "127.0.0.1"
# Below the range from which the kernel hands out ports of outgoing connections, so that no
# connection can take a server's port while that server restarts.
SERVER_PORTS = range(20_000, 32_000)


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback address now."""
    return _fault_of(LOOPBACK, port) == 0


def free_port() -> int:
    """A port for an embedded server, chosen at random: other clones choose at the same time."""
    for _ in range(1000):
        port = random.choice(SERVER_PORTS)  # noqa: S311 - not a secret
        if is_free(port):
            return port
    raise Trouble("no port between 20000 and 31999 is free on this machine.")


def require_free(host: str, port: int) -> None:
    """Check the shop's own port. Raises: Trouble, which says what to do instead."""
    match _fault_of(host, port):
        case 0:
            return
        case errno.EADDRINUSE:
            raise Trouble(
                f"port {port} is taken by another program; "
                f"choose another one, for example: PORT={port + 1} ./run.sh"
            )
        case errno.EACCES:
            raise Trouble(f"you may not listen on port {port}; choose one above 1023.")
        case fault:
            raise Trouble(f"cannot listen on {host}:{port}: {errno.errorcode.get(fault, fault)}.")


def _fault_of(host: str, port: int) -> int:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(1)
        except OSError as fault:
            return fault.errno or errno.EINVAL
    return 0
