"""Serializers that every room shares: strict input, and the shapes of money, pages and problems."""

import datetime
import threading
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, cast
from uuid import UUID

from django.utils.timezone import is_naive
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.serializers import Serializer

from lavka.kernel.conf import options as shop
from lavka.kernel.errors import MAX_CHOICES, MAX_ERRORS
from lavka.kernel.http_urls import BadUrl, HttpUrl
from lavka.kernel.money import MAX_AMOUNT, Money


class _Made(threading.local):
    """A thread's own fields, for they keep their messages in the language first asked for."""

    def __init__(self) -> None:
        self.fields: dict[tuple[type, str | None], Any] = {}


_made = _Made()


def _fields_of(serializer: type[Serializer]) -> Any:
    """Its fields, made once: copying them takes longer than a body does."""
    key = (serializer, get_language())
    fields = _made.fields.get(key)
    if fields is None:
        fields = _made.fields[key] = serializer().fields
    return fields


def _checked(items: Iterable[tuple[Any, Any]], check: Callable[[Any], Any]) -> dict[Any, Any]:
    """Each item as `check` reads it, by its name or index; stops when enough is refused to tell.

    Raises: ValidationError.
    """
    values: dict[Any, Any] = {}
    errors: dict[Any, Any] = {}
    for name, item in items:
        try:
            values[name] = check(item)
        except serializers.ValidationError as refused:
            errors[name] = refused.detail
            if len(errors) > MAX_ERRORS:
                break
    if errors:
        raise serializers.ValidationError(errors)
    return values


class RefusedInput(serializers.ValidationError):
    """What an input does not accept; `serializer` knows what it would have accepted."""

    def __init__(self, detail: Any, serializer: Serializer) -> None:
        """Keep both."""
        super().__init__(detail)
        self.serializer = serializer


class InputList(serializers.ListSerializer):
    """A list of inputs: first its length is checked, then each one."""

    def run_child_validation(self, data: Any) -> Any:
        """Leave the elements to `to_internal_value`."""
        return data

    def to_internal_value(self, data: Any) -> list[Any]:
        """Raises ValidationError."""
        elements, child = super().to_internal_value(data), cast("Serializer", self.child)
        return list(_checked(enumerate(elements), child.run_validation).values())


class BoundedListField(serializers.ListField):
    """A list of at most `max_length` elements: first its length is checked, then each one."""

    def __init__(self, *, child: Any, max_length: int, **options: Any) -> None:
        """Both are required."""
        super().__init__(child=child, max_length=max_length, **options)

    def run_child_validation(self, data: Any) -> Any:
        """Raises ValidationError."""
        most: Any = self.max_length
        if len(data) > most:
            self.fail("max_length", max_length=most)
        return list(_checked(enumerate(data), self.child.run_validation).values())


class BoundedDictField(serializers.DictField):
    """A JSON object of at most `max_entries`, with names of at most `max_name_length`."""

    default_error_messages = {
        "max_entries": _("At most %(count)s entries are expected."),
        "max_name_length": _("A name has at most %(count)s characters."),
    }

    def __init__(
        self, *, child: Any, max_entries: int, max_name_length: int, **options: Any
    ) -> None:
        """All three are required."""
        self.max_entries, self.max_name_length = max_entries, max_name_length
        super().__init__(child=child, **options)

    def run_child_validation(self, data: Any) -> Any:
        """Raises ValidationError."""
        for limit, value in (
            ("max_entries", len(data)),
            ("max_name_length", max(map(len, data), default=0)),
        ):
            most: int = getattr(self, limit)
            if value > most:
                message = self.error_messages[limit] % {"count": most}
                raise serializers.ValidationError([message], code=limit)
        return _checked(data.items(), self.child.run_validation)


class Input(Serializer):
    """A request body: an object whose unknown fields are an error, not ignored."""

    default_error_messages = {"unknown": _("This field is not known.")}

    class Meta:
        """What `many=True` makes of it."""

        list_serializer_class = InputList

    def to_internal_value(self, data: Any) -> Any:
        """Refuse unknown fields together with all other errors of the body."""
        errors: dict[str, Any] = {}
        if isinstance(data, Mapping):
            message = str(self.error_messages["unknown"])
            unknown = (name for name in data if name not in self.fields)
            errors = {
                name: [serializers.ErrorDetail(message, code="unknown")]
                for name in islice(unknown, MAX_ERRORS + 1)
            }
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as refused:
            detail: Any = refused.detail
            errors |= detail
            raise serializers.ValidationError(errors) from None
        if errors:
            raise serializers.ValidationError(errors)
        return values

    @classmethod
    def read(cls, data: Any, *, partial: bool = False) -> dict[str, Any]:
        """Check a body and return its values; of a `partial` one any field may be absent.

        What is inside a field is whole or refused, also in a partial body.
        Raises: ValidationError, with a pointer for each refused field.
        """
        body = cls(data=data)
        if partial:
            for field in body.fields.values():
                field.required, field.default = False, empty
        else:
            body.__dict__["fields"] = _fields_of(cls)
        try:
            body.is_valid(raise_exception=True)
        except serializers.ValidationError as refused:
            raise RefusedInput(refused.detail, body) from None
        return dict(body.validated_data)


class StrictIntegerField(serializers.IntegerField):
    """A JSON number without a fraction; strings and booleans are refused."""

    def to_internal_value(self, data: Any) -> int:
        """Raises ValidationError for anything but an integer."""
        if isinstance(data, bool) or not isinstance(data, (int, float)) or data != int(data):
            self.fail("invalid")
        return int(super().to_internal_value(int(data)))


