"""Gunicorn, in the containers and under `lavka up`; the environment says what differs."""

import gc
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from importlib import import_module
from typing import Any

from django.core.exceptions import ImproperlyConfigured

try:
    # Wrong settings end here, with their sentence and no trace.
    import_module("config.settings")
except ImproperlyConfigured as refusal:
    sys.exit(str(refusal))

bind = os.environ.get("LAVKA_BIND", f"0.0.0.0:{os.environ.get('PORT', '8000')}")
worker_class = "lavka.web.protocol.Worker"
workers = int(os.environ.get("WEB_CONCURRENCY", "8"))
# The application is loaded once, before the fork: quicker to start and less memory in all.
preload_app = True
timeout = 60
graceful_timeout = int(os.environ.get("GRACEFUL_TIMEOUT", "20"))
keepalive = 75
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")
# Its socket lies in the home folder, where two shops of one user would share it.
control_socket_disable = True
# Requests are logged by the application, with their ids.
accesslog = None
errorlog = "-"
logger_class = "lavka.web.protocol.ServerLogger"
loglevel = os.environ.get("LAVKA_LOG_LEVEL", "info").lower()


# Each worker writes its metrics into files there; the last one to be asked adds them up.
if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="lavka-metrics-")


def when_ready(server: Any) -> None:
    """Leave what is loaded to no garbage collection: it lives as long as the process.

    Before the fork, so that workers share its memory. Requests make hardly any cycles, and the
    collector looks at what they leave less often than it would by itself.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 10)


def child_exit(server: Any, worker: Any) -> None:
    """Forget how full the pools of a worker were that is gone."""
    import_module("prometheus_client.multiprocess").mark_process_dead(worker.pid)


def on_exit(server: Any) -> None:
    """Leave no metrics behind."""
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


def post_worker_init(worker: Any) -> None:
    """End the worker with its master: after a kill -9 it would keep the port for itself."""
    threading.Thread(target=_leave_with, args=(worker.ppid,), daemon=True).start()


def _leave_with(master: int) -> None:
    while os.getppid() == master:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)
