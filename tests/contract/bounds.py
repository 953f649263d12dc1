"""Finds what a client may send of which the schema tells no bound."""

from collections.abc import Iterator
from typing import Any

# Formats whose texts have a length of their own.
BOUNDED_FORMATS = {"uuid", "date", "date-time"}
# Its body is the provider's own: bounded in bytes, and not parsed before its signature is checked.
FOREIGN = {"receive_payment_webhook"}


def unbounded(described: dict[str, Any], node: Any, path: str) -> Iterator[str]:
    """The places in a schema where a client may send any number of something."""
    while "$ref" in node:
        node = described["components"]["schemas"][node["$ref"].rsplit("/", 1)[1]]
    parts = [part for each in ("allOf", "anyOf", "oneOf") for part in node.get(each, [])]
    for part in parts:
        yield from unbounded(described, part, path)
    kind = node.get("type", "" if parts or "enum" in node else "anything")
    for each in kind if isinstance(kind, list) else [kind]:
        yield from UNBOUNDED.get(each, lambda *_: iter(()))(described, node, path)
    if kind == "anything":
        yield f"{path}: anything"


def unbounded_text(described: dict[str, Any], node: Any, path: str) -> Iterator[str]:
    pattern = str(node.get("pattern", "*"))
    has_pattern = pattern[0] + pattern[-1] == "^$" and not {"*", "+"} & set(pattern)
    is_binary = node.get("format") == "binary" or "contentMediaType" in node
    if not (
        "maxLength" in node
        or "enum" in node
        or node.get("format") in BOUNDED_FORMATS
        or has_pattern
        or is_binary
    ):
        yield f"{path}: text"


def unbounded_number(described: dict[str, Any], node: Any, path: str) -> Iterator[str]:
    if not ({"minimum", "maximum"} <= node.keys() or "enum" in node):
        yield f"{path}: number"


def unbounded_list(described: dict[str, Any], node: Any, path: str) -> Iterator[str]:
    if "maxItems" not in node:
        yield f"{path}: list"
    yield from unbounded(described, node["items"], f"{path}/0")


def unbounded_object(described: dict[str, Any], node: Any, path: str) -> Iterator[str]:
    for name, inner in node.get("properties", {}).items():
        yield from unbounded(described, inner, f"{path}/{name}")
    others = node.get("additionalProperties", True)
    if others is False:
        return
    if "maxProperties" not in node or "maxLength" not in node.get("propertyNames", {}):
        yield f"{path}: object"
    yield from unbounded(described, others if isinstance(others, dict) else {}, f"{path}/*")


UNBOUNDED = {
    "string": unbounded_text,
    "number": unbounded_number,
    "integer": unbounded_number,
    "array": unbounded_list,
    "object": unbounded_object,
}


def operations(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in schema["paths"].values():
        yield from methods.values()
