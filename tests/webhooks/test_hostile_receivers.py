"""Whatever a receiver answers, the attempt is on record, once, and no other delivery suffers."""

import logging
import threading
from typing import Any

import pytest
from django.utils import timezone

from lavka.kernel import outbound
from lavka.webhooks import flows, rules
from lavka.webhooks.models import Attempt, Delivery
from tests.imports.web_server import Web
from tests.webhooks.factories import deliver, listening, make_delivery, make_endpoint, sent

pytestmark = pytest.mark.django_db

OK = b"HTTP/1.1 200 OK\r\n"
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n"
# What comes over the wire, and the status that can be read from it.
ANSWERS: dict[str, tuple[bytes, int | None]] = {
    "nothing": (b"", None),
    "NUL instead of HTTP": (b"\x00" * 2000, None),
    "NUL in the status": (b"HTTP/1.1 2\x000 OK\r\n\r\n", None),
    "NUL in the version": (b"HT\x00TP/1.1 200 OK\r\n\r\n", None),
    "NUL in the reason": (b"HTTP/1.1 500 n\x00o\r\n\r\n", 500),
    "half a surrogate pair": (b"HTTP/1.1 \xed\xa0\x80 OK\r\n\r\n", None),
    "escape sequences": (b"\x1b[2J\x1b]0;owned\x07 200\r\n\r\n", None),
    "no number": (b"HTTP/1.1 two hundred\r\n\r\n", None),
    "a negative status": (b"HTTP/1.1 -200 OK\r\n\r\n", None),
    "a huge status": (b"HTTP/1.1 99999999999999999999 OK\r\n\r\n", None),
    "999": (b"HTTP/1.1 999 Odd\r\n\r\n", 999),
    "an unknown version": (b"HTTP/9.9 200 OK\r\n\r\n", None),
    "a long status line": (b"HTTP/1.1 200 " + b"x" * 100_000 + b"\r\n\r\n", None),
    "a switch of protocol": (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", 101),
    "an early hint": (b"HTTP/1.1 103 Early Hints\r\n\r\n", 103),
    "continues": (b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, None),
    "many headers": (OK + b"X: y\r\n" * 1000 + b"\r\n", None),
    "a long header": (OK + b"X: " + b"y" * 100_000 + b"\r\n\r\n", None),
    "no headers": (OK + b"\xff\xfe\x00\x00", 200),
    "a header without a name": (OK + b": x\r\n\r\n", 200),
    "NUL in a header": (b"HTTP/1.1 429 x\r\nRetry-After: 5\x00\r\n\r\n", 429),
    "a negative length": (OK + b"Content-Length: -1\r\n\r\nbody", 200),
    "a huge length": (OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nbody", 200),
    "no length": (OK + b"Content-Length: many\r\n\r\nbody", 200),
    "a negative chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\nbody", 200),
    "no chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nbody", 200),
    "a huge chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 5000 + b"\r\nx", 200),
    "a chunk without an end": (OK + b"Transfer-Encoding: chunked\r\n\r\n5", 200),
    "odd bytes": (OK + b"\r\n\x00\xff\xed\xa0\x80\x1b[31m\xe2\x80\xae", 200),
    "a redirect to NUL": (b"HTTP/1.1 302 x\r\nLocation: \x00\r\n\r\n", 302),
} | {
    f"Retry-After {value[:20]!r}": (BUSY + b"Retry-After: " + value + b"\r\n\r\n", 503)
    for value in (
        b"-1", b"-99999999999", b"1e99", b"NaN", b"", b"0x10", b"9" * 5000, b"soon", b"\xff",
        b"Fri, 31 Dec 9999 23:59:59 GMT", b"Fri, 31 Dec 9999 23:59:59 -2359",
        b"Mon, 01 Jan 0001 00:00:00 +2359", b"Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        b"Mon, 99999999999999999999 Jan 2030 00:00:00 GMT",
        b"Mon, 01 Jan 2030 00:00:00 +9999999999",
    )
}  # fmt: skip


def answer(web: Web, path: str, raw: bytes) -> None:
    """Answer with these bytes and nothing else."""
    web.pages[path] = lambda request: request.wfile.write(raw)


