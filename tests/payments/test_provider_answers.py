"""What a provider answers is kept within the bounds of what can be stored."""

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import stripe
from django.utils import timezone

from lavka.payments import flows, services
from lavka.payments.gateways import registry
from lavka.payments.gateways import stripe as gateway_module
from lavka.payments.gateways.protocol import (
    ActionNeeded,
    Approved,
    Declined,
    Processing,
)
from lavka.payments.gateways.stripe import Stripe
from lavka.payments.models import ProviderEvent
from lavka.payments.sandbox import provider
from tests.happening import SYSTEM
from tests.payments.factories import make_payment, run

pytestmark = pytest.mark.django_db

KEY = "49ad3ba0-585d-431a-8d91-14a4944d0808"
ODD = "\x00\ud800\x1b[2J" + "x" * 5000


@pytest.mark.parametrize(
    "answer",
    [
        Declined(ODD, ODD),
        Approved(ODD),
        Processing(ODD),
        ActionNeeded(ODD, {"type": "redirect", "url": ODD, ODD: ODD}),
    ],
)
def test_an_odd_answer_is_recorded_readable(answer):
    payment = make_payment()
    operation, _ = services.begin_authorise(payment_id=payment.pk, actor=SYSTEM, at=timezone.now())

    services.record_answer(operation_id=operation.pk, answer=answer, at=timezone.now())

    operation.refresh_from_db()
    payment.refresh_from_db()
    assert operation.state in {"failed", "succeeded", "waiting"}
    kept = operation.reference + operation.reason + json.dumps(payment.action)
    assert "\x00" not in kept
    assert "\\u0000" not in kept
    assert len(operation.reference) == 255
    assert operation.reference.endswith("x")


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"null", b"{}", b"\xff\xfe", b'{"id": 5}', b"{" * 5000, b"[" * 100_000),
        b'{"id": "e", "kind": "k", "charge": "c", "key": "x"}',
        *(
            json.dumps({"id": each, "kind": "k", "charge": "c", "key": KEY}).encode()
            for each in ("", "\x00", "\ud800", "x" * 256)
        ),
    ],
)
def test_a_signed_webhook_that_says_nothing_is_refused(api, body):
    answer = api.post(
        "/payments/webhooks/sandbox/", body, Sandbox_Signature=provider.signature_of(body)
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert not ProviderEvent.objects.exists()


# What another program may write where a provider writes text.
NO_TEXT = {
    "number": "7",
    "zero": "0",
    "float": "1.5",
    "infinity": "1e999",
    "huge": "9" * 4000,
    "too-huge": "9" * 5000,
    "true": "true",
    "false": "false",
    "null": "null",
    "list": '["a"]',
    "empty-list": "[]",
    "object": '{"id": "a"}',
    "nested": "[" * 900 + "]" * 900,
}


def with_value(event: dict[str, Any], field: str, written: str) -> bytes:
    """The event as JSON, with what is written in place of the field that such a path names."""
    copy = json.loads(json.dumps(event))
    *path, last = field.split(".")
    inner = copy
    for name in path:
        inner = inner[name]
    inner[last] = "HERE"
    return json.dumps(copy).replace('"HERE"', written).encode()


def refusal_of(api, method: str, body: bytes) -> tuple[int, str | None]:
    """What a signed webhook is answered: its status, and its code if it was refused."""
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), "whsec_test")
    answer = api.post(
        f"/payments/webhooks/{method}/",
        body,
        Sandbox_Signature=provider.signature_of(body),
        Stripe_Signature=header,
    )
    return answer.status_code, answer.json().get("code")


@pytest.mark.parametrize("field", ["id", "kind", "charge", "key"])
@pytest.mark.parametrize("written", NO_TEXT.values(), ids=NO_TEXT)
def test_the_sandbox_writes_text_in_every_field(api, field, written):
    event = {"id": "e", "kind": "k", "charge": "c", "key": KEY}

    refusal = refusal_of(api, "sandbox", with_value(event, field, written))

    assert refusal == (400, "malformed")
    assert not ProviderEvent.objects.exists()


@pytest.fixture
def stripe_shop(settings: Any) -> None:
    settings.LAVKA = settings.LAVKA | {
        "PAYMENT_GATEWAYS": {"stripe": "lavka.payments.gateways.stripe.Stripe"},
        "STRIPE": {"secret_key": "sk_test", "webhook_secret": "whsec_test"},
    }


def stripe_event(kind: str = "payment_intent") -> dict[str, Any]:
    subject = {
        "id": "ob_1", "object": kind, "payment_intent": "pi_1", "metadata": {"operation": KEY},
    }  # fmt: skip
    return {"id": "evt_1", "object": "event", "type": "t", "data": {"object": subject}}


@pytest.mark.usefixtures("stripe_shop")
@pytest.mark.parametrize("field", ["id", "type", "data", "data.object", "data.object.id"])
@pytest.mark.parametrize("written", NO_TEXT.values(), ids=NO_TEXT)
def test_stripe_writes_text_in_every_field(api, field, written):
    refusal = refusal_of(api, "stripe", with_value(stripe_event(), field, written))

    assert refusal == (400, "malformed")
    assert not ProviderEvent.objects.exists()


