"""Reviews on the wire."""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from lavka.reviews.models import Review
from lavka.web.serializers import Input, StrictCharField, StrictIntegerField


class ReviewInput(Input):
    """What a customer says about a product."""

    rating = StrictIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(5)], help_text=_("1 to 5 stars.")
    )
    title = StrictCharField(max_length=200, allow_blank=True, default="")
    text = StrictCharField(max_length=10_000, allow_blank=True, default="")


class ModerationInput(Input):
    """What customers shall see of a review."""

    status = serializers.ChoiceField(choices=Review.Status.choices)


class ReviewOutput(serializers.Serializer):
    """A published review."""

    id = serializers.UUIDField()
    rating = serializers.IntegerField(min_value=1, max_value=5)
    title = serializers.CharField()
    text = serializers.CharField()
    author = serializers.CharField(help_text=_("The author's name; empty if they gave none."))
    helpful = serializers.IntegerField(help_text=_("How many customers found it helpful."))
    verified_purchase = serializers.BooleanField(
        help_text=_("Whether the author has bought the product here.")
    )
    created_at = serializers.DateTimeField()


class OwnReviewOutput(ReviewOutput):
    """A review as its author and the staff see it."""

    status = serializers.ChoiceField(choices=Review.Status.choices)
    product = serializers.CharField(help_text=_("The product's slug."))


class RatingOutput(serializers.Serializer):
    """The average of a product's published reviews, counted in the background."""

    average = serializers.FloatField(allow_null=True)
    count = serializers.IntegerField()
    histogram = serializers.DictField(child=serializers.IntegerField())


class VotesOutput(serializers.Serializer):
    """How many customers found the review helpful."""

    helpful = serializers.IntegerField()


def review_json(review: Review) -> dict[str, Any]:
    """`ReviewOutput` of a review whose author is loaded."""
    return {
        "id": review.pk,
        "rating": review.rating,
        "title": review.title,
        "text": review.text,
        "author": review.author.name,
        "helpful": review.helpful,
        "verified_purchase": review.is_verified_purchase,
        "created_at": review.created_at,
    }


def own_review_json(review: Review) -> dict[str, Any]:
    """`OwnReviewOutput` of a review whose author and product are loaded."""
    return review_json(review) | {"status": review.status, "product": review.product.slug}
