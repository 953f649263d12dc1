"""An application that answers with what it was told about the caller."""

import json
from typing import Any


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Tell the client's address, the scheme and the headers; read the body whole."""
    if scope["type"] != "http":
        raise RuntimeError("only HTTP")
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    told = {
        "client": scope["client"][0],
        "scheme": scope["scheme"],
        "headers": {name.decode(): value.decode() for name, value in scope["headers"]},
        "size": size,
        "padding": "." * 2000,
    }
    body = json.dumps(told).encode()
    status = 503 if scope["path"] == "/api/v1/busy/" else 200
    headers = [(b"content-type", b"application/json"), (b"x-frame-options", b"DENY")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
