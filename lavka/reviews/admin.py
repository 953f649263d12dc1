"""The staff's pages for reviews; saving one recounts the rating through its event."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from lavka.kernel.admin import HidesReadOnlyFieldsOnAdd, ModelAdmin, Untouchable
from lavka.reviews import services
from lavka.reviews.models import STARS, HelpfulVote, ProductRating, Review


@admin.register(Review)
class ReviewAdmin(HidesReadOnlyFieldsOnAdd, ModelAdmin):
    """The moderation queue and every review."""

    list_display = [
        "product", "rating", "title", "author", "status", "is_verified_purchase", "helpful",
        "created_at",
    ]  # fmt: skip
    list_display_links = ["product", "title"]
    list_filter = ["status", "rating", "is_verified_purchase", "created_at"]
    list_select_related = ["product", "author"]
    search_fields = ["title", "text", "product__name__folded__contains", "author__email"]
    autocomplete_fields = ["product", "author"]
    readonly_fields = ["is_verified_purchase", "helpful", "created_at", "updated_at"]
    date_hierarchy = "created_at"
    actions = ["publish", "hide"]
    show_full_result_count = False

    @admin.action(description=_("Publish"), permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Review]) -> None:
        """Show the chosen reviews to customers."""
        self._moderate(request, queryset, Review.Status.PUBLISHED)

    @admin.action(description=_("Hide"), permissions=["change"])
    def hide(self, request: HttpRequest, queryset: QuerySet[Review]) -> None:
        """Take the chosen reviews out of sight and out of the rating."""
        self._moderate(request, queryset, Review.Status.HIDDEN)

    def _moderate(self, request: HttpRequest, reviews: QuerySet[Review], status: str) -> None:
        for review_id in reviews.values_list("pk", flat=True):
            services.moderate_review(review_id=review_id, status=status)
        label = Review.Status(status).label
        self.message_user(request, _("Status of the reviews: %(status)s.") % {"status": label})


@admin.register(ProductRating)
class ProductRatingAdmin(Untouchable, ModelAdmin):
    """Ratings as they were counted."""

    list_display = ["product", "average", "count", *(f"stars_{n}" for n in STARS)]
    list_select_related = ["product"]
    search_fields = ["product__name__folded__contains"]


@admin.register(HelpfulVote)
class HelpfulVoteAdmin(Untouchable, ModelAdmin):
    """Who found what helpful."""

    list_display = ["review", "voter", "created_at"]
    list_select_related = ["review", "voter"]
