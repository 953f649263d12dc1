"""The chart: a bar for each contender in each scenario, as SVG without a library."""

from html import escape

from bench.contenders import CONTENDERS
from bench.results import Results
from bench.scenarios import SCENARIOS

WIDTH, LABEL, BAR, GAP, HEAD = 860, 190, 16, 5, 34
LONGEST = WIDTH - LABEL - 110
COLOURS = {
    "lavka": "#d9480f",
    "limit": "#868e96",
}
OTHER = "#4c6ef5"
STYLE = "text{font:12px system-ui,sans-serif;fill:#212529}.title{font-weight:600;font-size:14px}"


def svg(results: Results, caption: str) -> str:
    """Requests per second; each scenario has its own scale."""
    parts, top = [], 8
    for scenario, rows in results.items():
        top += HEAD
        parts.append(_text(0, top - 10, SCENARIOS[scenario].title, "title"))
        most = max((row.rps for row in rows.values()), default=0) or 1
        for name in [each for each in CONTENDERS if each in rows]:
            length = rows[name].rps / most * LONGEST
            parts += [
                _text(0, top + BAR - 4, CONTENDERS[name].title),
                f'<rect x="{LABEL}" y="{top}" width="{length:.1f}" height="{BAR}" rx="2" '
                f'fill="{COLOURS.get(name, OTHER)}"/>',
                _text(LABEL + length + 6, top + BAR - 4, f"{rows[name].rps:,.0f} req/s"),
            ]
            top += BAR + GAP
    parts.append(_text(0, top + 22, caption))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-12 0 {WIDTH + 24} {top + 36}" '
        f'role="img"><style>{STYLE}</style>'
        f'<rect x="-12" width="{WIDTH + 24}" height="{top + 36}" fill="#fff"/>'
        f"{''.join(parts)}</svg>\n"
    )


def _text(x: float, y: float, words: str, kind: str = "") -> str:
    attribute = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y}"{attribute}>{escape(words)}</text>'
