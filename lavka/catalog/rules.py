"""What a product type allows: pure checks of attribute values, variants and windows."""

import datetime
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict
from uuid import UUID

from anyascii import anyascii
from django.utils.text import slugify
from django.utils.translation import gettext as _

from lavka.catalog.errors import refuse, required
from lavka.kernel.errors import FieldError
from lavka.kernel.money import MAX_PRICE, CurrencyMismatch, Money

MAX_TEXT = 1000
# Where the choices of attributes are listed.
ATTRIBUTES_PATH = "/api/v1/manage/attributes/"
# Whole numbers up to here are exact in every JSON reader (RFC 8259, section 6).
MAX_NUMBER = 2**53 - 1
MAX_VARIANTS = 250
MAX_SLUG = 200
# What of a description stands for a text for search engines that nobody wrote.
MAX_SEO_TEXT = 300
MAX_SKU = 100
MAX_VARIANT_IMAGES = 50
MAX_WEIGHT_GRAMS = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class AttributeRule:
    """One attribute as a product type uses it; `choices` are codes in the staff's order."""

    code: str
    kind: str
    choices: tuple[str, ...] = ()
    is_option: bool = False
    is_required: bool = False


@dataclass(frozen=True, kw_only=True)
class VariantValues:
    """A variant as it should be; `options` maps each option's code to a choice's code.

    Without `track_inventory` a new variant is tracked, and an existing one stays as it is.
    `image_ids` are pictures of the product, in order; None leaves them as they are.
    """

    sku: str
    price: Money
    compare_at_price: Money | None = None
    gtin: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    cost: Money | None = None
    track_inventory: bool | None = None
    weight_grams: int | None = None
    image_ids: Sequence[UUID] | None = None


class SelectedOption(TypedDict):
    """One option of a variant, as people read it: "Color: Red" is `name` and `label`."""

    code: str
    name: str
    value: str
    label: str


class StoredPicture(TypedDict):
    """A stored picture: the names of its files in the storage, and what it measures."""

    file: str
    alt: str
    width: int | None
    height: int | None
    thumbnails: dict[str, str]


class Unfit(Exception):
    """A value does not fit its attribute; `code` and `detail` as in FieldError."""

    def __init__(self, code: str, detail: str) -> None:
        """Keep both."""
        super().__init__(code)
        self.code, self.detail = code, detail

    @property
    def is_choice(self) -> bool:
        """Whether another of the attribute's choices would do."""
        return self.code == "unknown_choice"


GTIN_LENGTHS = (8, 12, 13, 14)


def gtins_like(text: str) -> set[str]:
    """The GTINs that somebody may mean: with or without hyphens, spaces and zeros before it."""
    digits = re.sub(r"[\s-]", "", text)
    if not (digits.isascii() and digits.isdigit()):
        return set()
    digits = digits.lstrip("0")
    return {digits.zfill(length) for length in GTIN_LENGTHS if len(digits) <= length}


def slug_from(name: str) -> str:
    """An ASCII slug of a name in any script, empty when the name has no letter or digit."""
    return slugify(anyascii(name))[:MAX_SLUG].strip("-_")


def choice_code_from(label: str) -> str:
    """A choice's code: like a slug, but "1/2" and "1.5" keep their gaps."""
    return re.sub(r"[^a-z0-9]+", "-", anyascii(label).lower()).strip("-")[:90]


