"""The room's paths below /api/v1/."""

from django.urls import path

from lavka.feed.api import views

urlpatterns = [
    path("manage/events/", views.EventsView.as_view()),
    path("manage/events/stream/", views.EventStreamView.as_view()),
]
