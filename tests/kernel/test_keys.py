"""One secret key for each purpose, and what earlier ones have signed stays good."""

import uuid
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.fernet import InvalidToken
from django.utils import timezone

from lavka.accounts import tokens as account_tokens
from lavka.accounts.errors import InvalidToken as InvalidMailToken
from lavka.accounts.rules import Source
from lavka.accounts.services import places
from lavka.kernel import checks, keys
from lavka.orders import tokens as order_tokens
from lavka.payments.sandbox import provider
from lavka.web.tokens import AccessToken
from lavka.webhooks.signatures import Keys
from tests.accounts.factories import make_customer, sign_in, token_of

NEW = "a-new-secret-of-the-shop-0123456789-0123456789-0123"
ORDER = uuid.uuid4()


@pytest.fixture
def rotate(settings: Any):
    """Change the secret, and keep the old one for reading unless it `is_lost`."""

    def change(*, is_lost: bool = False) -> None:
        settings.SECRET_KEY_FALLBACKS = [] if is_lost else [settings.SECRET_KEY]
        settings.SECRET_KEY = NEW

    return change


def test_no_purpose_has_the_key_of_another_or_the_secret_itself(settings):
    made = [keys.keys_for(purpose)[0] for purpose in keys.PURPOSES]

    assert len({*made, settings.SECRET_KEY.encode()}) == len(keys.PURPOSES) + 1
    assert {len(key) for key in made} == {32}


@pytest.mark.parametrize("purpose", keys.PURPOSES)
def test_what_is_signed_for_one_purpose_is_good_for_no_other(purpose):
    signature = keys.sign(purpose, b"text")

    assert [each for each in keys.PURPOSES if keys.is_signature(each, b"text", signature)] == [
        purpose
    ]
    assert not keys.is_signature(purpose, b"other", signature)
    assert not keys.is_signature(purpose, b"text", "é")


def test_a_signature_stays_good_as_long_as_its_secret_is_a_fallback(rotate, settings):
    signature = keys.sign(keys.SANDBOX, b"text")

    rotate()

    assert keys.is_signature(keys.SANDBOX, b"text", signature)
    assert keys.sign(keys.SANDBOX, b"text") != signature
    settings.SECRET_KEY_FALLBACKS = []
    assert not keys.is_signature(keys.SANDBOX, b"text", signature)


def test_a_purpose_may_have_a_secret_of_its_own(settings):
    before = keys.sign(keys.TOKENS, b"text")
    own = ["one" * 16, "two" * 16]
    settings.LAVKA = settings.LAVKA | {"KEYS": {keys.TOKENS: own[1:]}}
    second = keys.sign(keys.TOKENS, b"text")
    settings.LAVKA = settings.LAVKA | {"KEYS": {keys.TOKENS: own}}

    assert keys.is_signature(keys.TOKENS, b"text", second)
    assert not keys.is_signature(keys.TOKENS, b"text", before)
    assert keys.is_signature(keys.SANDBOX, b"text", keys.sign(keys.SANDBOX, b"text"))


def test_a_short_secret_of_a_purpose_is_refused_at_start(settings):
    settings.LAVKA = settings.LAVKA | {"KEYS": {keys.TOKENS: ["x" * 31]}}

    assert [each.id for each in checks.check_keys()] == ["lavka.E065"]


