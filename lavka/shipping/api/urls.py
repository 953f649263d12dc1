"""Shipping rates below /api/v1/."""

from django.urls import path

from lavka.shipping.api import countries, views

urlpatterns = [
    path("countries/", countries.CountriesView.as_view()),
    path("manage/shipping-rates/", views.ShippingRatesView.as_view()),
    path("manage/shipping-rates/<uuid:rate_id>/", views.ShippingRateView.as_view()),
]
