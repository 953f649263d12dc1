"""Reviews for tests."""

from typing import Any

from lavka.reviews.models import Review
from tests.accounts.factories import make_customer
from tests.catalog.factories import make_product


def make_review(**overrides: Any) -> Review:
    fields = {"rating": 4, "title": "Good", "text": "It does what it says."} | overrides
    if "product" not in fields:
        fields["product"] = make_product()
    if "author" not in fields:
        fields["author"] = make_customer()
    return Review.objects.create(**fields)
