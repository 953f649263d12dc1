"""The staff's pages for tax."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from lavka.addresses.forms import CountryField
from lavka.kernel.admin import ModelAdmin
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
    list_display = ["country", "percent", "reason", "valid_from", "valid_until"]
    list_filter = ["country"]
    search_fields = ["country"]

    def save_model(self, request: HttpRequest, obj: TaxRate, form: Any, change: bool) -> None:
        """Save through the services."""
        if change:
            content = {name: form.cleaned_data[name] for name in form.changed_data}
            services.update_rate(rate_id=obj.pk, **content)
            return
        obj.pk = services.create_rate(**form.cleaned_data).pk
        obj._state.adding = False

    def delete_model(self, request: HttpRequest, obj: TaxRate) -> None:
        """Delete through the service."""
        services.delete_rate(rate_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[TaxRate]) -> None:
        """Delete each through the service."""
        for rate_id in list(queryset.values_list("pk", flat=True)):
            services.delete_rate(rate_id=rate_id)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show that another rate holds on the same day; nothing is saved then."""
        try:
            with services.refusals_named():
                shown: HttpResponse = super().changeform_view(request, *args, **kwargs)
        except ShopError as refused:
            self.message_user(request, refused.detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        return shown
