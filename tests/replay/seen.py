"""What a replay remembers: the shop's ids, its orders, and what happened to every piece."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tests.replay.trade import Item, Purchase


@dataclass(frozen=True)
class Ids:
    """Of what the shop was stocked with."""

    staff: str
    customers: Mapping[str, str]
    variants: Mapping[Item, str]

    @cached_property
    def items(self) -> dict[str, Item]:
        """By the variant's id."""
        return {variant: item for item, variant in self.variants.items()}


@dataclass(eq=False)
class Sale:
    """A placed order in pence and pieces; `left` and `money_left` can still come back."""

    order_id: str
    key: str
    country: str
    total: int
    tax: int
    sold: dict[Item, int]
    lines: dict[Item, str]

    def __post_init__(self) -> None:
        self.left, self.money_left = Counter(self.sold), self.total

    @classmethod
    def of(cls, order: dict[str, Any], purchase: Purchase, ids: Ids) -> "Sale":
        lines = {ids.items[line["variant_id"]]: line for line in order["lines"]}
        return cls(
            order_id=order["id"],
            key=order["key"],
            country=purchase.country,
            total=order["totals"]["total"]["amount"],
            tax=order["totals"]["tax"]["amount"],
            sold={item: line["quantity"] for item, line in lines.items()},
            lines={item: line["id"] for item, line in lines.items()},
        )

    @property
    def refunded(self) -> int:
        return self.total - self.money_left

    def pieces(self, wanted: Iterable[tuple[Item, int]]) -> list[dict[str, Any]]:
        """As the API names pieces of an order."""
        return [{"line_id": self.lines[item], "quantity": count} for item, count in wanted]


@dataclass
class Seen:
    """What happened; pieces by item, money in pence, answers by status."""

    sales: list[Sale] = field(default_factory=list)
    refused: Counter[Item] = field(default_factory=Counter)
    sold: Counter[Item] = field(default_factory=Counter)
    returned: Counter[Item] = field(default_factory=Counter)
    adjusted: Counter[Item] = field(default_factory=Counter)
    not_bought: Counter[Item] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    amounts_back: int = 0
    amounts_not_back: int = 0
    seconds: float = 0
