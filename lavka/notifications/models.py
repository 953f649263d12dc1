"""Which mail was sent because of which event."""

import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions.uuid import UUID7
from django.utils.translation import gettext_lazy as _


class SentMailQuerySet(models.QuerySet["SentMail"]):
    """Mails, by whether they may be sent."""

    def free(self, at: datetime.datetime) -> Self:
        """Those that are not sent and that nobody is sending, or whose sender must have died."""
        deadline = at - SentMail.LEASE
        return self.filter(
            Q(claimed_at=None) | Q(claimed_at__lte=deadline), sent_at=None, suppressed_at=None
        )


class SentMail(models.Model):
    """One mail for one event: claimed by the worker that sends it, then marked as sent.

    It is about a user's account or about an order, which may be a guest's. `mailbox` is a digest
    of where it goes while nobody has proved that this is theirs, or the user's id for what counts
    for their account alone; beyond its budget it is not sent.
    """

    class Kind(models.TextChoices):
        """What the mail says; also the name of its template."""

        VERIFY_EMAIL = "verify_email", _("verify e-mail")
        ACCOUNT_EXISTS = "account_exists", _("account exists")
        RESET_PASSWORD = "reset_password", _("reset password")
        SIGN_IN = "sign_in", _("sign in")
        PASSWORD_CHANGED = "password_changed", _("password changed")
        CHANGE_EMAIL = "change_email", _("confirm another e-mail")
        EMAIL_CHANGE_REQUESTED = "email_change_requested", _("another e-mail asked for")
        EMAIL_CHANGED = "email_changed", _("e-mail changed")
        ORDER_PLACED = "order_placed", _("order placed")
        ORDER_SHIPPED = "order_shipped", _("order shipped")
        ORDER_CANCELLED = "order_cancelled", _("order cancelled")
        ORDER_REFUNDED = "order_refunded", _("order refunded")
        RETURN_APPROVED = "return_approved", _("return approved")
        RETURN_REFUSED = "return_refused", _("return refused")
        RETURN_RECEIVED = "return_received", _("return received")
        BACK_IN_STOCK = "back_in_stock", _("back in stock")

    # Longer than CELERY_TASK_TIME_LIMIT: by then the worker that claimed the mail is gone.
    LEASE = datetime.timedelta(minutes=3)

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    event_id = models.UUIDField(_("event"))
    kind = models.CharField(_("kind"), max_length=40, choices=Kind)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+",
        verbose_name=_("user"),
    )  # fmt: skip
    order = models.ForeignKey(
        "orders.Order", models.CASCADE, null=True, blank=True, related_name="+",
        verbose_name=_("order"),
    )  # fmt: skip
    claimed_at = models.DateTimeField(_("claimed at"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    mailbox = models.CharField(_("mailbox"), max_length=32, blank=True, db_default="")
    suppressed_at = models.DateTimeField(
        _("not sent"), null=True, blank=True, help_text=_("The mailbox got too much that day.")
    )

    objects = SentMailQuerySet.as_manager()

    class Meta:
        verbose_name = _("sent mail")
        verbose_name_plural = _("sent mails")
        constraints = [
            models.UniqueConstraint(fields=["event_id", "kind"], name="mail_once_per_event"),
            models.CheckConstraint(
                condition=Q(user=None) ^ Q(order=None), name="mail_about_account_or_order"
            ),
        ]
        indexes = [
            models.Index(fields=["claimed_at"], name="mail_claimed_at"),
            models.Index(
                fields=["mailbox", "claimed_at"], name="mail_mailbox", condition=~Q(mailbox="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.event_id}"
