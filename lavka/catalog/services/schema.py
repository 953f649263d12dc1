"""What a product type allows: attributes, their choices, and the types that use them."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from lavka.catalog import rules
from lavka.catalog.errors import InUse, refuse
from lavka.catalog.models import Attribute, Choice, Product, ProductType, TypeAttribute, Variant
from lavka.catalog.services.writing import refusals_named, take_schema
from lavka.kernel.errors import FieldError

CHOICE_KINDS = frozenset({Attribute.Kind.CHOICE, Attribute.Kind.CHOICES})


@dataclass(frozen=True, kw_only=True)
class ChoiceValues:
    """A choice as it should be; products store `code`."""

    code: str
    label: str


@dataclass(frozen=True, kw_only=True)
class TypeAttributeValues:
    """How a type uses an attribute."""

    attribute: Attribute
    is_option: bool = False
    is_required: bool = False


@transaction.atomic
def create_attribute(
    *, code: str, name: str, kind: str, unit: str = "", choices: Sequence[ChoiceValues] = ()
) -> Attribute:
    """Create an attribute with its choices; its code and kind stay for good.

    Raises: Invalid; Taken, for the code.
    """
    _check_choices(kind, choices)
    attribute = Attribute(code=code, name=name, kind=kind, unit=unit)
    with refusals_named():
        attribute.save(force_insert=True)
    _write_choices(attribute, choices)
    return attribute


@transaction.atomic
def update_attribute(
    *,
    attribute_id: UUID,
    name: str | None = None,
    unit: str | None = None,
    choices: Sequence[ChoiceValues] | None = None,
) -> Attribute:
    """Change what is not None; `choices` is the whole list in its order, known by code.

    Raises: Attribute.DoesNotExist; Invalid; InUse, for a left-out choice that products have.
    Locks: the attribute, and the schema when choices are given. Emits: AttributeChanged.
    """
    if choices is not None:
        take_schema()
    attribute = Attribute.objects.select_for_update(no_key=True).get(pk=attribute_id)
    attribute.name = attribute.name if name is None else name
    attribute.unit = attribute.unit if unit is None else unit
    if choices is not None:
        _check_choices(attribute.kind, choices)
        _write_choices(attribute, choices)
    attribute.save()
    return attribute


@transaction.atomic
def delete_attribute(*, attribute_id: UUID) -> None:
    """Delete an attribute that no product type uses.

    Raises: Attribute.DoesNotExist; InUse. Locks: the attribute.
    """
    attribute = Attribute.objects.select_for_update().get(pk=attribute_id)
    if attribute.type_attributes.exists():
        raise InUse
    with refusals_named():
        attribute.delete()


@transaction.atomic
def ensure_choice(*, attribute: Attribute, label: str) -> Choice:
    """The attribute's choice with this label, in any letter case; created at the end if new.

    Locks: the attribute, when there is no such choice yet.
    """
    label = label.strip()[:100]
    found = attribute.choices.filter(label__iexact=label)
    existing = found.first()
    if existing is not None:
        return existing
    Attribute.objects.select_for_update(no_key=True).get(pk=attribute.pk)
    existing = found.all().first()
    if existing is not None:
        return existing
    codes = set(attribute.choices.values_list("code", flat=True))
    stem = (
        rules.choice_code_from(label) or hashlib.blake2b(label.encode(), digest_size=4).hexdigest()
    )
    free = (stem if n == 1 else f"{stem}-{n}" for n in range(1, len(codes) + 2))
    code = next(each for each in free if each not in codes)
    return Choice.objects.create(attribute=attribute, code=code, label=label, position=len(codes))


@transaction.atomic
def create_product_type(
    *, code: str, name: str, attributes: Sequence[TypeAttributeValues] = ()
) -> ProductType:
    """Create a product type; its code stays for good.

    Raises: Invalid; Taken, for the code.
    """
    _check_uses(attributes)
    product_type = ProductType(code=code, name=name)
    with refusals_named():
        product_type.save(force_insert=True)
        _write_uses(product_type, attributes)
    return product_type


@transaction.atomic
def update_product_type(
    *,
    product_type_id: UUID,
    name: str | None = None,
    attributes: Sequence[TypeAttributeValues] | None = None,
) -> ProductType:
    """Change what is not None; `attributes` is the whole list in its order.

    Raises: ProductType.DoesNotExist; Invalid; InUse, for an attribute that is left out, or turned
    into an option or back, while products have values of it.
    Locks: the type, and the schema when attributes are given. Emits: AttributeChanged.
    """
    if attributes is not None:
        take_schema()
    product_type = ProductType.objects.select_for_update(no_key=True).get(pk=product_type_id)
    product_type.name = product_type.name if name is None else name
    if attributes is not None:
        _check_uses(attributes)
        with refusals_named():
            _write_uses(product_type, attributes)
    product_type.save()
    return product_type


@transaction.atomic
def delete_product_type(*, product_type_id: UUID) -> None:
    """Delete a product type without products.

    Raises: ProductType.DoesNotExist; InUse. Locks: the type.
    """
    product_type = ProductType.objects.select_for_update().get(pk=product_type_id)
    if product_type.products.exists():
        raise InUse
    with refusals_named():
        product_type.delete()


def is_choice_used(attribute: Attribute, code: str) -> bool:
    """Whether a product or a variant has this choice."""
    has = Q(attributes__contains={attribute.code: code}) | Q(
        attributes__contains={attribute.code: [code]}
    )
    return (
        Product.objects.filter(has).exists()
        or Variant.objects.filter(options__contains={attribute.code: code}).exists()
    )


def is_attribute_used(use: TypeAttribute) -> bool:
    """Whether products of the type have a value of the attribute."""
    code = use.attribute.code
    return (
        Product.objects.filter(product_type=use.product_type_id, attributes__has_key=code).exists()
        or Variant.objects.filter(
            product__product_type=use.product_type_id, options__has_key=code
        ).exists()
    )


def _check_choices(kind: str, choices: Sequence[ChoiceValues]) -> None:
    refused = []
    if choices and kind not in CHOICE_KINDS:
        detail = _("Only an attribute of the kind choice or choices has choices.")
        refused.append(FieldError("#/choices", "not_allowed", detail))
    refused += [
        FieldError(f"#/choices/{index}/code", "duplicate", _("A choice occurs twice."))
        for index in _repeats(choice.code for choice in choices)
    ]
    refuse(refused)


def _check_uses(attributes: Sequence[TypeAttributeValues]) -> None:
    refused = [
        FieldError(f"#/attributes/{index}/attribute", "duplicate", _("It occurs twice."))
        for index in _repeats(use.attribute.pk for use in attributes)
    ]
    detail = _("Only an attribute of the kind choice tells variants apart.")
    refused += [
        FieldError(f"#/attributes/{index}/is_option", "not_allowed", detail)
        for index, use in enumerate(attributes)
        if use.is_option and use.attribute.kind != Attribute.Kind.CHOICE
    ]
    refuse(refused)


def _repeats(keys: Iterable[object]) -> list[int]:
    seen: set[object] = set()
    return [n for n, key in enumerate(keys) if key in seen or seen.add(key)]  # type: ignore[func-returns-value]


def _write_choices(attribute: Attribute, choices: Sequence[ChoiceValues]) -> None:
    rows = {choice.code: choice for choice in attribute.choices.all()}
    for position, values in enumerate(choices):
        row = rows.pop(values.code, None) or Choice(attribute=attribute, code=values.code)
        if (row.label, row.position) != (values.label, position) or row._state.adding:
            row.label, row.position = values.label, position
            row.save()
    for row in rows.values():
        if is_choice_used(attribute, row.code):
            raise InUse(choice=row.code)
        row.delete()


def _write_uses(product_type: ProductType, attributes: Sequence[TypeAttributeValues]) -> None:
    rows = {
        use.attribute_id: use for use in product_type.type_attributes.select_related("attribute")
    }
    for position, values in enumerate(attributes):
        row = rows.pop(values.attribute.pk, None)
        if row is None:
            row = TypeAttribute(product_type=product_type, attribute=values.attribute)
        elif row.is_option != values.is_option and is_attribute_used(row):
            raise InUse(attribute=row.attribute.code)
        row.is_option, row.is_required = values.is_option, values.is_required
        row.position = position
        row.save()
    for row in rows.values():
        if is_attribute_used(row):
            raise InUse(attribute=row.attribute.code)
        row.delete()
