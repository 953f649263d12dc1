"""The listing's tables: what the shop window shows, made ready to be read.

They say nothing that the catalogue and the ratings do not say, so they may be emptied and
rebuilt at any time. No foreign key ties them to their sources: a write of the catalogue never
waits for them.
"""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Func
from django.db.models.functions import Now
from django.db.models.functions.uuid import UUID7
from django.utils.translation import gettext_lazy as _


class TransactionId(models.BigIntegerField):
    """The transaction that wrote a row, as PostgreSQL numbers them over the life of a cluster."""

    def db_type(self, connection: Any) -> str:
        """64 bits, never reused."""
        return "xid8"


class ListedProduct(models.Model):
    """A published product as it is shown and searched; its window is checked when it is read.

    `card` and `page` are JSON objects; `page` leaves out prices and stock, which are read live.
    `words` are stems of all its texts, `name_words` the words of its name as they are written.
    `attributes` and `options` hold facet tokens such as "material=wool": the product's own, and
    those that some variant has; `variants` holds each one's, ["color=blue", "in_stock"], so that
    several are matched by one. `variant_images` has the ids of the pictures that show all variants;
    or else it maps a variant's id to those that show it, and "" to the one that shows the others.
    `sample` orders products by chance, the same way every time; `moved_by` tells a walk through the
    pages whether the row stood so when it began.
    """

    product_id = models.UUIDField(primary_key=True)
    card = models.TextField()
    page = models.TextField()
    words = SearchVectorField()
    name_words = SearchVectorField(db_default="")
    attributes = ArrayField(models.TextField())
    options = ArrayField(models.TextField())
    variants = models.JSONField()
    variant_images = models.JSONField(db_default={})
    categories = ArrayField(models.UUIDField())
    brand_id = models.UUIDField(null=True)
    price = models.BigIntegerField()
    stars = models.DecimalField(max_digits=3, decimal_places=2)
    reviews = models.IntegerField()
    in_stock = models.BooleanField()
    publish_at = models.DateTimeField(null=True)
    unpublish_at = models.DateTimeField(null=True)
    sample = models.IntegerField()
    moved_by = TransactionId()

    class Meta:
        verbose_name = _("listed product")
        verbose_name_plural = _("listed products")
        indexes = [
            GinIndex(fields=["words"], name="listed_words"),
            GinIndex(fields=["name_words"], name="listed_name_words", fastupdate=False),
            GinIndex(fields=["attributes", "options"], name="listed_facets"),
            GinIndex(fields=["categories"], name="listed_categories"),
            models.Index(fields=["sample"], name="listed_sample"),
            models.Index(
                fields=["unpublish_at"],
                name="listed_until",
                condition=models.Q(unpublish_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.product_id)


class ShelfPlace(models.Model):
    """A listed product's place on one shelf, once per order in which the shelf is walked.

    A shelf is a category, with all that stands inside it, a brand, or the whole shop.
    """

    pk = models.CompositePrimaryKey("shelf_id", "product_id")
    shelf_id = models.UUIDField()
    product_id = models.UUIDField()
    brand_id = models.UUIDField(null=True)
    price = models.BigIntegerField()
    stars = models.DecimalField(max_digits=3, decimal_places=2)
    reviews = models.IntegerField()
    in_stock = models.BooleanField()
    publish_at = models.DateTimeField(null=True)
    unpublish_at = models.DateTimeField(null=True)
    sample = models.IntegerField()
    moved_by = TransactionId()

    class Meta:
        verbose_name = _("place on a shelf")
        verbose_name_plural = _("places on shelves")
        indexes = [
            models.Index(fields=["shelf_id", "price", "product_id"], name="shelf_price"),
            models.Index(fields=["shelf_id", "stars", "product_id"], name="shelf_stars"),
            models.Index(fields=["shelf_id", "reviews", "product_id"], name="shelf_reviews"),
            models.Index(fields=["shelf_id", "sample"], name="shelf_sample"),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} on {self.shelf_id}"


class ListedNumber(models.Model):
    """A number or a date of a product, to be looked up by range; a date counts days from 1970."""

    pk = models.CompositePrimaryKey("product_id", "code")
    product_id = models.UUIDField()
    code = models.CharField(max_length=50)
    value = models.FloatField()

    class Meta:
        verbose_name = _("listed number")
        verbose_name_plural = _("listed numbers")
        indexes = [models.Index(fields=["code", "value", "product_id"], name="listed_number_value")]

    def __str__(self) -> str:
        return f"{self.code}={self.value}"


class StaleProduct(models.Model):
    """A product whose rows wait for their refresh; who holds this row refreshes, one at a time."""

    product_id = models.UUIDField(primary_key=True)
    marked_at = models.DateTimeField(_("since"), db_default=Now())

    class Meta:
        verbose_name = _("product to refresh")
        verbose_name_plural = _("products to refresh")
        indexes = [models.Index(fields=["marked_at"], name="stale_marked_at")]

    def __str__(self) -> str:
        return str(self.product_id)


class Letters(Func):
    """A word in ASCII: where the database's locale is C, trigrams know no other letters."""

    template = (
        "translate(%(expressions)s, 'абвгдежзийклмнопрстуфхцчшщъыьэюя',"
        " 'abvgdejziyklmnoprstufhc4w6789q01')"
    )


class Word(models.Model):
    """A word of the shop, as the search stems it, and in how many products it occurs."""

    lexeme = models.TextField(primary_key=True)
    letters = models.GeneratedField(
        expression=Letters("lexeme"), output_field=models.TextField(), db_persist=True
    )
    products = models.IntegerField(_("products"))

    class Meta:
        verbose_name = _("word")
        verbose_name_plural = _("words")
        indexes = [
            GinIndex(OpClass(F("letters"), "gin_trgm_ops"), name="word_alike"),
            models.Index(fields=["-products"], name="word_products"),
        ]

    def __str__(self) -> str:
        return self.lexeme


class Lexemes(Func):
    """The stems of a text, sorted."""

    template = "tsvector_to_array(to_tsvector('lavka'::regconfig, (%(expressions)s)::text))"


class Synonym(models.Model):
    """Two words or phrases that customers use for one thing; a search for either finds both."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    word = models.CharField(_("word"), max_length=100)
    other = models.CharField(_("means the same as"), max_length=100)
    word_lexemes = models.GeneratedField(
        expression=Lexemes("word"),
        output_field=ArrayField(models.TextField()),
        db_persist=True,
        verbose_name=_("its stems"),
    )
    other_lexemes = models.GeneratedField(
        expression=Lexemes("other"),
        output_field=ArrayField(models.TextField()),
        db_persist=True,
        verbose_name=_("their stems"),
    )

    class Meta:
        verbose_name = _("synonym")
        verbose_name_plural = _("synonyms")
        ordering = ["word", "other"]
        indexes = [
            models.Index(fields=["word_lexemes"], name="synonym_word"),
            models.Index(fields=["other_lexemes"], name="synonym_other"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["word", "other"], name="synonym_once"),
        ]

    def __str__(self) -> str:
        return f"{self.word} = {self.other}"
