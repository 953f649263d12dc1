"""Paths of payments."""

from django.urls import path

from lavka.payments.api import manage, views, webhooks

urlpatterns = [
    path("orders/<uuid:order_id>/payments/", views.OrderPaymentsView.as_view()),
    path(
        "orders/<uuid:order_id>/payments/<uuid:payment_id>/confirm/",
        views.ConfirmPaymentView.as_view(),
    ),
    path("payments/webhooks/<slug:method>/", webhooks.WebhookView.as_view()),
    path("manage/payments/", manage.ManagePaymentsView.as_view()),
    path("manage/payments/<uuid:payment_id>/", manage.ManagePaymentView.as_view()),
    path("manage/payments/<uuid:payment_id>/capture/", manage.CapturePaymentView.as_view()),
    path("manage/payments/<uuid:payment_id>/void/", manage.VoidPaymentView.as_view()),
    path("manage/payments/<uuid:payment_id>/refund/", manage.RefundPaymentView.as_view()),
]
