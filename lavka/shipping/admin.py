"""The staff's pages for shipping."""

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from lavka.addresses.forms import CountryField
from lavka.catalog.admin.fields import MoneyField
from lavka.shipping.models import ShippingRate


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
