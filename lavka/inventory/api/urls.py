"""Stock below /api/v1/."""

from django.urls import path

from lavka.inventory.api import reservations, stock, warehouses

urlpatterns = [
    path("manage/variants/<uuid:variant_id>/stock/", stock.StockView.as_view()),
    path("manage/variants/<uuid:variant_id>/stock/adjustments/", stock.AdjustmentsView.as_view()),
    path("manage/variants/<uuid:variant_id>/stock/policy/", stock.PolicyView.as_view()),
    path("manage/stock-transfers/", stock.TransfersView.as_view()),
    path("manage/stock-reservations/", reservations.ReservationsView.as_view()),
    path("manage/stock-reservations/<uuid:reference>/", reservations.ReservationView.as_view()),
    path("manage/stock-movements/", stock.MovementsView.as_view()),
    path("manage/warehouses/", warehouses.WarehousesView.as_view()),
    path("manage/warehouses/<slug:code>/", warehouses.WarehouseView.as_view()),
]
