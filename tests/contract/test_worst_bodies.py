"""Every operation is sent the worst bodies that its schema allows: each answer is short and meant.

What they cost in time is measured and told, not asserted:

    LAVKA_MEASURE=1 .venv/bin/pytest tests/contract/test_worst_bodies.py -s
"""

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from lavka.kernel import threads
from lavka.web.handler import FastLane
from tests.accounts.factories import make_staff, token_of
from tests.contract.bounds import FOREIGN
from tests.contract.worst import UUID, Bodies
from tests.web.asgi import Client, in_one_piece

pytestmark = pytest.mark.usefixtures("worker_threads")

MAX_ANSWER = 64 * 1024
IS_MEASURED = bool(os.environ.get("LAVKA_MEASURE"))


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What came of one request, in CPU milliseconds of the loop's thread and of the process."""

    operation: str
    body: str
    sent: int
    status: int
    told: int
    loop: float
    all: float


@pytest.fixture(autouse=True)
def _limits_off(settings: Any) -> None:
    settings.LAVKA = settings.LAVKA | {"THROTTLES": False}


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path with an id, a number or a slug for each of its parameters, and description."""
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            named = {
                each["name"]: value_of(each["schema"])
                for each in operation.get("parameters", [])
                if each["in"] == "path"
            }
            yield method.upper(), path.format(**named), operation


def value_of(schema: dict[str, Any]) -> str:
    """What the path takes there."""
    if schema.get("format") == "uuid":
        return UUID
    return "1" if schema.get("type") == "integer" else "a"


async def ask(method: str, path: str, body: bytes, token: str) -> tuple[Client, float, float]:
    headers = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        "idempotency-key": os.urandom(16).hex(),
    }
    if token:
        headers["authorization"] = f"Bearer {token}"
    path, _, query = path.partition("?")
    client = Client(method, path, in_one_piece(body), headers, query.encode())
    loop, process = time.thread_time(), time.process_time()
    await client.ask(FastLane())
    spent = time.thread_time() - loop, time.process_time() - process
    return client, spent[0] * 1000, spent[1] * 1000


def tell(answers: list[Answered]) -> None:
    """The dearest first."""
    for each in sorted(answers, key=lambda each: -each.all)[:40]:
        sys.stdout.write(
            f"\n{each.loop:7.1f} ms loop {each.all:7.1f} ms CPU {each.sent:8} B sent "
            f"{each.told:6} B told {each.status} {each.operation}: {each.body}"
        )


async def test_the_worst_body_of_each_operation_gets_a_short_answer(schema: dict[str, Any]):
    token = await threads.in_thread(lambda: token_of(make_staff()))
    bodies = Bodies(schema)
    answers: list[Answered] = []

    for method, path, operation in operations(schema):
        if "requestBody" not in operation:
            continue
        for name, body in bodies.of(operation):
            assert len(body) <= operation["requestBody"]["x-max-body-bytes"]
            # The least of three is what it costs; the others collect garbage, or import a module.
            asked = [await ask(method, path, body, token) for _ in range(3 if IS_MEASURED else 1)]
            client, *_ = asked[0]
            answers.append(
                Answered(
                    operation=operation["operationId"],
                    body=name,
                    sent=len(body),
                    status=client.status,
                    told=len(client.body),
                    loop=min(loop for _, loop, _ in asked),
                    all=min(process for *_, process in asked),
                )
            )

    if IS_MEASURED:
        tell(answers)
    assert [each for each in answers if each.status >= 500 or each.status == 413] == []
    assert [each for each in answers if each.told > MAX_ANSWER] == []
    # The provider's own body is not parsed, nor one about something that is not there.
    parsed = [each for each in answers if each.operation not in FOREIGN]
    assert {each.status for each in parsed if each.body == "a number"} <= {400, 404}


WORST_QUERIES = {
    "names": "&".join(f"{number}" + "a" * 75 for number in range(100)),
    "ugly names": "&".join(f"{number}" + "%01" * 25 for number in range(100)),
    "one name": "%2F~" * 2000,
    "known names": "&".join(["limit=1", "cursor=" + "a" * 6000, "count=" + "a" * 200, "q=%00"]),
    "attributes": "&".join(f"attr.{number}" + "a" * 60 + "=1" for number in range(99)),
    "bounds": "price_min=1e300&price_max=" + "9" * 199 + "&rating_min=1e-999999&after=1e300",
    "repeated": "&".join(["sort=" + "a" * 70] * 100),
}


async def test_the_worst_query_of_each_read_gets_a_short_answer(schema: dict[str, Any]):
    token = await threads.in_thread(lambda: token_of(make_staff()))
    answers = [
        (operation["operationId"], name, client.status, len(client.body))
        for method, path, operation in operations(schema)
        if method == "GET"
        for name, query in WORST_QUERIES.items()
        for client, *_ in [await ask(method, f"{path}?{query}", b"", token)]
    ]

    assert [each for each in answers if each[2] != 422] == []
    assert [each for each in answers if each[3] > MAX_ANSWER] == []


async def test_numbers_at_the_edge_of_what_is_accepted_break_nothing(schema: dict[str, Any]):
    queries = [
        *(f"rating_min={each}" for each in ("1e-999999", "5e0", "4.99999999999999999999", "0e99")),
        *(f"price_max={each}" for each in (10**15, "0" * 20, "00000000000000000001")),
    ]

    statuses = {
        query: (await ask("GET", f"/api/v1/products/?{query}", b"", ""))[0].status
        for query in queries
    }

    assert {query for query, status in statuses.items() if status not in {200, 422}} == set()
