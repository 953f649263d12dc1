"""The relay's way to the broker: many messages are sent, then all their confirms awaited once."""

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from amqp.exceptions import MessageNacked
from celery import current_app
from kombu.exceptions import BatchPublishError, OperationalError  # type: ignore[attr-defined]

from lavka.kernel import queues

CONFIRM_SECONDS = 10.0
MOST_AT_ONCE = 1000
MOST_SHOWN = 1024
# Linux alone gathers what is sent; elsewhere each message is a packet.
_CORK: int | None = getattr(socket, "TCP_CORK", None)
_connection = current_app.connection_for_write()
FAULTS: tuple[type[BaseException], ...] = (
    OperationalError,
    BatchPublishError,
    MessageNacked,
    *_connection.connection_errors,
    *_connection.channel_errors,
)


class Publisher:
    """Sends tasks' messages through one channel, in batches that the broker confirms at once.

    On RabbitMQ a message counts as held once a queue has it on a majority of its nodes; one that
    reaches no queue comes back, and is a fault too. Valkey takes a batch in one round trip.
    """

    def __init__(self, connection: Any) -> None:
        """Open a channel of `connection`."""
        self.connection = connection
        self.channel = connection.channel()
        self.is_confirming = connection.transport.driver_type == "amqp"
        self._unconfirmed: set[int] = set()
        self._tag = 0
        self._refused: list[str] = []
        if self.is_confirming:
            self.channel.confirm_select()
            self.channel.events["basic_ack"].add(self._acknowledged)
            self.channel.events["basic_nack"].add(self._nacked)
            self.channel.events["basic_return"].add(self._returned)
        self.producer: Any = current_app.amqp.Producer(self.channel)
        self._queues: dict[str, str] = {}

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Whatever is sent inside is held by the broker when the block ends.

        Raises: one of FAULTS, when a message was refused, reached no queue, or got no confirm in
        time; then nothing is known of the others, and the channel is not to be used again.
        """
        self._gather(True)
        with self.producer.batch(MOST_AT_ONCE):
            yield
        self._gather(False)
        deadline = time.monotonic() + CONFIRM_SECONDS
        while self._unconfirmed and not self._refused:
            self.connection.drain_events(timeout=max(deadline - time.monotonic(), 0.001))
        if self._refused:
            raise MessageNacked(", ".join(self._refused[:3]))

    def send(self, task: str, *, task_id: str, arguments: Mapping[str, object]) -> None:
        """Hand one message to the broker, without waiting for its confirm.

        Celery makes the message. Its `apply_async` would ask for the route and the queue each
        time, which takes longer than all of this, and on Valkey asks the broker.
        """
        message = current_app.amqp.create_task_message(
            task_id,
            task,
            kwargs=arguments,
            ignore_result=True,
            # For people to read; Celery's own take longer than all the rest of a message.
            argsrepr="()",
            kwargsrepr=repr(arguments)[:MOST_SHOWN],
        )
        queue = self._queues.get(task) or self._queue_of(task)
        self._publish(message.body, queue, headers=message.headers, **message.properties)

    def has_mark(self) -> bool:
        """Whether the mark is still there; without it the broker is new, or lost its messages."""
        declared: Any = queues.MARK(self.channel).queue_declare()
        return bool(declared.message_count)

    def leave_mark(self) -> None:
        """Put the mark down; raises as `batch`."""
        with self.batch():
            self._publish({}, queues.MARK.name)

    def _publish(self, body: object, queue: str, **properties: Any) -> None:
        if self.is_confirming:
            self._tag += 1
            self._unconfirmed.add(self._tag)
        # By the queue's name: no exchange has to look for it.
        self.producer.publish(
            body,
            serializer="json",
            exchange="",
            routing_key=queue,
            mandatory=True,
            **properties,
        )

    def _gather(self, is_on: bool) -> None:
        """Send full packets: a message by itself wakes RabbitMQ, which costs more than the rest."""
        if self.is_confirming and _CORK is not None:
            self.connection.connection.sock.setsockopt(socket.IPPROTO_TCP, _CORK, is_on)

    def _queue_of(self, task: str) -> str:
        """The queue of a task, which exists from then on."""
        queue = current_app.amqp.router.route({}, task)["queue"]
        # What waits for an answer is not to wait for a full packet.
        self._gather(False)
        queue(self.channel).declare()
        self._gather(True)
        self._queues[task] = name = str(queue.name)
        return name

    def keep_alive(self) -> None:
        """Answer the broker's heartbeat, when there is one."""
        if self.connection.supports_heartbeats and self.connection.get_heartbeat_interval():
            self.connection.heartbeat_check()

    def _acknowledged(self, tag: int, multiple: bool) -> None:
        if multiple:
            self._unconfirmed = {other for other in self._unconfirmed if other > tag}
        else:
            self._unconfirmed.discard(tag)

    def _nacked(self, tag: int, multiple: bool) -> None:
        self._refused.append(f"message {tag} was refused")

    def _returned(self, _error: object, exchange: str, routing_key: str, _message: object) -> None:
        self._refused.append(f"no queue for {exchange}/{routing_key}")


@contextmanager
def publishing() -> Iterator[Publisher]:
    """A publisher on a connection of its own.

    Raises: one of FAULTS, when the broker is away.
    """
    connection = current_app.connection_for_write()
    if connection.transport.driver_type == "amqp":
        # Confirms are awaited for a batch here, not for each message inside the driver.
        options = {**current_app.conf.broker_transport_options, "confirm_publish": False}
        connection = connection.clone(transport_options=options)
    with connection:
        connection.ensure_connection(max_retries=1)
        yield Publisher(connection)
