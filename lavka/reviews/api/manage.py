"""Staff moderate reviews."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.reviews import selectors, services
from lavka.reviews.api.serializers import ModerationInput, OwnReviewOutput, own_review_json
from lavka.reviews.api.views import ORDERS
from lavka.reviews.models import Review
from lavka.web import parameters
from lavka.web.pages import PageRequest, page_of
from lavka.web.schema import PAGE_PARAMETERS, operation
from lavka.web.serializers import page_output
from lavka.web.views import StaffView, in_thread

STATUS = OpenApiParameter("status", str, enum=list(Review.Status.values))


class ManageReviewsView(StaffView):
    """Every review, newest first; `status=pending` is the moderation queue."""

    rights = {"GET": "reviews.view_review"}

    @operation(
        "list_all_reviews",
        "List reviews in any state",
        parameters=[*PAGE_PARAMETERS, STATUS],
        responses=page_output(OwnReviewOutput, "ManagedReviewPage"),
    )
    async def get(self, request: Request) -> Response:
        query, wanted = request.query_params, PageRequest.of(request.query_params)
        status = parameters.choice(query, "status", Review.Status.values)

        def page() -> dict[str, object]:
            reviews = selectors.all_reviews()
            if status:
                reviews = reviews.filter(status=status)
            return page_of(reviews, order=ORDERS["newest"], wanted=wanted, render=own_review_json)

        return Response(await in_thread(page))


class ManageReviewView(StaffView):
    """One review, for its moderator."""

    rights = {"GET": "reviews.view_review", "PATCH": "reviews.change_review"}

    @operation("get_any_review", "Get a review in any state", responses=OwnReviewOutput)
    async def get(self, request: Request, review_id: UUID) -> Response:
        def review() -> dict[str, Any]:
            return own_review_json(selectors.all_reviews().get(pk=review_id))

        return Response(await in_thread(review))

    @operation(
        "moderate_review",
        "Publish, hold or hide a review",
        request=ModerationInput,
        responses=OwnReviewOutput,
    )
    async def patch(self, request: Request, review_id: UUID) -> Response:
        status = ModerationInput.read(request.data)["status"]

        def moderate() -> dict[str, Any]:
            services.moderate_review(review_id=review_id, status=status)
            return own_review_json(selectors.all_reviews().get(pk=review_id))

        return Response(await in_thread(moderate))
