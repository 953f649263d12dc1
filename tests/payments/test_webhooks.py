"""Webhooks: signed, stored once, and unable to turn anything back."""

import json
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from lavka.kernel.models import OutboxEvent
from lavka.payments import flows, tasks
from lavka.payments.models import LedgerEntry, Payment, ProviderEvent
from lavka.payments.sandbox import provider
from lavka.payments.sandbox.models import Charge, Webhook
from tests.payments.factories import make_payment, run

pytestmark = pytest.mark.django_db

PATH = "/payments/webhooks/sandbox/"


def send(api, body: bytes, signature: str | None = None, path: str = PATH):
    signed = provider.signature_of(body) if signature is None else signature
    return api.post(path, body, Sandbox_Signature=signed)


def deliver(*webhooks: Webhook) -> None:
    """What the relay and a worker do with the sandbox's webhooks, in the order given."""
    for webhook in webhooks:
        tasks.deliver_sandbox_webhook(webhook_id=str(webhook.pk))
    for spoken in ProviderEvent.objects.filter(processed_at=None).order_by("id"):
        tasks.look_into(provider_event_id=str(spoken.pk))


def bodies() -> list[bytes]:
    webhooks = Webhook.objects.select_related("charge").order_by("id")
    return [provider.body_of(each) for each in webhooks]


def test_a_signed_webhook_is_stored_and_announced(api):
    run(flows.authorise, payment_id=make_payment().pk)
    body = bodies()[0]

    answer = send(api, body)

    stored = ProviderEvent.objects.get()
    assert (answer.status_code, answer.json()) == (200, {"received": True})
    assert (stored.method, stored.kind, stored.payload.encode()) == (
        "sandbox", "charge.approved", body,
    )  # fmt: skip
    assert OutboxEvent.objects.filter(
        name="payments.provider_spoke", payload={"provider_event_id": str(stored.pk)}
    ).exists()


@pytest.mark.parametrize("signature", ["", "0" * 64, "é"])
def test_a_wrong_signature_changes_nothing(api, signature):
    payment = make_payment(token="requires_action")
    run(flows.authorise, payment_id=payment.pk)
    provider.confirm_charge(charge_id=Charge.objects.get().pk, is_confirmed=True)

    answers = [
        send(api, bodies()[-1], signature=signature.encode("ascii", "replace").decode()),
        send(api, bodies()[-1] + b" ", signature=provider.signature_of(bodies()[-1])),
    ]

    payment.refresh_from_db()
    assert [each.status_code for each in answers] == [400, 400]
    assert {each.json()["code"] for each in answers} == {"wrong_signature"}
    assert not ProviderEvent.objects.exists()
    assert payment.status == "requires_action"


def test_a_replayed_webhook_is_accepted_and_stored_once(api):
    run(flows.authorise, payment_id=make_payment().pk)

    answers = [send(api, bodies()[0]).status_code for _ in range(3)]

    assert answers == [200, 200, 200]
    assert ProviderEvent.objects.count() == 1


def test_an_unknown_method_is_not_found(api):
    assert send(api, b"{}", path="/payments/webhooks/shells/").status_code == 404
    assert send(api, b"{}", path="/payments/webhooks/invoice/").status_code == 400


def test_a_webhook_about_nobody_is_stored_and_processed(api):
    strange = json.dumps(
        {"id": "1", "kind": "charge.captured", "charge": "x", "key": str(uuid.uuid4())}
    ).encode()

    answer = send(api, strange)
    deliver()

    assert answer.status_code == 200
    assert ProviderEvent.objects.get().processed_at is not None


def test_a_payment_that_waits_for_the_provider_is_confirmed_by_webhook():
    payment = make_payment(token="pending")
    first = run(flows.authorise, payment_id=payment.pk)

    provider.confirm_charge(charge_id=Charge.objects.get().pk, is_confirmed=True)
    deliver(*Webhook.objects.order_by("id"))

    payment.refresh_from_db()
    assert (first.status, payment.status) == ("pending", "captured")


def test_a_webhook_that_comes_before_the_answer_is_recorded_finds_the_operation_by_its_key():
    payment = make_payment(token="timeout_after_charge")
    run(flows.authorise, payment_id=payment.pk)
    assert Payment.objects.get().reference == ""

    deliver(Webhook.objects.order_by("id").first())

    payment.refresh_from_db()
    assert (payment.status, payment.captured) == ("captured", 1000)


@pytest.mark.parametrize("token", ["duplicated_webhooks", "reordered_webhooks"])
def test_webhooks_twice_and_in_any_order_take_the_money_once(token):
    payment = make_payment(token=token)
    run(flows.authorise, payment_id=payment.pk)
    run(flows.refund, payment_id=payment.pk, key="a")

    due = OutboxEvent.objects.filter(name="sandbox.webhook_due").order_by("id")
    told = [Webhook.objects.get(pk=each.payload["webhook_id"]) for each in due]
    deliver(*told, *reversed(told))

    payment.refresh_from_db()
    kinds = [each.kind for each in told]
    assert kinds == {
        "duplicated_webhooks": [
            "charge.approved", "charge.approved", "charge.captured", "charge.captured",
            "charge.refund", "charge.refund",
        ],
        "reordered_webhooks": ["charge.captured", "charge.approved", "charge.refund"],
    }[token]  # fmt: skip
    assert (payment.status, payment.captured, payment.refunded) == ("refunded", 1000, 1000)
    assert LedgerEntry.objects.count() == 2


def test_the_customers_page_confirms_and_then_says_so(client):
    run(flows.authorise, payment_id=make_payment(1299, token="requires_action").pk)
    page = f"/sandbox/challenges/{Charge.objects.get().page_key}/"

    asked = client.get(page)
    answered = client.post(page, {"answer": "confirm"}, follow=True)
    changed_mind = client.post(page, {"answer": "refuse"}, follow=True)

    assert "12.99 USD" in asked.content.decode()
    assert b"<button" in asked.content
    assert b"<button" not in answered.content
    assert b"approved" in changed_mind.content
    assert Charge.objects.get().captured == 1299


def test_the_customers_page_of_no_charge_is_not_found(client):
    assert client.get(f"/sandbox/challenges/{uuid.uuid4()}/").status_code == 404


def test_a_webhook_that_was_looked_into_is_not_looked_into_again():
    payment = make_payment(token="pending")
    run(flows.authorise, payment_id=payment.pk)
    provider.confirm_charge(charge_id=Charge.objects.get().pk, is_confirmed=True)
    webhook = Webhook.objects.order_by("id").first()
    tasks.deliver_sandbox_webhook(webhook_id=str(webhook.pk))
    spoken = ProviderEvent.objects.get()
    ProviderEvent.objects.update(processed_at=timezone.now())

    tasks.look_into(provider_event_id=str(spoken.pk))

    payment.refresh_from_db()
    assert payment.status == "pending"


def test_webhooks_are_forgotten_after_a_while_and_waiting_ones_never():
    run(flows.authorise, payment_id=make_payment().pk)
    for webhook in Webhook.objects.all():
        tasks.deliver_sandbox_webhook(webhook_id=str(webhook.pk))
    old = timezone.now() - tasks.KEEP_WEBHOOKS - timedelta(days=1)
    ProviderEvent.objects.update(received_at=old)
    done = ProviderEvent.objects.first()
    ProviderEvent.objects.filter(pk=done.pk).update(processed_at=old)

    purged = tasks.purge_webhooks()

    assert (purged, ProviderEvent.objects.filter(processed_at=None).count()) == (1, 1)
