"""What a customer looks for, and the SQL that tells whether a product is it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from lavka.listing.rules import WHOLE_SHOP

EVERYWHERE = f"'{WHOLE_SHOP}'"
IS_SHOWN = (
    "({row}.publish_at IS NULL OR {row}.publish_at <= now())"
    " AND ({row}.unpublish_at IS NULL OR {row}.unpublish_at > now())"
)


@dataclass(frozen=True, kw_only=True)
class Property:
    """A wanted attribute: any of `tokens` (see `rules.token`), or a number in a range."""

    code: str
    tokens: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    def shape(self) -> "Property":
        """See `Wanted.shape`."""
        return Property(
            code=self.code,
            tokens=self.tokens and ("token",),
            minimum=None if self.minimum is None else 0,
            maximum=None if self.maximum is None else 0,
        )


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a customer looks for; an empty field asks for nothing.

    `category` and `brands` are slugs, a category means its whole branch; prices are in minor
    units and compare with the cheapest variant, as the card shows it.
    """

    text: str = ""
    category: str = ""
    brands: tuple[str, ...] = ()
    price_min: int | None = None
    price_max: int | None = None
    rating_min: Decimal | None = None
    in_stock: bool | None = None
    properties: tuple[Property, ...] = ()

    def shape(self) -> "Wanted":
        """The same question with other values: what the SQL of both depends on."""
        if self is ANYTHING:
            return self
        return Wanted(
            text="text" if self.text else "",
            category="category" if self.category else "",
            brands=self.brands and ("brand",) * min(len(self.brands), 2),
            price_min=None if self.price_min is None else 0,
            price_max=None if self.price_max is None else 0,
            rating_min=None if self.rating_min is None else Decimal(0),
            in_stock=self.in_stock,
            properties=tuple(each.shape() for each in self.properties),
        )

    def parameters(self) -> dict[str, Any]:
        """What the conditions' placeholders stand for."""
        values: dict[str, Any] = {
            "text": self.text,
            "category": self.category,
            "brands": list(self.brands),
            "price_min": self.price_min,
            "price_max": self.price_max,
            "rating_min": self.rating_min,
        }
        for each in self.properties:
            values[f"tokens_{each.code}"] = list(each.tokens)
            values[f"minimum_{each.code}"] = each.minimum
            values[f"maximum_{each.code}"] = each.maximum
        return values


# What most look for; made once.
ANYTHING = Wanted()


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """SQL that `Wanted` asks for, without its values.

    `shelf` is what a walk along a shelf stays on; `place` conditions read only columns that a
    shelf place and a listed product share, `listed` ones only a listed product's.
    """

    shelf: str
    place: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()

    def on(self, row: str) -> str:
        """All of them joined by AND, the shared columns read from `row`."""
        return " AND ".join([IS_SHOWN.format(row=row), *self._own(row)])

    def on_shown(self, row: str) -> str:
        """The same, of rows that are known to be shown; empty when nothing else is asked."""
        return " AND ".join(self._own(row))

    def _own(self, row: str) -> list[str]:
        return [*(each.format(row=row) for each in self.place), *self.listed]


def conditions_of(wanted: Wanted) -> Conditions:
    """The conditions of a walk along the narrowest shelf there is.

    One brand is a shelf too. Its slug is looked up in the statement, and a slug that nobody has
    is a shelf on which nothing stands.
    """
    if wanted.category:
        shelf = "(SELECT id FROM catalog_category WHERE slug = %(category)s)"
    elif len(wanted.brands) == 1:
        shelf = "(SELECT id FROM catalog_brand WHERE slug = ANY(%(brands)s))"
    else:
        shelf = EVERYWHERE
    is_brand_told = bool(wanted.category) or len(wanted.brands) != 1
    return Conditions(
        shelf=shelf,
        place=tuple(_place_conditions(wanted, has_brand=is_brand_told)),
        listed=tuple(_property_conditions(wanted)),
    )


def conditions_anywhere(wanted: Wanted) -> Conditions:
    """The same conditions for products that were found by their words, on no shelf."""
    in_category = (
        "listed.categories @> ARRAY[(SELECT id FROM catalog_category WHERE slug = %(category)s)]"
    )
    return Conditions(
        shelf="",
        place=tuple(_place_conditions(wanted, has_brand=True)),
        listed=((in_category,) if wanted.category else ()) + tuple(_property_conditions(wanted)),
    )


def _place_conditions(wanted: Wanted, *, has_brand: bool) -> Iterator[str]:
    if wanted.brands and has_brand:
        yield (
            "{row}.brand_id = ANY(ARRAY(SELECT id FROM catalog_brand WHERE slug = ANY(%(brands)s)))"
        )
    if wanted.price_min is not None:
        yield "{row}.price >= %(price_min)s"
    if wanted.price_max is not None:
        yield "{row}.price <= %(price_max)s"
    if wanted.rating_min is not None:
        yield "{row}.stars >= %(rating_min)s AND {row}.reviews > 0"
    if wanted.in_stock is not None:
        yield "{row}.in_stock" if wanted.in_stock else "NOT {row}.in_stock"


def _property_conditions(wanted: Wanted) -> Iterator[str]:
    chosen = [each for each in wanted.properties if each.tokens]
    for each in chosen:
        tokens = f"%(tokens_{each.code})s::text[]"
        yield f"(listed.attributes && {tokens} OR listed.options && {tokens})"
    if len(chosen) + (wanted.in_stock is True) > 1 and chosen:
        yield _has_variant(wanted)
    for each in wanted.properties:
        if not each.tokens:
            yield (
                "EXISTS (SELECT FROM listing_listednumber AS number"
                f" WHERE number.product_id = listed.product_id AND {_in_range(each)})"
            )


def _has_variant(wanted: Wanted) -> str:
    return (
        "EXISTS (SELECT FROM jsonb_array_elements(listed.variants) AS variant"
        f" WHERE {variant_fits(wanted)})"
    )


def has_chosen_in_stock(wanted: Wanted) -> str:
    """SQL: whether a `listed` product that is in stock has in stock what is chosen of it."""
    is_chosen = any(each.tokens for each in wanted.properties)
    return _has_variant(replace(wanted, in_stock=True)) if is_chosen else "true"


def variant_fits(wanted: Wanted) -> str:
    """SQL: whether one `variant` has all that is chosen, its product's attributes included."""
    fits = ["variant ? 'in_stock'"] if wanted.in_stock else []
    for each in wanted.properties:
        if each.tokens:
            tokens = f"%(tokens_{each.code})s::text[]"
            fits.append(f"(variant ?| {tokens} OR listed.attributes && {tokens})")
    return " AND ".join(fits) or "true"


def _in_range(wanted: Property) -> str:
    bounds = [f"number.code = '{wanted.code}'"]
    if wanted.minimum is not None:
        bounds.append(f"number.value >= %(minimum_{wanted.code})s")
    if wanted.maximum is not None:
        bounds.append(f"number.value <= %(maximum_{wanted.code})s")
    return " AND ".join(bounds)
