"""The staff's pages for shipping."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from lavka.addresses.forms import CountryField
from lavka.catalog.admin.fields import MoneyField
from lavka.shipping.models import ShippingRate
from lavka.web import hot


class RateForm(forms.ModelForm):
    """Amounts as staff write them; the country as addresses spell it."""

    country = CountryField(empty=_("every country that has no rate of its own"))
    price_amount = MoneyField(label=_("price"))
    free_from_amount = MoneyField(label=_("free from"), required=False)


@admin.register(ShippingRate)
class ShippingRateAdmin(ModelAdmin):
    """Flat rates per country."""

    form = RateForm
    list_display = ["name", "country", "price", "free_from", "delivery", "position"]
    list_filter = ["country"]
    search_fields = ["name", "country"]

    def save_model(self, request: HttpRequest, obj: ShippingRate, form: Any, change: bool) -> None:
        """Also have the list of countries read anew."""
        super().save_model(request, obj, form, change)
        hot.invalidate()

    def delete_model(self, request: HttpRequest, obj: ShippingRate) -> None:
        """As `save_model`."""
        super().delete_model(request, obj)
        hot.invalidate()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ShippingRate]) -> None:
        """As `save_model`."""
        super().delete_queryset(request, queryset)
        hot.invalidate()
