"""How a worker deals with messages: retries with pauses, and no message that is just gone.

A message is acknowledged after its task ran (`task_acks_late`). One that cannot be dealt with is
filed as a dead letter first and acknowledged then; while the database is away it goes back to the
broker instead.
"""

import logging
from collections.abc import Mapping
from typing import Any, ClassVar

import celery
from billiard.einfo import ExceptionWithTraceback  # type: ignore[attr-defined]
from celery import bootsteps
from celery.exceptions import Ignore, Reject, Retry, WorkerLostError
from celery.worker import request, state
from celery.worker.consumer import Consumer as CeleryConsumer
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.utils import timezone

from lavka.kernel import broker, letters, queues
from lavka.kernel.actors import Actor, acting
from lavka.kernel.models import DeadLetter

logger = logging.getLogger(__name__)
Reason = DeadLetter.Reason
# A message that took so many processes down before is given up with the next one.
MAX_CRASHES = 3


class Task(celery.Task):
    """What every task is unless it says otherwise: patient with database, network and broker.

    The pauses grow to a minute and are random below that, so the retries last about two hours.
    It acts in the name of whoever caused the event that it follows, or in its own.
    """

    Request = "lavka.kernel.delivery:Request"
    autoretry_for: ClassVar[tuple[type[BaseException], ...]] = (
        OperationalError,
        InterfaceError,
        OSError,
        *broker.FAULTS,
    )
    max_retries = 240
    retry_backoff = 2
    retry_backoff_max = 60
    retry_jitter = True

    def __call__(self, *args: Any, actor: Mapping[str, Any] | None = None, **kwargs: Any) -> Any:
        """Run it with its actor said."""
        named = Actor.from_json(actor) if actor else Actor.system(self.name)
        with acting(named):
            return self.run(*args, **kwargs)


class Request(request.Request):
    """One message in the worker's main process, which outlives the process that runs the task."""

    def on_failure(
        self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False
    ) -> None:
        """File the letter before the message is acknowledged."""
        exception = exc_info.exception
        if isinstance(exception, ExceptionWithTraceback):
            exception = exception.exc
        reason = self._reason(exception)
        if reason is not None and not self._file(reason, str(exc_info.traceback)):
            return
        if reason is Reason.CRASHED:
            self.acknowledge()
        else:
            super().on_failure(exc_info, send_failed_event, return_ok)

    def on_timeout(self, soft: bool, timeout: float) -> None:
        """File the letter of a task that was cut off; a soft limit raises inside the task."""
        is_final = not soft and not state.should_terminate
        if not is_final or self._file(Reason.TIMED_OUT, f"not done within {timeout} seconds"):
            super().on_timeout(soft, timeout)

    def _reason(self, exception: BaseException) -> Reason | None:
        """Why the message is dead, None when it lives on."""
        if isinstance(exception, (Retry, Ignore, Reject, SystemExit, KeyboardInterrupt)):
            return None
        if not isinstance(exception, WorkerLostError):
            return Reason.FAILED
        return Reason.CRASHED if self._is_worn_out() else None

    def _is_worn_out(self) -> bool:
        """Whether it went back to the broker often enough; Valkey only knows that it did."""
        if _counts_deliveries(self.app):
            return int((self.message.headers or {}).get("x-delivery-count", 0)) >= MAX_CRASHES
        return bool((self.delivery_info or {}).get("redelivered"))

    def _file(self, reason: Reason, error: str) -> bool:
        message = letters.Message(
            task_id=str(self.id),
            task=str(self.name),
            queue=str((self.delivery_info or {}).get("routing_key", "")),
            arguments=self.kwargs if isinstance(self.kwargs, dict) else {},
        )
        is_filed = _file(message, reason, error)
        if not is_filed:
            self.reject(requeue=not _counts_deliveries(self.app))
        return is_filed


class Consumer(CeleryConsumer):
    """Takes messages from the broker; those that no task wants are filed, not thrown away."""

    connection_errors: tuple[type[BaseException], ...]

    def on_unknown_task(self, body: Any, message: Any, exc: BaseException) -> None:
        """A task of a newer version, or of an older one that is gone."""
        headers = message.headers or {}
        self._put_aside(message, str(headers.get("task", "")), Reason.UNKNOWN, repr(exc))

    def on_unknown_message(self, body: Any, message: Any) -> None:
        """Something that Celery did not send."""
        self._put_aside(message, "", Reason.UNREADABLE, "not a task's message")

    def on_invalid_task(self, body: Any, message: Any, exc: BaseException) -> None:
        """A task's message with wrong content."""
        task = str((message.headers or {}).get("task", ""))
        self._put_aside(message, task, Reason.UNREADABLE, repr(exc))

    def on_decode_error(self, message: Any, exc: BaseException) -> None:
        """A body that is not JSON."""
        self._put_aside(message, "", Reason.UNREADABLE, repr(exc))

    def _put_aside(self, received: Any, task: str, reason: Reason, error: str) -> None:
        arguments = letters.arguments_of(received.body)
        message = letters.Message(
            task_id=str((received.headers or {}).get("id") or received.delivery_tag),
            task=task,
            queue=str(received.delivery_info.get("routing_key", "")),
            arguments=letters.shown(received.body) if arguments is None else arguments,
        )
        if _file(message, reason, error):
            received.ack_log_error(logger, self.connection_errors)
        else:
            received.reject_log_error(
                logger, self.connection_errors, requeue=not _counts_deliveries(self.app)
            )


class DeadLetterQueue(bootsteps.StartStopStep):
    """Declares where RabbitMQ puts messages aside, before a worker takes the first one."""

    requires = ("celery.worker.consumer.connection:Connection",)

    def start(self, c: Any) -> None:
        """Declare exchange and queue; Valkey has neither."""
        if c.connection.transport.driver_type == "amqp":
            with c.connection.channel() as channel:
                queues.DEAD(channel).declare()


def _counts_deliveries(app: Any) -> bool:
    """Whether the broker puts aside what it delivered too often, as RabbitMQ does."""
    return bool(app.connection_for_read().transport.driver_type == "amqp")


def _file(message: letters.Message, reason: Reason, error: str) -> bool:
    """Whether the letter is filed; False while the database is away."""
    try:
        letters.file(message=message, reason=reason, error=error, at=timezone.now())
    except (DatabaseError, InterfaceError):
        logger.exception("a dead letter goes back to the broker", extra={"task": message.task})
        return False
    finally:
        connection.close()
    return True
