"""The clock of the shop's processes: right, or behind by what a file says.

Whatever in them asks Python for the time asks here: `timezone.now`, from which every service gets
its `at`, `time.time`, and the check of tokens. PostgreSQL, RabbitMQ and Valkey keep theirs.
"""

import datetime
import os
import time
from pathlib import Path

import jwt.api_jwt
from django.apps import AppConfig
from django.utils import timezone

VARIABLE = "LAVKA_FAULTS_CLOCK"


class SetBack(AppConfig):
    """Stands between a process and its clock."""

    name = "tests.faults"

    def ready(self) -> None:
        """Take the clock's place."""
        file = Path(os.environ[VARIABLE])
        right_now, right_time = timezone.now, time.time

        def behind() -> float:
            return float(file.read_text())

        class Instant(datetime.datetime):
            @classmethod
            def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
                return datetime.datetime.now(tz) - datetime.timedelta(seconds=behind())

        timezone.now = lambda: right_now() - datetime.timedelta(seconds=behind())
        time.time = lambda: right_time() - behind()
        jwt.api_jwt.datetime = Instant
