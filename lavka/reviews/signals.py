"""A changed review row appends an event to the same commit: by the API, the admin or a shell."""

from typing import Any

from django.db.models.signals import ModelSignal, post_delete, post_save
from django.dispatch import receiver

from lavka.kernel import events
from lavka.reviews import services
from lavka.reviews.models import Review


@receiver([post_save, post_delete], sender=Review)
def append_review_changed(instance: Review, signal: ModelSignal, **_: Any) -> None:
    """Append ReviewChanged."""
    events.publish(services.review_changed(instance, is_deleted=signal is post_delete))
