"""JSON in and out: strict where the standard is strict, compact on the wire."""

import datetime
import json
import math
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.timezone import is_aware


def dumps(value: Any) -> bytes:
    """Encode to compact UTF-8; instants become RFC 3339 in UTC with a `Z`."""
    return _ENCODER.encode(value).encode()


def loads(body: bytes) -> Any:
    """Decode a UTF-8 body.

    Raises: ValueError, also for NaN, Infinity and numbers beyond a double, for a name given twice,
    for lone surrogates, and for U+0000, which PostgreSQL cannot store; RecursionError for absurd
    nesting.
    """
    text = body.decode("utf-8")
    if "\\u0000" in text or "\x00" in text:
        raise ValueError("U+0000 is not accepted")
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


_ENCODER = json.JSONEncoder(
    default=_encode, ensure_ascii=False, separators=(",", ":"), allow_nan=False
)
_DECODER = json.JSONDecoder(
    parse_float=_finite, parse_constant=_refuse_constant, object_pairs_hook=_unique_names
)
