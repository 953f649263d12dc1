"""Customers read, write and vote for reviews."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.reviews import selectors, services
from lavka.reviews.api.serializers import (
    OwnReviewOutput,
    RatingOutput,
    ReviewInput,
    ReviewOutput,
    VotesOutput,
    own_review_json,
    review_json,
)
from lavka.reviews.errors import AlreadyReviewed, OwnReview
from lavka.web import parameters
from lavka.web.bodies import KIB
from lavka.web.pages import PageRequest, read_page
from lavka.web.schema import PAGE_PARAMETERS, operation
from lavka.web.serializers import page_output
from lavka.web.views import CustomerView, View, in_thread

ORDERS = {
    "newest": ("-created_at", "-id"),
    "helpful": ("-helpful", "-id"),
    "best": ("-rating", "-id"),
    "worst": ("rating", "id"),
}
SORT = OpenApiParameter("sort", str, enum=list(ORDERS), default="newest")
RATINGS = ("1", "2", "3", "4", "5")
STARS = OpenApiParameter(
    "rating",
    {"type": "array", "maxItems": 5, "items": {"type": "integer", "enum": [1, 2, 3, 4, 5]}},
    description="Only these numbers of stars.",
)
VERIFIED = OpenApiParameter(
    "verified_purchase", bool, description="Only of those who bought it, or only of the others."
)
EXAMPLE = OpenApiExample(
    "A review",
    {"rating": 5, "title": "Keeps its heat", "text": "Still warm after a night in the tent."},
    request_only=True,
)


class ReviewsView(View):
    """The reviews of one product."""

    def get_permissions(self) -> list[BasePermission]:
        """Everyone reads, customers write."""
        return [IsAuthenticated() if self.request.method == "POST" else AllowAny()]

    @operation(
        "list_reviews",
        "List a product's reviews",
        parameters=[*PAGE_PARAMETERS, SORT, STARS, VERIFIED],
        responses=page_output(ReviewOutput, "ReviewPage"),
    )
    async def get(self, request: Request, slug: str) -> Response:
        order, stars = _order(request.query_params), _stars(request.query_params)
        wanted = PageRequest.of(request.query_params)
        is_verified = parameters.boolean(request.query_params, "verified_purchase")

        product = await selectors.reviewed_product.aget(slug, timezone.now())
        reviews = selectors.reviews_of(product)
        if stars:
            reviews = reviews.filter(rating__in=stars)
        if is_verified is not None:
            reviews = reviews.filter(is_verified_purchase=is_verified)
        return Response(await read_page(reviews, order=order, wanted=wanted, render=review_json))

    @operation(
        "write_review",
        "Review a product",
        request=ReviewInput,
        max_body_bytes=64 * KIB,
        responses={201: OwnReviewOutput},
        errors=[AlreadyReviewed],
        examples=[EXAMPLE],
        description="One review per customer and product. The rating follows in the background.",
    )
    async def post(self, request: Request, slug: str) -> Response:
        content: Any = ReviewInput.read(request.data)

        def write() -> dict[str, Any]:
            review = services.write_review(
                slug=slug, author_id=self.caller.id, at=timezone.now(), **content
            )
            return own_review_json(selectors.own_review.get(review.pk, self.caller.id))

        return Response(await in_thread(write), status=201)


class RatingView(View):
    """How a product is rated."""

    @operation("get_rating", "Get a product's rating and histogram", responses=RatingOutput)
    async def get(self, request: Request, slug: str) -> Response:
        product = await selectors.reviewed_product.aget(slug, timezone.now())
        found = await selectors.rating_of(product)
        return Response(
            {"average": found.average, "count": found.count, "histogram": found.histogram}
        )


class ReviewView(CustomerView):
    """A customer's own review."""

    def require_reachable(self) -> None:
        """Raises Review.DoesNotExist."""
        selectors.own_review.get(self.kwargs["review_id"], self.caller.id)

    @operation(
        "change_review",
        "Change your review",
        request=ReviewInput,
        max_body_bytes=64 * KIB,
        responses=OwnReviewOutput,
        examples=[EXAMPLE],
    )
    async def patch(self, request: Request, review_id: UUID) -> Response:
        content: Any = ReviewInput.read(request.data, partial=True)

        def change() -> dict[str, Any]:
            services.change_review(review_id=review_id, author_id=self.caller.id, **content)
            return own_review_json(selectors.own_review.get(review_id, self.caller.id))

        return Response(await in_thread(change))

    @operation("delete_review", "Delete your review", responses={204: None})
    async def delete(self, request: Request, review_id: UUID) -> Response:
        await in_thread(services.delete_review, review_id=review_id, author_id=self.caller.id)
        return Response(status=204)


class VoteView(CustomerView):
    """A customer's vote for somebody's review."""

    @operation(
        "vote_helpful",
        "Vote a review helpful",
        request=None,
        responses=VotesOutput,
        errors=[OwnReview],
        description="Counts once, however often it is sent.",
    )
    async def put(self, request: Request, review_id: UUID) -> Response:
        votes = await in_thread(services.vote_helpful, review_id=review_id, voter_id=self.caller.id)
        return Response({"helpful": votes})

    @operation("withdraw_vote", "Withdraw your vote", responses=VotesOutput)
    async def delete(self, request: Request, review_id: UUID) -> Response:
        votes = await in_thread(
            services.withdraw_vote, review_id=review_id, voter_id=self.caller.id
        )
        return Response({"helpful": votes})


class OwnReviewsView(CustomerView):
    """What the customer has written."""

    read_limit: ClassVar[None] = None

    @operation(
        "list_own_reviews",
        "List your reviews",
        parameters=PAGE_PARAMETERS,
        responses=page_output(OwnReviewOutput, "OwnReviewPage"),
    )
    async def get(self, request: Request) -> Response:
        wanted = PageRequest.of(request.query_params)
        own = selectors.reviews_by(self.caller.id)
        return Response(
            await read_page(own, order=ORDERS["newest"], wanted=wanted, render=own_review_json)
        )


def _order(query: QueryDict) -> tuple[str, ...]:
    return ORDERS[parameters.choice(query, "sort", ORDERS, "newest")]


def _stars(query: QueryDict) -> list[int]:
    stars = query.getlist("rating")
    if not set(stars) <= set(RATINGS):
        detail = _("Whole numbers from 1 to 5 are expected.")
        raise parameters.refuse("rating", "out_of_range", detail, RATINGS)
    return [int(each) for each in stars]
