"""The Stripe gateway, with Stripe's own SDK, against localstripe as a process of its own."""

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest
import stripe
from django.utils import timezone

from lavka.cli.ports import free_port
from lavka.kernel.money import Money
from lavka.payments import flows, services, tasks
from lavka.payments.gateways.registry import gateway_of
from lavka.payments.models import LedgerEntry, Payment, ProviderEvent
from tests.happening import SYSTEM
from tests.payments.factories import make_payment, run
from tests.payments.kills import killed

pytestmark = pytest.mark.django_db

WEBHOOK_SECRET = "whsec_only_for_the_tests"
GOOD, REFUSED, CHALLENGED = "4242424242424242", "4000000000000341", "4000002760003184"


@pytest.fixture(scope="module")
def api_base() -> Iterator[str]:
    """The address of a running localstripe."""
    base = f"http://localhost:{free_port()}"
    command = [
        sys.executable,
        "-m",
        "localstripe",
        "--from-scratch",
        "--port",
        base[-5:].strip(":"),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(base, process)
            yield base
        finally:
            process.terminate()


def _wait_for(base: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None
        try:
            httpx.get(base)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("localstripe does not answer")


@pytest.fixture(autouse=True)
def shop(api_base: str, settings: Any) -> Any:
    """A shop that takes Stripe."""
    settings.LAVKA = settings.LAVKA | {
        "PAYMENT_GATEWAYS": {"stripe": "lavka.payments.gateways.stripe.Stripe"},
        "STRIPE": {
            "secret_key": "sk_test_lavka",
            "webhook_secret": WEBHOOK_SECRET,
            "api_base": api_base,
        },
    }
    return settings


@pytest.fixture
def client(api_base: str) -> stripe.StripeClient:
    """What the shop's front and the bank do."""
    return stripe.StripeClient("sk_test_lavka", base_addresses={"api": api_base})


def card(client: stripe.StripeClient, number: str) -> str:
    """A PaymentMethod, as Stripe's script makes it in the browser."""
    details: Any = {"number": number, "exp_month": 12, "exp_year": 2040, "cvc": "123"}
    return client.v1.payment_methods.create({"type": "card", "card": details}).id


def pay(client: stripe.StripeClient, number: str = GOOD) -> tuple[Payment, flows.Outcome]:
    payment = make_payment(1299, method="stripe", token=card(client, number))
    outcome = run(flows.authorise, payment_id=payment.pk)
    payment.refresh_from_db()
    return payment, outcome


def authenticate(api_base: str, payment: Payment, *, is_confirmed: bool) -> None:
    """What `stripe.handleNextAction` does once the customer has answered their bank."""
    httpx.post(
        f"{api_base}/v1/payment_intents/{payment.reference}/_authenticate",
        data={
            "key": "pk_test_lavka",
            "client_secret": payment.action["client_secret"],
            "success": str(is_confirmed).lower(),
        },
    ).raise_for_status()


def test_an_intent_is_confirmed_and_captured_at_once(client):
    payment, outcome = pay(client)

    intent = client.v1.payment_intents.retrieve(payment.reference)
    operation = payment.operations.get()
    assert (outcome.status, payment.captured) == ("captured", 1299)
    assert (intent.status, intent.amount, intent.currency) == ("succeeded", 1299, "usd")
    assert intent.metadata.to_dict() == {
        "operation": str(operation.pk),
        "payment": str(payment.pk),
        "order": str(payment.order_id),
    }


def test_a_refused_card_is_a_refusal_with_stripes_code(client):
    payment, outcome = pay(client, REFUSED)

    assert (outcome.status, outcome.reason) == ("declined", "card_declined")
    assert (payment.status, payment.captured) == ("failed", 0)


def test_a_token_that_stripe_does_not_know_is_a_refusal():
    payment = make_payment(1299, method="stripe", token="pm_nobody_has_it")

    outcome = run(flows.authorise, payment_id=payment.pk)

    assert outcome.status == "declined"


@pytest.mark.parametrize(("is_confirmed", "status"), [(True, "captured"), (False, "declined")])
def test_3d_secure_is_left_to_the_customer(client, api_base, is_confirmed, status):
    payment, first = pay(client, CHALLENGED)

    authenticate(api_base, payment, is_confirmed=is_confirmed)
    second = run(flows.authorise, payment_id=payment.pk)

    assert first.status == "requires_action"
    assert first.action["type"] == "stripe"
    assert first.action["client_secret"].startswith(f"{payment.reference}_secret_")
    assert second.status == status


def test_a_payment_that_waits_for_the_customer_is_cancelled(client):
    payment, _ = pay(client, CHALLENGED)

    outcome = run(flows.void, payment_id=payment.pk)

    intent = client.v1.payment_intents.retrieve(payment.reference)
    assert (outcome.status, intent.status) == ("voided", "canceled")


def test_an_authorisation_is_captured_in_part_and_the_rest_is_released(client, shop):
    shop.LAVKA = shop.LAVKA | {"CAPTURES_AT_ONCE": False}
    payment, first = pay(client)

    outcome = run(flows.capture, payment_id=payment.pk, amount=Money(1000, "USD"), key="a")

    payment.refresh_from_db()
    intent = client.v1.payment_intents.retrieve(payment.reference)
    assert (first.status, outcome.status, intent.status) == ("authorised", "captured", "succeeded")
    assert (payment.captured, payment.voided) == (1000, 299)


def test_an_authorisation_is_voided(client, shop):
    shop.LAVKA = shop.LAVKA | {"CAPTURES_AT_ONCE": False}
    payment, _ = pay(client)

    outcome = run(flows.void, payment_id=payment.pk)

    assert outcome.status == "voided"
    assert client.v1.payment_intents.retrieve(payment.reference).status == "canceled"


def test_refunds_in_parts_reach_stripe_once_each(client):
    payment, _ = pay(client)

    for key, amount in (("a", 300), ("a", 300), ("b", 999)):
        run(flows.refund, payment_id=payment.pk, amount=Money(amount, "USD"), key=key)

    refunds = client.v1.refunds.list({"payment_intent": payment.reference}).data
    assert sorted(each.amount for each in refunds) == [300, 999]
    assert LedgerEntry.objects.filter(target="refunds").count() == 2


@pytest.mark.parametrize("kind", ["authorise", "capture", "void", "refund"])
def test_an_answer_that_was_lost_is_looked_up_by_its_key(client, shop, kind):
    shop.LAVKA = shop.LAVKA | {"CAPTURES_AT_ONCE": kind in {"authorise", "refund"}}
    payment = make_payment(1299, method="stripe", token=card(client, GOOD))
    if kind != "authorise":
        run(flows.authorise, payment_id=payment.pk)
    key = {"key": "a"} if kind == "refund" else {}
    with killed(services, "record_answer"):
        run(getattr(flows, kind), payment_id=payment.pk, **key)
    operation = payment.operations.get(kind=kind)

    resolved = run(flows.resolve, operation_id=operation.pk)

    assert (operation.state, resolved.state) == ("started", "succeeded")


def test_without_an_answer_the_payment_stays_pending(client, shop):
    token = card(client, GOOD)
    nobody = {"api_base": f"http://localhost:{free_port()}"}
    shop.LAVKA = shop.LAVKA | {"STRIPE": shop.LAVKA["STRIPE"] | nobody}
    payment = make_payment(1299, method="stripe", token=token)

    outcome = run(flows.authorise, payment_id=payment.pk)

    assert outcome.status == "pending"
    assert payment.operations.get().state == "started"


def test_a_request_that_never_reached_stripe_is_found_to_be_unknown(client):
    payment = make_payment(1299, method="stripe", token=card(client, GOOD))
    operation, _ = services.begin_authorise(payment_id=payment.pk, actor=SYSTEM, at=timezone.now())

    resolved = run(flows.resolve, operation_id=operation.pk)

    assert resolved.state == "started"


def test_the_books_of_stripe_agree_with_the_shops(client):
    payment, _ = pay(client)
    run(flows.refund, payment_id=payment.pk, amount=Money(300, "USD"), key="a")

    books = run(gateway_of("stripe").statements, since=payment.created_at - timedelta(minutes=1))

    (ours,) = [each for each in books if each.reference == payment.reference]
    assert (ours.captured, ours.refunded) == (Money(1299, "USD"), Money(300, "USD"))
    assert ours.key == payment.operations.get(kind="authorise").pk


def signed(event: dict[str, Any], secret: str = WEBHOOK_SECRET, age: int = 0) -> tuple[bytes, str]:
    body = json.dumps(event)
    header = stripe.WebhookSignature.generate_signature_header(
        body, secret, timestamp=int(time.time()) - age
    )
    return body.encode(), header


def event_about(payment: Payment) -> dict[str, Any]:
    intent = {
        "id": payment.reference,
        "object": "payment_intent",
        "metadata": {"operation": str(payment.operations.get().pk)},
    }
    return {
        "id": "evt_1",
        "object": "event",
        "type": "payment_intent.succeeded",
        "data": {"object": intent},
    }


def post(api, body: bytes, signature: str) -> int:
    return api.post("/payments/webhooks/stripe/", body, Stripe_Signature=signature).status_code


def test_a_signed_webhook_completes_a_payment_and_its_replay_changes_nothing(api, client, api_base):
    payment, _ = pay(client, CHALLENGED)
    authenticate(api_base, payment, is_confirmed=True)
    body, signature = signed(event_about(payment))

    answers = [post(api, body, signature) for _ in range(2)]
    for spoken in ProviderEvent.objects.all():
        tasks.look_into(provider_event_id=str(spoken.pk))

    payment.refresh_from_db()
    assert answers == [200, 200]
    assert (payment.status, payment.captured) == ("captured", 1299)
    assert (ProviderEvent.objects.count(), LedgerEntry.objects.count()) == (1, 1)


@pytest.mark.parametrize("fault", ["secret", "age", "body", "none", "binary"])
def test_a_wrong_signature_gets_400_and_changes_nothing(api, client, fault):
    payment, _ = pay(client, CHALLENGED)
    body, signature = signed(
        event_about(payment),
        secret="whsec_another" if fault == "secret" else WEBHOOK_SECRET,
        age=301 if fault == "age" else 0,
    )
    sent = {"body": body + b" ", "binary": b"\xff\xfe"}.get(fault, body)

    answer = post(api, sent, "" if fault == "none" else signature)

    payment.refresh_from_db()
    assert answer == 400
    assert payment.status == "requires_action"
    assert not ProviderEvent.objects.exists()


@contextmanager
def listening() -> Iterator[tuple[str, "queue.Queue[tuple[bytes, str]]"]]:
    """A server on this machine, and the bodies and signatures that it receives."""
    received: queue.Queue[tuple[bytes, str]] = queue.Queue()

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            received.put((self.rfile.read(length), self.headers["Stripe-Signature"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", received
        finally:
            server.shutdown()
            thread.join()


def test_a_webhook_that_localstripe_signed_and_sent_is_let_in(api, client, api_base):
    with listening() as (url, received):
        configured = {"url": url, "secret": WEBHOOK_SECRET, "events": ["payment_intent.succeeded"]}
        httpx.post(f"{api_base}/_config/webhooks/shop", json=configured).raise_for_status()
        payment, _ = pay(client)
        body, signature = received.get(timeout=20)
        while payment.reference.encode() not in body:  # localstripe tells a second late
            body, signature = received.get(timeout=20)

    answer = post(api, body, signature)

    told = ProviderEvent.objects.get()
    assert answer == 200
    assert (told.kind, told.reference) == ("payment_intent.succeeded", payment.reference)
    assert told.key == payment.operations.get().pk
