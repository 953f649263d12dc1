"""Whatever happens to stock in whatever order, its counters say what happened."""

import datetime
import uuid
from collections import Counter

import pytest
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from lavka.inventory import services
from lavka.inventory.models import StockLevel
from lavka.inventory.reconcile import drifted_levels, misshown_variants
from lavka.kernel.errors import Conflict
from tests.inventory.factories import make_stock, make_warehouse

START = timezone.now()
PIECES, WHO, WHAT = st.integers(1, 4), st.integers(0, 2), st.integers(0, 1)


class Shop(RuleBasedStateMachine):
    """Two variants, three buyers whose carts become orders, staff, and a clock."""

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.now = START
        self.buyers = [uuid.uuid4() for _ in range(3)]
        self.orders = [uuid.uuid4() for _ in range(3)]
        self.sent, self.back, self.counted = Counter(), Counter(), Counter()

    @initialize(backorder=st.integers(0, 3))
    def open(self, backorder: int) -> None:
        make_warehouse("north", priority=1)
        self.variants = [make_stock(5), make_stock(3)]
        make_stock(2, self.variants[0], "north")
        self.counted.update({0: 7, 1: 3})
        if backorder:
            services.set_policy(
                variant_id=self.variants[1].pk, when_out="backorder", backorder_limit=backorder
            )

    def attempt(self, service, **values) -> bool:
        """Whether the shop agreed; a refusal is one of its own and changes nothing."""
        try:
            service(**values)
        except Conflict:
            return False
        return True

    @rule(who=WHO, what=st.dictionaries(WHAT, PIECES, min_size=1))
    def reserve(self, who: int, what: dict[int, int]) -> None:
        self.attempt(
            services.reserve_stock,
            holder=self.buyers[who],
            quantities={self.variants[each].pk: pieces for each, pieces in what.items()},
            until=self.now + datetime.timedelta(minutes=10),
            at=self.now,
        )

    @rule(who=WHO)
    def release(self, who: int) -> None:
        services.release_reservation(holder=self.buyers[who])

    @rule(who=WHO, what=st.dictionaries(WHAT, PIECES, min_size=1))
    def order(self, who: int, what: dict[int, int]) -> None:
        self.attempt(
            services.allocate_reservation,
            holder=self.buyers[who],
            order_id=self.orders[who],
            quantities={self.variants[each].pk: pieces for each, pieces in what.items()},
            at=self.now,
        )

    @rule(who=WHO, what=WHAT, pieces=PIECES)
    def ship(self, who: int, what: int, pieces: int) -> None:
        quantities = {self.variants[what].pk: pieces}
        values = {"order_id": self.orders[who], "quantities": quantities}
        before = self.on_hand()[self.variants[what].pk]
        self.attempt(services.ship_allocation, **values)
        self.sent[what] += before - self.on_hand()[self.variants[what].pk]

    @rule(who=WHO, what=WHAT, pieces=PIECES)
    def bring_back(self, who: int, what: int, pieces: int) -> None:
        quantities = {self.variants[what].pk: pieces}
        values = {"order_id": self.orders[who], "quantities": quantities}
        before = self.on_hand()[self.variants[what].pk]
        self.attempt(services.return_stock, restock=True, **values)
        self.back[what] += self.on_hand()[self.variants[what].pk] - before

    @rule(who=WHO)
    def cancel(self, who: int) -> None:
        services.release_allocation(order_id=self.orders[who])

    @rule(what=WHAT, by=st.integers(-4, 4))
    def adjust(self, what: int, by: int) -> None:
        values = {"variant_id": self.variants[what].pk, "warehouse": "main", "by": by}
        if self.attempt(services.adjust_stock, reason="receipt", **values):
            self.counted[what] += by

    @rule(pieces=PIECES)
    def move(self, pieces: int) -> None:
        self.attempt(
            services.transfer_stock,
            variant_id=self.variants[0].pk,
            origin="main",
            destination="north",
            quantity=pieces,
        )

    @rule(minutes=st.integers(1, 15))
    def wait(self, minutes: int) -> None:
        self.now += datetime.timedelta(minutes=minutes)
        services.release_expired(at=self.now, limit=10)

    @invariant()
    def counters_are_what_the_rows_say(self) -> None:
        assert drifted_levels() == {}
        assert misshown_variants() == []

    @invariant()
    def what_came_is_there_or_has_left(self) -> None:
        expected = {
            variant.pk: self.counted[index] - self.sent[index] + self.back[index]
            for index, variant in enumerate(self.variants)
        }
        assert self.on_hand() == expected

    def on_hand(self) -> dict[uuid.UUID, int]:
        levels = StockLevel.objects.order_by().values_list("variant_id")
        return dict(levels.annotate(Sum("on_hand")))

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)


@pytest.mark.django_db
def test_any_sequence_keeps_the_counters_true():
    run_state_machine_as_test(
        Shop,
        settings=settings(
            max_examples=8,
            stateful_step_count=12,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
