"""Goes out to addresses that others wrote down: to the internet, and never into this network."""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from lavka.kernel.http_urls import DEFAULT_PORTS, BadUrl, HttpUrl
from lavka.kernel.plain_text import storable

# A cloud's own services at an address that looks public.
_CLOUD = {ipaddress.ip_address("168.63.129.16")}
# How much of an error or a header that others wrote is kept.
MAX_REASON, MAX_HEADER = 200, 2000
_MAX_ADDRESSES = 8
_BLOCK = 64 * 1024

type Resolve = Callable[[str, int], Sequence[str]]
type Allow = Callable[[str], bool]


class NotReached(Exception):
    """Nobody was asked, or nobody answered in time; `code` is for programs."""

    def __init__(self, code: str, reason: str) -> None:
        """Keep both, the reason as far as it can be stored."""
        super().__init__(code)
        self.code, self.reason = code, storable(reason, MAX_REASON)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is sent to an http or https address; `limit` bytes of the answer are read.

    All of it takes `seconds` at most.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None
    limit: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Response:
    """An answer as far as it was read: `content` is no longer than was asked for, and a byte.

    `fault` says why it is not whole: `too_slow` or `cut_off`; it is empty for one that is, and for
    one that was not read to its end.
    """

    status: int
    location: str
    retry_after: str
    content: bytes
    fault: str = ""


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the internet, and not to a network or machine of ours."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip.sixtofour is not None or ip.teredo is not None or ip.is_site_local:
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip in _CLOUD)


def is_loopback(address: str) -> bool:
    """Whether an IP address is this machine's own, which no network leads to."""
    ip = ipaddress.ip_address(address)
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_loopback


def addresses_of(host: str, port: int) -> list[str]:
    """A host's IP addresses. Raises: OSError, UnicodeError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


class _Connection(http.client.HTTPConnection):
    """A connection to one of these IP addresses, whatever the host's name means by now."""

    def __init__(self, url: HttpUrl, addresses: Sequence[str], deadline: float) -> None:
        """Open nothing yet."""
        super().__init__(url.host, url.port)
        self.default_port = DEFAULT_PORTS[url.scheme]
        self.is_secure = url.scheme == "https"
        self.addresses, self.deadline, self.is_late = addresses, deadline, False
        # http.client forgets `sock` while an answer without a length is still read from it.
        self.opened: socket.socket | None = None

    def connect(self) -> None:
        """Connect to the first address that answers. Raises: OSError."""
        self.opened = self._opened()
        if self.is_secure:
            context = ssl.create_default_context()
            # The handshake comes after, so that `abort` finds the socket that it runs on.
            secured = context.wrap_socket(
                self.opened, server_hostname=self.host, do_handshake_on_connect=False
            )
            self.opened = secured
            secured.do_handshake()
        self.sock = self.opened

    def _opened(self) -> socket.socket:
        faults: list[OSError] = []
        for address in self.addresses[:_MAX_ADDRESSES]:
            seconds = self.deadline - time.monotonic()
            if seconds <= 0:
                break
            try:
                return socket.create_connection((address, self.port), seconds)
            except OSError as fault:
                faults.append(fault)
        raise faults[0] if faults else TimeoutError

    def abort(self) -> None:
        """Give up, from another thread: whoever waits for bytes wakes up."""
        self.is_late = True
        if self.opened is not None:
            with contextlib.suppress(OSError):
                self.opened.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """Close whatever is open."""
        self.close()
        if self.opened is not None:
            self.opened.close()


def exchange(
    request: Request, *, resolve: Resolve = addresses_of, is_allowed: Allow = is_public
) -> Response:
    """Send one request and read its answer.

    The host is resolved once, and the connection goes to the very addresses that were checked.
    Redirects are the caller's to follow, each through here.
    Raises: NotReached with `bad_address`, `forbidden_address`, `too_slow` or `unreachable`.
    """
    deadline = time.monotonic() + request.seconds
    target, addresses = _checked(request, resolve, is_allowed)
    connection = _Connection(target, addresses, deadline)
    with _cut_off_after(deadline - time.monotonic(), connection):
        try:
            connection.request(
                request.method, target.target, body=request.body, headers=dict(request.headers)
            )
            with connection.getresponse() as answer:
                return _read(connection, answer, request.limit)
        except Exception as fault:
            # What strangers send is parsed by libraries that promise no set of exceptions.
            if connection.is_late or time.monotonic() >= deadline:
                raise _too_slow(request) from fault
            raise NotReached("unreachable", f"{type(fault).__name__}: {fault}") from fault


def _too_slow(request: Request) -> NotReached:
    return NotReached("too_slow", f"It took more than {request.seconds:g} seconds.")


def _read(connection: _Connection, answer: http.client.HTTPResponse, limit: int) -> Response:
    promised = min(answer.length or 0, limit + 1)
    content, is_broken = bytearray(), False
    try:
        while len(content) <= limit:
            block = answer.read1(min(_BLOCK, limit + 1 - len(content)))
            if not block:
                break
            content += block
    except (OSError, ValueError, http.client.HTTPException):
        # Whoever has sent a status has answered.
        is_broken = True
    fault = "cut_off" if is_broken or len(content) < promised else ""
    return Response(
        status=answer.status,
        location=answer.getheader("Location", "")[:MAX_HEADER],
        retry_after=answer.getheader("Retry-After", "")[:MAX_HEADER],
        content=bytes(content[: limit + 1]),
        fault="too_slow" if connection.is_late else fault,
    )


@contextlib.contextmanager
def _cut_off_after(seconds: float, connection: _Connection) -> Iterator[None]:
    watch = threading.Timer(seconds, connection.abort)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()
        connection.end()


def _checked(
    request: Request, resolve: Resolve, is_allowed: Allow
) -> tuple[HttpUrl, Sequence[str]]:
    """The address, and the host's IP addresses, all of which are allowed. Raises: NotReached."""
    try:
        target = HttpUrl.parse(request.url)
    except BadUrl as fault:
        raise NotReached("bad_address", fault.reason) from fault
    try:
        addresses = _resolved(target, request.seconds, resolve)
        are_allowed = bool(addresses) and all(is_allowed(address) for address in addresses)
    except TimeoutError as fault:
        raise _too_slow(request) from fault
    except (OSError, ValueError) as fault:
        raise NotReached("unreachable", f"{type(fault).__name__}: {fault}") from fault
    if not are_allowed:
        raise NotReached("forbidden_address", f"{target.host} is no public address.")
    return target, addresses


def _resolved(target: HttpUrl, seconds: float, resolve: Resolve) -> Sequence[str]:
    """Ask the name service in a thread of its own, as nothing else can end that in time."""
    found: Future[Sequence[str]] = Future()

    def run() -> None:
        try:
            found.set_result(resolve(target.host, target.port))
        except Exception as fault:  # noqa: BLE001 - raised in the thread that waits
            found.set_exception(fault)

    threading.Thread(target=run, daemon=True, name="resolve").start()
    return found.result(timeout=seconds)
