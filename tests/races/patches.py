"""What the races change in a copy of the shop: guards taken out, and points at which it dies.

The product knows nothing of it: `tests.races.settings` names one of these apps besides its own.
"""

import datetime
import os
import signal
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any
from uuid import UUID

from django.apps import AppConfig
from django.db.models import F

KILL_FILE = "LAVKA_RACES_KILL_AT"
POINTS = [
    "in prepare",
    "prepared",
    "before the charge",
    "after the charge",
    "charge recorded",
    "in finalise",
    "finalised",
]


class Unguarded(AppConfig):
    """Stock is read, compared and written without a lock and without a guard."""

    name = "tests.races"

    def ready(self) -> None:
        """Replace the lock and the guarded statement."""
        from lavka.inventory.models import StockLevel
        from lavka.inventory.services import (
            allocations,
            changes,
            reservation_lines,
            reservations,
        )

        def look_at_levels(variant_ids: Collection[UUID]) -> list[StockLevel]:
            levels = StockLevel.objects.filter(variant_id__in=variant_ids)
            levels = levels.annotate(is_tracked=F("variant__track_inventory"))
            return list(levels.select_related("warehouse").order_by("variant_id"))

        for module in (allocations, reservation_lines, reservations):
            module.lock_levels = look_at_levels
        changes._CHANGE = changes._CHANGE.partition("    AND level.on_hand")[0]


class Unlocked(AppConfig):
    """Carts, holds, orders and payments are read, compared and written without a lock."""

    name = "tests.races"

    def ready(self) -> None:
        """Replace the locks; the constraints behind them are for the test to drop."""
        take_locks_out(setattr)


def take_locks_out(replace: Callable[[Any, str, Any], Any]) -> None:
    """Let `replace(owner, name, value)` put something without a lock in the place of each lock."""
    from lavka.carts.models import CartQuerySet
    from lavka.inventory.models import Hold
    from lavka.inventory.services import allocations, reservations
    from lavka.orders.models import OrderQuerySet
    from lavka.payments.models import PaymentQuerySet

    def look_at_hold(holder: UUID, until: datetime.datetime) -> bool:
        is_new = not Hold.objects.filter(pk=holder).exists()
        if is_new:
            Hold.objects.create(pk=holder, expires_at=until, ends_at=until)
        return is_new

    def look_and_take(
        holder: UUID,
        _requester: object,
        until: datetime.datetime,
        ends_at: datetime.datetime,
        *_: object,
    ) -> tuple[datetime.datetime, datetime.datetime, bool]:
        return reservations.Taken(until, ends_at, look_at_hold(holder, until))

    for queryset in (CartQuerySet, OrderQuerySet, PaymentQuerySet):
        replace(queryset, "locked", lambda rows: rows)
    replace(allocations, "lock_hold", look_at_hold)
    replace(reservations, "take_hold", look_and_take)


class KillPoints(AppConfig):
    """The process kills itself where the file named by the environment says, once."""

    name = "tests.races"

    def ready(self) -> None:
        """Stand around the steps of a purchase."""
        from lavka.checkout import services as checkout
        from lavka.orders import services as orders
        from lavka.payments import services as payments
        from lavka.payments.sandbox import provider

        stand_around(payments, "open_payment", after="in prepare")
        stand_around(checkout, "prepare", after="prepared")
        stand_around(provider, "open_charge", before="before the charge", after="after the charge")
        stand_around(payments, "record_answer", after="charge recorded")
        stand_around(orders, "place_order", after="in finalise")
        stand_around(checkout, "finalise", after="finalised")


def stand_around(module: Any, name: str, *, before: str = "", after: str = "") -> None:
    call: Callable[..., Any] = getattr(module, name)

    def surrounded(**arguments: Any) -> Any:
        die_at(before)
        result = call(**arguments)
        die_at(after)
        return result

    setattr(module, name, surrounded)


def die_at(point: str) -> None:
    file = Path(os.environ[KILL_FILE])
    if point and file.exists() and file.read_text() == point:
        file.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
