"""Families of products: what a word list says, made ready to draw from a million times."""

import datetime
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Any

from lavka.catalog.models import Product
from lavka.demo import goods
from lavka.demo.shelves import Shelves

type Draw = Callable[[Random], str]


@dataclass(frozen=True, kw_only=True)
class Option:
    """An option of a product type; `parts` are its choices as parts of a JSON object."""

    parts: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Family:
    """Products that are alike; `attributes` each draw a part of a JSON object."""

    type_id: str
    category_id: str
    pattern: str
    styles: Sequence[str]
    nouns: Sequence[str]
    low: float
    high: float
    attributes: Sequence[Draw]
    options: Sequence[Option]


def families_on(shelves: Shelves) -> tuple[list[Family], list[int]]:
    """All families, and their shares added up, as `random.choices` wants them."""
    said = goods.read("seed")["family"]
    return [_family(each, shelves) for each in said], list(
        accumulate(each["share"] for each in said)
    )


def _family(said: dict[str, Any], shelves: Shelves) -> Family:
    kind = goods.read("types")[said["type"]]
    codes = [*kind.get("required", []), *kind["attributes"]]
    return Family(
        type_id=str(shelves.types[said["type"]].pk),
        category_id=str(shelves.categories[said["category"]].pk),
        pattern=said.get("pattern", "{collection} {style} {noun}"),
        styles=said["styles"],
        nouns=said["nouns"],
        low=said["prices"][0],
        high=said["prices"][1],
        attributes=[_attribute(code, said["type"]) for code in codes],
        options=[_option(code) for code in kind["options"]],
    )


def _option(code: str) -> Option:
    choices = goods.read("attributes")[code]["choices"]
    return Option(parts=[f'"{code}": "{choice}"' for choice in choices])


def _attribute(code: str, product_type: str) -> Draw:
    """Every value an attribute may have here, ready as text; one is drawn."""
    materials = goods.read("seed")["materials"]
    values = materials[product_type] if code == "material" else _values(code)
    parts = [f'"{code}": {json.dumps(value, ensure_ascii=False)}' for value in values]
    return lambda chance: parts[int(chance.random() * len(parts))]


def _values(code: str) -> list[Any]:
    said, words = goods.read("attributes")[code], goods.read("seed")
    match said["kind"]:
        case "boolean":
            return [True, False]
        case "number":
            return list(words["numbers"][code])
        case "text":
            return list(words["texts"][code])
        case "date":
            start, days = words["dates"]["from"], words["dates"]["days"]
            return [(start + datetime.timedelta(days=n)).isoformat() for n in range(0, days, 7)]
        case "choice":
            return list(said["choices"])
        case _:
            choices = list(said["choices"])
            return [choices[n : n + size] for size in (1, 2, 3) for n in range(len(choices))]


STATUSES = [Product.Status.PUBLISHED] * 29 + [Product.Status.DRAFT]
