"""Drift between counters and rows is found; what follows from counters is put right."""

import datetime
import uuid

import pytest
from django.utils import timezone

from lavka.catalog.models import Variant
from lavka.inventory import services, tasks
from lavka.inventory.models import StockLevel
from lavka.inventory.reconcile import reconcile_stock
from lavka.kernel.models import DriftReport
from tests.inventory.factories import make_stock

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def test_a_shop_that_sells_has_no_drift():
    variant = make_stock(9)
    later = NOW + datetime.timedelta(minutes=5)
    holder = uuid.uuid4()
    services.reserve_stock(holder=holder, quantities={variant.pk: 2}, until=later, at=NOW)
    order_id = uuid.uuid4()
    services.allocate_reservation(
        holder=uuid.uuid4(), order_id=order_id, quantities={variant.pk: 3}, at=NOW
    )
    services.ship_allocation(order_id=order_id, quantities={variant.pk: 1})

    report = reconcile_stock(at=NOW)

    assert (report.subject, report.checked, report.drifted, report.details) == ("stock", 1, 0, {})


def test_a_counter_that_somebody_touched_is_reported_and_left_alone():
    variant = make_stock(5)
    make_stock(5)
    StockLevel.objects.filter(variant=variant).update(on_hand=7, reserved=2)

    assert tasks.reconcile_stock() == 1

    level = StockLevel.objects.get(variant=variant)
    assert (level.on_hand, level.reserved) == (7, 2)
    assert DriftReport.objects.get().details == {
        str(level.pk): {"on_hand": 7, "moved": 5, "reserved": 2, "promised": 0}
    }


def test_a_flag_that_somebody_touched_is_put_right():
    variant = make_stock(5)
    Variant.objects.filter(pk=variant.pk).update(has_stock=False)

    reconcile_stock(at=NOW)

    variant.refresh_from_db()
    assert variant.is_in_stock
