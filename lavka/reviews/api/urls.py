"""Reviews below /api/v1/."""

from django.urls import path

from lavka.reviews.api import manage, views

urlpatterns = [
    path("products/<slug:slug>/reviews/", views.ReviewsView.as_view()),
    path("products/<slug:slug>/rating/", views.RatingView.as_view()),
    path("reviews/<uuid:review_id>/", views.ReviewView.as_view()),
    path("reviews/<uuid:review_id>/vote/", views.VoteView.as_view()),
    path("me/reviews/", views.OwnReviewsView.as_view()),
    path("manage/reviews/", manage.ManageReviewsView.as_view()),
    path("manage/reviews/<uuid:review_id>/", manage.ManageReviewView.as_view()),
]
