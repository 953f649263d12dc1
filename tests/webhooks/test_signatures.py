"""Deliveries as receivers see them that check with libraries of others."""

import json
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pytest
import standardwebhooks
from cryptography.fernet import InvalidToken
from django.utils import timezone
from standardwebhooks import WebhookVerificationError

from lavka.webhooks import services
from lavka.webhooks.models import SigningKey
from lavka.webhooks.signatures import Keys, headers_of
from tests.webhooks.factories import deliver, listening, make_delivery, make_endpoint

VERIFY = Path(__file__).with_name("verify.mjs")
MESSAGE = {"message_id": "018f-1", "body": b'{"type":"orders.order_placed"}'}
FIVE_MINUTES = 300


@pytest.fixture(scope="session")
def npm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the library from the npm registry."""
    folder = tmp_path_factory.mktemp("npm")
    command = ["npm", "install", "--prefix", folder, "--no-audit", "standardwebhooks@1"]
    subprocess.run(command, check=True, capture_output=True, timeout=100)
    return folder


def verdict_of_npm(npm: Path, keys: Keys, headers: dict[str, str], body: str) -> dict:
    message = {"secret": keys.shared, "publicKey": keys.public, "body": body, "headers": headers}
    command = ["node", VERIFY, npm]
    done = subprocess.run(
        command, input=json.dumps([message]), check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)[0]


def verdict_of_pypi(keys: Keys, headers: dict[str, str], body: str) -> object:
    try:
        return standardwebhooks.Webhook(keys.shared).verify(body, headers)
    except WebhookVerificationError as refused:
        return str(refused)


def signed(keys: Keys, *, timestamp: int | None = None) -> dict[str, str]:
    return headers_of(timestamp=timestamp or int(time.time()), keys=[keys], **MESSAGE)


@pytest.mark.django_db
def test_a_delivery_is_verified_by_the_libraries_of_python_and_npm(web, npm):
    endpoint = listening(web)
    keys = services.rotate_keys(endpoint_id=endpoint.pk, at=timezone.now())
    delivery = make_delivery(endpoint)

    deliver(endpoint)

    ((headers, content),) = web.posted
    sent = {name.lower(): value for name, value in headers.items()}
    assert sent["webhook-id"] == str(delivery.event_id)
    assert sent["content-type"] == "application/json"
    assert verdict_of_pypi(keys, sent, content.decode()) == delivery.body
    assert verdict_of_npm(npm, keys, sent, content.decode()) == {"v1": delivery.body, "v1a": True}


def test_a_changed_byte_is_refused(npm):
    keys = Keys.make()
    headers, body = signed(keys), MESSAGE["body"].decode()
    changed = body.replace("placed", "placee")
    unsigned = headers | {"webhook-id": "018f-2"}

    for forged, content in ((headers, changed), (unsigned, body)):
        assert verdict_of_pypi(keys, forged, content) == "No matching signature found"
        assert verdict_of_npm(npm, keys, forged, content) == {
            "v1": "No matching signature found",
            "v1a": False,
        }


def test_what_was_recorded_and_is_played_back_later_is_refused(npm):
    """The timestamp is signed: left as it was it is too old, and made anew it does not fit."""
    keys, body = Keys.make(), MESSAGE["body"].decode()
    old = signed(keys, timestamp=int(time.time()) - FIVE_MINUTES - 1)
    renewed = old | {"webhook-timestamp": str(int(time.time()))}

    assert verdict_of_pypi(keys, old, body) == "Message timestamp too old"
    assert verdict_of_npm(npm, keys, old, body)["v1"] == "Message timestamp too old"
    assert verdict_of_pypi(keys, renewed, body) == "No matching signature found"
    assert verdict_of_npm(npm, keys, renewed, body) == {
        "v1": "No matching signature found",
        "v1a": False,
    }


@pytest.mark.django_db
def test_while_keys_are_rotated_the_last_two_sign_and_no_other(web):
    endpoint, first = services.create_endpoint(
        name="Warehouse", url=web.url("/hooks", "127.0.0.1"), events=[]
    )
    second, third = (
        services.rotate_keys(endpoint_id=endpoint.pk, at=timezone.now()) for _ in range(2)
    )
    make_delivery(endpoint)
    deliver(endpoint)
    SigningKey.objects.filter(expires_at__isnull=False).update(expires_at=timezone.now())
    make_delivery(endpoint)
    deliver(endpoint)

    during, after = (
        [not isinstance(verdict_of_pypi(keys, headers, body.decode()), str) for keys in rotated]
        for rotated in [(first, second, third)]
        for headers, body in web.posted
    )

    assert during == [False, True, True]
    assert after == [False, False, True]


@pytest.mark.django_db
def test_keys_are_stored_sealed_and_survive_a_new_secret_of_the_shop(settings):
    endpoint = make_endpoint()
    stored = SigningKey.objects.get(endpoint=endpoint)
    sealed = bytes(stored.sealed_secret), bytes(stored.sealed_private_key)
    keys = Keys.unseal(*sealed)
    assert keys.public == stored.public_key
    assert keys.secret not in sealed[0]

    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-secret-of-the-shop-0123456789-0123456789"
    assert Keys.unseal(*sealed) == keys

    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(InvalidToken):
        Keys.unseal(*sealed)


def test_a_shared_secret_has_256_bits_and_the_prefix():
    assert Keys.make().shared.startswith("whsec_")
    assert len(Keys.make().secret) == 32
    assert Keys.make() != Keys.make()


@pytest.mark.django_db
def test_old_keys_end_a_day_after_they_were_rotated():
    endpoint, at = make_endpoint(), timezone.now()

    services.rotate_keys(endpoint_id=endpoint.pk, at=at)

    ends = set(SigningKey.objects.values_list("expires_at", flat=True))
    assert ends == {None, at + timedelta(days=1)}
