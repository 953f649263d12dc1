"""What may be kept by whom, and the answer to a client that kept it."""

from hashlib import sha256

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified

# What everyone sees alike; a cache may go on with an old page while it fetches the new one.
CATALOGUE = "public, max-age=30, stale-while-revalidate=60"
PRIVATE = "no-store"
# How much of a list of entity tags is looked at.
MAX_TAGS = 2000


def with_etag(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Tag a rendered 200, unless its view did; a client that offers the tag gets 304.

    Source: RFC 9110, section 13.1.2.
    """
    if "ETag" not in response.headers:
        response.headers["ETag"] = tag_of(response.content)
    return unless_known(request.META.get("HTTP_IF_NONE_MATCH"), response)


def unless_known(offered: str | None, response: HttpResponse) -> HttpResponse:
    """The response, or 304 if its tag is among the `offered` ones (`If-None-Match`)."""
    tag = response.headers.get("ETag")
    if offered is None or tag is None or not names(offered, tag):
        return response
    unchanged = HttpResponseNotModified()
    for name in ("ETag", "Cache-Control", "Vary", "Content-Language"):
        if name in response:
            unchanged[name] = response[name]
    return unchanged


def tag_of(body: bytes) -> str:
    """A strong validator: equal for equal bytes only (RFC 9110, 8.8.3)."""
    return f'"{sha256(body).hexdigest()[:24]}"'


def names(offered: str, tag: str) -> bool:
    """Whether a list of entity tags has this one; a proxy that compresses had weakened it."""
    tags = [each.strip().removeprefix("W/") for each in offered[:MAX_TAGS].split(",")]
    return tag in tags or tags == ["*"]
