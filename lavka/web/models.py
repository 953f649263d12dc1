"""What the web keeps: answers to writes that may be sent again, and which sessions ended lately."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class IdempotentRequest(models.Model):
    """One use of an `Idempotency-Key`; its id is a digest of the key and of whose key it is.

    `status` is empty while the first request runs; `leased_until` says how long it may be thought
    to. `fingerprint` is a digest of method, path and body. `body` is sealed: an answer may hold
    what is told once.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    fingerprint = models.CharField(_("fingerprint"), max_length=64)
    status = models.PositiveSmallIntegerField(_("status"), null=True)
    headers = models.JSONField(_("headers"), default=dict, db_default={})
    body = models.BinaryField(_("answer"), default=b"", db_default=b"")
    leased_until = models.DateTimeField(_("runs until"))
    created_at = models.DateTimeField(_("created at"), db_default=Now())

    class Meta:
        verbose_name = _("idempotent request")
        verbose_name_plural = _("idempotent requests")
        indexes = [models.Index(fields=["created_at"], name="idempotent_created_at")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status=None) | Q(status__gte=200, status__lt=500),
                name="idempotent_no_server_error",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.status}"


class EndedSession(models.Model):
    """A session whose access tokens are refused until the last has expired.

    Written by a trigger on the sessions (accounts/migrations), read by `lavka.web.revocation`.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    ended_at = models.DateTimeField(_("ended at"), db_default=Now())

    class Meta:
        verbose_name = _("ended session")
        verbose_name_plural = _("ended sessions")
        indexes = [models.Index(fields=["ended_at"], name="ended_session_ended_at")]

    def __str__(self) -> str:
        return str(self.pk)
