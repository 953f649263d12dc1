"""Celery's fix-up for Django, with connections that outlive a task.

Celery's own closes every connection before and after each task, whatever CONN_MAX_AGE says. A new
one is a new process for PostgreSQL and a password check for both sides: three times the work of
the task itself, when that is short.
"""

from typing import Any

from celery import Celery
from celery.fixups.django import (  # type: ignore[attr-defined] # celery-types lacks the second
    DjangoFixup,
    DjangoWorkerFixup,
)
from django.db import close_old_connections


class WorkerFixup(DjangoWorkerFixup):  # type: ignore[misc] # so it is Any to mypy
    """Treats connections before and after a task as Django does before and after a request.

    One that a time limit left in the middle of a query fails the check before its next use.
    """

    def on_task_prerun(self, sender: Any, **kwargs: Any) -> None:
        """Have a connection checked when it is used next."""
        if not getattr(sender.request, "is_eager", False):
            close_old_connections()

    def on_task_postrun(self, sender: Any, **kwargs: Any) -> None:
        """Close what is broken, or older than CONN_MAX_AGE."""
        if not getattr(sender.request, "is_eager", False):
            close_old_connections()
            self.close_cache()


class Fixup(DjangoFixup):
    """Celery's fix-up for Django with the above, which is made once the settings are known."""

    _worker_fixup: DjangoWorkerFixup | None

    @property
    def worker_fixup(self) -> DjangoWorkerFixup:
        """The one of this app."""
        if self._worker_fixup is None:
            self._worker_fixup = WorkerFixup(self.app)
        return self._worker_fixup


def fixup(app: Celery) -> DjangoFixup:
    """What `Celery(fixups=…)` names."""
    installed = Fixup(app)
    installed.install()
    return installed
