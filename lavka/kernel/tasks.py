"""What Celery runs for the kernel."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from lavka.kernel import letters, partitions
from lavka.kernel.conf import options


@shared_task(name="kernel.make_partitions")
def make_partitions(**_: object) -> list[str]:
    """Make the log's partitions of the coming months; returns those that are new."""
    return partitions.make_ahead(at=timezone.now())


@shared_task(name="kernel.purge_outbox")
def purge_outbox(**_: object) -> list[str]:
    """Drop the log's months that are kept no longer; returns their partitions."""
    return partitions.purge(before=timezone.now() - timedelta(days=options.events_kept_days))


@shared_task(name="kernel.tend_dead_letters")
def tend_dead_letters(**_: object) -> int:
    """File what RabbitMQ put aside, and send what staff want replayed; returns how many."""
    return letters.collect() + letters.replay_due(at=timezone.now())
