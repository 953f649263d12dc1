"""An application that answers with how often it was asked for the path, and in which language."""

import json
from collections import Counter
from typing import Any

asked: Counter[str] = Counter()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Public, unless the query says otherwise: `private`, `limited` or `cookie`."""
    if scope["type"] != "http":
        raise RuntimeError("only HTTP")
    await receive()
    query, headers = scope["query_string"].decode(), dict(scope["headers"])
    asked[scope["path"]] += 1
    told = {
        "number": asked[scope["path"]],
        "language": headers.get(b"accept-language", b"").decode(),
        "method": scope["method"],
    }
    named = {
        b"content-type": b"application/json",
        b"etag": f'"{asked[scope["path"]]}"'.encode(),
        b"cache-control": b"no-store" if "private" in query else b"public, max-age=30",
        b"vary": b"Accept-Language, Authorization",
        b"x-request-id": headers.get(b"x-request-id", b""),
    }
    if "limited" in query:
        named[b"ratelimit"] = b'"search";r=9;t=1'
    if "cookie" in query:
        named[b"set-cookie"] = b"a=b"
    status = 404 if "missing" in query else 200
    await send({"type": "http.response.start", "status": status, "headers": list(named.items())})
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})
