"""What the contenders compute from loaded rows: the parts of a card that no column holds.

Rows are models of Django or of SQLAlchemy; both name their columns alike.
"""

import os
from collections.abc import Sequence
from typing import Any

CURRENCY = os.environ.get("LAVKA_CURRENCY", "USD")
MEDIA_URL = "/media/"
CARD_WIDTH = "480"


def money(amount: int | None) -> dict[str, Any] | None:
    """Minor units with the shop's currency."""
    return None if amount is None else {"amount": amount, "currency": CURRENCY}


def cheapest(variants: Sequence[Any]) -> Any:
    """The variant whose price the card shows."""
    return min(variants, key=lambda each: (each.price_amount, each.position, each.id))


def image(picture: Any) -> dict[str, Any]:
    """A picture with its thumbnails' addresses."""
    return {
        "url": f"{MEDIA_URL}{picture.file}",
        "alt": picture.alt,
        "width": picture.width,
        "height": picture.height,
        "thumbnails": {width: f"{MEDIA_URL}{name}" for width, name in picture.thumbnails.items()},
    }


def card_image(pictures: Sequence[Any]) -> dict[str, Any] | None:
    """The first picture at a card's size, the original while it has no thumbnails."""
    if not pictures:
        return None
    first = pictures[0]
    shown = image(first)
    thumbnail = shown["thumbnails"].get(CARD_WIDTH)
    if thumbnail is None or not first.width or not first.height:
        return shown
    width = min(int(CARD_WIDTH), first.width)
    height = round(first.height * width / first.width)
    return shown | {"url": thumbnail, "width": width, "height": height}


def rating(row: Any | None) -> dict[str, Any]:
    """What customers think; nobody has said while there is no row."""
    if row is None:
        return {"average": None, "count": 0}
    return {"average": None if row.average is None else float(row.average), "count": row.count}


def full_rating(row: Any | None) -> dict[str, Any]:
    """The rating of a product's page."""
    stars = {str(n): getattr(row, f"stars_{n}") if row else 0 for n in range(1, 6)}
    return rating(row) | {"histogram": stars}


def attributes(described: Sequence[Any], values: dict[str, Any]) -> list[dict[str, Any]]:
    """The product's properties; `described` are its type's attributes as (attribute, choices)."""
    return [
        {
            "code": attribute.code,
            "name": attribute.name,
            "value": values[attribute.code],
            "label": _label(attribute, choices, values[attribute.code]),
            "unit": attribute.unit or None,
        }
        for attribute, choices in described
        if attribute.code in values
    ]


def options(described: Sequence[Any], variants: Sequence[Any]) -> list[dict[str, Any]]:
    """What a customer chooses between; `described` are the type's options with their choices."""
    found = []
    for attribute, choices in described:
        used = {variant.options.get(attribute.code) for variant in variants} - {None}
        if used:
            values = [
                {"value": each.code, "label": each.label} for each in choices if each.code in used
            ]
            found.append({"code": attribute.code, "name": attribute.name, "values": values})
    return found


def seo(product: Any) -> dict[str, str]:
    """For search engines; the product's own words where staff wrote nothing."""
    return {
        "title": product.seo_title or product.name,
        "description": product.seo_description or product.description[:300],
    }


def breadcrumbs(category: Any | None) -> list[dict[str, str]]:
    """From the root to the category, whose parents are loaded."""
    path: list[dict[str, str]] = []
    while category is not None:
        path.insert(0, {"slug": category.slug, "name": category.name})
        category = category.parent
    return path


def _label(attribute: Any, choices: Sequence[Any], value: Any) -> str | None:
    labels = {each.code: each.label for each in choices}
    if attribute.kind == "choice":
        return labels.get(value, value)
    if attribute.kind == "choices":
        return ", ".join(labels.get(code, code) for code in value)
    return None
