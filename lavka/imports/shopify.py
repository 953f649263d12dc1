"""Shopify's product CSV: what its columns mean. Rows with the same handle are one product.

Its newer template calls most columns otherwise; they are known by their older names here, and by
those of the file (`columns_of`) in what is said of a bad value.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lavka.catalog.models import Product
from lavka.catalog.rules import slug_from
from lavka.imports.shopify_variants import VariantDraft, VariantReading, option_names
from lavka.imports.tables import (
    Record,
    Refusal,
    Unusable,
    header_of,
    records,
)

NEEDED = ("Handle", "Title", "Variant Price")
MAX_NAME = 250
# Of pictures, above any that nine digits can name.
MAX_POSITION = 10**9
_NEWER_HANDLE = "url handle"
_NEWER_NAMES = {
    _NEWER_HANDLE: "Handle",
    "description": "Body (HTML)",
    "product category": "Product Category",
    "published on online store": "Published",
    "sku": "Variant SKU",
    "barcode": "Variant Barcode",
    "price": "Variant Price",
    "compare-at price": "Variant Compare At Price",
    "inventory tracker": "Variant Inventory Tracker",
    "inventory quantity": "Variant Inventory Qty",
    "continue selling when out of stock": "Variant Inventory Policy",
    "weight value (grams)": "Variant Grams",
    "variant image url": "Variant Image",
    "product image url": "Image Src",
    "image position": "Image Position",
    "image alt text": "Image Alt Text",
    "seo title": "SEO Title",
    "seo description": "SEO Description",
    **{
        f"option{number} {what}": f"Option{number} {what.title()}"
        for number in (1, 2, 3)
        for what in ("name", "value")
    },
}
# A row with one of these is a variant; one without is a picture more.
_OF_VARIANTS = ("Variant Price", "Option1 Value", "Variant SKU")
_NO = {"false", "no", "0"}
_STATUSES = {"draft": Product.Status.DRAFT, "archived": Product.Status.ARCHIVED}


@dataclass(frozen=True, kw_only=True)
class PictureDraft:
    """A picture as the file says it; `source` is its address."""

    line: int
    source: str
    alt: str


@dataclass(kw_only=True)
class ProductDraft:
    """A product as the file says it, or why it cannot be read."""

    line: int
    slug: str
    name: str
    description: str
    brand: str
    shelves: list[str]
    tags: list[str]
    status: str
    seo_title: str
    seo_description: str
    variants: list[VariantDraft] = field(default_factory=list)
    pictures: list[PictureDraft] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Refused(Exception):
    """A product that cannot be imported: every reason for it."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        """Keep the reasons."""
        super().__init__(refusals)
        self.refusals = list(refusals)


def check_header(path: Path) -> None:
    """Raises Unusable when the columns of a product file are missing, or are there twice."""
    names = header_of(path)
    older = _older_names(names)
    missing = [_name_in(names, name) for name in NEEDED if name not in older]
    if missing:
        raise Unusable(f"This is no Shopify product file: it has no column {', '.join(missing)}.")
    said: dict[str, str] = {}
    for name, known in zip(names, older, strict=True):
        if known and (other := said.setdefault(known, name)) != name:
            raise Unusable(f"The header names a column twice: {other}, {name}.")


def columns_of(path: Path) -> dict[str, str]:
    """What the file's header calls each column, by the name that it has here."""
    names = header_of(path)
    return dict(zip(_older_names(names), names, strict=True))


def _older_names(names: list[str]) -> list[str]:
    if not _is_newer(names):
        return names
    return [_NEWER_NAMES.get(name.lower(), name) for name in names]


def _name_in(names: list[str], missing: str) -> str:
    """What a file with these columns would call the one that it has not."""
    newer = [name for name, older in _NEWER_NAMES.items() if older == missing]
    return newer[0].capitalize() if newer and _is_newer(names) else missing


def _is_newer(names: list[str]) -> bool:
    return _NEWER_HANDLE in (name.lower() for name in names)


