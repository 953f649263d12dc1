"""The staff's pages for shipping."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from lavka.addresses.forms import CountryField
from lavka.catalog.admin.fields import MoneyField
from lavka.kernel.admin import ModelAdmin
from lavka.kernel.conf import options
from lavka.kernel.money import Money
from lavka.shipping import services
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
    search_fields = ["name__folded__contains", "country"]

    @admin.display(description=_("price"), ordering="price_amount")
    def price(self, rate: ShippingRate) -> Money:
        """In the shop's currency."""
        return rate.price

    @admin.display(description=_("free from"), ordering="free_from_amount")
    def free_from(self, rate: ShippingRate) -> Money | None:
        """A dash where there is no such sum."""
        return rate.free_from

    def save_model(self, request: HttpRequest, obj: ShippingRate, form: Any, change: bool) -> None:
        """Save through the services."""
        content: Any = {
            name.removesuffix("_amount"): _as_money(form.cleaned_data[name])
            if name.endswith("_amount")
            else form.cleaned_data[name]
            for name in (form.changed_data if change else form.cleaned_data)
        }
        if change:
            services.update_rate(rate_id=obj.pk, **content)
            return
        obj.pk = services.create_rate(**content).pk
        obj._state.adding = False

    def delete_model(self, request: HttpRequest, obj: ShippingRate) -> None:
        """Delete through the service."""
        services.delete_rate(rate_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ShippingRate]) -> None:
        """Delete each through the service."""
        for rate_id in list(queryset.values_list("pk", flat=True)):
            services.delete_rate(rate_id=rate_id)


def _as_money(amount: int | None) -> Money | None:
    return None if amount is None else Money(amount, options.currency)
