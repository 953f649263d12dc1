"""Shipping rates below /api/v1/."""

from django.urls import path

from lavka.shipping.api import views

urlpatterns = [
    path("manage/shipping-rates/", views.ShippingRatesView.as_view()),
    path("manage/shipping-rates/<uuid:rate_id>/", views.ShippingRateView.as_view()),
]
