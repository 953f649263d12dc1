"""Endpoints, the keys that sign for them, and the log of what was delivered."""

import datetime
from typing import Self

from django.contrib.auth.models import Permission
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, Value, When
from django.db.models.functions import Concat, Now
from django.db.models.functions.uuid import UUID7
from django.utils.translation import gettext_lazy as _

from lavka.accounts.models import User
from lavka.webhooks.rules import NAMES, RIGHTS, DeliveryStatus, EndpointStatus, is_readable

URL_LENGTH = 500
EXCERPT_CHARACTERS = 1000


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    """Endpoints, by what may be sent to them."""

    def enabled(self) -> Self:
        """Those that are told something."""
        return self.filter(status=EndpointStatus.ENABLED)

    def listening_to(self, event: str) -> Self:
        """Enabled ones that want the events of this name."""
        return self.enabled().filter(Q(events=[]) | Q(events__contains=[event]))

    def callable(self, at: datetime.datetime) -> Self:
        """Enabled ones whose circuit lets a call through."""
        return self.enabled().filter(Q(open_until=None) | Q(open_until__lte=at))

    def with_owner_rights(self) -> Self:
        """With `owner_rights`, those of their owners to read events; None unless active staff."""
        holder = User.objects.filter(
            Q(is_superuser=True)
            | Q(user_permissions=OuterRef("pk"))
            | Q(groups__permissions=OuterRef("pk")),
            pk=OuterRef(OuterRef("owner_id")),
        )
        name = Concat("content_type__app_label", Value("."), "codename")
        rights = Permission.objects.annotate(right=name).filter(Exists(holder), right__in=RIGHTS)
        staff = User.objects.filter(pk=OuterRef("owner_id"), is_active=True, is_staff=True)
        held = ArraySubquery(rights.values("right"))
        return self.annotate(owner_rights=Case(When(Exists(staff), then=held)))


class Endpoint(models.Model):
    """Where a program wants to be told; `events` are names, and no name means every event.

    `failures` counts those in a row. From a number of them on the circuit is open until
    `open_until`; then one delivery goes through as a probe.
    `owner_id` is the member of the staff who last vouched for it: what they may not read is not
    sent, and nothing once they are gone. None is an endpoint from before there were owners, which
    is sent everything. `withheld_at` is since when something is not sent.
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    name = models.CharField(_("name"), max_length=100)
    url = models.URLField(_("address"), max_length=URL_LENGTH)
    events = ArrayField(
        models.CharField(max_length=100), verbose_name=_("events"), default=list, blank=True
    )
    status = models.CharField(
        _("status"), max_length=10, choices=EndpointStatus, default=EndpointStatus.ENABLED
    )
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    open_until = models.DateTimeField(_("paused until"), null=True, blank=True, editable=False)
    owner_id = models.UUIDField(_("owner"), null=True, blank=True, editable=False)
    withheld_at = models.DateTimeField(_("withheld at"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    # Loaded by `with_owner_rights`.
    owner_rights: list[str] | None

    objects = EndpointQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(open_until=None) | Q(failures__gte=1), name="endpoint_opens_on_failure"
            ),
            models.CheckConstraint(
                condition=Q(status__in=EndpointStatus.values), name="endpoint_status_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def withholds(self, event: str) -> bool:
        """Whether its owner may not read such events any more; needs `with_owner_rights`."""
        return self.owner_id is not None and not is_readable(event, self.owner_rights)

    @property
    def withheld_events(self) -> list[str]:
        """Which of its events are not sent; needs `with_owner_rights`."""
        return [name for name in self.events or NAMES if self.withholds(name)]


class SigningKey(models.Model):
    """A pair of keys of an endpoint, one symmetric and one ed25519, sealed with the shop's secret.

    An endpoint has one without an end, and while it is rotated one more that ends soon.
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    endpoint = models.ForeignKey(
        Endpoint, models.CASCADE, related_name="keys", verbose_name=_("webhook endpoint")
    )
    sealed_secret = models.BinaryField()
    sealed_private_key = models.BinaryField()
    public_key = models.CharField(_("public key"), max_length=60)
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)

    class Meta:
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint"], name="signing_key_one_current", condition=Q(expires_at=None)
            ),
            models.UniqueConstraint(
                fields=["endpoint"],
                name="signing_key_one_expiring",
                condition=Q(expires_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.public_key


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Deliveries, by whether they are to be sent."""

    def due(self, at: datetime.datetime) -> Self:
        """Those whose turn has come, and that nobody sends or whose sender must have died."""
        return self.filter(status=DeliveryStatus.PENDING, next_attempt_at__lte=at).filter(
            Q(claimed_until=None) | Q(claimed_until__lte=at)
        )

    def in_flight(self, at: datetime.datetime) -> Self:
        """Those that somebody is sending."""
        return self.filter(status=DeliveryStatus.PENDING, claimed_until__gt=at)


class Delivery(models.Model):
    """One event for one endpoint, sent until it is taken or given up.

    `event_id` is the `webhook-id`, the same in every attempt and replay; `tries` counts the
    attempts since it was made or last replayed.
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    endpoint = models.ForeignKey(
        Endpoint, models.CASCADE, related_name="deliveries", verbose_name=_("webhook endpoint")
    )
    event_id = models.UUIDField(_("event"))
    event_name = models.CharField(_("name"), max_length=100)
    body = models.JSONField(_("content"))
    status = models.CharField(
        _("status"), max_length=10, choices=DeliveryStatus, default=DeliveryStatus.PENDING
    )
    tries = models.PositiveIntegerField(_("tries"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt at"), null=True, blank=True)
    claimed_until = models.DateTimeField(_("claimed until"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["endpoint", "next_attempt_at"],
                name="delivery_due",
                condition=Q(status="pending"),
            ),
            models.Index(fields=["endpoint", "status", "-id"], name="delivery_of_endpoint"),
            models.Index(fields=["finished_at"], name="delivery_finished"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "event_id"], name="delivery_once_per_endpoint"
            ),
            models.CheckConstraint(
                condition=Q(status="pending", next_attempt_at__isnull=False, finished_at=None)
                | (
                    Q(next_attempt_at=None, claimed_until=None, finished_at__isnull=False)
                    & ~Q(status="pending")
                ),
                name="delivery_pending_has_a_turn",
            ),
            models.CheckConstraint(
                condition=Q(status__in=DeliveryStatus.values), name="delivery_status_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_name} {self.event_id}"


class Attempt(models.Model):
    """One try of a delivery and how it ended; without an answer `error` says why."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    delivery = models.ForeignKey(
        Delivery, models.CASCADE, related_name="attempts", verbose_name=_("webhook delivery")
    )
    started_at = models.DateTimeField(_("started at"))
    duration = models.DurationField(_("duration"))
    status_code = models.PositiveSmallIntegerField(_("status code"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=300, blank=True)
    excerpt = models.CharField(_("answer"), max_length=EXCERPT_CHARACTERS, blank=True)

    class Meta:
        verbose_name = _("delivery attempt")
        verbose_name_plural = _("delivery attempts")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status_code__isnull=False) | ~Q(error=""),
                name="attempt_has_an_outcome",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.started_at:%F %T} {self.status_code or self.error}"
