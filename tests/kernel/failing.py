"""Tasks that go wrong in every way, for a worker of the tests: `celery -A tests.kernel.failing`."""

import contextlib
import os
import signal
import time

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection

import config

app = config.celery_app


@shared_task(name="tests.fail", autoretry_for=(ValueError,), retry_backoff=1, max_retries=1)
def fail(*, note: str, **_: object) -> None:
    """Fail until somebody has mended the cause."""
    from lavka.kernel.models import DriftReport

    if not DriftReport.objects.filter(subject=f"mended {note}").exists():
        DriftReport.objects.create(subject=f"tried {note}", checked=0, drifted=0)
        raise ValueError(note)
    DriftReport.objects.create(subject=f"done {note}", checked=0, drifted=0)


@shared_task(name="tests.hang", soft_time_limit=1, time_limit=2)
def hang(**_: object) -> None:
    """Never end, whatever is asked."""
    while True:
        with contextlib.suppress(SoftTimeLimitExceeded):
            time.sleep(60)


@shared_task(name="tests.crash")
def crash(**_: object) -> None:
    """Take the process along."""
    os.kill(os.getpid(), signal.SIGKILL)


@shared_task(name="tests.note")
def note(*, note: str, **_: object) -> None:
    """Leave a trace."""
    from lavka.kernel.models import DriftReport

    DriftReport.objects.create(subject=f"done {note}", checked=0, drifted=0)


@shared_task(name="tests.note_connection")
def note_connection(**_: object) -> None:
    """Leave a trace of the process, and of PostgreSQL's that serves it."""
    from lavka.kernel.models import DriftReport

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (served_by,) = cursor.fetchone()
    DriftReport.objects.create(subject=f"served {os.getpid()}", checked=served_by, drifted=0)


@shared_task(name="tests.hang_in_query", soft_time_limit=1)
def hang_in_query(**_: object) -> None:
    """Wait for PostgreSQL, longer than is allowed."""
    with connection.cursor() as cursor:
        # The time limit ends it, not the clock.
        cursor.execute("SELECT pg_sleep(600)")
