import pytest
from django.test import override_settings
from rest_framework.exceptions import ValidationError

from lavka.web.bodies import SMALL_BYTES
from tests.accounts.factories import make_customer, make_staff, token_of
from tests.client import Api
from tests.web.probe import Book

JSON = "application/json"
PROBLEM = "application/problem+json"


def problem_of(response, status, code):
    assert response.status_code == status
    assert response["Content-Type"] == PROBLEM
    assert response["Cache-Control"] == "no-store"
    body = response.json()
    assert body["code"] == code
    assert body["status"] == status
    assert body["type"] == f"/api/docs/errors/#{code}"
    assert body["request_id"] == response["X-Request-ID"]
    return body


def test_a_read_is_tagged_and_may_be_kept(api: Api):
    response = api.get("/notes/?limit=3")

    assert response.json() == {"q": {"limit": "3"}}
    assert response["Content-Type"] == JSON
    assert response["Cache-Control"] == "public, max-age=30, stale-while-revalidate=60"
    assert response["ETag"]


@pytest.mark.parametrize("offered", ["{tag}", "W/{tag}", '"other", {tag}', "*"])
def test_a_client_that_kept_the_answer_gets_304(api: Api, offered: str):
    tag = api.get("/notes/")["ETag"]

    response = api.get("/notes/", if_none_match=offered.format(tag=tag))

    assert response.status_code == 304
    assert response.content == b""
    assert response["ETag"] == tag
    assert response["Cache-Control"] == "public, max-age=30, stale-while-revalidate=60"


def test_a_client_that_kept_another_answer_gets_this_one(api: Api):
    assert api.get("/notes/", if_none_match='"other"').status_code == 200


def test_head_is_get_without_a_body(api: Api):
    read, head = api.get("/notes/"), api.request("HEAD", "/notes/")

    assert head.status_code == 200
    assert head.content == b""
    assert head["ETag"] == read["ETag"]
    assert head["Content-Length"] == read["Content-Length"]


def test_options_names_the_methods(api: Api):
    response = api.request("OPTIONS", "/notes/")

    assert response.status_code == 204
    assert response["Allow"] == "GET, POST, PUT, PATCH, HEAD, OPTIONS"


@pytest.mark.parametrize("method", ["DELETE", "TRACE", "QUERY", "CONNECT", "BREW"])
def test_another_method_is_405_with_those_that_work(api: Api, method: str):
    response = api.request(method, "/notes/")

    problem_of(response, 405, "method_not_allowed")
    assert response["Allow"] == "GET, POST, PUT, PATCH, HEAD, OPTIONS"


def test_a_method_that_does_not_exist_is_405_also_without_a_token(api: Api):
    problem_of(api.delete("/own/"), 405, "method_not_allowed")


@pytest.mark.parametrize("path", ["/nothing/", "/products/%00/", "/products/%FF/", "/пусто/"])
@pytest.mark.parametrize("is_debug", [True, False])
def test_an_unknown_path_is_a_problem_in_every_mode(api: Api, path: str, is_debug: bool):
    with override_settings(DEBUG=is_debug):
        problem_of(api.post(path, {}), 404, "not_found")


def test_a_missing_slash_is_redirected_with_method_query_and_body_kept(api: Api):
    response = api.post("/notes?limit=3", {"text": "hi"})

    assert response.status_code == 308
    assert response["Location"] == "/api/v1/notes/?limit=3"


def test_a_missing_slash_never_leads_to_another_host(api: Api):
    response = api.request("GET", "/api//evil.example/api/v1/notes")

    assert response.status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"text": "a", "text": "b"}',
        b'{"text": NaN}',
        b'{"stars": 1e999}',
        b'{"stars": -Infinity}',
        b'{"stars": ' + b"9" * 5000 + b"}",
        b'{"text": "\\u0000"}',
        b'{"text": "\x00"}',
        b'{"text": "\\ud800"}',
        b'{"text": "\xff"}',
        '{"text": "utf-16"}'.encode("utf-16"),
    ],
    ids=repr,
)
def test_what_is_not_strict_json_is_malformed(api: Api, body: bytes):
    problem_of(api.post("/notes/", body), 400, "malformed")


@pytest.mark.parametrize("body", [b"[]", b"1", b'"text"', b"null", b"true"])
def test_a_body_that_is_no_object_is_invalid(api: Api, body: bytes):
    refused = problem_of(api.post("/notes/", body), 422, "invalid")

    assert [error["pointer"] for error in refused["errors"]] == ["#"]


def test_no_body_is_an_empty_object(api: Api):
    refused = problem_of(api.post("/notes/"), 422, "invalid")

    assert [(e["pointer"], e["code"]) for e in refused["errors"]] == [("#/text", "required")]


def test_each_refused_field_is_named(api: Api):
    body = {"text": 5, "stars": 10**30, "a/b~c": 1}

    refused = problem_of(api.post("/notes/", body), 422, "invalid")

    found = {(error["pointer"], error["code"]) for error in refused["errors"]}
    assert found == {
        ("#/text", "invalid"),
        ("#/stars", "max_value"),
        ("#/a~1b~0c", "unknown"),
    }


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_media_type_is_415(api: Api, media_type: str):
    response = api.client.generic(
        "POST", "/api/v1/notes/", b'{"text": "a"}', content_type=media_type
    )

    problem_of(response, 415, "unsupported_media_type")


