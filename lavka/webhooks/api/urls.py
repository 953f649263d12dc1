"""Webhooks below /api/v1/."""

from django.urls import path

from lavka.webhooks.api import deliveries, endpoints

urlpatterns = [
    path("manage/webhooks/endpoints/", endpoints.EndpointsView.as_view()),
    path("manage/webhooks/endpoints/<uuid:endpoint_id>/", endpoints.EndpointView.as_view()),
    path("manage/webhooks/endpoints/<uuid:endpoint_id>/keys/", endpoints.KeysView.as_view()),
    path("manage/webhooks/endpoints/<uuid:endpoint_id>/ping/", deliveries.PingView.as_view()),
    path(
        "manage/webhooks/endpoints/<uuid:endpoint_id>/replay/",
        deliveries.ReplayManyView.as_view(),
    ),
    path("manage/webhooks/deliveries/", deliveries.DeliveriesView.as_view()),
    path("manage/webhooks/deliveries/<uuid:delivery_id>/", deliveries.DeliveryView.as_view()),
    path("manage/webhooks/deliveries/<uuid:delivery_id>/replay/", deliveries.ReplayView.as_view()),
]
