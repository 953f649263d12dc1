"""What nginx keeps of the catalogue, and for whom."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.containers.front import Backend, Front


@pytest.fixture(scope="module")
def counting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    backend = Backend(tmp_path_factory.mktemp("counting"), "tests.containers.counting:application")
    yield backend
    backend.process.stop()


@pytest.fixture(scope="module")
def cache(counting: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of an nginx that keeps pages long enough to be asked about."""
    front = Front(tmp_path_factory.mktemp("cache"), counting.port, MICRO_CACHE_SECONDS="60")
    with httpx.Client(base_url=front.url) as client:
        yield client
    front.process.stop()


def numbers(client: httpx.Client, path: str, times: int = 4, **options: object) -> list[int]:
    return [client.get(path, **options).json()["number"] for _ in range(times)]


@pytest.mark.parametrize("room", ["products", "categories", "brands"])
def test_the_second_to_ask_fills_the_cache_for_all_others(cache, room):
    path = f"/api/v1/{room}/filled/"

    answers = [cache.get(path) for _ in range(4)]

    assert [answer.json()["number"] for answer in answers] == [1, 2, 2, 2]
    statuses = [answer.headers["x-cache-status"] for answer in answers]
    assert statuses == ["MISS", "MISS", "HIT", "HIT"]


def test_a_kept_page_has_the_request_id_of_who_asks(cache):
    numbers(cache, "/api/v1/products/ids/", 2)

    answer = cache.get("/api/v1/products/ids/", headers={"X-Request-ID": "order-4711.b"})

    assert answer.headers["x-cache-status"] == "HIT"
    assert answer.headers.get_list("x-request-id") == ["order-4711.b"]
    assert answer.headers["cache-control"] == "public, max-age=30"


def test_each_query_is_a_page_of_its_own(cache):
    assert numbers(cache, "/api/v1/products/queries/?limit=1") == [1, 2, 2, 2]
    assert numbers(cache, "/api/v1/products/queries/?limit=2") == [3, 4, 4, 4]


def test_each_language_is_a_page_of_its_own(cache):
    path = "/api/v1/products/languages/"

    def language(accepted: str) -> str:
        told = [cache.get(path, headers={"Accept-Language": accepted}) for _ in range(3)][-1]
        assert told.headers["x-cache-status"] == "HIT"
        return str(told.json()["language"])

    assert language("ru") == "ru"
    assert language("ru-RU,ru;q=0.9") == "ru"
    assert language("en-US,en;q=0.9,ru;q=0.8") == "en-US,en;q=0.9,ru;q=0.8"
    assert language("en") == "en-US,en;q=0.9,ru;q=0.8"
    assert language("en;q=0.5,ru") == "en;q=0.5,ru"
    assert language("de,ru;q=0.5") == "de,ru;q=0.5"


@pytest.mark.parametrize("header", [{"Authorization": "Bearer x"}, {"Cookie": "sessionid=x"}])
def test_who_is_known_is_neither_served_nor_overheard(cache, header):
    path = f"/api/v1/products/known-{next(iter(header)).lower()}/"

    assert numbers(cache, path, 3) == [1, 2, 2]
    known = [cache.get(path, headers=header) for _ in range(3)]
    assert [answer.json()["number"] for answer in known] == [3, 4, 5]
    assert {answer.headers["x-cache-status"] for answer in known} == {"BYPASS"}
    assert numbers(cache, path, 1) == [2]


@pytest.mark.parametrize("kind", ["private", "limited", "cookie", "missing"])
def test_what_is_not_for_everyone_is_not_kept(cache, kind):
    assert numbers(cache, f"/api/v1/products/{kind}/?{kind}") == [1, 2, 3, 4]


def test_a_write_is_never_answered_from_the_cache(cache):
    path = "/api/v1/products/written/reviews/"
    numbers(cache, path, 3)

    assert [cache.post(path, json={}).json()["method"] for _ in range(3)] == ["POST"] * 3
    assert cache.get(path).headers["x-cache-status"] == "HIT"


def test_other_paths_are_not_kept(cache):
    assert numbers(cache, "/api/v1/me/") == [1, 2, 3, 4]
    assert "x-cache-status" not in cache.get("/api/v1/me/").headers


def test_a_client_that_has_the_page_gets_304_from_nginx(cache):
    numbers(cache, "/api/v1/products/known-page/", 3)

    answer = cache.get("/api/v1/products/known-page/", headers={"If-None-Match": '"2"'})

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["x-cache-status"] == "HIT"


def test_an_old_page_is_served_while_the_new_one_is_fetched(counting: Backend, tmp_path: Path):
    path = "/api/v1/products/stale/"
    # As it is shipped: for a second. Whoever asks as fast as this test would be told to wait.
    front = Front(tmp_path, counting.port, LAVKA_THROTTLES="off")
    try:
        with httpx.Client(base_url=front.url) as client:
            seen = follow(client, path)
    finally:
        front.process.stop()

    stale = next(index for index, (status, _) in enumerate(seen) if status == "STALE")
    assert seen[:2] == [("MISS", 1), ("MISS", 2)]
    assert seen[2] == ("HIT", 2)
    assert seen[stale] == ("STALE", 2)
    assert seen[-1] == ("HIT", 3)


def follow(client: httpx.Client, path: str) -> list[tuple[str, int]]:
    """What is seen of the path until a renewed page has come from the cache."""
    seen: list[tuple[str, int]] = []
    deadline = time.monotonic() + 20
    while not seen or seen[-1] != ("HIT", 3):
        assert time.monotonic() < deadline, seen
        answer = client.get(path)
        seen.append((answer.headers["x-cache-status"], answer.json()["number"]))
    return seen


def test_it_can_be_turned_off(counting: Backend, tmp_path: Path):
    front = Front(tmp_path, counting.port, MICRO_CACHE_SECONDS="0")
    try:
        with httpx.Client(base_url=front.url) as client:
            assert numbers(client, "/api/v1/products/off/") == [1, 2, 3, 4]
    finally:
        front.process.stop()


def test_metrics_stay_inside(cache):
    assert cache.get("/metrics").status_code == 404
