"""The room's paths below /api/v1/."""

from django.urls import path

from lavka.listing.api import views

urlpatterns = [
    path("products/", views.ProductsView.as_view()),
    path("products/facets/", views.FacetsView.as_view()),
    path("products/suggest/", views.SuggestionsView.as_view()),
    path("products/<slug:slug>/", views.ProductView.as_view()),
]
