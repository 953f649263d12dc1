"""What products stand on: attributes, product types, categories and brands."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from lavka.catalog import services as catalog
from lavka.catalog.models import Attribute, Brand, Category, Choice, ProductType
from lavka.catalog.services import ChoiceValues, TypeAttributeValues
from lavka.demo import goods


@dataclass(frozen=True, kw_only=True)
class Shelves:
    """Rows by code or slug."""

    types: dict[str, ProductType]
    categories: dict[str, Category]
    brands: dict[str, Brand]


@transaction.atomic
def ensure_shelves() -> Shelves:
    """Create what is missing; what is there under the same code or slug stays as it is."""
    attributes = _ensure_attributes()
    return Shelves(
        types=_ensure_types(attributes), categories=_ensure_categories(), brands=_ensure_brands()
    )


def _ensure_attributes() -> dict[str, Attribute]:
    attributes = {attribute.code: attribute for attribute in Attribute.objects.all()}
    for code, said in goods.read("attributes").items():
        choices = [
            ChoiceValues(code=choice, label=label)
            for choice, label in said.get("choices", {}).items()
        ]
        if code not in attributes:
            attributes[code] = catalog.create_attribute(
                code=code,
                name=said["name"],
                kind=said["kind"],
                unit=said.get("unit", ""),
                choices=choices,
            )
        else:
            _ensure_choices(attributes[code], choices)
    return attributes


def _ensure_choices(attribute: Attribute, choices: list[ChoiceValues]) -> None:
    known = set(attribute.choices.values_list("code", flat=True))
    for position, choice in enumerate(choices, len(known)):
        if choice.code not in known:
            Choice.objects.create(
                attribute=attribute, code=choice.code, label=choice.label, position=position
            )


def _ensure_types(attributes: dict[str, Attribute]) -> dict[str, ProductType]:
    types = {each.code: each for each in ProductType.objects.all()}
    for code, said in goods.read("types").items():
        if code not in types:
            types[code] = catalog.create_product_type(
                code=code, name=said["name"], attributes=_uses(said, attributes)
            )
    return types


def _uses(said: dict[str, Any], attributes: dict[str, Attribute]) -> list[TypeAttributeValues]:
    required = said.get("required", [])
    return [
        *(TypeAttributeValues(attribute=attributes[c], is_option=True) for c in said["options"]),
        *(TypeAttributeValues(attribute=attributes[c], is_required=True) for c in required),
        *(TypeAttributeValues(attribute=attributes[c]) for c in said["attributes"]),
    ]


def _ensure_categories() -> dict[str, Category]:
    categories = {category.slug: category for category in Category.objects.all()}
    for position, (slug, said) in enumerate(goods.read("categories").items()):
        if slug not in categories:
            categories[slug] = catalog.create_category(
                slug=slug,
                name=said["name"],
                description=said.get("description", ""),
                parent=categories[said["parent"]] if "parent" in said else None,
                position=position,
                seo_title=f"{said['name']} | Lavka",
                seo_description=said.get("description", ""),
            )
    return categories


def _ensure_brands() -> dict[str, Brand]:
    brands = {brand.slug: brand for brand in Brand.objects.all()}
    for slug, said in goods.read("brands").items():
        if slug not in brands:
            brands[slug] = catalog.create_brand(
                slug=slug,
                name=said["name"],
                description=said["description"],
                seo_title=f"{said['name']} | Lavka",
                seo_description=said["description"],
            )
    return brands
