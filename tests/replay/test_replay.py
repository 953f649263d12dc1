"""A real shop's day, and on demand its month, bought over HTTP by many at a time."""

import datetime
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.data.online_retail import online_retail
from tests.e2e.shop import Shop
from tests.replay import books, trade
from tests.replay.conftest import MONTH
from tests.replay.page import MONTH_NAME, write_page
from tests.replay.seen import Seen
from tests.replay.street import Street
from tests.replay.trade import Trade

DAY = datetime.date(2010, 12, 7)
# So many invoices of the day, of so many rows at most, does CI replay.
INVOICES, LONGEST = 40, 16
MADE_UP_SCALE = 0.25
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "tests.replay.settings",
    "LAVKA_CURRENCY": "GBP",
    "LAVKA_PRICES_INCLUDE_TAX": "1",
    "LAVKA_HOLD_SECONDS": "2",
    # Guests hold stock and walk away; all come from one address, some for thousands of units.
    "LAVKA_GUEST_QUOTES_HOLD_STOCK": "1",
    "LAVKA_HOLD_UNITS_PER_ADDRESS": "0",
    "LAVKA_HOLD_SHARE_PER_ADDRESS": "0",
    "LAVKA_HOLD_UNITS_PER_CUSTOMER": "0",
    "LAVKA_HOLD_SHARE_PER_CUSTOMER": "0",
}


@pytest.mark.timeout(6 * 3600)
def test_the_books_are_right_after(
    span: str,
    request: pytest.FixtureRequest,
    say_input: Callable[[str], None],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
):
    caplog.set_level(logging.WARNING, logger="httpx")
    source, happenings = invoices_of(span)

    seen = replay(tmp_path, happenings)

    say_input(f"{source}, a {span}: {len(seen.sales)} orders in {seen.seconds:.0f} s")
    assert seen.sales
    assert seen.refused
    assert seen.counts["carts abandoned with a hold"]
    if page := request.config.getoption(MONTH):
        when = MONTH_NAME if span == "month" else f"{DAY:%-d} {MONTH_NAME}"
        write_page(Path(page), source, when, happenings, seen)


def invoices_of(span: str) -> tuple[str, Trade]:
    """Where they come from, and what they are about."""
    if span == "month":
        source, rows = online_retail(scale=MADE_UP_SCALE)
        return source, trade.read(rows)
    source, rows = online_retail()
    of_day = (row for row in rows if row.at.date() == DAY)
    if span == "small day":
        of_day = trade.small_part(of_day, INVOICES, LONGEST)
    return source, trade.read(of_day)


def replay(folder: Path, happenings: Trade) -> Seen:
    """Let it all happen in a new shop, and hold the shop's books against the file."""
    with Shop(folder, workers=1, web_workers=2, has_beat=True, settings=SETTINGS) as shop:
        ids = books.stock(shop, happenings)
        seen = Street(shop, happenings, ids).run()
        books.close(shop, len([sale for sale in seen.sales if sale.total]))

        books.require_right_stock(shop, happenings, ids, seen)
        books.require_right_money(shop, happenings, seen)
        books.require_gapless_numbers(shop)
        books.require_no_drift(shop)
    return seen
