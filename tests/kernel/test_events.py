"""An event exists if and only if its commit does."""

import uuid
from dataclasses import dataclass
from typing import ClassVar

import pytest
from django.db import connection, transaction

from lavka.kernel import events
from lavka.kernel.models import OutboxEvent


@dataclass(frozen=True, kw_only=True)
class ThingDone(events.Event):
    name: ClassVar[str] = "tests.thing_done"
    thing_id: uuid.UUID
    size: int = 1

    @property
    def aggregate(self) -> uuid.UUID:
        return self.thing_id


@pytest.mark.django_db
def test_an_event_is_stored_with_its_aggregate_and_payload():
    thing_id = uuid.uuid4()

    events.publish(ThingDone(thing_id=thing_id, size=3))

    event = OutboxEvent.objects.get()
    assert (event.name, event.aggregate) == ("tests.thing_done", thing_id)
    assert event.payload == {"thing_id": str(thing_id), "size": 3}
    assert event.version == 1


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_transaction_leaves_no_event():
    with transaction.atomic():
        events.publish(ThingDone(thing_id=uuid.uuid4()))
        transaction.set_rollback(True)

    assert not OutboxEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_commit_wakes_whoever_listens_and_a_rollback_does_not():
    listener = connection.copy()
    with listener.cursor() as cursor:
        cursor.execute("LISTEN lavka_outbox")

    with transaction.atomic():
        events.publish(ThingDone(thing_id=uuid.uuid4()), ThingDone(thing_id=uuid.uuid4()))
    heard = list(listener.connection.notifies(timeout=5, stop_after=1))
    with transaction.atomic():
        events.publish(ThingDone(thing_id=uuid.uuid4()))
        transaction.set_rollback(True)
    heard_after = list(listener.connection.notifies(timeout=0.3, stop_after=1))
    listener.close()

    assert (len(heard), len(heard_after)) == (1, 0)


def test_a_task_subscribes_once_however_often_its_module_is_loaded():
    class Task:
        name = "tests.task"

        def apply_async(self, **options: object) -> None: ...

    task = Task()
    events.subscribe(ThingDone, task)
    events.subscribe(ThingDone, task)

    assert events.handlers_of("tests.thing_done") == [task]
    events.handlers_of("tests.thing_done").clear()
