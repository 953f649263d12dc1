"""Shipments and returns below /api/v1/."""

from django.urls import path

from lavka.fulfilment.api import manage, views

urlpatterns = [
    path("orders/<uuid:order_id>/shipments/", views.ShipmentsView.as_view()),
    path("orders/<uuid:order_id>/returns/", views.ReturnsView.as_view()),
    path("manage/orders/<uuid:order_id>/shipments/", manage.ManageShipmentsView.as_view()),
    path("manage/shipments/<uuid:shipment_id>/", manage.ManageShipmentView.as_view()),
    path("manage/shipments/<uuid:shipment_id>/delivered/", manage.ManageDeliveredView.as_view()),
    path("manage/returns/", manage.ManageReturnsView.as_view()),
    path("manage/returns/<uuid:return_id>/", manage.ManageReturnView.as_view()),
    path("manage/returns/<uuid:return_id>/approve/", manage.ManageApproveReturnView.as_view()),
    path("manage/returns/<uuid:return_id>/refuse/", manage.ManageRefuseReturnView.as_view()),
    path("manage/returns/<uuid:return_id>/receive/", manage.ManageReceiveReturnView.as_view()),
]
