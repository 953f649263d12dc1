"""Reviews, votes on them, and the ratings counted from them."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Cast, Now, NullIf, Round
from django.db.models.functions.uuid import UUID7
from django.utils.translation import gettext_lazy as _

STARS = (1, 2, 3, 4, 5)


class ReviewQuerySet(models.QuerySet["Review"]):
    """Reviews, by who may see them."""

    def published(self) -> Self:
        """Those that customers see and that count in the rating."""
        return self.filter(status=Review.Status.PUBLISHED)


class Review(models.Model):
    """What one customer says about one product; counts in the rating while it is published."""

    class Status(models.TextChoices):
        """Moderation: PENDING waits for staff, HIDDEN was refused by them."""

        PENDING = "pending", _("waits for approval")
        PUBLISHED = "published", _("published")
        HIDDEN = "hidden", _("hidden")

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    product = models.ForeignKey(
        "catalog.Product", models.CASCADE, related_name="reviews", verbose_name=_("product")
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="reviews", verbose_name=_("author")
    )
    rating = models.PositiveSmallIntegerField(_("stars"), choices=[(n, str(n)) for n in STARS])
    title = models.CharField(_("title"), max_length=200, blank=True)
    text = models.TextField(_("text"), max_length=10_000, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.PUBLISHED)
    helpful = models.PositiveIntegerField(_("helpful votes"), default=0, editable=False)
    is_verified_purchase = models.BooleanField(
        _("verified purchase"), default=False, db_default=False, editable=False
    )
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["product", "-created_at", "-id"], name="review_newest"),
            models.Index(fields=["product", "-helpful", "-id"], name="review_most_helpful"),
            models.Index(fields=["product", "-rating", "-id"], name="review_best"),
            models.Index(fields=["updated_at"], name="review_updated_at"),
            models.Index(
                fields=["created_at"], name="review_pending", condition=Q(status="pending")
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["author", "product"], name="review_once_per_customer"),
            models.CheckConstraint(
                condition=Q(rating__gte=1, rating__lte=5), name="review_rating_1_to_5"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rating}★ {self.title}"


class HelpfulVote(models.Model):
    """One customer found one review helpful."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    review = models.ForeignKey(
        Review, models.CASCADE, related_name="votes", verbose_name=_("review")
    )
    voter = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("voter")
    )
    created_at = models.DateTimeField(_("created at"), db_default=Now())

    class Meta:
        verbose_name = _("helpful vote")
        verbose_name_plural = _("helpful votes")
        constraints = [
            models.UniqueConstraint(fields=["review", "voter"], name="vote_once_per_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.voter_id} → {self.review_id}"


class CountedReview(models.Model):
    """What a review adds to its product's rating right now: the memory of the incremental count.

    It outlives the review, so that a deleted review can be taken back out.
    """

    review_id = models.UUIDField(primary_key=True)
    product = models.ForeignKey("catalog.Product", models.CASCADE, related_name="+")
    rating = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = _("counted review")
        verbose_name_plural = _("counted reviews")

    def __str__(self) -> str:
        return f"{self.review_id}: {self.rating}"


_COUNT = F("stars_1") + F("stars_2") + F("stars_3") + F("stars_4") + F("stars_5")
_TOTAL = F("stars_1") + F("stars_2") * 2 + F("stars_3") * 3 + F("stars_4") * 4 + F("stars_5") * 5


class ProductRating(models.Model):
    """How many reviews gave a product each number of stars; count and average follow from it."""

    product = models.OneToOneField(
        "catalog.Product",
        models.CASCADE,
        primary_key=True,
        related_name="rating",
        verbose_name=_("product"),
    )
    stars_1 = models.PositiveIntegerField("1 ★", default=0)
    stars_2 = models.PositiveIntegerField("2 ★", default=0)
    stars_3 = models.PositiveIntegerField("3 ★", default=0)
    stars_4 = models.PositiveIntegerField("4 ★", default=0)
    stars_5 = models.PositiveIntegerField("5 ★", default=0)
    count = models.GeneratedField(
        expression=_COUNT,
        output_field=models.IntegerField(),
        db_persist=True,
        verbose_name=_("number of reviews"),
    )
    average = models.GeneratedField(
        expression=Round(
            Cast(_TOTAL, models.DecimalField(max_digits=12, decimal_places=2)) / NullIf(_COUNT, 0),
            precision=2,
        ),
        output_field=models.DecimalField(max_digits=3, decimal_places=2, null=True),
        db_persist=True,
        verbose_name=_("average"),
    )

    class Meta:
        verbose_name = _("rating")
        verbose_name_plural = _("ratings")

    def __str__(self) -> str:
        return f"{self.average} ({self.count})"

    @property
    def histogram(self) -> dict[str, int]:
        """Reviews per number of stars, `{"1": 0, …, "5": 9}`."""
        return {str(stars): getattr(self, f"stars_{stars}") for stars in STARS}
