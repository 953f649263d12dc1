"""Attributes with their choices, product types with their attributes."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from lavka.catalog import services
from lavka.catalog.admin.pages import ShopAdmin
from lavka.catalog.models import Attribute, Choice, ProductType, TypeAttribute


class ChoiceForm(forms.ModelForm):
    """A choice; products store its code, so that stays."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Close the code of a stored choice."""
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.fields["code"].disabled = True


class ChoiceFormSet(forms.BaseInlineFormSet):
    """The choices of an attribute."""

    def clean(self) -> None:
        """Keep what products have, and give choices to those kinds only that have them."""
        super().clean()
        services.take_schema()
        for form in self.deleted_forms:
            if services.is_choice_used(self.instance, form.instance.code):
                raise ValidationError(
                    _("Products have the choice %(label)s.") % {"label": form.instance.label}
                )
        kept = [form for form in self.forms if form not in self.deleted_forms]
        has_choices = self.instance.kind in {Attribute.Kind.CHOICE, Attribute.Kind.CHOICES}
        if not has_choices and any(form.has_changed() for form in kept):
            raise ValidationError(_("An attribute of this kind has no choices."))


class ChoiceInline(TabularInline):
    """The choices of an attribute."""

    model = Choice
    form = ChoiceForm
    formset = ChoiceFormSet
    fields = ["code", "label", "position"]
    extra = 0
    ordering_field = "position"
    hide_ordering_field = True


@admin.register(Attribute)
class AttributeAdmin(ShopAdmin):
    """What products and variants are described by."""

    inlines = [ChoiceInline]
    list_display = ["name", "code", "kind", "unit"]
    list_filter = ["kind"]
    search_fields = ["name__folded__contains", "code"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        """Values are stored by code and kind, so these stay."""
        return ["code", "kind"] if obj else []


class TypeAttributeForm(forms.ModelForm):
    """How a type uses an attribute."""

    def clean(self) -> dict[str, Any]:
        """An option is a choice, and products keep what they have."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        attribute = cleaned.get("attribute")
        if cleaned.get("is_option") and attribute and attribute.kind != Attribute.Kind.CHOICE:
            self.add_error("is_option", _("Only a choice tells variants apart."))
        if not self.instance._state.adding and {"attribute", "is_option"} & {*self.changed_data}:
            stored = TypeAttribute.objects.select_related("attribute").get(pk=self.instance.pk)
            if services.is_attribute_used(stored):
                raise ValidationError(_("Products have values of it."))
        return cleaned


class TypeAttributeFormSet(forms.BaseInlineFormSet):
    """The attributes of a type."""

    def clean(self) -> None:
        """Keep what products have."""
        super().clean()
        services.take_schema()
        for form in self.deleted_forms:
            if services.is_attribute_used(form.instance):
                raise ValidationError(
                    _("Products have values of %(name)s.") % {"name": form.instance.attribute}
                )


class TypeAttributeInline(TabularInline):
    """The attributes of a type."""

    model = TypeAttribute
    form = TypeAttributeForm
    formset = TypeAttributeFormSet
    fields = ["attribute", "is_option", "is_required", "position"]
    autocomplete_fields = ["attribute"]
    extra = 0
    ordering_field = "position"
    hide_ordering_field = True


@admin.register(ProductType)
class ProductTypeAdmin(ShopAdmin):
    """What kinds of products there are."""

    inlines = [TypeAttributeInline]
    list_display = ["name", "code"]
    search_fields = ["name__folded__contains", "code"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        """Programs use the code, so it stays."""
        return ["code"] if obj else []