@pytest.mark.parametrize("name", ANSWERS)
def test_an_attempt_is_on_record_whatever_is_answered(web, name):
    raw, status = ANSWERS[name]
    answer(web, "/odd", raw)

    delivery, attempt, endpoint = sent(web, "/odd")

    assert attempt.status_code == status
    assert (attempt.error == "") is (status is not None)
    assert not {"\x00", "\x1b", "\u202e"} & set(attempt.error + attempt.excerpt)
    assert (delivery.tries, delivery.claimed_until) == (1, None)
    if status == 200:
        assert delivery.status == "delivered"
        return
    longest = timezone.now() + rules.LONGEST_WAIT
    assert (delivery.status, endpoint.failures) == ("pending", 1)
    assert timezone.now() < delivery.next_attempt_at <= longest
    assert endpoint.open_until is None or endpoint.open_until <= longest


def test_a_hostile_receiver_is_given_up_like_any_other(web):
    answer(web, "/odd", b"HTTP/1.1 2\x000 OK\r\n\r\n")
    endpoint = listening(web, "/odd")
    delivery = make_delivery(endpoint)
    for _ in range(10):
        Delivery.objects.filter(pk=delivery.pk).update(next_attempt_at=timezone.now())
        type(endpoint).objects.update(open_until=None)
        deliver(endpoint)

    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts.count()) == ("failed", 10)


def test_a_bug_of_the_sender_is_a_failed_attempt_that_says_so(web, monkeypatch, caplog):
    def broken(**_: Any) -> dict[str, str]:
        raise RuntimeError("a bug")

    monkeypatch.setattr(flows, "headers_of", broken)
    with caplog.at_level(logging.ERROR, "lavka.webhooks"):
        delivery, attempt, endpoint = sent(web, "/hooks")

    assert (attempt.status_code, attempt.error) == (None, "not_sent: RuntimeError")
    assert (delivery.status, delivery.tries, endpoint.failures) == ("pending", 1, 1)
    assert "a bug" in caplog.text
    assert web.posted == []


def test_an_outcome_that_cannot_be_recorded_is_recorded_as_that(web, monkeypatch, caplog):
    decide, calls = rules.next_attempt_at, []

    def broken_once(answer: rules.Answer, **how: Any) -> Any:
        calls.append(answer)
        if len(calls) == 1:
            raise OverflowError("date value out of range")
        return decide(answer, **how)

    monkeypatch.setattr(rules, "next_attempt_at", broken_once)
    web.show("/hooks", b"", 500)

    delivery, attempt, endpoint = sent(web, "/hooks")

    assert (attempt.status_code, attempt.error) == (None, "not_recorded: OverflowError")
    assert (delivery.status, delivery.tries, endpoint.failures) == ("pending", 1, 1)
    assert "date value out of range" in caplog.text


def test_one_bad_delivery_does_not_hold_up_the_others(web, monkeypatch):
    endpoint = listening(web)
    bad, good = make_delivery(endpoint), make_delivery(endpoint)
    encoded = rules.encoded

    def broken_for_one(body: Any) -> bytes:
        if body == bad.body:
            raise RecursionError
        return encoded(body)

    monkeypatch.setattr(rules, "encoded", broken_for_one)

    deliver(endpoint)

    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.status, good.status) == ("pending", "delivered")
    assert Attempt.objects.count() == 2


def test_a_receiver_without_tls_is_told(web):
    endpoint = make_endpoint(web.url("/hooks", "127.0.0.1").replace("http:", "https:"))
    delivery = make_delivery(endpoint)

    deliver(endpoint)

    assert delivery.attempts.get().error.startswith("unreachable: SSL")


def test_a_name_service_that_does_not_answer_is_left_in_time(monkeypatch):
    monkeypatch.setattr(flows, "SECONDS", 0.3)
    left = threading.Event()
    monkeypatch.setattr(outbound.socket, "getaddrinfo", lambda *_, **__: left.wait(20) and [])
    endpoint = make_endpoint("https://slow.example/hooks")
    delivery = make_delivery(endpoint)

    deliver(endpoint)
    left.set()

    assert delivery.attempts.get().error.startswith("too_slow: ")


def test_a_name_of_many_dead_addresses_is_not_tried_for_ever(monkeypatch):
    tried = []

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        return [(2, 1, 6, "", (f"127.0.0.{number}", port)) for number in range(1, 200)]

    def create_connection(address: tuple[str, int], timeout: float) -> Any:
        tried.append(timeout)
        raise TimeoutError("timed out")

    monkeypatch.setattr(outbound.socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(outbound.socket, "create_connection", create_connection)
    endpoint = make_endpoint("https://many.example/hooks")
    delivery = make_delivery(endpoint)

    deliver(endpoint)

    assert delivery.attempts.get().error.startswith("unreachable: TimeoutError")
    assert len(tried) == 8
    assert max(tried) <= flows.SECONDS
