"""What an import remembers."""

from django.db import models
from django.db.models.functions import Now
from django.db.models.functions.uuid import UUID7
from django.utils.translation import gettext_lazy as _

MAX_SOURCE = 1000


class ImportedQuantity(models.Model):
    """What a product file said last of a variant's quantity: the same again is no new count.

    It was counted in `warehouse`; None says that it was not, as staff had counted before.
    """

    variant = models.OneToOneField(
        "catalog.Variant", models.CASCADE, primary_key=True, related_name="imported_quantity",
        verbose_name=_("variant"),
    )  # fmt: skip
    quantity = models.PositiveIntegerField(_("quantity"))
    warehouse = models.ForeignKey(
        "inventory.Warehouse", models.PROTECT, null=True, related_name="+",
        verbose_name=_("warehouse"),
    )  # fmt: skip

    class Meta:
        verbose_name = _("imported quantity")
        verbose_name_plural = _("imported quantities")

    def __str__(self) -> str:
        return f"{self.variant_id}: {self.quantity}"


class ImportedPicture(models.Model):
    """Where a product's picture came from, so that it comes once; forgotten with the picture."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    product = models.ForeignKey("catalog.Product", models.CASCADE, related_name="+")
    image = models.OneToOneField("catalog.ProductImage", models.CASCADE, related_name="+")
    source = models.CharField(_("source"), max_length=MAX_SOURCE)
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("imported picture")
        verbose_name_plural = _("imported pictures")
        constraints = [
            models.UniqueConstraint(fields=["product", "source"], name="imported_picture_once"),
        ]

    def __str__(self) -> str:
        return self.source
