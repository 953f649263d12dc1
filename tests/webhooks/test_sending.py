"""Sending to receivers that answer, and to those that misbehave."""

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from lavka.kernel import outbound
from lavka.webhooks import flows, services
from lavka.webhooks.models import Delivery, Endpoint
from tests.webhooks.factories import (
    deliver,
    listening,
    make_delivery,
    make_endpoint,
    make_event,
    sent,
)

pytestmark = pytest.mark.django_db

# As under `lavka up`, with nothing set.
ONLY_LOOPBACK = {"WEBHOOKS_ALLOW_PRIVATE": False, "WEBHOOKS_ALLOW_LOOPBACK": True}


def make_due(*deliveries: Delivery) -> None:
    """Let the pause pass."""
    pks = [delivery.pk for delivery in deliveries]
    Delivery.objects.filter(pk__in=pks).update(next_attempt_at=timezone.now())
    Endpoint.objects.exclude(open_until=None).update(open_until=timezone.now())


def test_an_error_of_the_receiver_is_tried_again_and_then_taken(web):
    web.show("/hooks", b"out of order", 500)
    delivery, attempt, endpoint = sent(web, "/hooks")
    assert (delivery.status, delivery.tries, endpoint.failures) == ("pending", 1, 1)
    assert (attempt.status_code, attempt.excerpt) == (500, "out of order")
    assert timedelta(seconds=3) < delivery.next_attempt_at - timezone.now() < timedelta(seconds=7)
    deliver(endpoint)
    assert len(web.posted) == 1

    web.show("/hooks", b"")
    make_due(delivery)
    deliver(endpoint)

    delivery.refresh_from_db()
    endpoint.refresh_from_db()
    assert (delivery.status, delivery.tries, endpoint.failures) == ("delivered", 2, 0)
    first, second = (headers["webhook-id"] for headers, _ in web.posted)
    assert first == second


def test_a_redirect_is_a_failure_and_never_followed(web):
    web.show("/moved", b"", 307, Location=web.url("/hooks", "127.0.0.1"))

    delivery, attempt, _ = sent(web, "/moved")

    assert (delivery.status, attempt.status_code) == ("pending", 307)
    assert [path for _, path in web.asked] == ["/moved"]


def test_an_endless_answer_is_cut_after_its_first_bytes(web):
    written = []

    def pour(request):
        request.send_response(200)
        request.end_headers()
        while len(written) < 2 * 1024 * 1024 // 64:  # 2 GB in blocks of 64 kB
            request.wfile.write(b"x" * 65536)
            written.append(65536)

    web.pages["/endless"] = pour

    delivery, attempt, _ = sent(web, "/endless")

    assert (delivery.status, attempt.excerpt) == ("delivered", "x" * 1000)
    # Less than what fits into the buffers of a connection.
    assert sum(written) < 32 * 1024 * 1024


@pytest.mark.parametrize(
    ("part", "outcome"),
    [("header", ("pending", None, "")), ("body", ("delivered", 200, "half [cut off]"))],
)
def test_a_receiver_that_closes_half_way_has_answered_if_it_sent_a_status(web, part, outcome):
    def close(request):
        if part == "body":
            request.send_response(200)
            request.send_header("Transfer-Encoding", "chunked")
            request.end_headers()
            request.wfile.write(b"4\r\nhalf\r\n8\r\n")

    web.pages["/half"] = close

    delivery, attempt, _ = sent(web, "/half")

    assert (delivery.status, attempt.status_code, attempt.excerpt) == outcome
    assert attempt.error.startswith("unreachable: ") is (part == "header")


def test_a_receiver_that_drips_is_left_in_time(web, monkeypatch):
    monkeypatch.setattr(flows, "SECONDS", 0.5)
    left = threading.Event()

    def drip(request):
        while not left.wait(0.05):
            request.wfile.write(b"x")
            request.wfile.flush()

    web.pages["/slow"] = drip
    try:
        delivery, attempt, _ = sent(web, "/slow")
    finally:
        left.set()

    assert (delivery.status, attempt.error) == (
        "pending",
        "too_slow: It took more than 0.5 seconds.",
    )
    assert timedelta(seconds=0.4) < attempt.duration < timedelta(seconds=5)


def test_an_answer_that_the_database_could_not_keep_is_kept_readable(web):
    web.show("/odd", b"\x00\xff" * 5000, 500)

    _, attempt, _ = sent(web, "/odd")

    assert attempt.excerpt == "\ufffd" * 1000


def test_410_switches_the_endpoint_off_and_calls_the_rest_off(web):
    web.show("/gone", b"", 410)
    endpoint = listening(web, "/gone")
    later = make_delivery(endpoint)
    Delivery.objects.update(next_attempt_at=timezone.now() + timedelta(hours=1))
    now = make_delivery(endpoint)

    deliver(endpoint)

    for each in (endpoint, later, now):
        each.refresh_from_db()
    assert (endpoint.status, now.status, later.status) == ("gone", "failed", "cancelled")
    assert services.tell_endpoints(event_id=make_event(), at=timezone.now()) == []


