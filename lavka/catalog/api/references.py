"""Slugs and codes in a body become rows; what is not there is refused where it stands."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from lavka.catalog.errors import refuse
from lavka.catalog.models import Attribute, Brand, Category, ProductType
from lavka.catalog.services import ChoiceValues, TypeAttributeValues, VariantValues
from lavka.kernel.errors import MAX_CHOICES, FieldError

# What a field names: rows of which model, by which column, listed under which path.
_FIELDS: dict[str, tuple[type[Model], str, str]] = {
    "brand": (Brand, "slug", "/api/v1/brands/"),
    "category": (Category, "slug", "/api/v1/categories/"),
    "parent": (Category, "slug", "/api/v1/categories/"),
    "product_type": (ProductType, "code", "/api/v1/manage/product-types/"),
    "attribute": (Attribute, "code", "/api/v1/manage/attributes/"),
}


def choices_url(name: str) -> str:
    """The path of the API that lists what a field may name."""
    return _FIELDS[name][2]


def resolved(values: dict[str, Any]) -> dict[str, Any]:
    """The body's values with rows in place of slugs: 1 query a reference.

    Raises: Invalid, with code `unknown`.
    """
    rows: dict[str, Any] = {}
    for name, (model, field, _path) in _FIELDS.items():
        if values.get(name) is not None:
            rows[name] = model._default_manager.filter(**{field: values[name]}).first()
    gone = [name for name, row in rows.items() if row is None]
    refuse([refused for name in gone for refused in _unknown(name, f"#/{name}")])
    return values | rows


def variants_of(bodies: Sequence[dict[str, Any]]) -> list[VariantValues]:
    """Variants as the services want them."""
    return [VariantValues(**body) for body in bodies]


def choices_of(values: dict[str, Any]) -> dict[str, Any]:
    """The values with `choices`, if given, as the services want them."""
    if "choices" not in values:
        return values
    return values | {"choices": [ChoiceValues(**each) for each in values["choices"]]}


def uses_of(values: dict[str, Any]) -> dict[str, Any]:
    """The values with `attributes`, if given, as the services want them: 1 query.

    Raises: Invalid, for a code that no attribute has.
    """
    if "attributes" not in values:
        return values
    bodies = values["attributes"]
    found = Attribute.objects.filter(code__in=[each["attribute"] for each in bodies])
    rows = {attribute.code: attribute for attribute in found}
    unknown = [
        f"#/attributes/{index}/attribute"
        for index, each in enumerate(bodies)
        if each["attribute"] not in rows
    ]
    if unknown:
        refuse(_unknown("attribute", *unknown))
    uses = [TypeAttributeValues(**each | {"attribute": rows[each["attribute"]]}) for each in bodies]
    return values | {"attributes": uses}


def _unknown(name: str, *pointers: str) -> list[FieldError]:
    """The refusals of what is not there, with what there is: 1 query."""
    model, field, path = _FIELDS[name]
    known = model._default_manager.order_by(field).values_list(field, flat=True)
    choices, detail = tuple(known[: MAX_CHOICES + 1]), _("There is no such thing.")
    return [FieldError(each, "unknown", detail, choices, path) for each in pointers]