def test_json_with_a_charset_is_read(api: Api):
    response = api.client.generic(
        "POST", "/api/v1/notes/", b'{"text": "a"}', content_type="application/json; charset=utf-8"
    )

    assert response.status_code == 201


def test_a_body_of_the_operations_limit_is_read_and_one_byte_more_is_413(api: Api):
    frame = len(b'{"text": ""}')
    fits = b'{"text": "' + b"a" * (SMALL_BYTES - frame) + b'"}'

    problem_of(api.post("/notes/", fits), 422, "invalid")
    problem_of(api.post("/notes/", fits + b" "), 413, "too_large")


@pytest.mark.parametrize(
    "body",
    [
        b'{"text":' * 17 + b"1" + b"}" * 17,
        b'{"text": ' + b"[" * 16 + b"]" * 16 + b"}",
        b"[" * 8000 + b"]" * 8000,
    ],
    ids=["dicts", "lists", "deep"],
)
def test_a_body_that_is_nested_too_deeply_is_refused(api: Api, body: bytes):
    problem_of(api.post("/notes/", body), 400, "too_complex")


def test_a_text_may_hold_what_a_body_may_not(api: Api):
    problem_of(api.post("/notes/", {"text": "[{," * 5000}), 422, "invalid")


def test_an_unknown_query_parameter_is_refused(api: Api):
    refused = problem_of(api.get("/notes/?limit=3&prise=4"), 422, "invalid")

    assert [(e["pointer"], e["code"]) for e in refused["errors"]] == [("?prise", "unknown")]


def test_a_null_character_in_a_query_is_refused(api: Api):
    refused = problem_of(api.get("/notes/?cursor=%00"), 422, "invalid")

    assert [(e["pointer"], e["code"]) for e in refused["errors"]] == [("?cursor", "null_character")]


def test_a_query_that_is_not_utf8_is_read_with_marks(api: Api):
    assert api.get("/notes/?cursor=%FF").json() == {"q": {"cursor": "�"}}


def test_a_rooms_own_refusal_carries_its_details(api: Api):
    refused = problem_of(api.put("/notes/", {}), 409, "taken")

    assert refused["detail"] == "Number 7 is taken."
    assert refused["details"] == {"number": 7}


@pytest.mark.parametrize("is_debug", [True, False])
def test_a_bug_is_logged_with_its_trace_and_told_without(api: Api, caplog, is_debug: bool):
    with override_settings(DEBUG=is_debug):
        response = api.patch("/notes/", {})

    problem_of(response, 500, "internal")
    assert b"secret" not in response.content
    assert "the secret reason" in caplog.text


def test_texts_for_people_follow_accept_language(api: Api):
    response = api.get("/nothing/", accept_language="ru-RU,ru;q=0.9,en;q=0.5")

    assert response["Content-Language"] == "ru"
    assert "Accept-Language" in response["Vary"]
    assert api.get("/nothing/", accept_language="fr")["Content-Language"] == "en"


@pytest.mark.parametrize("offered", ["", "short", "a" * 65, "line\tbreak-12345", "<script>12345"])
def test_a_strange_request_id_is_replaced(api: Api, offered: str):
    own = api.get("/notes/", x_request_id=offered)["X-Request-ID"]

    assert len(own) == 32
    assert own != offered


def test_a_sane_request_id_is_kept(api: Api):
    assert api.get("/notes/", x_request_id="order-12.34:a_b")["X-Request-ID"] == "order-12.34:a_b"


def test_answers_are_neither_sniffed_nor_framed(api: Api):
    response = api.get("/notes/")

    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    "authorization", ["Bearer", "Bearer x", "Basic YTpi", "Bearer a.b.c", "Bearer \xff", "x"]
)
def test_a_token_that_is_none_is_401_everywhere(api: Api, authorization: str):
    response = api.get("/notes/", authorization=authorization)

    problem_of(response, 401, "unauthenticated")
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


def test_a_customers_view_needs_a_token(api: Api):
    problem_of(api.get("/own/"), 401, "unauthenticated")


@pytest.mark.django_db
def test_a_customer_is_known_by_the_token_alone(api: Api, django_assert_num_queries):
    customer = make_customer()

    with django_assert_num_queries(0):
        response = api.get("/own/", token=token_of(customer))

    assert response.json() == {"id": str(customer.pk)}
    assert response["Cache-Control"] == "no-store"


@pytest.mark.django_db(transaction=True)
def test_a_staff_view_asks_the_database_for_the_right(api: Api):
    staff = make_staff("catalog.view_product")
    token = token_of(staff)

    assert api.get("/managed/", token=token).status_code == 200
    problem_of(api.get("/managed/", token=token_of(make_customer())), 403, "denied")
    problem_of(
        api.get("/managed/", token=token_of(make_staff("catalog.add_product"))), 403, "denied"
    )

    staff.user_permissions.clear()
    problem_of(api.get("/managed/", token=token), 403, "denied")


def test_a_host_that_is_not_the_shops_is_refused_by_name(api):
    answer = api.get("/products/", Host="evil.example")

    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_host")


def test_a_partial_body_is_partial_only_at_its_top():
    assert Book.read({}, partial=True) == {}
    assert Book.read({"notes": [{"text": "a"}]}, partial=True) == {"notes": [{"text": "a"}]}
    with pytest.raises(ValidationError) as refused:
        Book.read({"notes": [{}]}, partial=True)
    assert refused.value.get_codes() == {"notes": {0: {"text": ["required"]}}}