@pytest.mark.usefixtures("stripe_shop")
@pytest.mark.parametrize("written", NO_TEXT.values(), ids=NO_TEXT)
def test_what_a_refund_of_stripe_is_of_is_text_or_nothing(api, written):
    body = with_value(stripe_event("refund"), "data.object.payment_intent", written)

    refusal = refusal_of(api, "stripe", body)

    assert refusal == ((200, None) if written == "null" else (400, "malformed"))
    assert [each.reference for each in ProviderEvent.objects.all()] == [""] * (written == "null")


@pytest.mark.usefixtures("stripe_shop")
@pytest.mark.parametrize(
    "field", ["object", "created", "livemode", "data.object.object", "data.object.metadata",
              "data.object.metadata.operation", "data.object.amount", "data.object.currency"],
)  # fmt: skip
@pytest.mark.parametrize("written", NO_TEXT.values(), ids=NO_TEXT)
def test_no_other_value_of_stripes_breaks_the_inbox(api, field, written):
    status, _ = refusal_of(api, "stripe", with_value(stripe_event(), field, written))

    assert status in {200, 400}
    assert ProviderEvent.objects.count() == (status == 200)


UNSTORABLE = {
    "surrogate": '"\\ud800"',
    "nul": '"a\\u0000"',
    "empty": '""',
    "long": f'"{"x" * 256}"',
}


@pytest.mark.usefixtures("stripe_shop")
@pytest.mark.parametrize("written", UNSTORABLE.values(), ids=UNSTORABLE)
def test_an_event_whose_id_cannot_be_stored_is_refused(api, written):
    refusal = refusal_of(api, "stripe", with_value(stripe_event(), "id", written))

    assert refusal == (400, "malformed")
    assert not ProviderEvent.objects.exists()


def test_a_signed_webhook_of_odd_words_is_stored_readable(api):
    event = {"id": "e", "kind": "k" * 500, "charge": ODD, "key": str(uuid.uuid4())}
    body = json.dumps(event).encode()

    for _ in range(2):
        answer = api.post(
            "/payments/webhooks/sandbox/", body, Sandbox_Signature=provider.signature_of(body)
        )
        assert answer.status_code == 200

    told = ProviderEvent.objects.get()
    assert (len(told.kind), len(told.reference)) == (100, 255)


def odd_shape(monkeypatch: pytest.MonkeyPatch, intent: dict[str, Any]) -> Stripe:
    async def answered(*_: Any, **__: Any) -> Any:
        return stripe.PaymentIntent.construct_from(intent, "sk_test")

    monkeypatch.setattr(stripe.PaymentIntentService, "create_async", answered)
    return Stripe()


@pytest.mark.parametrize(
    "intent",
    [
        {},
        {"id": "pi_1"},
        {"id": "pi_1", "status": "requires_action", "next_action": None},
        {"id": "pi_1", "status": "succeeded", "amount_received": "much", "currency": "usd"},
        {"id": "pi_1", "status": "succeeded", "amount_received": 5, "currency": None},
    ],
)
def test_an_answer_of_another_shape_leaves_the_outcome_open(intent, monkeypatch, settings):
    settings.LAVKA = settings.LAVKA | {
        "PAYMENT_GATEWAYS": {"stripe": "lavka.payments.gateways.stripe.Stripe"},
        "STRIPE": {"secret_key": "sk_test"},
    }
    gateway = odd_shape(monkeypatch, intent)
    monkeypatch.setattr(registry, "gateway_of", lambda _method: gateway)
    payment = make_payment(method="stripe")

    outcome = run(flows.authorise, payment_id=payment.pk)

    assert outcome.status == "pending"
    assert payment.operations.get().state == "started"


INTENT = {
    "id": "pi_1",
    "object": "payment_intent",
    "status": "requires_capture",
    "amount": 1299,
    "currency": "usd",
}


@contextmanager
def saying(pieces: list[bytes], pause: float) -> Iterator[str]:
    """The address of a provider whose every answer comes in these pieces, with pauses between."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            try:
                for piece in pieces:
                    self.wfile.write(piece)
                    time.sleep(pause)
            except OSError:
                pass  # the shop has heard enough

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=[0.05])
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("pieces", "pause", "seconds", "status"),
    [
        ([], 0.0, 20.0, "authorised"),
        ([b" "] * 100, 0.1, 0.5, "pending"),
        ([b" " * 64 * 1024] * 80, 0.0, 20.0, "pending"),
    ],
    ids=["whole", "drips", "never ends"],
)
def test_an_answer_is_read_so_far_and_so_long(
    pieces, pause, seconds, status, monkeypatch, settings
):
    monkeypatch.setattr(gateway_module, "TIMEOUT_SECONDS", seconds)
    answer = [*pieces, json.dumps(INTENT).encode()]
    with saying(answer, pause) as api_base:
        settings.LAVKA = settings.LAVKA | {
            "PAYMENT_GATEWAYS": {"stripe": "lavka.payments.gateways.stripe.Stripe"},
            "STRIPE": {"secret_key": "sk_test", "api_base": api_base},
            "CAPTURES_AT_ONCE": False,
        }
        payment = make_payment(1299, method="stripe")

        outcome = run(flows.authorise, payment_id=payment.pk)

    assert outcome.status == status
