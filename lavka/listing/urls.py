"""The page at `/`."""

from django.urls import path

from lavka.listing import views

urlpatterns = [path("", views.window, name="window")]
