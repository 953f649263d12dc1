"""The worst bodies that an operation of the schema lets through to be parsed and checked."""

import json
from collections.abc import Callable, Iterator
from typing import Any

type Node = dict[str, Any]

UUID = "019a0000-0000-7000-8000-000000000001"
FORMATS = {"uuid": UUID, "date": "2026-01-31", "date-time": "2026-01-31T12:00:00Z"}
DEPTH = 14


class Bodies:
    """Bodies for the operations of one OpenAPI document."""

    def __init__(self, schema: Node) -> None:
        self.components = schema["components"]["schemas"]

    def of(self, operation: Node) -> Iterator[tuple[str, bytes]]:
        """Each bad body by what is bad about it; none is above the operation's limit."""
        described = operation["requestBody"]
        # A form is larger than any JSON.
        limit = min(described["x-max-body-bytes"], 1024 * 1024)
        (media, *_) = described["content"].values()
        node = self.resolved(media["schema"])
        for name, make in (("largest", self.largest), ("wrong", self.wrong)):
            yield name, fitting(limit, lambda scale, make=make: make(node, scale))
        names = list(node.get("properties", {}))
        yield "unknown names", filled(limit, lambda number: {f"u{number:07}": 1})
        yield "ugly names", filled(limit, lambda number: {f"{number}" + "\x01/~" * 60: 1})
        yield "nested", dumps({name: nested({}) for name in names})
        yield "nested more", b"[" * (limit // 2) + b"]" * (limit // 2)
        for name in [name for name in names if is_list(self.resolved(node["properties"][name]))]:
            for kind, element in {"empty": {}, "numbers": 1, "lists": []}.items():
                many = [element] * ((limit - 100) // (len(dumps(element)) + 1))
                yield f"{kind} in {name}", dumps({name: many})
        yield "a number", b'{"a":' + b"9" * (limit - 10) + b"}"
        yield "exponents", dumps(dict.fromkeys(names, 1e300))

    def resolved(self, node: Node) -> Node:
        while "$ref" in node or "allOf" in node or "oneOf" in node:
            inner = node.get("allOf") or node.get("oneOf") or [node]
            node = inner[0]
            if "$ref" in node:
                node = self.components[node["$ref"].rsplit("/", 1)[1]]
        return node

    def largest(self, node: Node, scale: float) -> Any:
        """As much of everything as is allowed, times `scale`."""
        node = self.resolved(node)
        if "enum" in node:
            return max(map(str, node["enum"]), key=len)
        match kind_of(node):
            case "string":
                return FORMATS.get(node.get("format", "")) or text(node, scale)
            case "integer" | "number":
                return node["maximum"]
            case "array":
                return [self.largest(node["items"], scale)] * scaled(node["maxItems"], scale)
            case "object":
                return self.entries(node, scale, self.largest)
        return True

    def wrong(self, node: Node, scale: float) -> Any:
        """The right lists and names, and a wrong value in each."""
        node = self.resolved(node)
        match kind_of(node):
            case "array":
                return [self.wrong(node["items"], scale)] * scaled(node["maxItems"], scale)
            case "object":
                return self.entries(node, scale, self.wrong) | {"unknown": 1}
            case "string":
                return 1
        return "wrong"

    def entries(self, node: Node, scale: float, make: Callable[[Node, float], Any]) -> Node:
        named = {name: make(each, scale) for name, each in node.get("properties", {}).items()}
        others = node.get("additionalProperties", False)
        if isinstance(others, dict) and others:
            others = others.get("anyOf", [others])[0]
            length = node["propertyNames"]["maxLength"]
            for number in range(scaled(node["maxProperties"], scale)):
                named[f"{number:06}".ljust(length, "a")] = make(others, scale)
        return named


def kind_of(node: Node) -> str:
    kind = node.get("type", "")
    return str(kind[0] if isinstance(kind, list) else kind)


def is_list(node: Node) -> bool:
    return kind_of(node) == "array"


def text(node: Node, scale: float) -> str:
    length = scaled(node.get("maxLength", 20), scale)
    return "a@b.example".rjust(length, "a") if node.get("format") == "email" else "a" * length


def scaled(number: int, scale: float) -> int:
    return max(1, int(number * scale))


def dumps(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def fitting(limit: int, make: Callable[[float], Any]) -> bytes:
    """The largest that `make` makes within the limit, by halves."""
    scale = 1.0
    while len(body := dumps(make(scale))) > limit:
        scale /= 2
    return body


def filled(limit: int, make: Callable[[int], Node]) -> bytes:
    """As many entries as fit."""
    count = limit // len(dumps(make(10**6)))
    body: Node = {}
    for number in range(count):
        body |= make(number)
    return dumps(body)


def nested(value: Any) -> Any:
    for _level in range(DEPTH):
        value = [value]
    return value
