"""What an ASGI application owes its server: of Django's own handler and of the fast lane alike."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from lavka.web import checks
from lavka.web.bodies import MAX_UNREAD_BYTES, SMALL_BYTES, BoundedBodies
from lavka.web.handler import FastLane, PageHandler
from tests.web import probe
from tests.web.asgi import CHUNK, GONE, Client, in_one_piece, in_pieces

JSON = {"content-type": "application/json"}
CHUNKED = JSON | {"transfer-encoding": "chunked"}


def django() -> Any:
    """Django's own handler, as the shop serves pages with it."""
    return BoundedBodies(PageHandler(), lambda path: MAX_UNREAD_BYTES)


@pytest.fixture(params=[django, FastLane], ids=["django", "fast lane"])
def make(request: pytest.FixtureRequest) -> Callable[[], Any]:
    """The handler, made when the test has set its settings."""
    made: Callable[[], Any] = request.param
    return made


@pytest.fixture(autouse=True)
def _fresh() -> None:
    probe.ENDED.clear()
    probe.LEFT_OPEN.clear()
    probe.STARTED = asyncio.Event()


def problem(client: Client, status: int, code: str) -> dict[str, Any]:
    told = json.loads(client.body)
    assert (client.status, told["code"]) == (status, code)
    assert client.answered["content-type"] == "application/problem+json"
    return dict(told)


async def test_get_is_answered_whole(make):
    client = await Client("GET", "/api/v1/notes/", query=b"limit=3").ask(make())

    assert (client.status, client.body) == (200, b'{"q":{"limit":"3"}}')
    assert client.answered["content-length"] == "19"
    assert client.answered["content-type"] == "application/json"
    assert [message["type"] for message in client.said] == [
        "http.response.start",
        "http.response.body",
    ]
    assert not client.said[-1].get("more_body", False)


async def test_every_answer_has_the_headers_of_safety_and_its_id(make):
    headers = {"x-request-id": "order-12.34", "accept-language": "ru"}
    client = await Client("GET", "/api/v1/notes/", headers=headers).ask(make())

    expected = {
        "x-request-id": "order-12.34",
        "content-language": "ru",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "vary": "Accept-Language, Authorization",
    }
    assert expected.items() <= client.answered.items()


