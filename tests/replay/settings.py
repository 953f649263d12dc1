"""The shop's own settings, with a beat that sweeps each second, for a month within minutes."""

from config.settings import *  # noqa: F403 - whatever they are

for _sweeper in ("release-expired-stock", "sweep-checkouts", "sweep-payments"):
    CELERY_BEAT_SCHEDULE[_sweeper]["schedule"] = timedelta(seconds=1)  # noqa: F405
