"""The sandbox's page for customers."""

from django.urls import path

from lavka.payments.sandbox import views

app_name = "sandbox"
urlpatterns = [path("challenges/<uuid:page_key>/", views.challenge, name="challenge")]
