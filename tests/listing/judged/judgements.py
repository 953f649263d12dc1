"""What a shopper would say of each product, told by what it is and not by its words."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.listing.judged.goods import Good

EXACT, SUBSTITUTE, COMPLEMENT, IRRELEVANT = 3, 2, 1, 0


@dataclass(frozen=True, kw_only=True)
class Query:
    """See `queries.toml`."""

    text: str
    kinds: Sequence[str]
    facts: Mapping[str, str] = field(default_factory=dict)
    brand: str = ""
    model: str = ""
    device: str = ""
    alike: Sequence[str] = ()
    related: Sequence[str] = ()

    def grade(self, good: Good) -> int:
        """How well the product serves who asks this."""
        if good.kind in self.kinds:
            return self._grade_of_wanted(good)
        if self.device and self.device not in good.fits:
            return IRRELEVANT
        if good.kind in self.alike:
            return SUBSTITUTE
        return COMPLEMENT if good.kind in self.related else IRRELEVANT

    def _grade_of_wanted(self, good: Good) -> int:
        asked = {"brand": self.brand, "model": self.model} | self.facts
        told = {"brand": good.brand, "model": good.model} | good.facts
        wanted = {name: value for name, value in asked.items() if value}
        missed = sum(told.get(name) != value for name, value in wanted.items())
        is_other_device = bool(self.device) and self.device not in good.fits
        if not missed and not is_other_device:
            return EXACT
        if is_other_device and not self.model:
            return IRRELEVANT
        return SUBSTITUTE if missed <= max(1, len(wanted) // 2) else IRRELEVANT


def queries() -> list[Query]:
    """All of them."""
    read = tomllib.loads(Path(__file__).with_name("queries.toml").read_text())
    return [Query(**each) for each in read["query"]]
