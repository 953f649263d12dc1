"""What can happen to reviews."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from lavka.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class ReviewChanged(Event):
    """A review was written, changed, moderated or deleted, and then stands as the event says."""

    name: ClassVar[str] = "reviews.review_changed"
    right: ClassVar[str] = "reviews.view_review"
    review_id: UUID
    product_id: UUID
    rating: int | None = None
    status: str | None = None
    is_deleted: bool | None = None

    @property
    def aggregate(self) -> UUID:
        """The review."""
        return self.review_id


@dataclass(frozen=True, kw_only=True)
class RatingChanged(Event):
    """A product's rating was counted anew and differs from what it was."""

    name: ClassVar[str] = "reviews.rating_changed"
    product_id: UUID

    @property
    def aggregate(self) -> UUID:
        """The product."""
        return self.product_id
