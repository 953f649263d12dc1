"""System checks of the shop's options: what is wrong in them is refused at start."""

import re
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from lavka.kernel import links
from lavka.kernel.conf import options
from lavka.kernel.links import LinkKind

MIN_SECRET = 32


@register
def check_links(**_: Any) -> list[CheckMessage]:
    """Every link in the settings that could not lead a customer to its page."""
    found: list[CheckMessage] = []
    if not links.origin_of(options.shop_url) or not re.fullmatch(r"[^\s?#]+", options.shop_url):
        found.append(
            Error(
                f"SHOP_URL is no http address: {options.shop_url}",
                hint="Say where the shop is, as https://shop.example.",
                obj="LAVKA['SHOP_URL']",
                id="lavka.E060",
            )
        )
    for name, template in options.links.items():
        kind = links.kinds.get(name)
        if kind is None:
            found.append(
                Warning(
                    f"No mail has a link of the kind {name}.",
                    hint=f"The kinds are {', '.join(sorted(links.kinds))}.",
                    obj="LAVKA['LINKS']",
                    id="lavka.W060",
                )
            )
        else:
            found += [
                Error(f"{name}: {fault}", obj=f"LAVKA['LINKS'][{name!r}]", id=identity)
                for identity, fault in _faults(kind, str(template))
            ]
    return found


@register
def check_currency(**_: Any) -> list[CheckMessage]:
    """A code that no amount would ever have: what applies to it would all be refused."""
    if re.fullmatch("[A-Z]{3}", options.currency):
        return []
    return [
        Error(
            f"CURRENCY is no code of ISO 4217: {options.currency!r}",
            hint="Write three capital letters, such as EUR.",
            obj="LAVKA['CURRENCY']",
            id="lavka.E067",
        )
    ]


@register
def check_keys(**_: Any) -> list[CheckMessage]:
    """Secrets of single purposes that are too short to be secrets."""
    return [
        Error(
            f"A secret for {purpose} has fewer than {MIN_SECRET} characters.",
            hint="Make one with: openssl rand -base64 48",
            obj=f"LAVKA['KEYS'][{purpose!r}]",
            id="lavka.E065",
        )
        for purpose, secrets in options.keys.items()
        if min(map(len, secrets), default=MIN_SECRET) < MIN_SECRET
    ]


@register
def check_origins(**_: Any) -> list[CheckMessage]:
    """Shop fronts whose address no browser has."""
    fronts = [*settings.CORS_ALLOWED_ORIGINS, *settings.CSRF_TRUSTED_ORIGINS]
    return [
        Error(
            f"{front!r} is no origin.",
            hint="Write scheme, host and port, as https://front.example:8443.",
            obj="CORS_ALLOWED_ORIGINS",
            id="lavka.E066",
        )
        for front in fronts
        if "*" not in front and not links.origin_of(front)
    ]


def _faults(kind: LinkKind, template: str) -> Iterator[tuple[str, str]]:
    named = links.placeholders_of(template)
    known = ", ".join(sorted(kind.placeholders))
    if re.search(r"[\s\x00-\x1f\x7f\\<>\"]|^//", template):
        yield "lavka.E061", f"{template!r} is no address."
    if re.search(r"[{}]", links.PLACEHOLDER.sub("", template)):
        yield "lavka.E062", f"A brace stands alone; placeholders are written {{{known}}}."
    for name in sorted(named - kind.placeholders):
        yield "lavka.E062", f"{{{name}}} is no placeholder of this link. It has: {known}."
    for names in kind.required:
        if not names & named:
            wanted = " or ".join(f"{{{name}}}" for name in sorted(names))
            yield "lavka.E063", f"{wanted} is missing, without which the page cannot work."
    if not template.startswith("/") and links.origin_of(template) not in links.front_origins():
        yield (
            "lavka.E064",
            f"{template!r} begins neither with / nor with SHOP_URL nor with an origin of "
            "CORS_ALLOWED_ORIGINS or CSRF_TRUSTED_ORIGINS.",
        )
