"""Fetches what a file names by address, from the internet and never from this network."""

import http.client
from urllib.parse import urljoin

from lavka.kernel.outbound import (
    Allow,
    NotReached,
    Request,
    Resolve,
    Response,
    addresses_of,
    exchange,
    is_public,
)

MAX_BYTES = 10 * 1024 * 1024
SECONDS = 10
MAX_REDIRECTS = 5
_HEADERS = {"Accept": "image/*", "Accept-Encoding": "identity", "Connection": "close"}
_REDIRECTS = {301, 302, 303, 307, 308}


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
            request = Request(
                method="GET", url=url, headers=_HEADERS, limit=MAX_BYTES, seconds=SECONDS
            )
            response = exchange(request, resolve=resolve, is_allowed=is_allowed)
        except NotReached as fault:
            raise NotFetched(fault.code, fault.reason) from fault
        if response.status not in _REDIRECTS or not response.location:
            return _content(response)
        url = _next(url, response.location)
    raise NotFetched("too_many_redirects", f"More than {MAX_REDIRECTS} redirects.")


def _next(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as fault:
        raise NotFetched("bad_address", "It leads to what is no address.") from fault


def _content(response: Response) -> bytes:
    if response.status != http.client.OK:
        raise NotFetched("not_there", f"The server answers {response.status}.")
    if len(response.content) > MAX_BYTES:
        raise NotFetched("too_large", "It is larger than 10 MB.")
    if response.fault == "too_slow":
        raise NotFetched("too_slow", f"It took more than {SECONDS} seconds.")
    if response.fault:
        raise NotFetched("cut_off", "The server stopped in the middle.")
    return response.content
