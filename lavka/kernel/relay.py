"""The relay: carries recorded events from the log to the broker, at least once and in order."""

import datetime
import logging
import threading
from collections.abc import Iterable

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.utils import timezone

from lavka.kernel import broker, events, log
from lavka.kernel.broker import Publisher
from lavka.kernel.models import Bookmark, RecordedEvent

logger = logging.getLogger(__name__)

BATCH = 500
POLL_SECONDS = 1.0
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
FAULTS: tuple[type[BaseException], ...] = (*broker.FAULTS, DatabaseError, InterfaceError)
# PostgreSQL ends the transaction of a relay that hangs, and another relay takes over.
HUNG_SECONDS = 30
# What a broker that lost its messages is sent again; handlers tell a repetition by its event's id.
RECALLED = datetime.timedelta(days=1)


def relay_batch(publisher: Publisher, *, size: int = BATCH) -> int:
    """Publish up to `size` events after the bookmark, in the log's order; returns how many.

    The bookmark moves on when the broker has confirmed all of them, so a crash between the two
    sends them again and never loses one. Returns 0 at once while another relay is at it.
    Raises: a broker fault; then the bookmark stays.
    Locks: the relay's bookmark, also while the broker answers.
    """
    with transaction.atomic():
        place = _own_bookmark()
        if place is None:
            return 0
        batch = RecordedEvent.objects.filter(position__gt=place.position).order_by("position")
        found = list(batch[:size])
        if found:
            with publisher.batch():
                for event in found:
                    _send(event, publisher)
            place.position = found[-1].position
            place.save(update_fields=["position"])
    return len(found)


def recall_lost(publisher: Publisher, *, at: datetime.datetime) -> int:
    """Go back over what was relayed in the last day if the broker has lost its messages.

    Returns how many events come again; most of them were dealt with, but nobody knows which. The
    mark is left last, so a crash before it recalls them once more.
    Raises: a broker fault.
    Locks: the relay's bookmark.
    """
    if publisher.has_mark():
        return 0
    with transaction.atomic():
        place = log.bookmark(Bookmark.Reader.RELAYED)
        older = RecordedEvent.objects.filter(recorded_at__lt=at - RECALLED)
        kept = older.order_by("-position").values_list("position", flat=True).first() or 0
        recalled = max(place.position - kept, 0)
        place.position -= recalled
        place.save(update_fields=["position"])
    publisher.leave_mark()
    if recalled:
        logger.error("the broker lost its messages: %d events are relayed again", recalled)
    return recalled


def _own_bookmark() -> Bookmark | None:
    """The relay's bookmark, None while another relay holds it."""
    own = Bookmark.objects.filter(reader=Bookmark.Reader.RELAYED)
    if found := own.select_for_update(skip_locked=True, no_key=True).first():
        return found
    Bookmark.objects.bulk_create([Bookmark(reader=Bookmark.Reader.RELAYED)], ignore_conflicts=True)
    return own.select_for_update(skip_locked=True, no_key=True).first()


def _send(event: RecordedEvent, publisher: Publisher) -> None:
    arguments = {
        **event.payload,
        "event_id": str(event.event_id),
        "actor": event.actor.as_json(),
    }
    for task in events.handlers_of(event.name):
        publisher.send(task.name, task_id=f"{event.event_id}:{task.name}", arguments=arguments)


class Relay(threading.Thread):
    """Records and relays for the life of its process; any number of relays may run at once."""

    def __init__(self) -> None:
        """Name the thread; `start` opens its connections."""
        super().__init__(name="relay", daemon=True)
        self._stopping = threading.Event()
        self._pause = SHORTEST_PAUSE

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """Finish the batch at hand and end."""
        self._stopping.set()
        self.join(timeout_seconds)

    def run(self) -> None:
        """Relay until stopped; a fault of database or broker is logged, waited out and retried."""
        while not self._stopping.is_set():
            try:
                self._relay_while_connected()
            except FAULTS as fault:
                self._wait_out(fault)
            except Exception as bug:
                # A bug must not end the thread: events would wait until the next deploy, unseen.
                logger.exception("relay failed and goes on")
                self._wait_out(bug)
            finally:
                connection.close()

    def _wait_out(self, fault: BaseException) -> None:
        """Let the broker rest, but go on recording: readers of the log do not need it."""
        logger.warning("relay waits: %s", fault, extra={"pause_seconds": self._pause})
        self._stopping.wait(self._pause)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        try:
            log.record_waiting()
        except (DatabaseError, InterfaceError) as away:
            logger.warning("relay cannot record: %s", away)

    def _relay_while_connected(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET idle_in_transaction_session_timeout = '{HUNG_SECONDS}s'")
            cursor.execute(f"LISTEN {log.APPENDED}")
        with broker.publishing() as publisher:
            recall_lost(publisher, at=timezone.now())
            while not self._stopping.is_set():
                log.record_waiting()
                has_sent = relay_batch(publisher) > 0
                self._pause = SHORTEST_PAUSE
                if not has_sent:
                    self._wait_for_news()
                publisher.keep_alive()

    def _wait_for_news(self) -> None:
        """Sleep until a commit notifies or the poll is due."""
        notified: Iterable[object] = connection.connection.notifies(
            timeout=POLL_SECONDS, stop_after=1
        )
        for _ in notified:
            pass