def groups(path: Path) -> Iterator[list[Record] | Refusal]:
    """The rows of one product after another, though they may stand far apart in the file.

    The file is read twice; memory holds a number for each handle and the rows of products that
    have begun and not ended. A row that cannot be read also refuses the product of the row
    before it, which may have lost a variant.
    """
    columns = _older_names(header_of(path))
    last, damaged = _last_rows(path, columns)
    begun: dict[str, list[Record]] = {}
    for row in records(path, columns):
        if isinstance(row, Refusal):
            yield row
            continue
        handle = row.values.get("Handle", "")
        begun.setdefault(handle, []).append(row)
        if last[hash(handle)] == row.line:
            group = begun.pop(handle)
            if hash(handle) in damaged:
                yield _refusal(row, "", "row_lost", f"A row of “{handle}” may be unreadable.")
            else:
                yield group


def _last_rows(path: Path, columns: list[str]) -> tuple[dict[int, int], set[int]]:
    last: dict[int, int] = {}
    damaged: set[int] = set()
    before: int | None = None
    for row in records(path, columns):
        if isinstance(row, Record):
            before = hash(row.values.get("Handle", ""))
            last[before] = row.line
        elif before is not None:
            damaged.add(before)
    return last, damaged


def draft_of(
    rows: list[Record], currency: str, *, is_blank_untracked: bool = False
) -> ProductDraft:
    """Read a product's rows; raises Refused with a line and column for every bad value.

    Refused is what cannot be sold. What is merely odd is left out or mended, with a note.
    `is_blank_untracked`: sell without counting whatever has a blank inventory tracker.
    """
    handle = rows[0].values.get("Handle", "")
    if not slug_from(handle):
        raise Refused([_refusal(rows[0], "Handle", "required", "A product needs a handle.")])
    draft = _product(next((row for row in rows if row.values.get("Title")), rows[0]), handle)
    draft.pictures = _pictures(rows)
    sold = [row for row in rows if any(row.values.get(column) for column in _OF_VARIANTS)]
    sold = sold or rows[:1]
    reading = VariantReading(
        handle,
        option_names(rows, sold),
        currency,
        draft.notes,
        is_blank_untracked=is_blank_untracked,
    )
    draft.variants = reading.variants_in(sold)
    if reading.refused:
        raise Refused(reading.refused)
    return draft


def _product(row: Record, handle: str) -> ProductDraft:
    said = row.values
    path = said.get("Product Category") or said.get("Standard Product Type") or ""
    leaf = said.get("Type") or said.get("Custom Product Type") or ""
    shelves = [part.strip() for part in path.split(">") if part.strip()] or [leaf] * bool(leaf)
    is_hidden = said.get("Published", "").lower() in _NO
    usual = Product.Status.DRAFT if is_hidden else Product.Status.PUBLISHED
    tags = dict.fromkeys(tag.strip() for tag in said.get("Tags", "").split(",") if tag.strip())
    name = said.get("Title", "")
    notes = [] if name else ["title is empty, so the handle stands for it"]
    if len(name) > MAX_NAME:
        notes.append(f"title was cut to {MAX_NAME} characters")
    return ProductDraft(
        line=row.line,
        slug=slug_from(handle),
        name=(name or handle)[:MAX_NAME],
        description=said.get("Body (HTML)", ""),
        brand=said.get("Vendor", "")[:200],
        shelves=[shelf[:200] for shelf in shelves],
        tags=list(tags),
        status=_STATUSES.get(said.get("Status", "").lower(), usual),
        seo_title=said.get("SEO Title", "")[:200],
        seo_description=said.get("SEO Description", "")[:500],
        notes=notes,
    )


def _pictures(rows: list[Record]) -> list[PictureDraft]:
    """Each address once, in the order of `Image Position` or, without it, of the file.

    Pictures that only a variant has come last.
    """
    found: dict[str, tuple[int, PictureDraft]] = {}
    for row in rows:
        said = row.values
        place = said.get("Image Position", "")
        position = int(place) if re.fullmatch(r"[0-9]{1,9}", place) else 0
        if source := said.get("Image Src", ""):
            alt = said.get("Image Alt Text", "")[:250]
            found.setdefault(
                source, (position, PictureDraft(line=row.line, source=source, alt=alt))
            )
    for row in rows:
        if source := row.values.get("Variant Image", ""):
            picture = PictureDraft(line=row.line, source=source, alt="")
            found.setdefault(source, (MAX_POSITION, picture))
    return [picture for _, picture in sorted(found.values(), key=lambda pair: pair[0])]


def _refusal(row: Record, column: str, code: str, reason: str) -> Refusal:
    return Refusal(line=row.line, column=column, code=code, reason=reason)
