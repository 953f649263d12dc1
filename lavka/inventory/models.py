"""Stock as rows: levels, the holds and allocations behind their counters, and the ledger."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.db.models.functions.uuid import UUID7
from django.utils.translation import gettext_lazy as _

from lavka.kernel.actors import Actor, ActorKind

MAX_UNITS = 1_000_000_000
LIMIT_FITS = _("A backorder or preorder needs a limit above 0, and nothing else has one.")
DATE_FITS = _("A preorder needs its date, and nothing else has one.")


class Warehouse(models.Model):
    """A place where stock lies; of two that will do, the lower priority number is taken first."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    code = models.SlugField(_("code"), max_length=50, unique=True)
    name = models.CharField(_("name"), max_length=100)
    priority = models.PositiveIntegerField(
        _("priority"), default=0, help_text=_("The lowest number is taken first.")
    )

    class Meta:
        verbose_name = _("warehouse")
        verbose_name_plural = _("warehouses")
        ordering = ["priority", "code"]

    def __str__(self) -> str:
        return self.name


class StockPolicy(models.Model):
    """What happens when a tracked variant is out; without a row it is not sold.

    To sell beyond stock is a choice of the staff: with BACKORDER or PREORDER, up to a limit.
    """

    class WhenOut(models.TextChoices):
        """What a buyer may do when nothing is on hand."""

        DENY = "deny", _("not sold")
        BACKORDER = "backorder", _("sold, and shipped later")
        PREORDER = "preorder", _("sold before it comes out")

    variant = models.OneToOneField(
        "catalog.Variant",
        models.CASCADE,
        primary_key=True,
        related_name="stock_policy",
        verbose_name=_("variant"),
    )
    when_out = models.CharField(_("when out"), max_length=10, choices=WhenOut, default=WhenOut.DENY)
    backorder_limit = models.PositiveIntegerField(
        _("sold beyond stock"), default=0, help_text=_("At most this many units.")
    )
    available_on = models.DateField(_("comes out on"), null=True, blank=True)
    low_stock_threshold = models.PositiveIntegerField(
        _("low at"), null=True, blank=True, help_text=_("Tell when so many units are left.")
    )

    class Meta:
        verbose_name = _("stock policy")
        verbose_name_plural = _("stock policies")
        constraints = [
            models.CheckConstraint(
                condition=Q(when_out="deny", backorder_limit=0)
                | (~Q(when_out="deny") & Q(backorder_limit__gt=0)),
                name="stock_policy_limit_fits",
                violation_error_message=LIMIT_FITS,
            ),
            models.CheckConstraint(
                condition=Q(when_out="preorder", available_on__isnull=False)
                | (~Q(when_out="preorder") & Q(available_on__isnull=True)),
                name="stock_policy_preorder_has_date",
                violation_error_message=DATE_FITS,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.variant} · {self.get_when_out_display()}"


class StockLevel(models.Model):
    """Units of one variant in one warehouse; they limit what is sold of a tracked variant.

    `reserved` are promised, to carts for a while (`Reservation`) or to orders (`Allocation`).
    `backorder_limit` repeats the variant's policy at one of its levels, so that the row can
    state its own invariant.
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    variant = models.ForeignKey(
        "catalog.Variant", models.PROTECT, related_name="stock_levels", verbose_name=_("variant")
    )
    warehouse = models.ForeignKey(
        Warehouse, models.PROTECT, related_name="levels", verbose_name=_("warehouse")
    )
    on_hand = models.PositiveIntegerField(_("on hand"), default=0, db_default=0)
    reserved = models.PositiveIntegerField(_("reserved"), default=0, db_default=0)
    backorder_limit = models.PositiveIntegerField(_("sold beyond stock"), default=0, db_default=0)
    is_tracked: bool  # whether the variant is; where the queryset says so
    available = models.GeneratedField(
        expression=F("on_hand") + F("backorder_limit") - F("reserved"),
        output_field=models.IntegerField(),
        db_persist=True,
        verbose_name=_("available"),
    )

    class Meta:
        verbose_name = _("stock level")
        verbose_name_plural = _("stock levels")
        ordering = ["variant", "warehouse"]
        constraints = [
            models.UniqueConstraint(
                fields=["variant", "warehouse"], name="stock_level_once_per_warehouse"
            ),
            models.CheckConstraint(
                condition=Q(reserved__lte=F("on_hand") + F("backorder_limit")),
                name="stock_reserved_within_on_hand",
            ),
            models.CheckConstraint(
                condition=Q(on_hand__lte=MAX_UNITS, backorder_limit__lte=MAX_UNITS),
                name="stock_units_can_be_counted",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.variant} · {self.warehouse}"


class Hold(models.Model):
    """What one holder (a cart) keeps from others until a deadline; its id is the holder's.

    Activity moves the deadline, never past `ends_at`. The id of a guest's cart is the key to it, so
    staff know a hold by its `reference`.
    """

    id = models.UUIDField(_("holder"), primary_key=True)
    reference = models.UUIDField(db_default=UUID7(), unique=True, editable=False)
    customer_id = models.UUIDField(_("customer"), null=True)
    address = models.CharField(_("network address"), max_length=64, blank=True, db_default="")
    expires_at = models.DateTimeField(_("expires at"))
    ends_at = models.DateTimeField(
        _("ends at"), help_text=_("No activity moves the deadline beyond this.")
    )
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        indexes = [models.Index(fields=["expires_at"], name="hold_expires_at")]
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__lte=F("ends_at")), name="hold_expires_before_its_end"
            ),
        ]

    def __str__(self) -> str:
        return str(self.reference)


class ReservationUsage(models.Model):
    """Units of a variant that a holder has kept from others and not bought.

    They count against the limits of a customer and of a network address while the hold is there,
    and for a while after it was let go: who begins anew with another cart gains nothing.
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    holder = models.UUIDField(_("holder"))
    variant_id = models.UUIDField(_("variant"))
    quantity = models.PositiveIntegerField(_("quantity"))
    customer_id = models.UUIDField(_("customer"), null=True)
    address = models.CharField(_("network address"), max_length=64, blank=True, db_default="")
    ends_at = models.DateTimeField(
        _("ends at"), help_text=_("From then on its holder keeps nothing from others.")
    )
    counts_until = models.DateTimeField(_("counts until"))

    class Meta:
        verbose_name = _("use of reservations")
        verbose_name_plural = _("uses of reservations")
        indexes = [
            models.Index(fields=["customer_id"], name="reservation_usage_customer"),
            models.Index(fields=["address"], name="reservation_usage_address"),
            models.Index(fields=["counts_until"], name="reservation_usage_counts_until"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["holder", "variant_id"], name="reservation_usage_once"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.variant_id}"


class Reservation(models.Model):
    """Units of one level that a hold keeps; counted in the level's `reserved`."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    hold = models.ForeignKey(
        Hold, models.DB_CASCADE, related_name="reservations", verbose_name=_("hold")
    )
    # The database protects the level; Django does not mix its own rules with the cascade above.
    level = models.ForeignKey(
        StockLevel, models.DO_NOTHING, related_name="reservations", verbose_name=_("stock level")
    )
    quantity = models.PositiveIntegerField(_("quantity"))

    class Meta:
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")
        constraints = [
            models.UniqueConstraint(fields=["hold", "level"], name="reservation_once_per_level"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="reservation_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.level}"


class Allocation(models.Model):
    """Units of one level that belong to an order.

    `quantity` wait to be shipped and are counted in the level's `reserved`; `shipped` have left,
    and `returned` of those have come back.
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    order_id = models.UUIDField(_("order"))
    level = models.ForeignKey(
        StockLevel, models.PROTECT, related_name="allocations", verbose_name=_("stock level")
    )
    quantity = models.PositiveIntegerField(_("to be shipped"))
    shipped = models.PositiveIntegerField(_("shipped"), default=0, db_default=0)
    returned = models.PositiveIntegerField(_("returned"), default=0, db_default=0)
    is_tracked: bool  # whether the variant is; where the queryset says so
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("allocation")
        verbose_name_plural = _("allocations")
        constraints = [
            models.UniqueConstraint(fields=["order_id", "level"], name="allocation_once_per_level"),
            models.CheckConstraint(
                condition=Q(returned__lte=F("shipped")), name="allocation_returned_was_shipped"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.quantity}"


class StockMovement(models.Model):
    """One change of what lies in a warehouse; triggers refuse to change or delete a row.

    A level's `on_hand` is the sum of its movements.
    """

    class Reason(models.TextChoices):
        """Why units came or went."""

        RECEIPT = "receipt", _("received")
        COUNT = "count", _("counted")
        DAMAGE = "damage", _("damaged or lost")
        TRANSFER = "transfer", _("moved between warehouses")
        SHIPMENT = "shipment", _("shipped")
        RETURN = "return", _("returned")

    BY_STAFF: ClassVar[tuple[str, ...]] = ("receipt", "count", "damage", "return")

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    level = models.ForeignKey(
        StockLevel, models.PROTECT, related_name="movements", verbose_name=_("stock level")
    )
    quantity = models.IntegerField(_("quantity"), help_text=_("Negative when units leave."))
    reason = models.CharField(_("reason"), max_length=10, choices=Reason)
    actor_kind = models.CharField(
        _("by"), max_length=10, choices=ActorKind, blank=True, default="", db_default=""
    )
    actor_id = models.UUIDField(_("who"), null=True)
    actor_name = models.CharField(
        _("which"), max_length=200, blank=True, default="", db_default="",
        help_text=_("Which API key, provider, import or job."),
    )  # fmt: skip
    reference = models.CharField(_("reference"), max_length=100, blank=True)
    created_at = models.DateTimeField(_("created at"), db_default=Now())

    class Meta:
        verbose_name = _("stock movement")
        verbose_name_plural = _("stock movements")
        ordering = ["-id"]
        indexes = [models.Index(fields=["level", "-id"], name="stock_movement_newest")]
        constraints = [
            models.CheckConstraint(condition=~Q(quantity=0), name="stock_movement_moves"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity:+d} {self.get_reason_display()}"

    @property
    def by(self) -> Actor:
        """Who did it; older lines know no more than whether it was one of the staff."""
        unnamed = ActorKind.STAFF if self.actor_id else ActorKind.SYSTEM
        return Actor(ActorKind(self.actor_kind or unnamed), self.actor_id, self.actor_name)
