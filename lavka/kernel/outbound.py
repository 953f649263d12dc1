"""Goes out to addresses that others wrote down: to the internet, and never into this network."""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlsplit

from django.utils.encoding import iri_to_uri

_PORTS = {"http": 80, "https": 443}
# A cloud's own services at an address that looks public.
_CLOUD = {ipaddress.ip_address("168.63.129.16")}

type Resolve = Callable[[str, int], Sequence[str]]
type Allow = Callable[[str], bool]


class NotReached(Exception):
    """Nobody was asked, or nobody answered in time; `code` is for programs."""

    def __init__(self, code: str, reason: str) -> None:
        """Keep both."""
        super().__init__(code)
        self.code, self.reason = code, reason


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the internet, and not to a network or machine of ours."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip.sixtofour is not None or ip.teredo is not None or ip.is_site_local:
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip in _CLOUD)


def addresses_of(host: str, port: int) -> list[str]:
    """A host's IP addresses. Raises: OSError, UnicodeError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


class Connection(http.client.HTTPConnection):
    """A connection to one of these IP addresses, whatever the host's name means by now."""

    def __init__(
        self, host: str, port: int, addresses: Sequence[str], *, is_secure: bool, seconds: float
    ) -> None:
        """Open nothing yet."""
        super().__init__(host, port, timeout=seconds)
        self.default_port = _PORTS["https" if is_secure else "http"]
        self.addresses, self.is_secure, self.seconds = addresses, is_secure, seconds
        self.target, self.is_late = "/", False
        # http.client forgets `sock` while an answer without a length is still read from it.
        self.opened: socket.socket | None = None

    def connect(self) -> None:
        """Connect to the first address that answers. Raises: OSError."""
        faults: list[OSError] = []
        for address in self.addresses:
            try:
                self.opened = socket.create_connection((address, self.port), self.seconds)
                break
            except OSError as fault:
                faults.append(fault)
        else:
            raise faults[0]
        if self.is_secure:
            context = ssl.create_default_context()
            # The handshake comes after, so that `abort` finds the socket that it runs on.
            secured = context.wrap_socket(
                self.opened, server_hostname=self.host, do_handshake_on_connect=False
            )
            self.opened = secured
            secured.do_handshake()
        self.sock = self.opened

    def abort(self) -> None:
        """Give up, from another thread: whoever waits for bytes wakes up."""
        self.is_late = True
        if self.opened is not None:
            with contextlib.suppress(OSError):
                self.opened.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def connection_to(
    url: str, *, seconds: float, resolve: Resolve = addresses_of, is_allowed: Allow = is_public
) -> Iterator[Connection]:
    """A connection for one request to `target` at an http or https address; the block closes it.

    The host is resolved once, and the connection goes to the very addresses that were checked.
    After `seconds`, counted from then, it is cut off: it `is_late`, and what was being read ends
    short. Redirects are the caller's to follow, each through here.
    Raises: NotReached with `bad_address`, `forbidden_address`, `too_slow` or `unreachable`.
    """
    watch: threading.Timer | None = None
    connection: Connection | None = None
    try:
        connection = _checked(iri_to_uri(url), seconds, resolve, is_allowed)
        watch = threading.Timer(seconds, connection.abort)
        watch.daemon = True
        watch.start()
        yield connection
    except (OSError, ValueError, http.client.HTTPException) as fault:
        if connection is not None and connection.is_late:
            raise NotReached("too_slow", f"It took more than {seconds:g} seconds.") from fault
        reason = f"{type(fault).__name__}: {fault}"[:200]
        raise NotReached("unreachable", reason) from fault
    finally:
        if watch is not None:
            watch.cancel()
        if connection is not None:
            connection.close()
            if connection.opened is not None:
                connection.opened.close()


def _checked(url: str, seconds: float, resolve: Resolve, is_allowed: Allow) -> Connection:
    parts = urlsplit(url)
    host = (parts.hostname or "").encode("idna").decode()
    if parts.scheme not in _PORTS or not host:
        raise NotReached("bad_address", "An address with http or https is expected.")
    port = parts.port or _PORTS[parts.scheme]
    addresses = resolve(host, port)
    if not addresses or not all(is_allowed(address) for address in addresses):
        raise NotReached("forbidden_address", f"{host} is no public address.")
    is_secure = parts.scheme == "https"
    connection = Connection(host, port, addresses, is_secure=is_secure, seconds=seconds)
    connection.target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return connection