def checked_attributes(rules: Sequence[AttributeRule], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they are stored: normalised, in the type's order, without empty ones.

    Raises: Invalid, with `#/attributes/<code>` for each refused value.
    """
    own = {rule.code: rule for rule in rules if not rule.is_option}
    refused = [
        FieldError(
            f"#/attributes/{_escaped(code)}",
            "unknown",
            _("The product type has no such attribute."),
            tuple(own),
        )
        for code in values
        if code not in own
    ]
    kept: dict[str, Any] = {}
    for code, rule in own.items():
        pointer = f"#/attributes/{code}"
        try:
            value = _NORMALISE[rule.kind](rule, values.get(code))
        except Unfit as unfit:
            choices, path = (rule.choices, ATTRIBUTES_PATH) if unfit.is_choice else ((), "")
            refused.append(FieldError(pointer, unfit.code, unfit.detail, choices, path))
            continue
        if value is not None:
            kept[code] = value
        elif rule.is_required:
            refused.append(required(pointer))
    refuse(refused)
    return kept


def options_text(selected: Iterable[SelectedOption]) -> str:
    """The selected options in one line, for people."""
    return ", ".join(f"{each['name']}: {each['label']}" for each in selected)


def name_with_options(name: str, selected: Iterable[SelectedOption]) -> str:
    """A variant's name for people: `Kettle (Color: Red)`."""
    text = options_text(selected)
    return f"{name} ({text})" if text else name


def check_options(
    rules: Sequence[AttributeRule], options: Mapping[str, Any], *, pointer: str
) -> None:
    """Every option of the type is set to one of its choices, and nothing else is.

    Raises: Invalid, with `<pointer>/<code>` for each refused option.
    """
    refuse(list(_option_errors(rules, options, pointer)))


def check_variants(
    rules: Sequence[AttributeRule],
    variants: Sequence[VariantValues],
    *,
    currency: str,
    pointer: str = "#/variants",
) -> None:
    """A product's whole set of variants: each one sound, no two alike.

    Raises: Invalid, with `<pointer>/<index>/…`.
    """
    if len(variants) > MAX_VARIANTS:
        refuse_more_variants(pointer)
    refused: list[FieldError] = []
    for index, variant in enumerate(variants):
        own = f"{pointer}/{index}"
        refused += _option_errors(rules, variant.options, f"{own}/options")
        refused += _value_errors(variant, currency, own)
    for name, detail in (
        ("sku", _("Two variants have the same SKU.")),
        ("gtin", _("Two variants have the same GTIN.")),
        ("options", _("Two variants have the same options.")),
    ):
        refused += [
            FieldError(f"{pointer}/{index}/{name}", "duplicate", detail)
            for index in _repeated([_key(getattr(variant, name)) for variant in variants])
        ]
    refuse(refused)


def refuse_more_variants(pointer: str) -> None:
    """Raise Invalid: the product has all the variants that it can have."""
    detail = _("A product has at most %(count)s variants.") % {"count": MAX_VARIANTS}
    refuse([FieldError(pointer, "too_many", detail)])


def check_variant(variant: VariantValues, *, currency: str) -> None:
    """One variant's own values; raises Invalid, with `#/price` and so on."""
    refuse(list(_value_errors(variant, currency, "#")))


def check_variant_images(
    own: Collection[UUID], image_ids: Sequence[UUID], *, pointer: str
) -> list[FieldError]:
    """What is wrong with the pictures of a variant, of whose product `own` are all."""
    if len(image_ids) > MAX_VARIANT_IMAGES:
        detail = _("A variant has at most %(count)s pictures.") % {"count": MAX_VARIANT_IMAGES}
        return [FieldError(pointer, "too_many", detail)]
    choices = tuple(map(str, own))
    unknown = [
        FieldError(f"{pointer}/{index}", "unknown", _("The product has no such picture."), choices)
        for index, image_id in enumerate(image_ids)
        if image_id not in own
    ]
    twice = [
        FieldError(f"{pointer}/{index}", "duplicate", _("A picture is named twice."))
        for index in _repeated(image_ids)
    ]
    return unknown or twice


def check_window(
    publish_at: datetime.datetime | None, unpublish_at: datetime.datetime | None
) -> None:
    """The publishing window opens before it closes; raises Invalid."""
    if publish_at and unpublish_at and unpublish_at <= publish_at:
        detail = _("This must be later than publish_at.")
        refuse([FieldError("#/unpublish_at", "not_later", detail)])


def _option_errors(
    rules: Sequence[AttributeRule], options: Mapping[str, Any], pointer: str
) -> Iterator[FieldError]:
    own = {rule.code: rule for rule in rules if rule.is_option}
    for code in options:
        if code not in own:
            detail = _("The product type has no such option.")
            yield FieldError(f"{pointer}/{_escaped(code)}", "unknown", detail, tuple(own))
    for code, rule in own.items():
        if code not in options:
            yield required(f"{pointer}/{code}")
        elif options[code] not in rule.choices:
            yield FieldError(
                f"{pointer}/{code}",
                "unknown_choice",
                _unknown_choice(),
                rule.choices,
                ATTRIBUTES_PATH,
            )


def _value_errors(variant: VariantValues, currency: str, pointer: str) -> Iterator[FieldError]:
    if not 0 < len(variant.sku.strip()) <= MAX_SKU or "\x00" in variant.sku:
        yield FieldError(f"{pointer}/sku", "invalid", _("1 to 100 characters are expected."))
    if variant.gtin and not re.fullmatch(r"[0-9]{8}|[0-9]{12,14}", variant.gtin):
        yield FieldError(f"{pointer}/gtin", "invalid", _("8, 12, 13 or 14 digits."))
    if variant.weight_grams is not None and not 0 <= variant.weight_grams <= MAX_WEIGHT_GRAMS:
        yield FieldError(f"{pointer}/weight_grams", "out_of_range", _("This is out of range."))
    yield from _money_errors(variant.price, currency, f"{pointer}/price")
    if variant.cost is not None:
        yield from _money_errors(variant.cost, currency, f"{pointer}/cost")
    before = variant.compare_at_price
    if before is not None:
        yield from _money_errors(before, currency, f"{pointer}/compare_at_price")
        if before.amount < variant.price.amount:
            detail = _("The price before is not below the price.")
            yield FieldError(f"{pointer}/compare_at_price", "below_price", detail)


def _money_errors(money: Money, currency: str, pointer: str) -> Iterator[FieldError]:
    try:
        money.require(currency, f"{pointer}/currency")
    except CurrencyMismatch as mismatch:
        yield from mismatch.errors
    if not 0 <= money.amount <= MAX_PRICE:
        yield FieldError(f"{pointer}/amount", "out_of_range", _("This is out of range."))


def _key(value: Any) -> object:
    return frozenset(value.items()) if isinstance(value, Mapping) else value


def _repeated(keys: Sequence[object]) -> list[int]:
    """Where a key stands that stood before; an empty text is no key."""
    seen: set[object] = set()
    found = []
    for index, key in enumerate(keys):
        if key in seen and key != "":
            found.append(index)
        seen.add(key)
    return found


def _text(rule: AttributeRule, value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or "\x00" in value:
        raise Unfit("invalid", _("Text is expected."))
    if len(value) > MAX_TEXT:
        raise Unfit("too_long", _("At most %(count)s characters.") % {"count": MAX_TEXT})
    return value.strip() or None


def _number(rule: AttributeRule, value: Any) -> int | float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or _is_odd(value):
        raise Unfit("invalid", _("A number is expected."))
    if abs(value) > MAX_NUMBER:
        raise Unfit("out_of_range", _("This is out of range."))
    return int(value) if value == int(value) else value


def _is_odd(value: float) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _boolean(rule: AttributeRule, value: Any) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise Unfit("invalid", _("true or false is expected."))
    return value


def _date(rule: AttributeRule, value: Any) -> str | None:
    if value is None:
        return None
    # fromisoformat alone would also read "20260131" and "2026-W05-6".
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return datetime.date.fromisoformat(value).isoformat()
        except ValueError:
            pass
    raise Unfit("invalid", _("A date such as 2026-01-31 is expected."))


def _choice(rule: AttributeRule, value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or value not in rule.choices:
        raise Unfit("unknown_choice", _unknown_choice())
    return value


def _choices(rule: AttributeRule, value: Any) -> list[str] | None:
    if value is None:
        return None
    if not isinstance(value, list):
        raise Unfit("invalid", _("A list of choices is expected."))
    if any(not isinstance(each, str) or each not in rule.choices for each in value):
        raise Unfit("unknown_choice", _unknown_choice())
    if len(set(value)) != len(value):
        raise Unfit("duplicate", _("A choice occurs twice."))
    return [code for code in rule.choices if code in value] or None


def _unknown_choice() -> str:
    return _("This is none of the choices.")


def _escaped(code: object) -> str:
    """A part of a JSON pointer (RFC 6901, section 3)."""
    return str(code).replace("~", "~0").replace("/", "~1")


_NORMALISE: Mapping[str, Callable[[AttributeRule, Any], Any]] = {
    "text": _text,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "choice": _choice,
    "choices": _choices,
}
