"""Form fields for money and for what product types ask for."""

import datetime
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core.files.storage import default_storage
from django.core.validators import DecimalValidator
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from lavka.catalog import pictures
from lavka.catalog.models import Attribute, ProductImage, TypeAttribute
from lavka.catalog.rules import StoredPicture
from lavka.kernel.conf import options
from lavka.kernel.errors import ShopError
from lavka.kernel.money import MAX_PRICE, exponent_of

_NOTHING = ("", "—")


class MoneyField(forms.DecimalField):
    """An amount that staff write as 12.99 and the database keeps as 1299."""

    widget = widgets.UnfoldAdminDecimalFieldWidget

    def __init__(self, **options: Any) -> None:
        """Accept what a price may be."""
        super().__init__(min_value=0, **options)
        self.help_text = self.help_text or lazy(_currency, str)()

    def prepare_value(self, value: Any) -> Any:
        """Minor units from the database, or what the staff have typed."""
        if isinstance(value, int):
            digits = exponent_of(options.currency)
            return f"{Decimal(value).scaleb(-digits):.{digits}f}"
        return value

    def clean(self, value: Any) -> Any:
        """Whole minor units; an amount with more digits than the currency has is refused."""
        digits = exponent_of(options.currency)
        amount = super().clean(value)
        if amount is None:
            return None
        DecimalValidator(20, digits)(amount)
        minor = int(amount.scaleb(digits))
        if minor > MAX_PRICE:
            raise forms.ValidationError(_("This is out of range."))
        return minor

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare minor units with minor units."""
        try:
            return bool(self.clean(data) != initial)
        except forms.ValidationError:
            return True


class PictureField(forms.ImageField):
    """A picture that the API would accept; a stored one stays."""

    widget = widgets.UnfoldAdminImageFieldWidget

    def clean(self, data: Any, initial: Any = None) -> Any:
        """None, for a stored picture, leaves it alone without fetching it."""
        if self.disabled:
            return None
        file = super().clean(data, initial)
        try:
            pictures.checked(file)
        except ShopError as refused:
            raise forms.ValidationError(refused.detail) from refused
        return file


def attribute_fields(uses: Iterable[TypeAttribute], values: Mapping[str, Any]) -> dict[str, Any]:
    """A typed form field for each attribute that is no option, by `attribute_<code>`."""
    return {
        f"attribute_{use.attribute.code}": _field(use, values.get(use.attribute.code))
        for use in uses
        if not use.is_option
    }


def option_fields(uses: Iterable[TypeAttribute]) -> dict[str, Any]:
    """A select for each option, by `option_<code>`."""
    return {
        f"option_{use.attribute.code}": forms.ChoiceField(
            label=use.attribute.name,
            choices=[_NOTHING, *_choices(use.attribute)],
            widget=widgets.UnfoldAdminSelectWidget,
        )
        for use in uses
        if use.is_option
    }


def images_field(images: Iterable[ProductImage]) -> forms.MultipleChoiceField:
    """Which of a product's pictures show a variant, in the order of the product's pictures."""
    return forms.MultipleChoiceField(
        label=_("pictures"),
        required=False,
        choices=[(str(image.pk), preview(image.picture)) for image in images],
        widget=widgets.UnfoldAdminCheckboxSelectMultipleWidget,
    )


def preview(picture: StoredPicture | None) -> str:
    """The smallest thumbnail, or the picture itself while there is none."""
    if picture is None:
        return ""
    name = picture["thumbnails"].get(str(pictures.WIDTHS[0]), picture["file"])
    return format_html(
        '<img src="{}" alt="{}" style="max-width:80px;max-height:80px">',
        default_storage.url(name),
        picture["alt"],
    )


def plain(value: Any) -> Any:
    """A form's value as `rules.checked_attributes` reads it; nothing is None."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    return None if value in ("", []) else value


def _currency() -> str:
    return options.currency


def _choices(attribute: Attribute) -> list[tuple[str, str]]:
    return [(choice.code, choice.label) for choice in attribute.choices.all()]


def _field(use: TypeAttribute, initial: Any) -> forms.Field:
    kind, attribute = Attribute.Kind, use.attribute
    classes: dict[str, tuple[type[forms.Field], Any]] = {
        kind.TEXT: (forms.CharField, widgets.UnfoldAdminTextInputWidget),
        kind.NUMBER: (forms.FloatField, widgets.UnfoldAdminDecimalFieldWidget),
        kind.BOOLEAN: (forms.NullBooleanField, widgets.UnfoldAdminNullBooleanSelectWidget),
        kind.DATE: (forms.DateField, widgets.UnfoldAdminSingleDateWidget),
        kind.CHOICE: (forms.ChoiceField, widgets.UnfoldAdminSelectWidget),
        kind.CHOICES: (forms.MultipleChoiceField, widgets.UnfoldAdminCheckboxSelectMultipleWidget),
    }
    field_class, widget = classes[attribute.kind]
    more: dict[str, Any] = {}
    if attribute.kind == kind.CHOICE:
        more["choices"] = [_NOTHING, *_choices(attribute)]
    if attribute.kind == kind.CHOICES:
        more["choices"] = _choices(attribute)
    unit = f", {attribute.unit}" if attribute.unit else ""
    return field_class(
        label=f"{attribute.name}{unit}",
        required=use.is_required,
        initial=initial,
        widget=widget,
        **more,
    )
