"""What follows from events, done at once, as the relay and a worker would do it."""

from lavka.kernel import events, log
from lavka.kernel.actors import Actor
from lavka.kernel.models import RecordedEvent

# Who acts where a test does not care.
SYSTEM = Actor.system("tests")


def follow_events() -> list[RecordedEvent]:
    """Run what subscribed to each event, and to those that follow; returns all events so far.

    Webhooks are not sent: that would call out.
    """
    done = 0
    while log.record_waiting():
        for event in RecordedEvent.objects.filter(position__gt=done).order_by("position"):
            for task in events.handlers_of(event.name):
                if not task.name.startswith("webhooks."):
                    task(
                        **event.payload,
                        event_id=str(event.event_id),
                        actor=event.actor.as_json(),
                    )
            done = event.position
    return list(RecordedEvent.objects.order_by("position"))
