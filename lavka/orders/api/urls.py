"""Orders below /api/v1/."""

from django.urls import path

from lavka.orders.api import edits, manage, views

urlpatterns = [
    path("orders/", views.OrdersView.as_view()),
    path("orders/by-number/<int:number>/", views.NumberedOrderView.as_view()),
    path("orders/<uuid:order_id>/", views.OrderView.as_view()),
    path("orders/<uuid:order_id>/cancel/", views.CancelOrderView.as_view()),
    path("manage/orders/", manage.ManageOrdersView.as_view()),
    path("manage/orders/<uuid:order_id>/", manage.ManageOrderView.as_view()),
    path("manage/orders/<uuid:order_id>/cancel/", manage.ManageCancelOrderView.as_view()),
    path("manage/orders/<uuid:order_id>/edit/", edits.ManageEditView.as_view()),
    path("manage/orders/<uuid:order_id>/edit/preview/", edits.ManageEditPreviewView.as_view()),
    path("manage/orders/<uuid:order_id>/links/", manage.ManageOrderLinksView.as_view()),
    path("manage/orders/<uuid:order_id>/payment-due/", manage.ManagePaymentDueView.as_view()),
    path("manage/orders/<uuid:order_id>/notes/", manage.ManageOrderNotesView.as_view()),
]
