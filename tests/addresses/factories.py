"""Addresses that their country takes."""

from lavka.addresses.rules import FIELDS, rules_of


def address_in(country: str, **overrides: str) -> dict[str, str]:
    """As its country's own examples have it."""
    rules = rules_of(country)
    examples = {
        "name": "Ada Lovelace",
        "line1": "1 High Street",
        "city": "Anytown",
        "region": rules.areas[0].code if rules.are_areas_closed else "",
        "postal_code": next(iter(rules.postal_code_examples), ""),
        "country": country,
    }
    if "region" in rules.required and not rules.areas:
        examples["region"] = "Midlands"
    return dict.fromkeys(FIELDS, "") | examples | overrides
