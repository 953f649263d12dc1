"""Customers and staff, their sessions and addresses."""

import datetime
from typing import Any, ClassVar, Self

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Lower, Now, Upper
from django.db.models.functions.uuid import UUID7
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lavka.accounts import rules
from lavka.accounts.scopes import Scope
from lavka.kernel import security_log
from lavka.kernel.actors import Actor
from lavka.kernel.folded_text import Folded
from lavka.kernel.security_log import Object, SecurityEvent


class UserManager(BaseUserManager["User"]):
    """Creates users for `createsuperuser`; the shop's own way in is `services.register`."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user whose e-mail is kept in its one spelling.

        Raises: ValueError, when there is no e-mail.
        """
        if not email:
            raise ValueError("a user needs an e-mail")
        user = self.model(email=rules.normal_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create staff who may do everything."""
        with transaction.atomic():
            user = self.create_user(email, password, is_staff=True, is_superuser=True, **fields)
            on = Object("user", user.pk)
            security_log.record(SecurityEvent.ACCOUNT_CREATED, on, is_staff=True, is_superuser=True)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find by e-mail, in any case."""
        try:
            return self.get(email=rules.normal_email(username or ""))
        except ValueError:
            raise self.model.DoesNotExist from None


class Mailbox(models.Func):
    """What `rules.mailbox_of` makes of a normal address, in SQL, so that it can have an index."""

    output_field = models.CharField()
    template = r"""(CASE WHEN %(expressions)s ~ '@(gmail|googlemail)\.com$'
        THEN replace(
            regexp_replace(regexp_replace(%(expressions)s, '@[^@]*$', ''), '^([^+]+)\+.*$', '\1'),
            '.', '') || '@gmail.com'
        ELSE regexp_replace(%(expressions)s, '^([^+]+)\+.*(@[^@]*)$', '\1\2') END)"""


class User(AbstractBaseUser, PermissionsMixin):
    """A person known by an e-mail address; staff may enter the admin."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(pgettext_lazy("of a person", "name"), max_length=150, blank=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    language = models.CharField(
        _("language"), max_length=10, default="en", db_default="en", help_text=_("Of their mail.")
    )
    email_verified_at = models.DateTimeField(_("e-mail verified at"), null=True, blank=True)
    joined_at = models.DateTimeField(_("joined at"), db_default=Now(), editable=False)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True, editable=False)
    # Links that were mailed until then sign nobody in any more.
    links_used_at = models.DateTimeField(null=True, editable=False)
    # Part of what proves a session of the admin. A trigger raises it when the user is deactivated
    # or becomes staff, and lets nobody who saves an older row lower it.
    session_version = models.PositiveIntegerField(default=0, db_default=0, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        indexes = [
            GinIndex(OpClass(Upper("email"), "gin_trgm_ops"), name="user_email_contains"),
            GinIndex(OpClass(Folded("name"), "gin_trgm_ops"), name="user_name_folded"),
            models.Index(Mailbox("email"), name="user_mailbox"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_lower_case"),
        ]

    def __str__(self) -> str:
        return self.email

    def save(self, **options: Any) -> None:
        """Also end the sessions when `set_password` set another password."""
        is_set = getattr(self, "_password", None) is not None  # Django's note of `set_password`
        has_new_password = is_set and not self._state.adding
        with transaction.atomic():
            super().save(**options)
            if has_new_password:
                self.sessions.filter(revoked_at=None).update(revoked_at=timezone.now())
                # The tokens in them hang on the password.
                RequestedMail.objects.filter(email=self.email).delete()
                security_log.record(SecurityEvent.PASSWORD_SET, Object("user", self.pk))

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session of the admin is bound to: the password and the session version."""
        salt = "lavka.accounts.admin-session"
        bound_to = f"{self.session_version}:{self.password}"
        return salted_hmac(salt, bound_to, secret=secret, algorithm="sha256").hexdigest()

    @property
    def as_actor(self) -> Actor:
        """Who changes their own account."""
        return Actor.staff(self.pk) if self.is_staff else Actor.customer(self.pk)

    @property
    def is_email_verified(self) -> bool:
        """Whether the address was proven to be theirs."""
        return self.email_verified_at is not None


class SessionQuerySet(models.QuerySet["Session"]):
    """Sessions, by whether they still hold."""

    def open(self, at: datetime.datetime) -> Self:
        """Those whose newest refresh token is good at `at`."""
        return self.filter(revoked_at=None, expires_at__gt=at)


class Session(models.Model):
    """One signed-in device: a family of refresh tokens, of which only the newest is good.

    A refresh token that is not the newest was stolen or copied: its family ends (RFC 9700, 4.14.2).
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="sessions", verbose_name=_("user"))
    current_token = models.UUIDField(_("current token"))
    created_at = models.DateTimeField(_("created at"), db_default=Now())
    used_at = models.DateTimeField(_("used at"), db_default=Now())
    expires_at = models.DateTimeField(_("expires at"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    user_agent = models.CharField(_("browser or app"), max_length=200, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        indexes = [models.Index(fields=["expires_at"], name="session_expires_at")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.created_at:%Y-%m-%d}"


class LoginFailure(models.Model):
    """Failed attempts to sign in, counted by account and place (`lavka.accounts.rules`).

    Without a place it counts what comes from all places that the account does not know, without an
    e-mail what comes from a network. The address may be nobody's, so that an answer tells nothing.
    An attempt counts as failed from before its password is checked until it proves right, so
    parallel guesses are counted too.
    """

    email = models.EmailField(_("e-mail"), blank=True)
    source = models.CharField(_("from"), max_length=64, blank=True)
    failures = models.FloatField(
        _("failures"), default=0, help_text=_("One is forgotten after a while.")
    )
    failed_at = models.DateTimeField(_("failed at"))
    locked_until = models.DateTimeField(_("locked until"), null=True, blank=True)

    class Meta:
        # Not that of its predecessor, in which a process of the version before may still count.
        db_table = "accounts_failedsignin"
        verbose_name = _("login failure")
        verbose_name_plural = _("login failures")
        constraints = [
            models.UniqueConstraint(fields=["email", "source"], name="login_failure_once_a_place")
        ]
        indexes = [models.Index(fields=["failed_at"], name="login_failure_failed_at")]

    def __str__(self) -> str:
        return f"{self.email} {self.source}: {self.failures:.0f}"


class KnownPlace(models.Model):
    """A device or network from which a user signed in; failures from elsewhere do not lock it.

    Only a digest is kept: of the token that the device has, or, keyed, of the network.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="places", verbose_name=_("user"))
    kind = models.CharField(_("kind"), max_length=10, choices=rules.PlaceKind)
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(_("used at"))

    class Meta:
        verbose_name = _("known place")
        verbose_name_plural = _("known places")
        constraints = [
            models.UniqueConstraint(fields=["user", "digest"], name="known_place_once_a_user")
        ]
        indexes = [
            models.Index(fields=["digest"], name="known_place_digest"),
            models.Index(fields=["used_at"], name="known_place_used_at"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.get_kind_display()}"


class RequestedMail(models.Model):
    """When an address was last sent a mail that anybody can ask for, and how often unused."""

    email = models.EmailField(_("e-mail"))
    purpose = models.CharField(_("purpose"), max_length=20, choices=rules.MailPurpose)
    sent_at = models.DateTimeField(_("sent at"))
    unused = models.PositiveSmallIntegerField(_("unused"), default=1)

    class Meta:
        verbose_name = _("requested mail")
        verbose_name_plural = _("requested mails")
        constraints = [
            models.UniqueConstraint(fields=["email", "purpose"], name="requested_mail_once")
        ]
        indexes = [models.Index(fields=["sent_at"], name="requested_mail_sent_at")]

    def __str__(self) -> str:
        return f"{self.email} {self.get_purpose_display()}"


class EmailChange(models.Model):
    """Another address for a user: pending until it is confirmed from the new mailbox.

    `binding` stands for the password, address and session version with which it was asked for; it
    is void when one of them is another. A confirmed one is kept as long as it can be undone.
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="email_changes")
    old_email = models.EmailField()
    new_email = models.EmailField()
    binding = models.CharField(max_length=64)
    session_id = models.UUIDField()  # which asked for it, and stays open
    requested_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("change of e-mail")
        verbose_name_plural = _("changes of e-mail")
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(confirmed_at=None), name="email_change_one_pending"
            ),
            models.CheckConstraint(
                condition=~Q(new_email=F("old_email")), name="email_change_is_one"
            ),
        ]
        indexes = [models.Index(fields=["requested_at"], name="email_change_requested_at")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.new_email}"


class Address(models.Model):
    """A postal address in a customer's book."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="addresses", verbose_name=_("user"))
    name = models.CharField(pgettext_lazy("of a person", "name"), max_length=150)
    line1 = models.CharField(_("line 1"), max_length=200)
    line2 = models.CharField(_("line 2"), max_length=200, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    region = models.CharField(_("region"), max_length=100, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=20, blank=True)
    country = models.CharField(_("country"), max_length=2, help_text=_("ISO 3166-1 alpha-2"))
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    is_default_shipping = models.BooleanField(_("default for shipping"), default=False)
    is_default_billing = models.BooleanField(_("default for billing"), default=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")
        constraints = [
            models.CheckConstraint(
                condition=Q(country__regex=r"^[A-Z]{2}$"), name="address_country_is_alpha2"
            ),
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(is_default_shipping=True),
                name="address_one_default_shipping",
            ),
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(is_default_billing=True),
                name="address_one_default_billing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.city}"


class ApiKey(models.Model):
    """How a program signs in: what it may do is a list of scopes, within its maker's rights.

    The key itself is kept nowhere. A trigger revokes it when its maker is deactivated, or no staff
    any more.
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    name = models.CharField(
        _("name"), max_length=100, help_text=_("Which machine it is for, in words for people.")
    )
    prefix = models.CharField(_("begins with"), max_length=20, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(
        models.CharField(max_length=50, choices=Scope.choices), verbose_name=_("scopes")
    )
    created_by = models.ForeignKey(
        User,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="api_keys",
        verbose_name=_("created by"),
    )
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    used_at = models.DateTimeField(_("used at"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, editable=False)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        constraints = [
            models.CheckConstraint(condition=Q(scopes__len__gt=0), name="api_key_has_a_scope"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
