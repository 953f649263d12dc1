"""Wishes below /api/v1/."""

from django.urls import path

from lavka.wishlists.api import views

ITEM = "wishlists/<uuid:wishlist_id>/items/<uuid:variant_id>/"

urlpatterns = [
    path("wishlists/", views.WishlistsView.as_view()),
    path("wishlists/shared/<uuid:share_key>/", views.SharedWishlistView.as_view()),
    path("wishlists/<uuid:wishlist_id>/", views.WishlistView.as_view()),
    path(ITEM, views.ItemView.as_view()),
    path(f"{ITEM}move/", views.MoveView.as_view()),
    path("stock-alerts/", views.AlertsView.as_view()),
    path("stock-alerts/<uuid:variant_id>/", views.AlertView.as_view()),
]