def test_an_origin_that_no_browser_has_is_refused_at_start(settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://front.example:99999"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://*.front.example", "https://front.example"]

    assert [each.id for each in checks.check_origins()] == ["lavka.E066"]


def test_a_token_that_is_signed_with_the_secret_itself_is_refused(api, settings):
    claims = AccessToken().payload | {
        "sub": str(uuid.uuid4()), "sid": str(uuid.uuid4()), "staff": True,
        "iss": "lavka", "aud": "lavka.api",
    }  # fmt: skip
    forged = [
        jwt.encode(claims, secret, algorithm="HS256")
        for secret in (
            settings.SECRET_KEY,
            *(keys.keys_for(each)[0].hex() for each in keys.PURPOSES),
        )
    ]

    answers = [api.get("/manage/orders/", token=token).status_code for token in forged[:1]]
    answers += [api.get("/me/sessions/", token=token).status_code for token in forged[2:]]

    assert set(answers) == {401}


@pytest.mark.django_db
def test_sessions_outlast_a_change_of_the_secret(api, rotate, settings):
    settings.LAVKA = settings.LAVKA | {"THROTTLES": False}
    user = make_customer()
    pair = sign_in(api, user)

    rotate()
    old = api.get("/me/", token=pair["access"])
    fresh = api.post("/auth/token/refresh/", {"refresh": pair["refresh"]}).json()

    assert old.status_code == 200
    assert api.get("/me/", token=fresh["access"]).status_code == 200
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(
            fresh["access"],
            keys.keys_for(keys.TOKENS)[1].hex(),
            algorithms=["HS256"],
            issuer="lavka",
        )


@pytest.mark.django_db
def test_sessions_end_with_a_secret_that_is_dropped(api, rotate):
    token = token_of(make_customer())

    rotate(is_lost=True)

    assert api.get("/me/", token=token).status_code == 401


@pytest.mark.django_db
def test_what_mails_carry_outlasts_a_change_of_the_secret(rotate, settings):
    user = make_customer()
    verification, reset = account_tokens.verification_of(user), account_tokens.reset_of(user)
    now = timezone.now()
    sign_in_link = account_tokens.sign_in_of(user, at=now)

    rotate()
    claims = account_tokens.read_sign_in(sign_in_link, at=now)
    assert account_tokens.is_sign_in_of(user, claims)
    assert account_tokens.read_verification(verification) == (user.pk, user.email)
    assert account_tokens.is_reset_of(user, reset)
    assert account_tokens.verification_of(user) != verification

    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(InvalidMailToken):
        account_tokens.read_verification(verification)
    assert not account_tokens.is_reset_of(user, reset)
    assert not account_tokens.is_sign_in_of(user, claims)
    with pytest.raises(InvalidMailToken):
        account_tokens.read_sign_in(sign_in_link, at=now)


@pytest.mark.django_db
def test_a_network_stays_known_after_a_change_of_the_secret(rotate, settings):
    user, source = make_customer(), Source("203.0.113.0/24", "")
    places.remember_place(user_id=user.pk, source=source, at=timezone.now())

    rotate()
    assert places.known_places(email=user.email, source=source) == [source.network]

    settings.SECRET_KEY_FALLBACKS = []
    assert places.known_places(email=user.email, source=source) == []


def test_links_to_orders_outlast_a_change_of_the_secret(rotate, settings):
    key = order_tokens.key_of(ORDER)

    rotate()
    assert order_tokens.opens(key, ORDER, 0)
    settings.SECRET_KEY_FALLBACKS = []
    assert not order_tokens.opens(key, ORDER, 0)


def test_sealed_keys_of_endpoints_outlast_a_change_of_the_secret(rotate, settings):
    made = Keys.make()
    sealed = made.seal()

    rotate()
    assert Keys.unseal(*sealed) == made
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(InvalidToken):
        Keys.unseal(*sealed)


def test_the_sandboxes_webhooks_outlast_a_change_of_the_secret(rotate):
    signature = provider.signature_of(b"{}")

    rotate()

    assert provider.is_signed(b"{}", signature)


@pytest.mark.parametrize(
    ("days", "version", "is_open"), [(0, 0, True), (90, 0, True), (91, 0, False), (0, 1, False)]
)
def test_a_link_to_an_order_ends(days, version, is_open):
    key = order_tokens.key_of(ORDER, on=timezone.now().date() - timedelta(days=days))

    assert order_tokens.opens(key, ORDER, version) is is_open


@pytest.mark.parametrize(
    "tamper",
    [
        lambda key: "zzzz." + key.partition(".")[2],
        lambda key: key[:-1],
        lambda key: key + "A",
        lambda key: key.upper(),
        lambda key: key.replace(".", ""),
        lambda key: "",
        lambda key: "é" * 48,
        lambda key: key + "\n",
    ],
)
def test_a_link_cannot_be_prolonged_or_guessed(tamper):
    assert not order_tokens.opens(tamper(order_tokens.key_of(ORDER)), ORDER, 0)


def test_a_link_opens_one_order():
    assert not order_tokens.opens(order_tokens.key_of(uuid.uuid4()), ORDER, 0)
