"""A gift shop's invoices of May 2011: the public Online Retail data in `LAVKA_DATA`, or made-up."""

import csv
import datetime
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from tests.data.gift_shop import made_up

YEAR, MONTH = 2011, 5
# How the two editions of the file name their columns.
COLUMNS = {
    "invoice": "invoice", "invoiceno": "invoice", "stockcode": "code",
    "description": "description", "quantity": "quantity", "invoicedate": "at",
    "price": "price", "unitprice": "price", "customerid": "customer", "country": "country",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One line of an invoice; `customer` is empty for a guest."""

    invoice: str
    code: str
    description: str
    quantity: int
    at: datetime.datetime
    price: Decimal
    customer: str
    country: str


def online_retail(scale: float = 1.0) -> tuple[str, list[Row]]:
    """Where the rows come from, and those of the month in their order.

    `scale` is the size of the made-up month; 1 is that of the real one.
    """
    folder = os.environ.get("LAVKA_DATA", "")
    found = _rows_in(Path(folder) / "online-retail") if folder else None
    if found is None:
        rows = [_row(each) for each in made_up(YEAR, MONTH, scale)]
        return "made up, for LAVKA_DATA has no online-retail", rows
    path, lines = found
    return path.name, [_row(line) for line in lines if _is_of_the_month(line["at"])]


def _rows_in(folder: Path) -> tuple[Path, Iterator[dict[str, str]]] | None:
    for path in sorted(folder.glob("*.csv")):
        lines = csv.reader(_text(path).splitlines(keepends=True))
        names = [COLUMNS.get(re.sub(r"[\s_]", "", each).lower(), "") for each in next(lines, [])]
        if set(names) >= set(COLUMNS.values()):
            return path, _named(names, lines)
    return None


def _text(path: Path) -> str:
    """The file's text; pound signs in some copies are not UTF-8."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")


def _named(names: list[str], lines: Iterable[list[str]]) -> Iterator[dict[str, str]]:
    return (dict(zip(names, line, strict=True)) for line in lines if line)


def _is_of_the_month(at: str) -> bool:
    return (moment := _instant(at)).year == YEAR and moment.month == MONTH


def _instant(text: str) -> datetime.datetime:
    """`2011-05-10 08:26:00`, or `5/10/2011 8:26` as the spreadsheet writes it."""
    date, _, time = text.strip().replace("T", " ").partition(" ")
    if "/" in date:
        month, day, year = map(int, date.split("/"))
    else:
        year, month, day = map(int, date.split("-"))
    hour, minute = map(int, time.split(":")[:2])
    year += 2000 if year < 100 else 0
    return datetime.datetime(year, month, day, hour, minute, tzinfo=datetime.UTC)


def _row(line: dict[str, str]) -> Row:
    return Row(
        invoice=line["invoice"].strip().upper(),
        code=line["code"].strip().upper(),
        description=line["description"].strip(),
        quantity=int(line["quantity"]),
        at=_instant(line["at"]),
        price=Decimal(line["price"]),
        customer=line["customer"].strip().removesuffix(".0"),
        country=line["country"].strip(),
    )
