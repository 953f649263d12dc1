"""What a request may cost: how much is read, parsed, checked and told, whatever is sent."""

import json
from typing import Any

import pytest

from lavka.web import middleware
from lavka.web.bodies import KIB, SMALL_BYTES
from lavka.web.handler import FastLane
from tests.client import Api
from tests.web import probe
from tests.web.asgi import Client, in_one_piece
from tests.web.hops import counted_hops

JSON = {"content-type": "application/json"}


def refused(api: Api, path: str, body: Any) -> dict[str, Any]:
    response = api.post(path, body)
    assert response.status_code == 422, response.content[:500]
    assert len(response.content) < 64 * KIB
    return dict(response.json())


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every note, word and mark that is checked."""
    seen: list[Any] = []
    for field in (probe.Note, probe.StrictCharField, probe.StrictIntegerField):
        original = field.to_internal_value

        def watched(self: Any, data: Any, original: Any = original) -> Any:
            seen.append(data)
            return original(self, data)

        monkeypatch.setattr(field, "to_internal_value", watched)
    return seen


@pytest.mark.parametrize(
    "body",
    [
        {f"unknown{number}": 1 for number in range(1000)},
        {"notes": [{}] * 4000},
        {"notes": [{"text": "a", f"unknown{number}": 1} for number in range(4000)]},
        {"notes": [{f"unknown{number}": 1 for number in range(4000)}]},
        {"notes": [{"text": 5, "stars": 9}] * 4000},
        {"notes": [], "words": ["too long"] * 4000},
        {"notes": [], "marks": {str(number): -1 for number in range(4000)}},
    ],
    ids=["names", "empty", "names in each", "names in one", "values", "words", "marks"],
)
def test_only_some_of_what_is_wrong_is_looked_for_and_told(
    api: Api, checks: list[Any], body: dict[str, Any]
):
    told = refused(api, "/books/", body)

    assert len(told["errors"]) == 20
    assert told["errors_truncated"] is True
    assert len(checks) <= 3 * 21


def test_what_is_told_whole_says_so_by_saying_nothing(api: Api):
    body = {"notes": [{"text": "a", "stars": 9}] * 20}

    told = refused(api, "/books/", body)

    assert len(told["errors"]) == 20
    assert "errors_truncated" not in told


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"notes": [5] * 4001}, "max_length"),
        ({"notes": [], "words": [5] * 4001}, "max_length"),
        ({"notes": [], "marks": dict.fromkeys(map(str, range(4001)))}, "max_entries"),
        ({"notes": [], "marks": {"a" * 9: None}}, "max_name_length"),
    ],
)
def test_a_length_is_checked_before_what_has_it(
    api: Api, checks: list[Any], body: dict[str, Any], code: str
):
    told = refused(api, "/books/", body)

    assert [error["code"] for error in told["errors"]] == [code]
    assert checks == []


@pytest.mark.parametrize("text", ["a" * 10_000, "/" * 10_000, "\x01" * 2000, "щ" * 5000])
def test_what_was_sent_is_not_sent_back(api: Api, text: str):
    told = refused(api, "/notes/", {text: 1, "text": "a"})

    (error,) = told["errors"]
    assert error["code"] == "unknown"
    assert error["pointer"].startswith("#/")
    assert len(error["pointer"]) == 120


def test_a_body_of_the_worst_names_is_answered_shortly(api: Api):
    names = {f"{number:03}" + "\x01" * 100: 1 for number in range(20)}

    refused(api, "/notes/", names)


async def ask(path: str, body: bytes) -> Client:
    headers = JSON | {"content-length": str(len(body))}
    return await Client("POST", f"/api/v1{path}", in_one_piece(body), headers).ask(FastLane())


@pytest.mark.usefixtures("worker_threads")
@pytest.mark.parametrize("size", [SMALL_BYTES, SMALL_BYTES + 1])
async def test_a_large_body_is_parsed_checked_and_used_in_one_worker_thread(monkeypatch, size):
    body = b'{"notes": []}'.ljust(size)

    with counted_hops(monkeypatch) as hops:
        client = await ask("/books/", body)

    told = json.loads(client.body)
    is_large = size > SMALL_BYTES
    assert (client.status, hops) == (201, ["ThreadPoolExecutor.submit"])
    assert told["inner"].startswith("lavka-worker")
    assert (told["thread"] == told["inner"]) is is_large


async def test_a_read_with_a_large_body_stays_on_the_event_loop(monkeypatch):
    headers = JSON | {"content-length": str(50 * KIB)}
    client = Client("GET", "/api/v1/notes/", in_one_piece(b" " * 50 * KIB), headers)

    with counted_hops(monkeypatch) as hops:
        await client.ask(FastLane())

    assert (client.status, hops) == (200, [])


@pytest.mark.usefixtures("worker_threads")
async def test_a_large_body_is_refused_in_its_thread_too(monkeypatch):
    with counted_hops(monkeypatch) as hops:
        client = await ask("/books/", b'{"notes": [5]}'.ljust(100 * KIB))

    assert (client.status, hops) == (422, ["ThreadPoolExecutor.submit"])


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("limit=3&limit=4", "?limit", "repeated"),
        ("count=true&count=true", "?count", "repeated"),
        ("cursor=" + "a" * 6001, "?cursor", "too_long"),
        ("limit=000000001000000", "?limit", "out_of_range"),
        ("limit=" + "0" * 190 + "1", "?limit", "out_of_range"),
        ("limit=" + "1" * 201, "?limit", "too_long"),
        ("cursor=" + "a" * 6000, "?cursor", "invalid_cursor"),
        ("&".join(["limit=1"] * 101), "?", "too_many"),
        ("&" * 100, "?", "too_many"),
        ("a" * 1000 + "=1", "?" + "a" * 118 + "…", "unknown"),
    ],
)
def test_a_query_has_bounds(api: Api, query: str, pointer: str, code: str):
    response = api.get(f"/counted/?{query}")

    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)


def test_only_some_of_what_is_unknown_in_a_query_is_told(api: Api):
    told = api.get("/counted/?" + "&".join(f"a{number}=1" for number in range(90))).json()

    assert len(told["errors"]) == 20
    assert told["errors_truncated"] is True


@pytest.mark.parametrize("query", ["a" * 8193, "&" * 8193, "cursor=" + "%00" * 4000])
def test_a_long_query_is_not_parsed(api: Api, query: str):
    response = api.get(f"/counted/?{query}")

    assert (response.status_code, response.json()["code"]) == (414, "query_too_long")


def test_a_long_list_of_tags_is_read_in_part(api: Api):
    tag = api.get("/notes/")["ETag"]

    assert api.get("/notes/", if_none_match=f'"a", {tag}').status_code == 304
    assert api.get("/notes/", if_none_match='"a", ' * 1000 + tag).status_code == 200


@pytest.mark.parametrize("accepted", ["ru," * 5000, "ru;q=0." + "9" * 9000, "x" * 9000])
def test_a_long_accept_language_is_read_in_part(api: Api, accepted: str):
    middleware.chosen_language.cache_clear()

    response = api.get("/notes/", accept_language=accepted)

    assert response.status_code == 200
    assert response["Content-Language"] == ("ru" if accepted.startswith("ru,") else "en")
