"""Dead letters: messages that no worker could deal with, kept until staff replay or drop them."""

import datetime
import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from celery import current_app
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from lavka.kernel import broker, queues
from lavka.kernel.models import DeadLetter
from lavka.kernel.plain_text import storable

logger = logging.getLogger(__name__)

MAX_ERROR_CHARACTERS = 10_000
_AT_ONCE = 500

Reason = DeadLetter.Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A task's message, as the broker had it."""

    task_id: str
    task: str
    queue: str
    arguments: Mapping[str, Any]


def file(*, message: Message, reason: Reason, error: str, at: datetime.datetime) -> None:
    """Keep a message; one that lies here already counts a failure more.

    Messages without arguments are all the same one, that beat sends again and again.
    """
    known: dict[str, Any] = {
        "task": storable(message.task, 255),
        "queue": storable(message.queue, 100),
        "arguments": dict(message.arguments),
        "reason": reason,
        "error": storable(error[-MAX_ERROR_CHARACTERS:], MAX_ERROR_CHARACTERS),
        "failed_at": at,
    }
    task_id = storable(message.task_id if message.arguments else message.task, 255)
    DeadLetter.objects.update_or_create(
        task_id=task_id,
        defaults={**known, "failures": F("failures") + 1, "replay_at": None},
        create_defaults=known,
    )
    told = {"task_id": task_id, "reason": str(reason)}
    logger.error("a message is dead: %s", known["task"], extra=told)


def ask_for_replay(*, letters: Collection[UUID], at: datetime.datetime) -> int:
    """Have letters sent again by a worker, soon after `at`; returns how many there are.

    A message that nobody could read stays, as there is nothing to send.
    """
    wanted = DeadLetter.objects.filter(pk__in=letters).exclude(reason=Reason.UNREADABLE)
    return wanted.update(replay_at=at)


def drop(*, letters: Collection[UUID]) -> int:
    """Forget letters; returns how many there were."""
    return DeadLetter.objects.filter(pk__in=letters).delete()[0]


def replay_due(*, at: datetime.datetime) -> int:
    """Send the letters whose replay was asked for, with their own ids; returns how many.

    Raises: a broker fault; then they stay and are sent with the next run.
    Locks: the letters, while the broker answers; other runs skip them.
    """
    due = DeadLetter.objects.filter(replay_at__lte=at)
    if not due.exists():
        return 0
    with broker.publishing() as publisher, transaction.atomic():
        letters = list(due.select_for_update(skip_locked=True).order_by("id")[:_AT_ONCE])
        with publisher.batch():
            for letter in letters:
                publisher.send(letter.task, task_id=letter.task_id, arguments=letter.arguments)
        drop(letters=[letter.pk for letter in letters])
    return len(letters)


def collect() -> int:
    """File what RabbitMQ has put aside; returns how many. With Valkey there is no such queue.

    Raises: a broker fault.
    """
    collected = 0
    with current_app.connection_for_read() as connection:
        if connection.transport.driver_type != "amqp":
            return 0
        channel: Any = connection.channel()
        queues.DEAD(channel).declare()
        while message := channel.basic_get(queues.DEAD.name):
            _file_dead(message)
            channel.basic_ack(message.delivery_tag)
            collected += 1
    return collected


def _file_dead(dead: Any) -> None:
    headers = dead.headers or {}
    deaths = headers.get("x-death") or [{}]
    arguments = arguments_of(dead.body)
    cause = str(deaths[0].get("reason"))
    message = Message(
        task_id=str(headers.get("id") or dead.delivery_tag),
        task=str(headers.get("task", "")),
        queue=str(deaths[0].get("queue", "")),
        arguments=shown(dead.body) if arguments is None else arguments,
    )
    reason = _reason(arguments, cause)
    file(message=message, reason=reason, error=f"put aside by RabbitMQ: {cause}", at=timezone.now())


def _reason(arguments: object, of_death: str) -> Reason:
    if arguments is None:
        return Reason.UNREADABLE
    return Reason.CRASHED if of_death == "delivery_limit" else Reason.FAILED


def arguments_of(body: Any) -> dict[str, Any] | None:
    """The keyword arguments in the body of a task's message; None when it is not one."""
    try:
        read = json.loads(body) if isinstance(body, (str, bytes)) else body
        _positional, keywords, _embedded = read
    except (TypeError, ValueError):
        return None
    return keywords if isinstance(keywords, dict) else None


def shown(body: Any) -> dict[str, Any]:
    """What staff see of a body that cannot be read."""
    return {"body": repr(body)[:2000]}
