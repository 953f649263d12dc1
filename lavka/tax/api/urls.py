"""Tax rates below /api/v1/."""

from django.urls import path

from lavka.tax.api import views

urlpatterns = [
    path("manage/tax-rates/", views.TaxRatesView.as_view()),
    path("manage/tax-rates/<uuid:rate_id>/", views.TaxRateView.as_view()),
]
