"""Links in mails: each kind leads to a page of the shop's own, or to where the settings say.

An app names its kinds in `links.py`, which is imported at start:

    ORDER = register(LinkKind("order", "/orders/{id}?key={key}"))

and writes a link by `ORDER.url(id=order.pk, key=key)`. `LAVKA["LINKS"]` gives a kind another page,
relative to `SHOP_URL` or absolute; `lavka.kernel.checks` refuses one that cannot work.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

from django.conf import settings
from django.utils.encoding import iri_to_uri

from lavka.kernel.conf import options
from lavka.kernel.http_urls import BadUrl, HttpUrl

PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class LinkKind:
    """One kind of link: `path` is the shop's own page, with its placeholders in braces.

    `also` are further placeholders that a configured link may use. A configured link needs all
    placeholders of `path`, or, where `needs` says so, at least one of each of these sets.
    """

    name: str
    path: str
    also: frozenset[str] = frozenset()
    needs: tuple[frozenset[str], ...] = ()

    @property
    def placeholders(self) -> frozenset[str]:
        """Every placeholder that has a value."""
        return placeholders_of(self.path) | self.also

    @property
    def required(self) -> tuple[frozenset[str], ...]:
        """Sets of placeholders, of each of which a configured link has at least one."""
        return self.needs or tuple(frozenset({name}) for name in sorted(placeholders_of(self.path)))

    def url(self, **values: object) -> str:
        """The whole address, with each value escaped.

        Raises: TypeError, unless each placeholder, and nothing else, has a value.
        """
        if values.keys() != self.placeholders:
            raise TypeError(f"{self.name} takes {', '.join(sorted(self.placeholders))}")
        template = options.links.get(self.name, self.path)
        filled = PLACEHOLDER.sub(lambda match: quote(str(values[match[1]]), safe=""), template)
        return iri_to_uri(f"{options.shop_url}{filled}" if filled.startswith("/") else filled)


kinds: dict[str, LinkKind] = {}


def register(kind: LinkKind) -> LinkKind:
    """Make a kind known to the settings' check; raises ValueError for a name that is taken."""
    if kinds.setdefault(kind.name, kind) != kind:
        raise ValueError(f"{kind.name} is registered already")
    return kind


def placeholders_of(template: str) -> frozenset[str]:
    """The names in braces."""
    return frozenset(PLACEHOLDER.findall(template))


def front_origins() -> frozenset[str]:
    """Where shop fronts are, as scheme and host: the shop's own, and those that call its API."""
    fronts = [*settings.CORS_ALLOWED_ORIGINS, *settings.CSRF_TRUSTED_ORIGINS]
    return frozenset(origin_of(each) for each in [options.shop_url, *fronts]) - {""}


def origin_of(address: str) -> str:
    """Scheme and host, nothing for what is no http address."""
    try:
        return HttpUrl.parse(address).origin
    except BadUrl:
        return ""
