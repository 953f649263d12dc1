"""What countries call the parts of an address."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lavka.addresses.rules import AddressRules

PLAIN: Mapping[str, Promise] = {
    "name": pgettext_lazy("of a person", "name"),
    "line1": _("line 1"),
    "line2": _("line 2"),
    "country": _("country"),
    "phone": _("phone"),
}
# libaddressinput's words for kinds of areas.
REGIONS: Mapping[str, Promise] = {
    "area": pgettext_lazy("of an address", "area"),
    "county": pgettext_lazy("of an address", "county"),
    "department": pgettext_lazy("of an address", "department"),
    "district": pgettext_lazy("of an address", "district"),
    "do_si": pgettext_lazy("of an address", "province or city"),
    "emirate": pgettext_lazy("of an address", "emirate"),
    "island": pgettext_lazy("of an address", "island"),
    "oblast": pgettext_lazy("of an address", "oblast"),
    "parish": pgettext_lazy("of an address", "parish"),
    "prefecture": pgettext_lazy("of an address", "prefecture"),
    "province": pgettext_lazy("of an address", "province"),
    "state": pgettext_lazy("of an address", "state"),
}
CITIES: Mapping[str, Promise] = {
    "city": _("city"),
    "district": pgettext_lazy("of an address", "district"),
    "post_town": pgettext_lazy("of an address", "post town"),
    "suburb": pgettext_lazy("of an address", "suburb"),
}
POSTAL_CODES: Mapping[str, Promise] = {
    "eircode": _("Eircode"),
    "pin": _("PIN code"),
    "postal": _("postal code"),
    "zip": _("ZIP code"),
}


def label_of(field: str, rules: AddressRules) -> str:
    """What the country calls a field, in the active language."""
    if field == "region":
        return str(REGIONS.get(rules.region_type, REGIONS["province"]))
    if field == "city":
        return str(CITIES.get(rules.city_type, CITIES["city"]))
    if field == "postal_code":
        return str(POSTAL_CODES.get(rules.postal_code_type, POSTAL_CODES["postal"]))
    return str(PLAIN[field])
