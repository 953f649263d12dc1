"""What can go wrong with reviews."""

from django.utils.translation import gettext_lazy as _

from lavka.kernel.errors import Conflict


class AlreadyReviewed(Conflict):
    """The customer has a review of this product; `review` is its id."""

    code = "already_reviewed"
    message = _("You have already reviewed this product. Change that review instead.")


class OwnReview(Conflict):
    """Nobody votes for themselves."""

    code = "own_review"
    message = _("You cannot vote for your own review.")
