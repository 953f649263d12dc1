"""The staff's forms: a country is chosen, an address is checked as everybody's is."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from lavka.addresses.countries import names
from lavka.addresses.rules import FIELDS
from lavka.addresses.validation import clean_address
from lavka.kernel.errors import Invalid


class CountryField(forms.ChoiceField):
    """A country by its name in the staff's language; `empty` names the choice of none."""

    def __init__(self, *, empty: Any = "", **options: Any) -> None:
        """Offer every country."""
        super().__init__(
            choices=lambda: [("", empty or "---------"), *names().items()],
            label=_("country"),
            required=not empty,
            widget=UnfoldAdminSelectWidget,
            **options,
        )


class AddressForm(forms.ModelForm):
    """A postal address; a model that has the fields of one is its own."""

    country = CountryField()

    def clean(self) -> dict[str, Any]:
        """Spell the address the one way, or say at each field what the country asks of it."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        # What a field itself refuses needs no second word; an old address that stays stays.
        if self.errors or not set(FIELDS) & set(self.changed_data):
            return cleaned
        try:
            return cleaned | clean_address(cleaned)
        except Invalid as refusal:
            raise ValidationError(_by_field(refusal)) from None


def _by_field(refusal: Invalid) -> dict[str, list[ValidationError]]:
    found: dict[str, list[ValidationError]] = {name: [] for name in FIELDS}
    for error in refusal.errors:
        found[error.pointer.rpartition("/")[2]].append(ValidationError(error.detail, error.code))
    return {name: errors for name, errors in found.items() if errors}