@pytest.mark.parametrize(
    ("method", "path", "headers", "query", "status"),
    [
        ("GET", "/api/v1/notes/", {}, b"", 200),
        ("OPTIONS", "/api/v1/notes/", {}, b"", 204),
        ("GET", "/api/v1/nothing/", {}, b"", 404),
        ("BREW", "/api/v1/notes/", {}, b"", 405),
        ("GET", "/api/v1/notes/", {"host": "evil.example"}, b"", 400),
        ("GET", "/api/v1/notes/", {}, b"q=\xff", 400),
        ("GET", "/api/v1/notes", {}, b"", 308),
        ("GET", "/healthz", {}, b"", 200),
    ],
)
async def test_no_answer_of_the_api_is_sniffed_framed_or_loads_anything(
    method, path, headers, query, status
):
    client = await Client(method, path, headers=headers, query=query).ask(FastLane())

    assert client.status == status
    assert client.answered["x-content-type-options"] == "nosniff"
    policy = client.answered["content-security-policy"].split("; ")
    assert {"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} <= {*policy}


async def test_https_is_pinned(make, settings):
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 60
    client = Client("GET", "/api/v1/notes/", headers={"x-forwarded-proto": "https"})

    await client.ask(make())

    assert client.status == 200
    assert client.answered["strict-transport-security"] == "max-age=60"


async def test_pages_are_redirected_to_https(settings):
    settings.SECURE_SSL_REDIRECT = True

    client = await Client("GET", "/api/docs/errors/").ask(PageHandler())

    assert client.status == 301
    assert client.answered["location"] == "https://localhost/api/docs/errors/"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_api_refuses_plain_http(settings, method):
    """A redirect would hide that a client sends its tokens in the clear."""
    settings.SECURE_SSL_REDIRECT = True

    client = await Client(method, "/api/v1/notes/").ask(FastLane())

    problem(client, 403, "https_required")
    assert "location" not in client.answered


async def test_probes_may_be_asked_over_plain_http(settings):
    settings.SECURE_SSL_REDIRECT = True

    assert (await Client("GET", "/healthz").ask(FastLane())).status == 200


async def test_head_is_told_what_get_would_be(make):
    read = await Client("GET", "/api/v1/notes/").ask(make())
    head = await Client("HEAD", "/api/v1/notes/").ask(make())

    assert head.status == 200
    for name in ("content-length", "etag", "content-type"):
        assert head.answered[name] == read.answered[name]


async def test_options_names_the_methods(make):
    client = await Client("OPTIONS", "/api/v1/notes/").ask(make())

    assert (client.status, client.body) == (204, b"")
    assert client.answered["allow"] == "GET, POST, PUT, PATCH, HEAD, OPTIONS"


async def test_what_a_client_kept_is_not_sent_again(make):
    read = await Client("GET", "/api/v1/notes/").ask(make())
    kept = {"if-none-match": read.answered["etag"]}

    client = await Client("GET", "/api/v1/notes/", headers=kept).ask(make())

    assert (client.status, client.body) == (304, b"")
    assert client.answered["etag"] == read.answered["etag"]


async def test_an_unknown_path_is_404(make):
    problem(await Client("GET", "/api/v1/nothing/").ask(make()), 404, "not_found")


async def test_a_path_that_is_not_utf8_is_404(make):
    problem(await Client("GET", "/api/v1/\ufffd/").ask(make()), 404, "not_found")


async def test_a_query_that_is_not_ascii_is_400(make):
    client = await Client("GET", "/api/v1/notes/", query=b"q=\xff").ask(make())

    assert client.status == 400


@pytest.mark.parametrize(
    "odd",
    [
        "application/json; charset*=bogus''x",
        "multipart/form-data; boundary*=bogus''x",
        "application/json; a*0*=bogus''x; a*1=y",
        "application/json; " + "a" * 11_000,
        "a" * 11_000,
    ],
    ids=["charset", "boundary", "in parts", "long parameter", "long type"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_content_type_that_cannot_be_read_is_400(make, method, odd):
    client = Client(method, "/api/v1/notes/", in_one_piece(b"{}"), {"content-type": odd})

    problem(await client.ask(make()), 400, "malformed")


async def test_another_method_is_405(make):
    client = await Client("BREW", "/api/v1/notes/").ask(make())

    problem(client, 405, "method_not_allowed")
    assert client.answered["allow"] == "GET, POST, PUT, PATCH, HEAD, OPTIONS"


async def test_a_foreign_host_is_400(make):
    headers = {"host": "evil.example"}

    client = await Client("GET", "/api/v1/notes/", headers=headers).ask(make())

    problem(client, 400, "unknown_host")


async def test_a_chunked_body_is_read(make):
    messages = in_pieces(b'{"text": "hi"}', 3)

    client = await Client("POST", "/api/v1/notes/", messages, CHUNKED).ask(make())

    assert (client.status, json.loads(client.body)) == (201, {"text": "hi"})


@pytest.mark.parametrize("size", [SMALL_BYTES + 1, 1024 * 1024])
async def test_a_chunked_body_over_the_operations_limit_is_413(make, size):
    messages = in_pieces(b" " * size, 2**12)

    client = await Client("POST", "/api/v1/notes/", messages, CHUNKED).ask(make())

    assert problem(client, 413, "too_large")["details"] == {"limit": SMALL_BYTES}


async def test_a_body_announced_over_the_operations_limit_is_413_and_not_read():
    length = {"content-length": str(SMALL_BYTES + 1)}
    client = Client("POST", "/api/v1/notes/", in_one_piece(b" "), JSON | length)

    await client.ask(FastLane())

    problem(client, 413, "too_large")
    assert len(client.messages) == 1
    assert "connection" not in client.answered


@pytest.mark.parametrize(
    ("path", "status"), [("/own/", 401), ("/managed/", 401), ("/nothing/", 404), ("/wait/", 405)]
)
async def test_who_may_not_is_told_before_anything_is_read(path, status):
    length = {"content-length": str(2 * SMALL_BYTES)}
    client = Client("PUT", f"/api/v1{path}", in_pieces(b"{", 1), JSON | length)

    await client.ask(FastLane())

    assert (client.status, len(client.messages)) == (status, 2)


async def test_a_read_whose_client_sends_a_body_ends_when_the_client_leaves():
    length = {"content-length": "5"}
    client = Client("GET", "/api/v1/wait/", in_pieces(b"12345", 2), length)
    asking = asyncio.create_task(client.ask(FastLane()))
    await probe.STARTED.wait()

    client.leaving.set()
    await asking

    assert (probe.ENDED, client.said, client.messages) == (["wait"], [], [])


async def test_a_body_announced_over_every_limit_is_413_and_not_read(make):
    client = Client(
        "POST", "/api/v1/notes/", in_one_piece(b"{}"), JSON | {"content-length": "9" * 12}
    )

    await client.ask(make())

    problem(client, 413, "too_large")
    assert len(client.messages) == 1


@pytest.mark.parametrize("size", [10_000, 3 * 1024 * 1024], ids=["in memory", "on disk"])
async def test_an_upload_arrives_whole_and_its_file_is_closed(make, size):
    body = (
        b"--frame\r\nContent-Disposition: form-data; name=file; filename=a.bin\r\n"
        b"Content-Type: application/octet-stream\r\n\r\n" + b"x" * size + b"\r\n--frame--\r\n"
    )
    headers = {
        "content-type": "multipart/form-data; boundary=frame",
        "content-length": str(len(body)),
    }

    client = await Client("POST", "/api/v1/upload/", in_pieces(body, 2**16), headers).ask(make())

    assert (client.status, json.loads(client.body)) == (200, {"name": "a.bin", "bytes": size})
    assert [file.closed for file in probe.LEFT_OPEN] == [True]


async def test_a_bug_in_a_view_is_500_and_told_without_its_reason(make, caplog):
    client = await Client("PATCH", "/api/v1/notes/", in_one_piece(b"{}"), JSON).ask(make())

    problem(client, 500, "internal")
    assert b"secret" not in client.body
    assert "the secret reason" in caplog.text


async def test_a_bug_in_middleware_is_500_and_has_an_id(make, caplog, settings):
    broken = "tests.web.probe.breaks"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, broken]
    settings.FAST_LANE_MIDDLEWARE = [*settings.FAST_LANE_MIDDLEWARE, broken]

    client = await Client("GET", "/api/v1/notes/").ask(make())

    told = problem(client, 500, "internal")
    assert told["request_id"] == client.answered["x-request-id"]
    assert b"secret" not in client.body
    assert "the secret reason" in caplog.text


async def test_a_stream_is_sent_piece_by_piece(make):
    client = await Client("GET", "/api/v1/stream/").ask(make())

    pieces = [message.get("body", b"") for message in client.said[1:]]
    assert pieces == [b"one ", b"two ", b"three", b""]
    assert [message.get("more_body", False) for message in client.said[1:]] == [True] * 3 + [False]
    assert "content-length" not in client.answered
    assert probe.ENDED == ["stream"]


async def test_a_client_that_leaves_a_stream_ends_it(make):
    client = Client("GET", "/api/v1/stream/", query=b"endless=1")
    asking = asyncio.create_task(client.ask(make()))
    await client.has_said(4)

    client.leaving.set()
    await asking

    assert probe.ENDED == ["stream"]
    assert len(client.said) == 4


async def test_a_client_that_leaves_in_the_middle_of_its_body_is_not_answered(make):
    messages = [CHUNK | {"body": b'{"text": '}, GONE]

    client = await Client("POST", "/api/v1/notes/", messages, CHUNKED).ask(make())

    assert client.said == []


async def test_a_client_that_leaves_cancels_its_request(make):
    client = Client("GET", "/api/v1/wait/")
    asking = asyncio.create_task(client.ask(make()))
    await probe.STARTED.wait()

    client.leaving.set()
    await asking

    assert probe.ENDED == ["wait"]
    assert client.said == []


async def test_a_server_that_stops_cancels_its_requests(make):
    client = Client("GET", "/api/v1/wait/")
    asking = asyncio.create_task(client.ask(make()))
    await probe.STARTED.wait()

    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    assert probe.ENDED == ["wait"]
    assert client.said == []


async def test_requests_at_once_do_not_see_each_other(make):
    application = make()
    names = [f"request-{number:04}" for number in range(20)]

    clients = await asyncio.gather(
        *(
            Client(
                "POST", "/api/v1/thread/", in_one_piece(b"{}"), JSON | {"x-request-id": name}
            ).ask(application)
            for name in names
        )
    )

    assert [json.loads(client.body)["request_id"] for client in clients] == names
    assert [client.answered["x-request-id"] for client in clients] == names


async def test_a_shop_front_of_another_origin_may_ask_if_it_is_named(settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://front.example"]
    settings.FAST_LANE_MIDDLEWARE = [
        "corsheaders.middleware.CorsMiddleware",
        *settings.FAST_LANE_MIDDLEWARE,
    ]
    asked = {"access-control-request-method": "POST"}

    def ask(method: str, **headers: str) -> Any:
        return Client(method, "/api/v1/notes/", headers=headers).ask(FastLane())

    preflight = await ask("OPTIONS", origin="https://front.example", **asked)
    read = await ask("GET", origin="https://front.example")
    stranger = await ask("GET", origin="https://evil.example")

    assert preflight.status == 200
    assert "idempotency-key" in preflight.answered["access-control-allow-headers"]
    assert read.answered["access-control-allow-origin"] == "https://front.example"
    assert "ETag" in read.answered["access-control-expose-headers"]
    assert "origin" in read.answered["vary"]
    assert "access-control-allow-origin" not in stranger.answered
    assert checks.check_fast_lane() == []
