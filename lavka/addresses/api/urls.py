"""Countries below /api/v1/."""

from django.urls import path

from lavka.addresses.api import views

urlpatterns = [path("countries/<str:code>/", views.CountryView.as_view())]