def test_retry_after_holds_every_delivery_of_the_endpoint(web):
    web.show("/busy", b"", 429, Retry_After="3600")
    delivery, _, endpoint = sent(web, "/busy")
    make_delivery(endpoint)

    deliver(endpoint)

    hour = timedelta(minutes=59) < delivery.next_attempt_at - timezone.now() < timedelta(minutes=61)
    assert hour
    assert endpoint.open_until == delivery.next_attempt_at
    assert len(web.posted) == 1


def test_the_circuit_opens_after_five_failures_then_one_probe_goes_through(web):
    web.show("/down", b"", 503)
    endpoint = listening(web, "/down")
    for _ in range(5):
        make_delivery(endpoint)
    deliver(endpoint)
    endpoint.refresh_from_db()
    assert (endpoint.failures, len(web.posted)) == (5, 5)
    assert timedelta(seconds=50) < endpoint.open_until - timezone.now() <= timedelta(minutes=1)
    make_delivery(endpoint)
    deliver(endpoint)
    assert len(web.posted) == 5

    make_due(*Delivery.objects.all())
    deliver(endpoint)
    endpoint.refresh_from_db()
    assert (endpoint.failures, len(web.posted)) == (6, 6)

    web.show("/down", b"")
    make_due(*Delivery.objects.all())
    deliver(endpoint)

    endpoint.refresh_from_db()
    assert (endpoint.failures, endpoint.open_until, len(web.posted)) == (0, None, 12)
    assert set(Delivery.objects.values_list("status", flat=True)) == {"delivered"}


def test_a_delivery_is_given_up_after_its_last_pause(web):
    web.show("/down", b"", 500)
    endpoint = listening(web, "/down")
    delivery = make_delivery(endpoint)
    for _ in range(10):
        make_due(delivery)
        deliver(endpoint)

    delivery.refresh_from_db()
    assert (delivery.status, delivery.tries, delivery.attempts.count()) == ("failed", 10, 10)
    assert delivery.finished_at is not None


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0", "127.1", "2130706433"]
)
def test_this_machine_is_never_called_unless_the_setting_says_so(web, settings, host):
    endpoint = make_endpoint(web.url("/hooks", host))
    delivery = make_delivery(endpoint)
    settings.LAVKA = settings.LAVKA | {"WEBHOOKS_ALLOW_PRIVATE": False}

    deliver(endpoint)

    attempt = delivery.attempts.get()
    assert attempt.error.startswith("forbidden_address: ")
    assert web.asked == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_alone_is_called_under_lavka_up(web, settings, host):
    settings.LAVKA = settings.LAVKA | ONLY_LOOPBACK
    endpoint, _ = services.create_endpoint(name="Mine", url=web.url("/hooks", host), events=[])
    delivery = make_delivery(endpoint)

    deliver(endpoint)

    delivery.refresh_from_db()
    assert (delivery.status, len(web.posted)) == ("delivered", 1)


@pytest.mark.parametrize(
    ("addresses", "is_called"),
    [
        (["127.0.0.1"], True),
        (["::1"], True),
        (["::ffff:127.0.0.1"], True),
        (["10.0.0.1"], False),
        (["192.168.1.1"], False),
        (["172.17.0.1"], False),
        (["169.254.169.254"], False),
        (["100.64.0.1"], False),
        (["0.0.0.0"], False),
        (["::"], False),
        (["fe80::1"], False),
        (["fd00::1"], False),
        (["::ffff:10.0.0.1"], False),
        (["127.0.0.1", "10.0.0.1"], False),
    ],
)
def test_a_name_that_means_another_machine_of_this_network_is_not_called_under_lavka_up(
    settings, monkeypatch, addresses, is_called
):
    settings.LAVKA = settings.LAVKA | ONLY_LOOPBACK
    endpoint, _ = services.create_endpoint(
        name="Mine", url="https://warehouse.example/hooks", events=[]
    )
    make_delivery(endpoint)
    called = []

    def getaddrinfo(host, port, **_):
        return [(2, 1, 6, "", (address, port)) for address in addresses]

    def create_connection(address, timeout):
        called.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(outbound.socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(outbound.socket, "create_connection", create_connection)

    deliver(endpoint)

    assert called == (addresses if is_called else [])


def test_a_name_that_comes_to_mean_another_address_changes_nothing(web, settings, monkeypatch):
    """Rebinding: the first answer of the name service is checked and called, there is no second."""
    settings.LAVKA = settings.LAVKA | {"WEBHOOKS_ALLOW_PRIVATE": False}
    endpoint = make_endpoint(f"https://rebinding.example:{web.port}/hooks")
    make_delivery(endpoint)
    answers, called = iter(["8.8.8.8", "127.0.0.1"]), []

    def getaddrinfo(host, port, **_):
        return [(2, 1, 6, "", (next(answers), port))]

    def create_connection(address, timeout):
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(outbound.socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(outbound.socket, "create_connection", create_connection)

    deliver(endpoint)

    assert called == [("8.8.8.8", web.port)]
    assert next(answers) == "127.0.0.1"
    assert web.asked == []


def test_a_key_of_another_shop_is_told_and_not_a_crash(web, settings):
    endpoint = listening(web)
    delivery = make_delivery(endpoint)
    settings.SECRET_KEY = "another-secret-of-the-shop-0123456789-0123456789"

    deliver(endpoint)

    assert delivery.attempts.get().error.startswith("unreadable_key: ")
    assert web.posted == []
