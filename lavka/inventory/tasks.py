"""What Celery runs for stock."""

from celery import shared_task
from django.utils import timezone

from lavka.inventory import reconcile, services

_AT_ONCE = 200


@shared_task(name="inventory.release_expired")
def release_expired(**_: object) -> int:
    """Give back what buyers kept beyond their deadline; returns how many holds ended."""
    services.purge_usage(at=timezone.now())
    released = 0
    while ended := services.release_expired(at=timezone.now(), limit=_AT_ONCE):
        released += ended
    return released


@shared_task(name="inventory.reconcile")
def reconcile_stock(**_: object) -> int:
    """Look for counters that differ from the rows behind them; returns how many do."""
    return reconcile.reconcile_stock(at=timezone.now()).drifted
