"""The wire shapes of the feed; docs/reference/events.json has the schema of each event."""

from rest_framework import serializers
from rest_framework.serializers import Serializer


class EventOutput(Serializer):
    """One event of the log."""

    position = serializers.IntegerField(help_text="Counts from 1, without a gap.")
    id = serializers.UUIDField(help_text="The same however often the event is delivered.")
    name = serializers.CharField()
    version = serializers.IntegerField()
    aggregate = serializers.UUIDField(help_text="What the event is about.")
    occurred_at = serializers.DateTimeField()
    payload = serializers.DictField()


class EventPageOutput(Serializer):
    """A stretch of the log."""

    items = EventOutput(many=True)
    next = serializers.IntegerField(help_text="The `after` of the next request, also of a later.")
    has_more = serializers.BooleanField()
