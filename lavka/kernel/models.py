"""Events on their way: outbox, log, how far readers have come, and what could not be done."""

from django.db import models
from django.db.models import Func, Value
from django.db.models.functions import Now
from django.db.models.functions.uuid import UUID7
from django.utils.translation import gettext_lazy as _

from lavka.kernel.actors import UNKNOWN, ActorField


class OutboxEvent(models.Model):
    """An event on the doorstep: written in the commit that made it true, not in the log yet.

    `arrival` is the order in which events were appended, whatever the clock does. A payload may
    have 65,536 bytes: what a broker refuses must not come as far as the relay.
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    name = models.CharField(_("name"), max_length=100)
    version = models.PositiveSmallIntegerField(_("version"), default=1, db_default=1)
    aggregate = models.UUIDField(_("aggregate"))
    payload = models.JSONField(_("payload"))
    actor = ActorField(_("by"), db_default=UNKNOWN)
    occurred_at = models.DateTimeField(_("occurred at"), db_default=Now())
    arrival = models.BigIntegerField(
        db_default=Func(Value("kernel_outbox_arrival"), function="nextval"), editable=False
    )

    class Meta:
        verbose_name = _("waiting event")
        verbose_name_plural = _("waiting events")
        indexes = [models.Index(fields=["arrival"], name="outbox_arrival")]

    def __str__(self) -> str:
        return f"{self.name} {self.aggregate}"


class RecordedEvent(models.Model):
    """An event in the log: positions are dense, and one is seen only after all before it.

    Rows are never changed. The table is partitioned by month of `recorded_at`.
    """

    position = models.BigIntegerField(_("position"), primary_key=True)
    event_id = models.UUIDField(_("event"))
    name = models.CharField(_("name"), max_length=100)
    version = models.PositiveSmallIntegerField(_("version"))
    aggregate = models.UUIDField(_("aggregate"))
    payload = models.JSONField(_("payload"))
    actor = ActorField(_("by"), db_default=UNKNOWN)
    occurred_at = models.DateTimeField(_("occurred at"))
    recorded_at = models.DateTimeField(_("recorded at"), db_default=Now())

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            models.Index(fields=["event_id"], name="event_by_id"),
            models.Index(fields=["aggregate", "position"], name="event_by_aggregate"),
            models.Index(fields=["name", "position"], name="event_by_name"),
        ]

    def __str__(self) -> str:
        return f"{self.position} {self.name}"


class Bookmark(models.Model):
    """The last position that one reader of the log is done with; its row is the reader's lock."""

    class Reader(models.TextChoices):
        """Who writes or reads the log in order."""

        RECORDED = "recorded", _("recorded")
        RELAYED = "relayed", _("relayed")

    reader = models.CharField(_("reader"), max_length=20, primary_key=True, choices=Reader.choices)
    position = models.BigIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("bookmark")
        verbose_name_plural = _("bookmarks")

    def __str__(self) -> str:
        return f"{self.get_reader_display()} {self.position}"


class DeadLetter(models.Model):
    """A message that no worker could deal with; nothing happens to it until staff say so."""

    class Reason(models.TextChoices):
        """Why it lies here."""

        FAILED = "failed", _("failed, also after its retries")
        TIMED_OUT = "timed_out", _("took too long")
        CRASHED = "crashed", _("took its worker down")
        UNKNOWN = "unknown", _("no worker knows the task")
        UNREADABLE = "unreadable", _("cannot be read")

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    task_id = models.CharField(_("message"), max_length=255, unique=True)
    task = models.CharField(_("task"), max_length=255)
    queue = models.CharField(_("queue"), max_length=100)
    arguments = models.JSONField(_("arguments"))
    reason = models.CharField(_("reason"), max_length=20, choices=Reason.choices)
    error = models.TextField(_("error"), blank=True)
    failures = models.PositiveIntegerField(_("failures"), default=1)
    failed_at = models.DateTimeField(_("failed at"))
    replay_at = models.DateTimeField(_("replay at"), null=True, blank=True)

    class Meta:
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")
        indexes = [
            models.Index(fields=["failed_at"], name="letter_failed_at"),
            models.Index(
                fields=["replay_at"],
                name="letter_to_replay",
                condition=models.Q(replay_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.task_id}"


class DriftReport(models.Model):
    """What one reconcile run found: derived rows that differed from their source, now mended."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)

    class Subject(models.TextChoices):
        """What is reconciled."""

        LISTING = "listing", _("product lists")
        RATINGS = "ratings", _("ratings")
        STOCK = "stock", _("stock")
        MONEY = "money", _("money")

    subject = models.CharField(_("subject"), max_length=100, choices=Subject)
    checked = models.PositiveIntegerField(_("checked"))
    drifted = models.PositiveIntegerField(_("drifted"))
    details = models.JSONField(_("details"), default=dict)
    ran_at = models.DateTimeField(_("ran at"), db_default=Now())

    class Meta:
        verbose_name = _("drift report")
        verbose_name_plural = _("drift reports")
        ordering = ["-ran_at"]

    def __str__(self) -> str:
        return f"{self.get_subject_display()}: {self.drifted}/{self.checked}"
