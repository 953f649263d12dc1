"""Fetches what a file names by address, from the internet and never from this network."""

import http.client
from urllib.parse import urljoin

from lavka.kernel.outbound import (
    Allow,
    Connection,
    NotReached,
    Resolve,
    addresses_of,
    connection_to,
    is_public,
)

MAX_BYTES = 10 * 1024 * 1024
SECONDS = 10
MAX_REDIRECTS = 5
_BLOCK = 64 * 1024


class NotFetched(Exception):
    """Nothing came; `code` and `reason` as in a refusal."""

    def __init__(self, code: str, reason: str) -> None:
        """Keep both."""
        super().__init__(code)
        self.code, self.reason = code, reason


def fetch(source: str, *, resolve: Resolve = addresses_of, is_allowed: Allow = is_public) -> bytes:
    """The bytes at an http or https address.

    At most `SECONDS` for each of at most `MAX_REDIRECTS` redirects, and `MAX_BYTES`; the address
    of each is checked anew.
    Raises: NotFetched.
    """
    url = f"https:{source}" if source.startswith("//") else source
    for _ in range(MAX_REDIRECTS + 1):
        try:
            with connection_to(
                url, seconds=SECONDS, resolve=resolve, is_allowed=is_allowed
            ) as connection:
                answer = _answer(connection)
                if isinstance(answer, bytes):
                    return answer
                url = urljoin(url, answer)
        except NotReached as fault:
            raise NotFetched(fault.code, fault.reason) from fault
    raise NotFetched("too_many_redirects", f"More than {MAX_REDIRECTS} redirects.")


def _answer(connection: Connection) -> bytes | str:
    """The content, or where it says that the content is."""
    headers = {"Accept": "image/*", "Accept-Encoding": "identity"}
    connection.request("GET", connection.target, headers=headers)
    with connection.getresponse() as response:
        location = response.getheader("Location")
        if response.status in {301, 302, 303, 307, 308} and location:
            return location
        if response.status != http.client.OK:
            raise NotFetched("not_there", f"The server answers {response.status}.")
        return _content(connection, response)


def _content(connection: Connection, response: http.client.HTTPResponse) -> bytes:
    promised = response.length or 0
    content = bytearray()
    while block := response.read(_BLOCK):
        content += block
        if len(content) > MAX_BYTES:
            raise NotFetched("too_large", "It is larger than 10 MB.")
    if connection.is_late:
        raise NotFetched("too_slow", f"It took more than {SECONDS} seconds.")
    if len(content) < promised:
        raise NotFetched("cut_off", "The server stopped in the middle.")
    return bytes(content)
