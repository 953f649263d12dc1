"""Celery: workers that also carry the outbox to the broker, and the beat schedule."""

import os
import sys
from pathlib import Path
from typing import Any

from celery import Celery, bootsteps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

if Path(sys.argv[0]).name == "celery":
    try:
        bool(settings.DEBUG)
    except ImproperlyConfigured as refusal:
        sys.exit(str(refusal))  # the sentence is enough: a trace would bury it

app = Celery("lavka", task_cls="lavka.kernel.delivery:Task", fixups=["lavka.kernel.fixup:fixup"])
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


class RelayStep(bootsteps.StartStopStep):
    """Starts one relay thread with every worker and stops it with the worker."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        """Keep no relay until the worker starts."""
        super().__init__(parent, **options)
        self.relay: Any = None

    def start(self, parent: Any) -> None:
        """Start the thread after the pool has forked, so that no child inherits it."""
        from lavka.kernel.relay import Relay

        self.relay = Relay()
        self.relay.start()

    def stop(self, parent: Any) -> None:
        """Let the relay finish its batch."""
        if self.relay is not None:
            self.relay.stop()


app.steps["worker"].add(RelayStep)
app.steps["consumer"].add("lavka.kernel.delivery:DeadLetterQueue")
