"""The file is read for what it is."""

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from tests.data.online_retail import online_retail
from tests.replay import trade
from tests.replay.trade import Adjustment, Cancellation, Item, Purchase

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
HEART, CAKE = Item("85123A", 255), Item("22423", 1275)
LINES = [
    "550001,22423,CAKESTAND,9,11/30/2010 17:59,12.75,17850,United Kingdom",
    "552001,85123A,HEART,6,12/10/2010 8:26,2.55,17850.0,EIRE",
    "552001,22423,CAKESTAND,1,12/10/2010 8:26,12.75,17850,EIRE",
    "552001,85123a,HEART,2,12/10/2010 8:26,2.55,17850,EIRE",
    "552001,POST,POSTAGE,1,12/10/2010 8:26,18,17850,EIRE",
    "552001,PADS,PADS,1,12/10/2010 8:26,0.001,17850,EIRE",
    "C552002,85123A,HEART,-3,12/10/2010 9:00,2.55,17850,EIRE",
    "C552002,D,Discount,-1,12/10/2010 9:00,5.50,17850,EIRE",
    "552003,22423,,-7,12/10/2010 9:30,0,,United Kingdom",
    "552004,22423,found,20,12/10/2010 9:31,0,,United Kingdom",
    "552005,22423,CAKESTAND,2,12/10/2010 9:32,0,12346,France",
    "552006,AMAZONFEE,AMAZON FEE,1,12/10/2010 9:33,100,,United Kingdom",
    "A552007,B,Adjust bad debt,1,12/10/2010 9:34,-11062.06,,United Kingdom",
    "552008,85123A,HEART,1,12/11/2010 9:34,2.95,,Unspecified",
]


@pytest.fixture
def _a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The spreadsheet as CSV, with a pound sign that is not UTF-8."""
    (tmp_path / "online-retail").mkdir()
    path = tmp_path / "online-retail" / "Online Retail.csv"
    path.write_bytes(("\n".join([HEADER.strip(), *LINES]) + "\n").encode("cp1252"))
    (path.parent / "a note.csv").write_text("something,else\n")
    monkeypatch.setenv("LAVKA_DATA", str(tmp_path))


@pytest.mark.usefixtures("_a_file")
def test_a_day_of_the_file_is_what_happened_on_it():
    source, rows = online_retail()
    day = trade.read(row for row in rows if row.at.day == 10)

    bought, given_away = day.purchases
    assert source == "online-retail/Online Retail.csv"
    assert len(rows) == len(LINES) - 1
    assert bought.pieces == {HEART: 8, CAKE: 1, Item("POST", 1800): 1, Item("PADS", 0): 1}
    assert (bought.customer, bought.total) == ("17850", 8 * 255 + 1275 + 1800)
    assert (given_away.pieces, given_away.total) == ({Item("22423", 0): 2}, 0)
    [back] = day.cancellations
    assert (back.customer, back.pieces, back.amount) == ("17850", {HEART: 3}, 550)
    assert [(each.code, each.by) for each in day.adjustments] == [("22423", -7), ("22423", 20)]
    assert [type(each) for each in day.happenings] == [
        Purchase, Cancellation, Adjustment, Adjustment, Purchase,
    ]  # fmt: skip
    assert (day.left_out.total(), day.below_a_penny) == (2, Decimal("0.001"))
    part = [row.invoice for row in trade.small_part(rows, invoices=2, longest=2)]
    assert part == ["C552002", "C552002", "552003"]
    assert day.requested == bought.pieces + given_away.pieces


@pytest.mark.parametrize(
    ("name", "code"), [("EIRE", "IE"), ("Germany", "DE"), ("RSA", "ZA"), ("Channel Islands", "JE")]
)
def test_countries_have_codes(name: str, code: str):
    assert trade.country_code(name) == code


def test_a_large_invoice_takes_several_carts():
    wanted = Counter({Item(str(n), 100): 1 for n in range(120)}) + Counter({HEART: 2400})

    carts = Purchase("1", "", "FR", wanted).carts()

    assert sum(map(Counter, carts), Counter()) == wanted
    assert [len(cart) for cart in carts] == [100, 21, 1, 1]
    assert max(max(cart.values()) for cart in carts) == 999


def test_the_made_up_month_has_what_the_real_one_has(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("LAVKA_DATA", raising=False)

    source, rows = online_retail(scale=0.1)
    month = trade.read(rows)

    assert source.startswith("made up")
    assert online_retail(scale=0.1)[1] == rows
    assert {each.price for each in rows} >= {Decimal("0.001"), Decimal(0)}
    assert {each.code for each in rows} >= {*trade.SERVICES - {"S"}, *trade.BOOKKEEPING - {"CRUK"}}
    assert len({row.at.date() for row in rows}) == 27
    assert any(len(each.carts()) > 1 for each in month.purchases)
    assert any(not each.total for each in month.purchases)
    assert {bool(each.customer) for each in month.purchases} == {True, False}
