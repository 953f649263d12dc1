"""Orders, their lines, their history, and the series of their numbers."""

import datetime
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.fields.json import KT
from django.db.models.functions import Now, Upper
from django.db.models.functions.uuid import UUID7
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lavka.kernel.actors import Actor, ActorKind
from lavka.kernel.folded_text import Folded
from lavka.kernel.money import Money
from lavka.orders.rules import EventKind, OrderPaymentStatus, OrderStatus


class NumberSeries(models.Model):
    """The last number given out; its row is locked by whoever takes the next, until they commit."""

    class Name(models.TextChoices):
        """The series that the shop itself has; a plug point may add others."""

        ORDERS = "orders", _("orders")
        INVOICES = "invoices", _("invoices")
        CREDIT_NOTES = "credit_notes", _("credit notes")

    name = models.CharField(_("name"), max_length=50, primary_key=True, choices=Name)
    last = models.BigIntegerField(_("last number"), default=0)

    class Meta:
        verbose_name = _("series of numbers")
        verbose_name_plural = _("series of numbers")
        constraints = [
            models.CheckConstraint(condition=Q(last__gte=0), name="number_series_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.get_name_display()}: {self.last}"


_PAID_TOO_MUCH = Q(captured_amount__gt=F("total_amount") + F("refunded_amount"))


class FoundBy(models.Func):
    """What staff find an order by, besides number and SKU, in one text with spaces around words.

    E-mail, and of both addresses name, city, country, postal code as it is written and without
    separators, and the digits of the phone.
    """

    function = "orders_found_by"
    output_field = models.TextField()

    def __init__(self, *columns: Any, **extra: Any) -> None:
        """Of the columns, unless a copy of the expression brings its own."""
        super().__init__(*(columns or ("email", "shipping_address", "billing_address")), **extra)


class OrderQuerySet(models.QuerySet["Order"]):
    """Orders, by what became of them."""

    def placed(self) -> Self:
        """Those that customers and staff see: everything that ever got a number."""
        return self.filter(number__isnull=False)

    def drafts(self) -> Self:
        """Checkouts that have not become an order."""
        return self.filter(status=OrderStatus.DRAFT)

    def paid_too_much(self) -> Self:
        """Those that hold more than they cost."""
        return self.filter(_PAID_TOO_MUCH)

    def overdue(self, at: datetime.datetime) -> Self:
        """Those that were to be paid by now: nothing came, and nothing was sent."""
        return self.filter(
            status=OrderStatus.PLACED,
            captured_amount=0,
            total_amount__gt=0,
            payment_due_at__lte=at,
        )

    def locked(self) -> Self:
        """The same orders, each held until the caller's transaction ends."""
        return self.select_for_update(of=("self",), no_key=True)


_PAYMENT_STATUS = Case(
    When(Q(refunded_amount__gt=0, refunded_amount=F("captured_amount")),
         then=Value(OrderPaymentStatus.REFUNDED)),
    When(refunded_amount__gt=0, then=Value(OrderPaymentStatus.PARTIALLY_REFUNDED)),
    When(captured_amount__gte=F("total_amount"), then=Value(OrderPaymentStatus.PAID)),
    When(captured_amount__gt=0, then=Value(OrderPaymentStatus.PARTIALLY_PAID)),
    When(authorised_amount__gt=0, then=Value(OrderPaymentStatus.AUTHORISED)),
    default=Value(OrderPaymentStatus.UNPAID),
)  # fmt: skip

_NET = F("subtotal_amount") - F("discount_amount") + F("shipping_amount")


class Order(models.Model):
    """What one cart became: a copy of everything that was agreed, in minor units of `currency`.

    `authorised_amount` is promised and neither captured nor voided; the ledger in `payments` is
    the source of the three payment amounts, and `payment_status` follows from them.
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    number = models.BigIntegerField(pgettext_lazy("of an order", "number"), null=True, blank=True)
    cart_id = models.UUIDField(_("cart"), unique=True)
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="orders",
        verbose_name=_("customer"),
    )  # fmt: skip
    link_version = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    email = models.EmailField(_("e-mail"))
    vat_number = models.CharField(
        _("VAT number"), max_length=20, blank=True, default="", db_default=""
    )
    language = models.CharField(_("language"), max_length=10, default="en", db_default="en")
    status = models.CharField(
        _("status"), max_length=20, choices=OrderStatus, default=OrderStatus.DRAFT
    )
    currency = models.CharField(_("currency"), max_length=3, help_text="ISO 4217")
    subtotal_amount = models.BigIntegerField(_("goods"))
    discount_amount = models.BigIntegerField(_("discount"), default=0)
    shipping_amount = models.BigIntegerField(_("shipping"))
    shipping_tax_amount = models.BigIntegerField(_("tax on shipping"), default=0)
    shipping_taxes: Any = models.JSONField(_("taxes on shipping"), default=list, db_default=[])
    tax_amount = models.BigIntegerField(_("tax"))
    total_amount = models.BigIntegerField(_("total"))
    line_count = models.PositiveIntegerField(_("lines"), default=0, db_default=0)
    piece_count = models.PositiveIntegerField(_("pieces"), default=0, db_default=0)
    is_tax_included = models.BooleanField(_("prices include tax"), default=False)
    authorised_amount = models.BigIntegerField(_("authorised"), default=0)
    captured_amount = models.BigIntegerField(_("captured"), default=0)
    refunded_amount = models.BigIntegerField(_("refunded"), default=0)
    payment_status = models.GeneratedField(
        expression=_PAYMENT_STATUS,
        output_field=models.CharField(max_length=20, choices=OrderPaymentStatus),
        db_persist=True,
        choices=OrderPaymentStatus,
        verbose_name=_("payment"),
    )
    shipping_address = models.JSONField(_("shipping address"))
    billing_address = models.JSONField(_("billing address"), null=True, blank=True)
    shipping_option = models.JSONField(_("shipping option"))
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)
    placed_at = models.DateTimeField(_("placed at"), null=True, blank=True)
    payment_due_at = models.DateTimeField(
        _("to be paid until"),
        null=True,
        blank=True,
        help_text=_("When nothing was paid and nothing sent by then, the shop cancels the order."),
    )
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True, blank=True)
    completed_at = models.DateTimeField(_("completed at"), null=True, blank=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-placed_at", "-id"]
        indexes = [
            models.Index(
                fields=["customer", "-placed_at", "-id"],
                name="order_of_customer",
                condition=Q(number__isnull=False),
            ),
            models.Index(
                fields=["-placed_at", "-id"],
                name="order_newest",
                condition=Q(number__isnull=False),
            ),
            models.Index(fields=["status", "-placed_at", "-id"], name="order_status"),
            models.Index(fields=["email"], name="order_email"),
            GinIndex(
                OpClass(Folded(FoundBy()), "gin_trgm_ops"),
                name="order_found_by",
                condition=Q(number__isnull=False),
            ),
            models.Index(fields=["updated_at"], name="order_draft", condition=Q(status="draft")),
            models.Index(
                fields=["payment_due_at"],
                name="order_payment_due",
                condition=Q(status="placed", payment_due_at__isnull=False),
            ),
            models.Index(
                fields=["updated_at"], name="order_paid_too_much", condition=_PAID_TOO_MUCH
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["number"], name="order_number_once"),
            models.CheckConstraint(
                condition=Q(
                    subtotal_amount__gte=0,
                    discount_amount__gte=0,
                    discount_amount__lte=F("subtotal_amount"),
                    shipping_amount__gte=0,
                    shipping_tax_amount__gte=0,
                    tax_amount__gte=F("shipping_tax_amount"),
                ),
                name="order_amounts_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(is_tax_included=True, total_amount=_NET)
                | Q(is_tax_included=False, total_amount=_NET + F("tax_amount")),
                name="order_total_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(
                    authorised_amount__gte=0,
                    refunded_amount__gte=0,
                    refunded_amount__lte=F("captured_amount"),
                ),
                name="order_refunds_within_captures",
            ),
            models.CheckConstraint(
                condition=Q(status="draft", number=None, placed_at=None)
                | (
                    ~Q(status="draft")
                    & Q(number__isnull=False, number__gte=1, placed_at__isnull=False)
                ),
                name="order_has_a_number_once_placed",
            ),
            models.CheckConstraint(
                condition=Q(status="cancelled", cancelled_at__isnull=False)
                | (~Q(status="cancelled") & Q(cancelled_at=None)),
                name="order_cancelled_has_its_instant",
            ),
        ]

    def __str__(self) -> str:
        return f"№ {self.number}" if self.number else str(self.pk)

    def money(self, amount: int) -> Money:
        """An amount in the order's currency."""
        return Money(amount, self.currency)

    @property
    def total(self) -> Money:
        """What the customer pays."""
        return self.money(self.total_amount)

    @property
    def refundable_amount(self) -> int:
        """What was captured and not given back."""
        return self.captured_amount - self.refunded_amount

    @property
    def payment_deadline(self) -> datetime.datetime | None:
        """Until when it is to be paid, while it waits for its money."""
        waits = self.is_placed and self.status != OrderStatus.CANCELLED
        return self.payment_due_at if waits and self.captured_amount < self.total_amount else None

    @property
    def is_placed(self) -> bool:
        """Whether it ever became an order, cancelled or not."""
        return self.number is not None


class OrderLine(models.Model):
    """One thing that was bought, copied as it was sold; amounts are in minor units.

    `options` maps codes, `selected_options` are `SelectedOption`s, `image` is a `StoredPicture`.

    `total_amount` is what the pieces cost after discount, with their tax when the order's prices
    include it.
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    order = models.ForeignKey(Order, models.CASCADE, related_name="lines", verbose_name=_("order"))
    position = models.PositiveIntegerField(_("position"))
    variant_id = models.UUIDField(_("variant"), db_index=True)
    product_id = models.UUIDField(_("product"), db_index=True)
    sku = models.CharField(_("SKU"), max_length=100)
    name = models.CharField(_("name"), max_length=250)
    options = models.JSONField(_("options"), default=dict, blank=True)
    selected_options: Any = models.JSONField(
        _("selected options"), default=list, db_default=[], blank=True
    )
    image: Any = models.JSONField(_("picture"), null=True, blank=True)
    unit_price_amount = models.BigIntegerField(_("price"))
    quantity = models.PositiveIntegerField(_("quantity"))
    discount_amount = models.BigIntegerField(_("discount"), default=0)
    tax_amount = models.BigIntegerField(_("tax"), default=0)
    taxes: Any = models.JSONField(_("taxes"), default=list, db_default=[], blank=True)
    total_amount = models.GeneratedField(
        expression=F("unit_price_amount") * F("quantity") - F("discount_amount"),
        output_field=models.BigIntegerField(),
        db_persist=True,
        verbose_name=_("total"),
    )
    fulfilled_quantity = models.PositiveIntegerField(_("shipped"), default=0)
    returned_quantity = models.PositiveIntegerField(_("returned"), default=0)
    refunded_quantity = models.PositiveIntegerField(_("refunded"), default=0)

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        ordering = ["position", "id"]
        indexes = [
            models.Index(
                KT("image__file"), name="order_line_picture", condition=Q(image__isnull=False)
            ),
            models.Index(OpClass(Upper("sku"), "text_pattern_ops"), name="order_line_sku"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="order_line_position_once"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="order_line_has_pieces"),
            models.CheckConstraint(
                condition=Q(unit_price_amount__gte=0, tax_amount__gte=0, discount_amount__gte=0)
                & Q(discount_amount__lte=F("unit_price_amount") * F("quantity")),
                name="order_line_amounts_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(fulfilled_quantity__lte=F("quantity"))
                & Q(returned_quantity__lte=F("fulfilled_quantity"))
                & Q(refunded_quantity__lte=F("quantity")),
                name="order_line_no_more_than_bought",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku}"

    def money(self, amount: int) -> Money:
        """An amount in the currency of its order, which is to be loaded."""
        return self.order.money(amount)

    @property
    def unfulfilled_quantity(self) -> int:
        """Pieces that are still to be shipped."""
        return self.quantity - self.fulfilled_quantity


class OrderEvent(models.Model):
    """What happened to an order, and by whom; a trigger refuses to change or delete an entry.

    Only the link to the actor goes, when their account is deleted.
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    order = models.ForeignKey(
        Order, models.PROTECT, related_name="history", verbose_name=_("order")
    )
    kind = models.CharField(_("what"), max_length=20, choices=EventKind)
    actor_kind = models.CharField(_("by"), max_length=10, choices=ActorKind)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("who"),
    )  # fmt: skip
    actor_name = models.CharField(
        _("which"), max_length=200, blank=True, default="", db_default="",
        help_text=_("Which API key, provider, import or job."),
    )  # fmt: skip
    details = models.JSONField(_("details"), default=dict, encoder=DjangoJSONEncoder)
    happened_at = models.DateTimeField(_("when"), db_default=Now())

    class Meta:
        verbose_name = _("entry of an order's history")
        verbose_name_plural = _("history of orders")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.get_kind_display()}"

    @property
    def by(self) -> Actor:
        """Who did it."""
        return Actor(ActorKind(self.actor_kind), self.actor_id, self.actor_name)
