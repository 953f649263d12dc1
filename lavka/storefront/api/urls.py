"""What a shop front begins with, below /api/v1/."""

from django.urls import path

from lavka.storefront.api import views

urlpatterns = [path("shop/", views.ShopView.as_view())]
