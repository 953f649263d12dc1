"""What the catalogue's pages have alike."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from lavka.catalog import services
from lavka.catalog.models import Brand, Category, Product
from lavka.kernel.admin import ModelAdmin
from lavka.kernel.errors import ShopError


class ShopAdmin(ModelAdmin):
    """A page whose services may refuse; the refusal is shown, and nothing is saved."""

    show_full_result_count = False

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show what a service refused after the form had looked right."""
        try:
            shown: HttpResponse = super().changeform_view(request, *args, **kwargs)
        except ShopError as refused:
            self.message_user(request, refused.detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        return shown


class SlugForm(forms.ModelForm):
    """A form whose empty slug is made from the name, or stays as it is."""

    instance: Product | Category | Brand

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Ask for no slug."""
        super().__init__(*args, **kwargs)
        if "slug" in self.fields:
            self.fields["slug"].required = False

    def clean(self) -> dict[str, Any]:
        """Fill an empty slug."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("name") and "slug" not in self.errors and not cleaned.get("slug"):
            self.instance.name = cleaned["name"]
            cleaned["slug"] = self.initial.get("slug") or services.free_slug(self.instance)
        return cleaned
