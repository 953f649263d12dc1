"""Facets and suggestions on the wire."""

import datetime
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from django.utils.translation import gettext as _

from lavka.listing.facets import FacetRow, Facets
from lavka.listing.suggestions import Suggestion
from lavka.listing.wanted import Wanted

_EPOCH = datetime.date(1970, 1, 1)
_KINDS = {"choice": "choice", "choices": "choice", "boolean": "boolean"}
# How the list's parameters for a price range are called; those of an attribute end in the bound.
_PRICE = {"min": "price_min", "max": "price_max"}


def facets_json(facets: Facets, wanted: Wanted) -> dict[str, Any]:
    """`FacetsOutput`; texts of the shop's own facets are in the active language."""
    grouped = groupby(facets.rows, key=lambda row: (row.facet, row.code))
    items = [_facet(list(rows), wanted) for _key, rows in grouped]
    return {"items": items, "total": facets.total, "exact": facets.is_exact}


def suggestions_json(found: Sequence[Suggestion]) -> dict[str, Any]:
    """`SuggestionsOutput`."""
    kinds = {"products": "product", "categories": "category", "brands": "brand"}
    return {
        name: [{"slug": each.slug, "name": each.name} for each in found if each.kind == kind]
        for name, kind in kinds.items()
    }


def _facet(rows: list[FacetRow], wanted: Wanted) -> dict[str, Any]:
    first = rows[0]
    is_attribute = first.facet == "attribute"
    own = {
        "category": _("Category"),
        "brand": _("Brand"),
        "price": _("Price"),
        "in_stock": _("In stock"),
    }
    facet: dict[str, Any] = {
        "code": first.code,
        "name": first.name if is_attribute else own[first.code],
        "kind": _KINDS.get(first.kind, "range"),
        "unit": first.unit or None,
    }
    if facet["kind"] == "range":
        bounds = {"min": _bound(first, first.low), "max": _bound(first, first.high)}
        names = {end: f"attr.{first.code}.{end}" for end in bounds} if is_attribute else _PRICE
        return facet | {"parameters": names} | bounds
    selected = set(_selected(first, wanted))
    return facet | {
        "parameter": f"attr.{first.code}" if is_attribute else first.code,
        "values": [
            {
                "value": row.value,
                "label": _label(row),
                "count": row.count,
                "selected": row.value in selected,
            }
            for row in rows
        ],
    }


def _selected(row: FacetRow, wanted: Wanted) -> Iterator[str]:
    if row.facet == "brand":
        yield from wanted.brands
    elif row.facet == "in_stock" and wanted.in_stock is not None:
        yield "true" if wanted.in_stock else "false"
    elif row.facet == "attribute":
        for each in wanted.properties:
            if each.code == row.code:
                yield from (token.partition("=")[2] for token in each.tokens)


def _label(row: FacetRow) -> str | None:
    if row.kind == "boolean":
        return _("yes") if row.value == "true" else _("no")
    return row.label


def _bound(row: FacetRow, number: float | None) -> Any:
    """A date as it is written; a whole number without a fraction."""
    if number is None:
        return None
    if row.kind == "date":
        return _EPOCH + datetime.timedelta(days=number)
    return int(number) if number == int(number) else number
