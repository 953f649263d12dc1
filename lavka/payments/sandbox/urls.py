"""The sandbox's page for customers."""

from django.urls import path

from lavka.payments.sandbox import views

app_name = "sandbox"
urlpatterns = [path("challenges/<uuid:charge_id>/", views.challenge, name="challenge")]
