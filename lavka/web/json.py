"""JSON in and out: strict where the standard is strict, compact on the wire."""

import datetime
import json
import math
import re
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.timezone import is_aware

# The deepest and the largest body of the API is far below; what is above costs more than it says.
MAX_DEPTH, MAX_VALUES = 16, 20_000


class TooComplexError(ValueError):
    """The text is nested too deeply or holds too many values."""


def dumps(value: Any) -> bytes:
    """Encode to compact UTF-8; instants become RFC 3339 in UTC with a `Z`."""
    return _ENCODER.encode(value).encode()


def loads(body: bytes) -> Any:
    """Decode a UTF-8 body.

    Raises: TooComplexError, before anything is made of the text; ValueError, also for NaN, Infinity
    and numbers beyond a double, for a name given twice, for lone surrogates, and for U+0000, which
    PostgreSQL cannot store; RecursionError for nesting without an end.
    """
    text = body.decode("utf-8")
    if "\\u0000" in text or "\x00" in text:
        raise ValueError("U+0000 is not accepted")
    _require_simple(text)
    value = _DECODER.decode(text)
    if "\\u" in text:
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # a lone surrogate fails here
    return value


def _encode(value: Any) -> object:
    if isinstance(value, datetime.datetime):
        text = value.isoformat(timespec="milliseconds")
        return text.removesuffix("+00:00") + "Z" if is_aware(value) else text
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, (UUID, Promise)):
        return str(value)
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _require_simple(text: str) -> None:
    """Count what the decoder would make: in linear time, whatever the text is."""
    opened = text.count("[") + text.count("{")
    if opened <= MAX_DEPTH and opened + text.count(",") < MAX_VALUES:
        return
    bare = _STRING.sub("", text)
    if bare.count("[") + bare.count("{") + bare.count(",") >= MAX_VALUES:
        raise TooComplexError("too many values")
    for _level in range(MAX_DEPTH):
        bare, removed = _INNERMOST.subn("", bare)
        if not removed:
            # All of it, or it is not JSON, which the decoder finds out.
            return
    if "[" in bare or "{" in bare:
        raise TooComplexError("nested too deeply")


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits} is beyond a double")
    return number


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    decoded = dict(pairs)
    if len(decoded) != len(pairs):
        raise ValueError("a name occurs twice")
    return decoded


# Possessive, and without its closing quote if there is none: nothing is looked at twice.
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_INNERMOST = re.compile(r"[\[{][^\[\]{}]*+[\]}]")
_ENCODER = json.JSONEncoder(
    default=_encode, ensure_ascii=False, separators=(",", ":"), allow_nan=False
)
_DECODER = json.JSONDecoder(
    parse_float=_finite, parse_constant=_refuse_constant, object_pairs_hook=_unique_names
)
