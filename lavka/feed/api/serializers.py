"""The wire shapes of the feed; docs/reference/events.json has the schema of each event."""

from rest_framework import serializers
from rest_framework.serializers import Serializer

from lavka.kernel.actors import ActorKind


class ActorOutput(Serializer):
    """Who caused an event; `id` is that of the member of the staff, the customer or the API key."""

    kind = serializers.ChoiceField(choices=ActorKind.choices)
    id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField(help_text="Which provider, import or job; empty for people.")


class EventOutput(Serializer):
    """One event of the log."""

    position = serializers.IntegerField(help_text="Counts from 1, without a gap.")
    id = serializers.UUIDField(help_text="The same however often the event is delivered.")
    name = serializers.CharField()
    version = serializers.IntegerField()
    aggregate = serializers.UUIDField(help_text="What the event is about.")
    occurred_at = serializers.DateTimeField()
    actor = ActorOutput()
    payload = serializers.DictField()


class EventPageOutput(Serializer):
    """A stretch of the log."""

    items = EventOutput(many=True)
    next = serializers.IntegerField(help_text="The `after` of the next request, also of a later.")
    has_more = serializers.BooleanField()
