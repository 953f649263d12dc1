"""The limit: bare ASGI on Uvicorn, asyncpg, the very SQL of Lavka, and the same bytes joined.

No framework, no views, no errors for people: what is left is what any server would have to do.
The statements are Lavka's own; Django is set up once to import them and does nothing afterwards.
"""

import asyncio
import base64
import json
import os
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl
from uuid import UUID

import asyncpg
import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from lavka.kernel import database  # noqa: E402 - after the settings are named
from lavka.listing import search, selectors  # noqa: E402
from lavka.listing.api.shapes import facets_json  # noqa: E402
from lavka.listing.facets import facets_of  # noqa: E402
from lavka.listing.wanted import Wanted  # noqa: E402
from lavka.web.json import dumps  # noqa: E402
from lavka.web.pages import encode_cursor  # noqa: E402

LIMIT = 20
PRODUCTS = "/api/v1/products/"
FACETS = f"{PRODUCTS}facets/"
PLACEHOLDER = re.compile(r"%\((\w+)\)s|%%")
CURRENCY = os.environ["LAVKA_CURRENCY"]

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True)
class Statement:
    """SQL as asyncpg wants it, and the names of its parameters in their order."""

    text: str
    names: Sequence[str]

    @classmethod
    @cache
    def of(cls, psycopg_text: str) -> "Statement":
        """Number the named placeholders."""
        names: list[str] = []

        def numbered(found: re.Match[str]) -> str:
            name = found[1]
            if name is None:
                return "%"
            if name not in names:
                names.append(name)
            return f"${names.index(name) + 1}"

        return cls(PLACEHOLDER.sub(numbered, psycopg_text), names)

    async def rows(self, values: Mapping[str, Any]) -> list[Any]:
        """Run it on an idle connection."""
        connection = await idle.get()
        try:
            return await connection.fetch(self.text, *[values[name] for name in self.names])
        finally:
            idle.put_nowait(connection)


idle: "asyncio.LifoQueue[asyncpg.Connection]" = asyncio.LifoQueue()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request of the listing; anything else is not found."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    path, query = scope["path"], dict(parse_qsl(scope["query_string"].decode()))
    if path == PRODUCTS:
        body = await _page(query)
    elif path == FACETS:
        body = await _facets(query)
    else:
        body = await _product(path.removeprefix(PRODUCTS).rstrip("/"))
    await send(
        {
            "type": "http.response.start",
            "status": 200 if body else 404,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def _page(query: Mapping[str, str]) -> bytes:
    text, cursor = query.get("q", ""), query.get("cursor")
    sort = query.get("sort", "relevance" if text else "newest")
    values: dict[str, Any] = {
        "text": text,
        "category": query.get("category", ""),
        "price_min": int(query.get("price_min", 0)),
        "limit": LIMIT + 1,
        "most": search.MOST,
        "is_loose": None,
    }
    if cursor:
        _, after_id, values["is_loose"], *at = json.loads(
            base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        )
        values["after_id"] = UUID(after_id)
        if at:
            values["after"], values["snapshot"] = at
    statement = _page_statement(
        bool(text), "category" in query, "price_min" in query, sort, bool(cursor)
    )
    rows = await statement.rows(values)
    following = "null"
    if len(rows) > LIMIT:
        _, product_id, value, snapshot, is_loose = rows[LIMIT - 1]
        at = [] if sort == "newest" else [value, values.get("snapshot", snapshot)]
        following = f'"{encode_cursor([sort, product_id, is_loose, *at])}"'
    cards = ",".join([row[0] for row in rows[:LIMIT]])
    return f'{{"items":[{cards}],"next":{following}}}'.encode()


@cache
def _page_statement(
    has_text: bool, has_category: bool, has_price: bool, sort: str, has_cursor: bool
) -> Statement:
    wanted = Wanted(
        text="text" if has_text else "",
        category="category" if has_category else "",
        price_min=0 if has_price else None,
    )
    after = selectors.After(value=0, product_id=UUID(int=0), snapshot="") if has_cursor else None
    return _asked_by(selectors.page_of_cards(wanted, sort=sort, limit=LIMIT, after=after))


async def _product(slug: str) -> bytes:
    rows = await _product_statement().rows({"name": slug, "currency": CURRENCY})
    if not rows:
        return b""
    page, live = rows[0]
    return f"{page[:-1]},{live[1:]}".encode()


@cache
def _product_statement() -> Statement:
    return _asked_by(selectors.product_document("slug"))


async def _facets(query: Mapping[str, str]) -> bytes:
    """Rows become JSON as in Lavka: no part of them lies ready anywhere."""
    wanted = Wanted(text=query["q"])
    return dumps(facets_json(await facets_of(wanted), wanted))


class Asked(Exception):
    """A statement that would have been sent."""


def _asked_by(question: Coroutine[Any, Any, Any]) -> Statement:
    """The statement that a selector of Lavka sends, without sending it."""

    def tell(statement: str, parameters: Any, *, is_short: bool) -> None:
        raise Asked(statement)

    with patch.multiple(database, fetch_all=tell, fetch_one=tell):
        try:
            question.send(None)
        except Asked as asked:
            return Statement.of(asked.args[0])
    raise AssertionError("the selector asks nothing")


async def fetch_all(
    statement: str, parameters: Mapping[str, Any], *, is_short: bool = False
) -> list[Any]:
    """What `database.fetch_all` does, by asyncpg."""
    return await Statement.of(statement).rows(parameters)


database.fetch_all = fetch_all


async def _live(receive: Receive, send: Send) -> None:
    """Connect before the first request, hang up after the last."""
    await receive()
    connections = [await _connect() for _ in range(int(os.environ["BENCH_POOL"]))]
    for each in connections:
        idle.put_nowait(each)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    for each in connections:
        await each.close()
    await send({"type": "lifespan.shutdown.complete"})


async def _connect() -> asyncpg.Connection:
    return await asyncpg.connect(
        host=os.environ["POSTGRES_HOST"],
        port=int(os.environ["POSTGRES_PORT"]),
        user=os.environ["POSTGRES_USER"],
        password=os.environ["POSTGRES_PASSWORD"],
        database=os.environ["POSTGRES_DB"],
    )
