"""Addresses of the web, as others write them: read strictly, into one spelling."""

import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from django.utils.encoding import iri_to_uri
from django.utils.translation import gettext as _

MAX_LENGTH = 2000
DEFAULT_PORTS = {"http": 80, "https": 443}
# White space, control characters and what WHATWG's parser and RFC 3986 read differently.
_ODD = re.compile(r"[\s\x00-\x1f\x7f-\x9f\\\u2028\u2029]")
_HOST = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*"
)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class BadUrl(ValueError):
    """No address of the web; `code` is for programs, `reason` is in the active language."""

    def __init__(self, code: str, reason: str) -> None:
        """Keep both."""
        super().__init__(reason)
        self.code, self.reason = code, reason


@dataclass(frozen=True, slots=True)
class HttpUrl:
    """An http or https address: `host` is ASCII, in lower case and without a final dot.

    An IP address stands in its usual notation, one of version 6 without brackets. `target` is path
    and query as they are sent.
    """

    scheme: str
    host: str
    port: int
    target: str
    fragment: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises: BadUrl with `bad_address`, `not_http` or `credentials`."""
        if len(text) > MAX_LENGTH or _ODD.search(text):
            raise BadUrl("bad_address", _("An address without spaces or odd signs is expected."))
        try:
            parts = urlsplit(text)
            named, port = parts.hostname or "", parts.port
        except ValueError as fault:
            raise BadUrl("bad_address", _("This is no address.")) from fault
        if parts.scheme not in DEFAULT_PORTS:
            raise BadUrl("not_http", _("An address with http or https is expected."))
        if "@" in parts.netloc:
            raise BadUrl("credentials", _("Leave user name and password out of the address."))
        if port == 0:
            raise BadUrl("bad_address", _("A port from 1 to 65535 is expected."))
        path = iri_to_uri(parts.path) or "/"
        return cls(
            scheme=parts.scheme,
            host=_host(named, is_bracketed="[" in parts.netloc),
            port=port or DEFAULT_PORTS[parts.scheme],
            target=path + (f"?{iri_to_uri(parts.query)}" if parts.query else ""),
            fragment=parts.fragment,
        )

    @property
    def origin(self) -> str:
        """Scheme, host and a port that is not the usual one (RFC 6454)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        is_usual = self.port == DEFAULT_PORTS[self.scheme]
        return f"{self.scheme}://{host}" + ("" if is_usual else f":{self.port}")


def _host(named: str, *, is_bracketed: bool) -> str:
    """The host in its one spelling. Raises: BadUrl."""
    try:
        if is_bracketed:
            # Without a zone, which would name an interface of this machine.
            return str(ipaddress.IPv6Address(named if "%" not in named else ""))
        host = named.encode("idna").decode().lower().removesuffix(".")
        if not _HOST.fullmatch(host):
            raise BadUrl("bad_address", _("There is no such host."))
        if _NUMBER.fullmatch(host.rpartition(".")[2]):
            # Also 0x7f.1 and 2130706433, as the C library and browsers read them.
            return str(ipaddress.IPv4Address(socket.inet_aton(host)))
    except (OSError, ValueError) as fault:
        if isinstance(fault, BadUrl):
            raise
        raise BadUrl("bad_address", _("There is no such host.")) from fault
    return host
