"""Checkout below /api/v1/."""

from django.urls import path

from lavka.checkout.api import manage, views

urlpatterns = [
    path("carts/<uuid:cart_id>/quote/", views.QuoteView.as_view()),
    path("carts/<uuid:cart_id>/checkout/", views.CheckoutView.as_view()),
    path("manage/orders/<uuid:order_id>/capture/", manage.ManageCaptureOrderView.as_view()),
    path("manage/orders/<uuid:order_id>/refund/", manage.ManageRefundOrderView.as_view()),
    path("manage/returns/<uuid:return_id>/refund/", manage.ManageRefundReturnView.as_view()),
]
