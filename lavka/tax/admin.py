"""The staff's pages for tax."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.admin import ModelAdmin

from lavka.addresses.forms import CountryField
from lavka.kernel.errors import ShopError
from lavka.tax import services
from lavka.tax.models import TaxRate


class TaxRateForm(forms.ModelForm):
    """The country is chosen, so that it is spelled as in addresses."""

    country = CountryField()


@admin.register(TaxRate)
class TaxRateAdmin(ModelAdmin):
    """What each country takes, and when."""

    form = TaxRateForm
    list_display = ["country", "percent", "valid_from", "valid_until"]
    list_filter = ["country"]
    search_fields = ["country"]

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show that another rate holds on the same day; nothing is saved then."""
        try:
            with services.refusals_named():
                shown: HttpResponse = super().changeform_view(request, *args, **kwargs)
        except ShopError as refused:
            self.message_user(request, refused.detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        return shown
