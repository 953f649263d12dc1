"""The catalogue of events is what the code says, and what the feed says fits it."""

import json
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID, uuid4

import jsonschema
import pytest
from django.conf import settings

from lavka.kernel import catalogue, events

REFERENCE = settings.BASE_DIR / "docs" / "reference"
REFRESH = "`lavka events catalogue` writes it anew; a field that went needs a new version"


def test_the_committed_catalogue_is_the_present_one():
    assert (REFERENCE / "events.md").read_text() == catalogue.page(), REFRESH
    committed = json.loads((REFERENCE / "events.json").read_text())
    assert committed == catalogue.schema(), REFRESH


def test_every_event_says_what_it_is_and_what_it_is_about():
    jsonschema.Draft202012Validator.check_schema(catalogue.schema())
    for event in catalogue.known_events():
        described = catalogue.schema_of(event)
        assert described["description"], event
        assert described["properties"]["aggregate"]["description"], event


@dataclass(frozen=True, kw_only=True)
class PriceAgreed(events.Event):
    """A price was agreed on."""

    name: ClassVar[str] = "tests.price_agreed"
    version: ClassVar[int] = 2
    offer_id: UUID
    codes: list[str]
    note: str | None = None

    @property
    def aggregate(self) -> UUID:
        """The offer."""
        return self.offer_id


def test_a_schema_tells_versions_fields_and_what_may_be_missing():
    offer = str(uuid4())
    said = {
        "position": 1,
        "id": str(uuid4()),
        "name": "tests.price_agreed",
        "version": 2,
        "aggregate": offer,
        "occurred_at": "2026-11-25T04:15:55+00:00",
        "actor": {"kind": "system", "id": None, "name": "tests"},
        "payload": {"offer_id": offer, "codes": ["a"]},
    }
    schema = catalogue.schema_of(PriceAgreed)

    jsonschema.validate(said, schema)
    for wrong in ({"version": 1}, {"payload": {"codes": []}}, {"name": "tests.other"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(said | wrong, schema)


def test_a_field_without_an_agreed_shape_is_refused():
    @dataclass(frozen=True, kw_only=True)
    class Odd(events.Event):
        """Odd."""

        name: ClassVar[str] = "tests.odd"
        thing: complex

    with pytest.raises(TypeError, match="complex"):
        catalogue.schema_of(Odd)
