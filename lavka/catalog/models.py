"""Products and everything that describes them."""

import datetime
import uuid
from pathlib import PurePosixPath
from typing import Self

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Deferrable, F, Q
from django.db.models.functions import Now, Upper
from django.db.models.functions.uuid import UUID7
from django.utils.translation import gettext_lazy as _
from tree_queries.fields import TreeNodeForeignKey
from tree_queries.models import TreeNode

from lavka.catalog.rules import StoredPicture
from lavka.kernel.conf import options
from lavka.kernel.folded_text import Folded
from lavka.kernel.money import Money
from lavka.kernel.rich_text import RichTextField

_HTML = _("HTML; what could run in a browser is taken out.")

CODE = RegexValidator(r"\A[a-z][a-z0-9_]{0,49}\Z", _("Lower-case letters, digits and underscores."))
GTIN = RegexValidator(r"\A([0-9]{8}|[0-9]{12,14})\Z", _("8, 12, 13 or 14 digits."))


class Attribute(models.Model):
    """A typed property of products (weight, material) or of variants (color, size)."""

    class Kind(models.TextChoices):
        """How a value is stored in the product's JSON, and compared."""

        TEXT = "text", _("text")
        NUMBER = "number", _("number")
        BOOLEAN = "boolean", _("yes or no")
        DATE = "date", _("date")
        CHOICE = "choice", _("one choice")
        CHOICES = "choices", _("several choices")

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    code = models.CharField(_("code"), max_length=50, unique=True, validators=[CODE])
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    unit = models.CharField(_("unit"), max_length=20, blank=True)

    class Meta:
        verbose_name = _("attribute")
        verbose_name_plural = _("attributes")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(code__regex=r"^[a-z][a-z0-9_]*$"), name="attribute_code_is_a_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Choice(models.Model):
    """One value that a choice attribute may take; products store its code."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    attribute = models.ForeignKey(
        Attribute, models.CASCADE, related_name="choices", verbose_name=_("attribute")
    )
    code = models.CharField(_("code"), max_length=100)
    label = models.CharField(_("label"), max_length=100)
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("choice")
        verbose_name_plural = _("choices")
        ordering = ["position", "label"]
        constraints = [
            models.UniqueConstraint(fields=["attribute", "code"], name="choice_once_per_attribute"),
        ]

    def __str__(self) -> str:
        return self.label


class ProductType(models.Model):
    """The schema of a kind of product: which attributes it has, which of them make variants."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    code = models.CharField(_("code"), max_length=50, unique=True, validators=[CODE])
    name = models.CharField(_("name"), max_length=100)
    attributes = models.ManyToManyField(Attribute, through="TypeAttribute", related_name="types")

    class Meta:
        verbose_name = _("product type")
        verbose_name_plural = _("product types")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TypeAttribute(models.Model):
    """One attribute of a product type; an option is a choice that tells variants apart."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    product_type = models.ForeignKey(
        ProductType, models.CASCADE, related_name="type_attributes", verbose_name=_("product type")
    )
    attribute = models.ForeignKey(
        Attribute, models.PROTECT, related_name="type_attributes", verbose_name=_("attribute")
    )
    is_option = models.BooleanField(_("tells variants apart"), default=False)
    is_required = models.BooleanField(_("required"), default=False)
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("attribute of a type")
        verbose_name_plural = _("attributes of a type")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["product_type", "attribute"], name="type_attribute_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_type_id} {self.attribute_id}"


class Category(TreeNode):
    """A shelf of the shop; shelves stand inside shelves."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    parent = TreeNodeForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("stands in"),
    )
    slug = models.SlugField(_("slug"), max_length=200, unique=True)
    name = models.CharField(_("name"), max_length=200)
    description = RichTextField(_("description"), blank=True, help_text=_HTML)
    position = models.PositiveIntegerField(_("position"), default=0)
    seo_title = models.CharField(_("SEO title"), max_length=200, blank=True)
    seo_description = models.CharField(_("SEO description"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["position", "name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(parent=None) | ~Q(parent=F("id")), name="category_not_in_itself"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Brand(models.Model):
    """Who makes it."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    slug = models.SlugField(_("slug"), max_length=200, unique=True)
    name = models.CharField(_("name"), max_length=200)
    description = RichTextField(_("description"), blank=True, help_text=_HTML)
    seo_title = models.CharField(_("SEO title"), max_length=200, blank=True)
    seo_description = models.CharField(_("SEO description"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("brand")
        verbose_name_plural = _("brands")
        ordering = ["name"]
        indexes = [GinIndex(OpClass(Folded("name"), "gin_trgm_ops"), name="brand_name_folded")]

    def __str__(self) -> str:
        return self.name


class ProductQuerySet(models.QuerySet["Product"]):
    """Products, by who may see them."""

    def published(self, at: datetime.datetime) -> Self:
        """Products that customers see at the instant `at`."""
        return self.filter(
            Q(publish_at=None) | Q(publish_at__lte=at),
            Q(unpublish_at=None) | Q(unpublish_at__gt=at),
            status=Product.Status.PUBLISHED,
        )


class Product(models.Model):
    """What a customer looks at; what they buy is one of its variants.

    `attributes` maps attribute codes to typed values, as the product type allows:
    text "…", number 1.5, boolean true, date "2026-01-31", choice "red", choices ["red", "blue"].
    """

    class Status(models.TextChoices):
        """Who may see the product; the publishing window narrows PUBLISHED further."""

        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")
        ARCHIVED = "archived", _("archived")

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    product_type = models.ForeignKey(
        ProductType, models.PROTECT, related_name="products", verbose_name=_("product type")
    )
    slug = models.SlugField(_("slug"), max_length=200, unique=True)
    name = models.CharField(_("name"), max_length=250)
    description = RichTextField(_("description"), blank=True, help_text=_HTML)
    brand = models.ForeignKey(
        Brand, models.PROTECT, null=True, blank=True, related_name="products",
        verbose_name=_("brand"),
    )  # fmt: skip
    category = models.ForeignKey(
        Category, models.PROTECT, null=True, blank=True, related_name="products",
        verbose_name=_("category"),
    )  # fmt: skip
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.DRAFT)
    publish_at = models.DateTimeField(_("publish at"), null=True, blank=True)
    unpublish_at = models.DateTimeField(_("unpublish at"), null=True, blank=True)
    seo_title = models.CharField(_("SEO title"), max_length=200, blank=True)
    seo_description = models.CharField(_("SEO description"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = ProductQuerySet.as_manager()

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["-id"], name="product_published", condition=Q(status="published")),
            models.Index(fields=["category", "-id"], name="product_category"),
            models.Index(fields=["brand", "-id"], name="product_brand"),
            models.Index(fields=["name", "id"], name="product_name"),
            GinIndex(OpClass(Folded("name"), "gin_trgm_ops"), name="product_name_folded"),
            GinIndex(OpClass(Upper("slug"), "gin_trgm_ops"), name="product_slug_contains"),
            GinIndex(
                fields=["attributes"], name="product_attributes", opclasses=["jsonb_path_ops"]
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(publish_at=None)
                | Q(unpublish_at=None)
                | Q(unpublish_at__gt=F("publish_at")),
                name="product_window_is_forward",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Variant(models.Model):
    """One thing that can be bought; `options` maps each option's code to the choice's code.

    A new variant is tracked and has no stock. `has_stock` says whether its stock levels have a unit
    to sell; `inventory` writes it, nobody else.
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    product = models.ForeignKey(
        Product, models.CASCADE, related_name="variants", verbose_name=_("product")
    )
    sku = models.CharField(_("SKU"), max_length=100, unique=True)
    gtin = models.CharField("GTIN", max_length=14, blank=True, validators=[GTIN])
    options = models.JSONField(_("options"), default=dict, blank=True)
    price_amount = models.BigIntegerField(_("price"), help_text=_("In minor units (cents)."))
    compare_at_amount = models.BigIntegerField(
        _("price before"), null=True, blank=True, help_text=_("In minor units (cents).")
    )
    cost_amount = models.BigIntegerField(
        _("cost"),
        null=True,
        blank=True,
        help_text=_("What one unit costs the shop, in minor units. Customers never see it."),
    )
    track_inventory = models.BooleanField(
        _("track inventory"),
        default=True,
        db_default=True,
        help_text=_("Off: it is sold without counting, however many are ordered."),
    )
    has_stock = models.BooleanField(default=False, db_default=False, editable=False)
    is_in_stock = models.GeneratedField(
        expression=Q(track_inventory=False) | Q(has_stock=True),  # type: ignore[arg-type]
        output_field=models.BooleanField(),
        db_persist=True,
        verbose_name=_("in stock"),
    )
    weight_grams = models.PositiveIntegerField(_("weight, g"), null=True, blank=True)
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("variant")
        verbose_name_plural = _("variants")
        ordering = ["position", "id"]
        indexes = [
            models.Index(fields=["price_amount", "id"], name="variant_price"),
            models.Index(
                fields=["product", "price_amount", "position", "id"], name="variant_cheapest"
            ),
            GinIndex(OpClass(Upper("sku"), "gin_trgm_ops"), name="variant_sku_contains"),
        ]
        constraints = [
            # Checked when a statement ends, so that one statement can swap two variants' options.
            models.UniqueConstraint(
                fields=["product", "options"],
                name="variant_options_once",
                deferrable=Deferrable.IMMEDIATE,
            ),
            models.CheckConstraint(
                condition=Q(price_amount__gte=0), name="variant_price_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(compare_at_amount=None) | Q(compare_at_amount__gte=F("price_amount")),
                name="variant_compare_at_not_below_price",
            ),
            models.CheckConstraint(
                condition=Q(cost_amount=None) | Q(cost_amount__gte=0),
                name="variant_cost_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(gtin="") | Q(gtin__regex=r"^([0-9]{8}|[0-9]{12,14})$"),
                name="variant_gtin_has_its_digits",
            ),
            models.UniqueConstraint(
                fields=["gtin"], condition=~Q(gtin=""), name="variant_gtin_once"
            ),
        ]

    def __str__(self) -> str:
        return self.sku

    @property
    def price(self) -> Money:
        """What it costs, in the shop's currency."""
        return Money(self.price_amount, options.currency)

    @property
    def cost(self) -> Money | None:
        """What one unit costs the shop, when staff say so."""
        if self.cost_amount is None:
            return None
        return Money(self.cost_amount, options.currency)

    @property
    def compare_at_price(self) -> Money | None:
        """What it cost before, when the shop says so."""
        if self.compare_at_amount is None:
            return None
        return Money(self.compare_at_amount, options.currency)


def picture_name(image: "ProductImage", filename: str) -> str:
    """Where a picture is stored: a name that nobody chose and no other picture has."""
    return f"products/{uuid.uuid4()}{PurePosixPath(filename).suffix.lower()}"


class ProductImage(models.Model):
    """A picture of a product; `thumbnails` maps a width in pixels to the stored file's name."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    product = models.ForeignKey(
        Product, models.CASCADE, related_name="images", verbose_name=_("product")
    )
    file = models.ImageField(
        _("file"), upload_to=picture_name, width_field="width", height_field="height"
    )
    alt = models.CharField(_("alternative text"), max_length=250, blank=True)
    position = models.PositiveIntegerField(_("position"), default=0)
    width = models.PositiveIntegerField(null=True, editable=False)
    height = models.PositiveIntegerField(null=True, editable=False)
    thumbnails = models.JSONField(default=dict, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return str(self.file.name)

    @property
    def picture(self) -> StoredPicture:
        """What lines of carts and orders copy of it."""
        return StoredPicture(
            file=str(self.file.name),
            alt=self.alt,
            width=self.width,
            height=self.height,
            thumbnails=self.thumbnails,
        )

    @property
    def stored_names(self) -> list[str]:
        """The names of all its files in the storage."""
        return [str(self.file.name), *self.thumbnails.values()]


class VariantImage(models.Model):
    """A picture of its product that shows this variant; a trigger refuses another product's.

    A variant without any is shown by the product's first picture.
    """

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    # The constraint's index begins with it.
    variant = models.ForeignKey(
        Variant, models.CASCADE, related_name="image_links", db_index=False,
        verbose_name=_("variant"),
    )  # fmt: skip
    image = models.ForeignKey(
        ProductImage, models.CASCADE, related_name="variant_links", verbose_name=_("picture")
    )
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("picture of a variant")
        verbose_name_plural = _("pictures of variants")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["variant", "image"], name="variant_image_once"),
        ]

    def __str__(self) -> str:
        return f"{self.variant_id} {self.image_id}"


class SlugHistory(models.Model):
    """A slug that a product, category or brand had before; a trigger writes it, whoever renames.

    A live slug always wins over a past one.
    """

    class Kind(models.TextChoices):
        """Whose slug it was."""

        PRODUCT = "product", _("product")
        CATEGORY = "category", _("category")
        BRAND = "brand", _("brand")

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    slug = models.CharField(_("slug"), max_length=200)
    target = models.UUIDField(_("now"))
    changed_at = models.DateTimeField(_("changed at"), db_default=Now())

    class Meta:
        verbose_name = _("past slug")
        verbose_name_plural = _("past slugs")
        constraints = [
            models.UniqueConstraint(fields=["kind", "slug"], name="slug_history_once"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.slug}"