class MinorUnitsField(StrictIntegerField):
    """An amount of money in minor units: a JSON number without point or exponent, within bounds."""

    def __init__(self, **options: Any) -> None:
        """From 0 to `MAX_AMOUNT`, unless `options` narrow it."""
        bounds = {"min_value": 0, "max_value": MAX_AMOUNT}
        super().__init__(**bounds | options)

    def to_internal_value(self, data: Any) -> int:
        """Raises ValidationError for a float, even a whole one."""
        if isinstance(data, float):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictCharField(serializers.CharField):
    """A JSON string; numbers are not turned into text.

    Of one that names something, `choices_url` is the path of the API that lists what there is.
    """

    def __init__(self, *, choices_url: str = "", **options: Any) -> None:
        """Take any text, unless `options` narrow it."""
        super().__init__(**options)
        self.choices_url = choices_url

    def to_internal_value(self, data: Any) -> str:
        """Raises ValidationError for anything but a string."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class HttpUrlField(serializers.URLField):
    """An http or https address that is read strictly; it is kept as it was written."""

    def to_internal_value(self, data: Any) -> str:
        """Raises ValidationError with the code of BadUrl."""
        if not isinstance(data, str):
            self.fail("invalid")
        text = str(super().to_internal_value(data))
        try:
            HttpUrl.parse(text)
        except BadUrl as fault:
            raise serializers.ValidationError(fault.reason, code=fault.code) from fault
        return text


class StrictBooleanField(serializers.BooleanField):
    """JSON `true` or `false`; `"yes"` and 1 are refused."""

    def to_internal_value(self, data: Any) -> bool:
        """Raises ValidationError for anything but a boolean."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class StrictUUIDField(serializers.UUIDField):
    """A UUID as a JSON string."""

    def to_internal_value(self, data: Any) -> UUID:
        """Raises ValidationError for a number."""
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return UUID(str(super().to_internal_value(data)))


class InstantField(serializers.DateTimeField):
    """An RFC 3339 instant with its offset, in a year that every calendar can show."""

    default_error_messages = {
        "out_of_range": _("This is out of range."),
        "no_offset": _("An instant with its offset is expected, such as 2026-01-31T12:00:00Z."),
    }

    def enforce_timezone(self, value: datetime.datetime) -> datetime.datetime:
        """Raises ValidationError for a local time: nobody knows where."""
        if is_naive(value):
            self.fail("no_offset")
        return value

    def to_internal_value(self, value: Any) -> datetime.datetime:
        """Raises ValidationError for what PostgreSQL or Python cannot keep in UTC."""
        instant: datetime.datetime = super().to_internal_value(value)
        if not 1970 <= instant.year <= 9000:
            self.fail("out_of_range")
        return instant


class CurrencyField(StrictCharField):
    """The ISO 4217 code of an amount; of which currency it has to be is for the service to say."""

    def __init__(self, **options: Any) -> None:
        """Three letters."""
        super().__init__(min_length=3, max_length=3, help_text="ISO 4217", **options)

    @property
    def choices(self) -> list[str]:
        """What the shop sells in."""
        return [shop.currency]


class MoneyInput(Input):
    """Whole minor units and the ISO 4217 code of what they apply to; 0 is an amount too."""

    # Read as `Money`; the service checks its currency: `Money.require`.
    amount = MinorUnitsField(help_text=_("Whole minor units: 1299 is 12.99 USD."))
    currency = CurrencyField()

    def to_internal_value(self, data: Any) -> Any:
        """A Money."""
        return Money(**super().to_internal_value(data))


class PositiveMoneyInput(MoneyInput):
    """An amount above nothing."""

    amount = MinorUnitsField(min_value=1, help_text=_("Whole minor units: 1299 is 12.99 USD."))


class MoneyOutput(Serializer):
    """Whole minor units and the ISO 4217 code."""

    amount = serializers.IntegerField(help_text=_("Whole minor units: 1299 is 12.99 USD."))
    currency = serializers.CharField(min_length=3, max_length=3, help_text="ISO 4217")

    def to_representation(self, instance: Money) -> dict[str, Any]:
        """Money already knows its wire shape."""
        return instance.as_json()


class FieldErrorOutput(Serializer):
    """One refused part of the input."""

    pointer = serializers.CharField(help_text="JSON pointer into the body, or `?parameter`.")
    code = serializers.CharField()
    detail = serializers.CharField()
    choices = BoundedListField(
        child=serializers.CharField(),
        max_length=MAX_CHOICES,
        required=False,
        help_text="The values that are allowed, if they are few.",
    )
    choices_url = serializers.CharField(
        required=False, help_text="The path of the API that lists the values that are allowed."
    )


class ProblemOutput(Serializer):
    """RFC 9457 problem details."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="For people, in the language of the request.")
    code = serializers.CharField(help_text="Stable: programs compare this.")
    request_id = serializers.CharField()
    details = serializers.DictField(required=False)

    def get_fields(self) -> dict[str, Any]:
        """Add `errors`, a name that DRF keeps for itself in class bodies."""
        more = serializers.BooleanField(
            required=False, help_text="True when more is refused than `errors` tells."
        )
        errors = FieldErrorOutput(many=True, required=False, max_length=MAX_ERRORS)  # type: ignore[call-arg]
        return super().get_fields() | {"errors": errors, "errors_truncated": more}


class CountOutput(Serializer):
    """How many rows the whole list has, counted up to 10,000."""

    value = serializers.IntegerField()
    exact = serializers.BooleanField()


def page_output(item: type[Serializer], name: str) -> Serializer:
    """The schema of a cursor page of `item`, named `name`."""
    return inline_serializer(
        name,
        {
            "items": item(many=True),
            "next": serializers.CharField(
                allow_null=True, help_text="Pass it as `cursor`; null on the last page."
            ),
            "count": CountOutput(required=False, help_text="Only with `count=true`."),
        },
    )
