"""Carts below /api/v1/."""

from django.urls import path

from lavka.carts.api import views

urlpatterns = [
    path("carts/", views.CartsView.as_view()),
    path("carts/<uuid:cart_id>/", views.CartView.as_view()),
    path("carts/<uuid:cart_id>/lines/", views.LinesView.as_view()),
    path("carts/<uuid:cart_id>/lines/<uuid:line_id>/", views.LineView.as_view()),
    path("carts/<uuid:cart_id>/addresses/", views.CartAddressesView.as_view()),
    path("carts/<uuid:cart_id>/shipping-options/", views.ShippingOptionsView.as_view()),
    path("carts/<uuid:cart_id>/shipping-option/", views.ShippingOptionView.as_view()),
    path("carts/<uuid:cart_id>/merge/", views.MergeView.as_view()),
    path("me/cart/", views.CurrentCartView.as_view()),
]
