"""The last section of docs/replay.md: what a day or a month has seen."""

import calendar
import datetime
import os
from collections.abc import Iterator
from pathlib import Path

from tests.data.online_retail import MONTH, YEAR
from tests.replay.seen import Seen
from tests.replay.trade import Trade, worth

SECTION = "## The last run\n"
MONTH_NAME = f"{calendar.month_name[MONTH]} {YEAR}"


def write_page(path: Path, source: str, when: str, trade: Trade, seen: Seen) -> None:
    """Replace the section; what people wrote above it stays. `when` is what was replayed."""
    above, _, _ = path.read_text().partition(SECTION)
    rows = "".join(f"| {what} | {value} |\n" for what, value in _rows(source, when, trade, seen))
    path.write_text(f"{above}{SECTION}\n| what | seen |\n| --- | --- |\n{rows}")


def _rows(source: str, when: str, trade: Trade, seen: Seen) -> Iterator[tuple[str, object]]:
    requests = seen.answers.total()
    yield "invoices", f"`{source}`, {when}"
    yield "run", f"{datetime.date.today():%Y-%m-%d}, {machine()}"  # noqa: DTZ011 - a day is enough
    yield "rows", f"{trade.rows:,}"
    yield (
        "sales, cancellations, adjustments",
        (f"{len(trade.purchases):,}, {len(trade.cancellations):,}, {len(trade.adjustments):,}"),
    )
    yield "stock codes, variants", f"{len(trade.names):,}, {len(trade.items):,}"
    yield "time", f"{seen.seconds / 60:.1f} minutes"
    yield "requests", f"{requests:,}, {requests / seen.seconds:.0f} a second"
    yield "answers", ", ".join(f"{seen.answers[each]:,} × {each}" for each in sorted(seen.answers))
    yield (
        "orders, their lines, their pieces",
        (
            f"{len(seen.sales):,}, {sum(len(each.sold) for each in seen.sales):,}, "
            f"{seen.sold.total():,}"
        ),
    )
    yield "the file's sales", pounds(sum(each.total for each in trade.purchases))
    yield "ordered and paid", pounds(sum(each.total for each in seen.sales))
    yield "refused", f"{pounds(worth(seen.refused))}, {seen.refused.total():,} pieces"
    yield "given away below a penny", f"£{trade.below_a_penny}"
    yield (
        "returned and refunded",
        f"{pounds(worth(seen.returned))}, {seen.returned.total():,} pieces",
    )
    yield (
        "cancelled, and not bought here",
        (f"{pounds(worth(seen.not_bought))}, {seen.not_bought.total():,} pieces"),
    )
    yield "refunded as an amount", pounds(seen.amounts_back)
    yield "not refunded, for want of an order", pounds(seen.amounts_not_back)
    yield from sorted(seen.counts.items())
    for reason in sorted(trade.left_out):
        yield f"rows left out: {reason}", f"{trade.left_out[reason]:,}"


def machine() -> str:
    """What the replay ran on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{models[0] if models else 'an unnamed processor'}, {os.cpu_count()} cores"


def pounds(pence: int) -> str:
    return f"£{pence // 100:,}.{pence % 100:02}"
