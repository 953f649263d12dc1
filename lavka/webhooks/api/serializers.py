"""Webhooks on the wire."""

from collections.abc import Container
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.serializers import Serializer

from lavka.web.serializers import (
    BoundedListField,
    Input,
    InstantField,
    StrictCharField,
)
from lavka.webhooks.models import URL_LENGTH, Attempt, Delivery, Endpoint
from lavka.webhooks.rules import NAMES, DeliveryStatus, EndpointStatus, told_of
from lavka.webhooks.signatures import Keys

BY_STAFF = [EndpointStatus.ENABLED, EndpointStatus.DISABLED]
ENDED = [each for each in DeliveryStatus if each != DeliveryStatus.PENDING]


class EventsField(BoundedListField):
    """Names of events; none of them stands for all."""

    def __init__(self, **options: Any) -> None:
        """Accept each name that is told to other programs."""
        super().__init__(
            child=serializers.ChoiceField(choices=NAMES),
            max_length=len(NAMES),
            help_text=_("Empty for every event, also those that come with later versions."),
            **options,
        )


class EndpointInput(Input):
    """Where a program wants to be told of what."""

    name = StrictCharField(max_length=100)
    url = serializers.URLField(max_length=URL_LENGTH)
    events = EventsField(default=list)


class EndpointChangeInput(EndpointInput):
    """What may change about an endpoint."""

    status = serializers.ChoiceField(choices=[(each.value, each.label) for each in BY_STAFF])


class ReplayInput(Input):
    """Which deliveries to send again, by when they were made and how they ended."""

    since = InstantField()
    until = InstantField(
        required=False, allow_null=True, default=None, help_text=_("Until now, when left out.")
    )
    statuses = BoundedListField(
        child=serializers.ChoiceField(choices=[(each.value, each.label) for each in ENDED]),
        default=[DeliveryStatus.FAILED, DeliveryStatus.CANCELLED],
        allow_empty=False,
        max_length=len(ENDED),
    )


class EndpointOutput(Serializer):
    """An endpoint; its secret is never shown again."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    url = serializers.URLField()
    events = serializers.ListField(child=serializers.CharField())
    status = serializers.ChoiceField(choices=EndpointStatus.choices)
    failures = serializers.IntegerField(help_text=_("Failed attempts in a row."))
    open_until = serializers.DateTimeField(
        allow_null=True, help_text=_("Nothing is sent before, after too many failures.")
    )
    public_keys = serializers.ListField(
        child=serializers.CharField(), help_text=_("They check `v1a` signatures; the newest first.")
    )
    owner_id = serializers.UUIDField(
        allow_null=True,
        help_text=_("Whose rights say what is sent; null for an endpoint without an owner."),
    )
    withheld_events = serializers.ListField(
        child=serializers.CharField(),
        help_text=_("Not sent, as the owner may not read them any more. Update it to own it."),
    )
    created_at = serializers.DateTimeField()


class NewEndpointOutput(EndpointOutput):
    """An endpoint with the secret that checks `v1` signatures, this once."""

    secret = serializers.CharField()


class KeysOutput(Serializer):
    """New keys, this once; those before sign too for another day."""

    secret = serializers.CharField(help_text=_("It checks `v1` signatures."))
    public_key = serializers.CharField(help_text=_("It checks `v1a` signatures."))


class DeliveryOutput(Serializer):
    """One event for one endpoint."""

    id = serializers.UUIDField()
    endpoint_id = serializers.UUIDField()
    event_id = serializers.UUIDField(help_text=_("The `webhook-id`."))
    event = serializers.CharField()
    status = serializers.ChoiceField(choices=DeliveryStatus.choices)
    tries = serializers.IntegerField()
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class AttemptOutput(Serializer):
    """One try and how it ended."""

    started_at = serializers.DateTimeField()
    duration_milliseconds = serializers.IntegerField()
    status_code = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(help_text=_("Why no answer came."))
    excerpt = serializers.CharField(help_text=_("The start of the answer."))


class DeliveryDetailOutput(DeliveryOutput):
    """A delivery with its content and its log."""

    body = serializers.DictField()
    attempts = AttemptOutput(many=True)


class ReplayOutput(Serializer):
    """How many deliveries are sent again."""

    replayed = serializers.IntegerField()


def endpoint_json(endpoint: Endpoint) -> dict[str, Any]:
    """`EndpointOutput` of an endpoint whose keys and owner's rights are loaded."""
    return {
        "id": endpoint.pk,
        "name": endpoint.name,
        "url": endpoint.url,
        "events": endpoint.events,
        "status": endpoint.status,
        "failures": endpoint.failures,
        "open_until": endpoint.open_until,
        "public_keys": [key.public_key for key in endpoint.keys.all()],
        "owner_id": endpoint.owner_id,
        "withheld_events": endpoint.withheld_events,
        "created_at": endpoint.created_at,
    }


def keys_json(keys: Keys) -> dict[str, Any]:
    """`KeysOutput`."""
    return {"secret": keys.shared, "public_key": keys.public}


def delivery_json(delivery: Delivery) -> dict[str, Any]:
    """`DeliveryOutput`."""
    return {
        "id": delivery.pk,
        "endpoint_id": delivery.endpoint_id,
        "event_id": delivery.event_id,
        "event": delivery.event_name,
        "status": delivery.status,
        "tries": delivery.tries,
        "next_attempt_at": delivery.next_attempt_at,
        "created_at": delivery.created_at,
        "finished_at": delivery.finished_at,
    }


def delivery_detail_json(delivery: Delivery, held: Container[str]) -> dict[str, Any]:
    """`DeliveryDetailOutput` of a delivery whose attempts are loaded, for who has these rights."""
    return delivery_json(delivery) | {
        "body": told_of(delivery.event_name, delivery.body, held),
        "attempts": [_attempt_json(attempt) for attempt in delivery.attempts.all()],
    }


def _attempt_json(attempt: Attempt) -> dict[str, Any]:
    return {
        "started_at": attempt.started_at,
        "duration_milliseconds": round(attempt.duration.total_seconds() * 1000),
        "status_code": attempt.status_code,
        "error": attempt.error,
        "excerpt": attempt.excerpt,
    }
