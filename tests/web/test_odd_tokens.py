"""A token is the shop's own, or it is 401: whatever its claims are, and whoever signed them."""

import base64
import json
import time
import uuid
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from lavka.kernel.errors import Unauthenticated
from lavka.web.tokens import _verified
from tests.accounts.factories import make_customer, sign_in
from tests.client import Api

NUMBERS = [1e300, -1e300, 1e18, 2**63, 10**400, -1, 0, float("nan"), float("inf"), True, None, "x",
           "1e300", [], {}, [1], {"a": {"b": []}}, 253402300800, -62135596801]  # fmt: skip
WORDS = [None, 5, 1e300, True, [], {}, "", "x", {"sub": {"sub": 1}}, "\x00", "0" * 3000]


def encoded(part: Any) -> str:
    text = part if isinstance(part, str) else json.dumps(part)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def claims(kind: type = AccessToken, **odd: Any) -> dict[str, Any]:
    """Of a token that is good, but for `odd`; None leaves a claim out."""
    made: Any = kind()
    made["sub"], made["staff"], made["sid"] = str(uuid.uuid4()), False, str(uuid.uuid4())
    return {**made.payload, "iss": "lavka", "aud": "lavka.api", **odd}


def signed(payload: Any, **headers: Any) -> str:
    """As the shop signs, whatever is in it."""
    backend = AccessToken().get_token_backend()
    head = {"alg": "HS256", "typ": "JWT", **headers}
    body = f"{encoded(head)}.{encoded(json.dumps(payload))}"
    algorithm = jwt.get_algorithm_by_name("HS256")
    signature = algorithm.sign(body.encode(), algorithm.prepare_key(backend.signing_key))
    return f"{body}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def test_what_is_signed_here_is_let_in():
    assert _verified(signed(claims())).is_staff is False


def is_let_in(token: str) -> bool:
    """Whether it is; whatever else than a refusal is raised would be a 500."""
    try:
        return isinstance(_verified(token).id, uuid.UUID)
    except Unauthenticated:
        return False


@pytest.mark.parametrize("value", NUMBERS, ids=repr)
def test_an_expiry_that_no_clock_shows_is_401(value):
    answer = Api().get("/me/", token=signed(claims(exp=value)))

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize("claim", ["iat", "nbf"])
@pytest.mark.parametrize("value", NUMBERS, ids=repr)
def test_another_instant_is_read_or_refused(claim, value):
    assert is_let_in(signed(claims(**{claim: value}))) in {True, False}


@pytest.mark.parametrize("claim", ["sub", "sid", "iss", "aud", "token_type"])
@pytest.mark.parametrize("value", WORDS, ids=lambda each: repr(each)[:20])
def test_a_claim_of_another_kind_is_401(claim, value):
    answer = Api().get("/me/", token=signed(claims(**{claim: value})))

    assert answer.status_code == 401


@pytest.mark.parametrize("audience", [None, "lavka", ["lavka.web"], "lavka.api.other"])
def test_a_token_for_somebody_else_is_401(audience):
    foreign = claims(aud=audience)
    if audience is None:
        del foreign["aud"]

    assert Api().get("/me/", token=signed(foreign)).status_code == 401


@pytest.mark.parametrize("claim", ["jti", "staff", "crit"])
@pytest.mark.parametrize("value", WORDS, ids=lambda each: repr(each)[:20])
def test_a_claim_that_is_not_asked_for_is_no_500(claim, value):
    assert is_let_in(signed(claims(**{claim: value}))) in {True, False}


@pytest.mark.parametrize(
    "token",
    [
        "", ".", "..", "...", "a.b.c", "é.é.é", "x" * 10_000, "." * 4000,
        f"{encoded('[' * 3000)}.{encoded({})}.x",
        f"{encoded({'alg': 'none'})}.{encoded({'exp': 1e300})}.",
        f"{encoded({'alg': ['HS256']})}.{encoded({})}.x",
        f"{encoded({'alg': 'HS256', 'b64': False, 'crit': ['b64']})}.{encoded({})}.x",
        f"{encoded('null')}.{encoded('null')}.x",
        f"{encoded('5')}.{encoded('5')}.x",
    ],
)  # fmt: skip
def test_what_is_no_token_is_401(token):
    answer = Api().get("/me/", token=token or " ")

    assert answer.status_code == 401


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_one_algorithm_signs(algorithm):
    key = AccessToken().get_token_backend().signing_key

    assert is_let_in(jwt.encode(claims(), key, algorithm=algorithm)) is (algorithm == "HS256")


@pytest.mark.parametrize("header", ["jwk", "jku", "kid", "x5c", "x5u"])
def test_a_key_that_a_token_brings_along_is_not_used(header):
    own = "of somebody else, and long enough to sign"
    jwk = {"kty": "oct", "k": encoded(own)}
    brought = {"jwk": jwk, "x5c": [encoded(own)]}
    named = {header: brought.get(header, "https://evil.example/keys.json")}

    assert not is_let_in(jwt.encode(claims(), own, algorithm="HS256", headers=named))


@pytest.mark.parametrize("payload", ["[" * 2000 + "]" * 2000, "null", "5", '"text"', "[]"])
def test_a_signed_body_that_holds_no_claims_is_401(payload):
    backend = AccessToken().get_token_backend()
    algorithm = jwt.get_algorithm_by_name("HS256")
    body = f"{encoded({'alg': 'HS256'})}.{encoded(payload)}"
    key = algorithm.prepare_key(backend.signing_key)
    signature = base64.urlsafe_b64encode(algorithm.sign(body.encode(), key)).decode().rstrip("=")

    answer = Api().get("/me/", token=f"{body}.{signature}"[:4096])

    assert answer.status_code == 401


@given(
    st.dictionaries(
        st.sampled_from(["exp", "iat", "nbf", "sub", "sid", "jti"]),
        st.none() | st.integers() | st.floats() | st.text(max_size=20),
        min_size=1,
    )
)
def test_nothing_but_a_refusal_is_ever_raised(odd):
    assert is_let_in(signed(claims(**odd))) in {True, False}


@pytest.mark.django_db
@pytest.mark.parametrize("claim", ["exp", "iat", "nbf", "sid", "jti"])
@pytest.mark.parametrize("value", [1e300, 10**400, float("nan"), None, [], {"a": 1}], ids=repr)
def test_a_refresh_token_is_read_as_strictly(api, settings, claim, value):
    settings.LAVKA = settings.LAVKA | {"THROTTLES": False}
    made: Any = RefreshToken()
    made["sub"], made["sid"], made["jti"] = (uuid.uuid4().hex for _ in range(3))

    payload = {**made.payload, "iss": "lavka", "aud": "lavka.api", claim: value}

    answer = api.post("/auth/token/refresh/", {"refresh": signed(payload)})

    assert answer.status_code == 401
    assert answer.json()["code"] == "invalid_refresh_token"


@pytest.mark.django_db
def test_a_real_token_still_works_and_expires_on_time(api):
    user = make_customer()
    pair = sign_in(api, user)

    assert api.get("/me/", token=pair["access"]).status_code == 200
    past = signed(claims(exp=int(time.time()) - 1))
    assert api.get("/me/", token=past).status_code == 401
