"""The broker's queues: one a purpose, and one for what no worker could deal with."""

from kombu import Exchange, Queue

PURPOSES = ("default", "listing", "mail", "webhooks", "media", "imports")
# RabbitMQ gives a message to workers this often, then it puts it aside.
DELIVERY_LIMIT = 50
# Who publishes to RabbitMQ waits until it holds the message, and as long for any other word of it:
# over a line that died silently the driver would wait for ever, also for leave to close it.
# Publishing, closing and connecting anew take less than a task's soft time limit together.
AMQP_OPTIONS: dict[str, object] = {
    "confirm_publish": True,
    "read_timeout": 10,
    "write_timeout": 10,
}

TASKS = Exchange("lavka", type="topic")
DEAD = Queue(
    "lavka.dead", Exchange("lavka.dead", type="fanout"), queue_arguments={"x-queue-type": "quorum"}
)

# Holds one message that nobody takes. Once it is gone, so is all that the broker held with it.
MARK = Queue("lavka.mark", TASKS, routing_key="mark", queue_arguments={"x-queue-type": "quorum"})


def queue(purpose: str) -> Queue:
    """The queue of one purpose: on a majority of RabbitMQ's nodes, with a way out for the dead."""
    return Queue(
        f"lavka.{purpose}",
        TASKS,
        routing_key=purpose,
        queue_arguments={
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": DEAD.exchange.name,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        },
    )
