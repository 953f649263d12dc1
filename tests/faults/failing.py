"""The shop's worker with two tasks that never succeed: `celery -A tests.faults.failing`."""

import contextlib
import time

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded

import config

app = config.celery_app


@shared_task(name="faults.fail", autoretry_for=(ValueError,), retry_backoff=1, max_retries=2)
def fail(*, note: str, **_: object) -> None:
    """Fail, however often it is tried."""
    raise ValueError(note)


@shared_task(name="faults.hang", soft_time_limit=2, time_limit=4)
def hang(**_: object) -> None:
    """Never end, whatever is asked."""
    while True:
        with contextlib.suppress(SoftTimeLimitExceeded):
            time.sleep(60)
