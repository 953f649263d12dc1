"""A shop's invoices of December 2010: the public Online Retail data in `LAVKA_DATA`, or made-up."""

import csv
import datetime
import re
from dataclasses import dataclass
from decimal import Decimal

from tests.data.files import header_of, made_up, name_of, real_files, text_of
from tests.data.gift_shop import made_up_month

FOLDER, YEAR, MONTH = "online-retail", 2010, 12
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
    for path in real_files(FOLDER):
        names = [_column(each) for each in header_of(path)]
        if set(names) >= set(COLUMNS.values()):
            lines = csv.reader(text_of(path).splitlines(keepends=True))
            next(lines)
            rows = (dict(zip(names, line, strict=True)) for line in lines if line)
            return name_of(path), [_row(row) for row in rows if _is_of_the_month(row["at"])]
    return made_up(FOLDER), [_row(each) for each in made_up_month(YEAR, MONTH, scale)]


def _column(name: str) -> str:
    return COLUMNS.get(re.sub(r"[\s_]", "", name).lower(), "")


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
