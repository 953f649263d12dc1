"""Postal addresses, and what countries ask of them, on the wire."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.serializers import Serializer

from lavka.addresses.countries import CODES, COUNTRIES_PATH
from lavka.addresses.rules import FIELDS
from lavka.web.serializers import Input, StrictCharField

BOUNDS = {
    "name": 150, "line1": 200, "line2": 200, "city": 100, "region": 100, "postal_code": 20,
    "country": 2, "phone": 32,
}  # fmt: skip


class CountryField(serializers.ChoiceField):
    """An ISO 3166-1 alpha-2 code, read in any case."""

    choices_url = COUNTRIES_PATH
    default_error_messages = {
        "invalid_choice": _("“{input}” is no country code. All are listed at /api/v1/countries/.")
    }

    def __init__(self, *, also: tuple[str, ...] = (), **options: Any) -> None:
        """Offer every country, and what is named besides."""
        super().__init__(choices=(*also, *CODES), **({"help_text": "ISO 3166-1 alpha-2"} | options))

    def to_internal_value(self, data: Any) -> str:
        """Raises ValidationError."""
        code = data.strip().upper() if isinstance(data, str) else None
        if code not in self.choices:
            self.fail("invalid_choice", input=str(data)[:20])
        return str(code)


class PostalAddressInput(Input):
    """A postal address; what else is required, and how, is at `/api/v1/countries/{code}/`."""

    name = StrictCharField(max_length=BOUNDS["name"])
    line1 = StrictCharField(max_length=BOUNDS["line1"])
    line2 = StrictCharField(max_length=BOUNDS["line2"], required=False, allow_blank=True)
    city = StrictCharField(
        max_length=BOUNDS["city"],
        required=False,
        allow_blank=True,
        help_text=_("Required in most countries."),
    )
    region = StrictCharField(
        max_length=BOUNDS["region"],
        required=False,
        allow_blank=True,
        help_text=_("A state, province or the like: its code or its name. Answers have the code."),
    )
    postal_code = StrictCharField(
        max_length=BOUNDS["postal_code"],
        required=False,
        allow_blank=True,
        help_text=_("Required in most countries. Spaces, hyphens and case do not matter."),
    )
    country = CountryField()
    phone = StrictCharField(max_length=BOUNDS["phone"], required=False, allow_blank=True)


class PostalAddressOutput(Serializer):
    """A postal address."""

    name = serializers.CharField()
    line1 = serializers.CharField()
    line2 = serializers.CharField()
    city = serializers.CharField()
    region = serializers.CharField()
    postal_code = serializers.CharField()
    country = serializers.CharField(help_text="ISO 3166-1 alpha-2")
    phone = serializers.CharField()


class CountryOutput(Serializer):
    """A country."""

    code = serializers.CharField(help_text="ISO 3166-1 alpha-2")
    name = serializers.CharField(help_text=_("In the language of the request."))


class ListedCountryOutput(CountryOutput):
    """A country, and whether the shop sends anything there."""

    ships_to = serializers.BooleanField(
        allow_null=True, help_text=_("Null where a carrier decides it for each purchase.")
    )


class CountriesOutput(Serializer):
    """Every country, in the order of the names."""

    items = ListedCountryOutput(many=True)


class AddressFieldOutput(Serializer):
    """One field of an address form."""

    name = serializers.ChoiceField(choices=FIELDS)
    label = serializers.CharField(  # type: ignore[assignment]
        help_text=_("What the country calls it, in the language of the request.")
    )
    required = serializers.BooleanField()  # type: ignore[assignment]
    upper_case = serializers.BooleanField(help_text=_("Written in upper case on mail."))
    max_length = serializers.IntegerField()


class PostalCodeOutput(Serializer):
    """How postal codes look."""

    pattern = serializers.CharField(help_text=_("A regular expression of the whole code."))
    examples = serializers.ListField(child=serializers.CharField())


class AreaOutput(Serializer):
    """A state, province, prefecture or the like."""

    code = serializers.CharField(help_text=_("What `region` holds."))
    name = serializers.CharField()
    iso_code = serializers.CharField(allow_null=True, help_text="ISO 3166-2")


class AddressRulesOutput(CountryOutput):
    """What a form asks of an address in the country, line by line."""

    lines = serializers.ListField(
        child=AddressFieldOutput(many=True),
        help_text=_("The fields in the order in which the country writes them."),
    )
    postal_code = PostalCodeOutput(
        allow_null=True, help_text=_("Null where any text is taken, or nothing.")
    )
    areas = AreaOutput(many=True, help_text=_("Empty where `region` is free text."))
    areas_closed = serializers.BooleanField(
        help_text=_("Whether a region that is not among `areas` is refused.")
    )
