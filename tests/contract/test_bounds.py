"""The search for what has no bound (tests/contract/test_promises.py) finds it."""

from typing import Any

import pytest

from tests.contract.bounds import unbounded


@pytest.mark.parametrize(
    "node",
    [
        {"type": "string"},
        {"type": "string", "pattern": "^a+$"},
        {"type": ["string", "null"]},
        {"type": "integer", "minimum": 0},
        {"type": "array", "items": {"type": "boolean"}},
        {"type": "array", "maxItems": 3, "items": {"type": "string"}},
        {"type": "object", "properties": {}},
        {"type": "object", "additionalProperties": {}, "maxProperties": 3},
        {"type": "object", "additionalProperties": False, "properties": {"a": {"type": "number"}}},
        {"allOf": [{"type": "string"}]},
        {},
    ],
    ids=str,
)
def test_control_what_has_no_bound_is_found(node: dict[str, Any]):
    assert list(unbounded({}, node, "#"))
