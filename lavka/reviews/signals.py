"""A changed review row appends an event to the same commit: by the API, the admin or a shell."""

from typing import Any

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from lavka.kernel import events
from lavka.reviews.events import ReviewChanged
from lavka.reviews.models import Review


@receiver([post_save, post_delete], sender=Review)
def append_review_changed(instance: Review, raw: bool = False, **_: Any) -> None:
    """Append ReviewChanged."""
    events.publish(ReviewChanged(review_id=instance.pk, product_id=instance.product_id))
