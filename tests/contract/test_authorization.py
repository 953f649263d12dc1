"""Who may: asked of every operation in the schema, with a body or without."""

import re
import uuid

import pytest
from django.utils import timezone

from lavka.accounts.scopes import Scope
from lavka.accounts.services import keys
from tests.accounts.factories import make_customer, make_staff, token_of
from tests.client import Api


def operations(schema: dict) -> list[tuple[str, str, dict]]:
    return [
        (method.upper(), re.sub(r"{[^}]*}", str(uuid.uuid4()), path), operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]


def test_without_a_token_what_needs_one_is_401(api: Api, schema: dict):
    secured = [each for each in operations(schema) if {} not in each[2]["security"]]

    answers = {(method, path): api.request(method, path).status_code for method, path, _ in secured}

    assert len(answers) > 40
    assert set(answers.values()) == {401}, answers


@pytest.mark.django_db(transaction=True)
def test_to_customers_everything_of_the_staff_is_403(api: Api, schema: dict):
    token = token_of(make_customer())
    managed = [each for each in operations(schema) if "/manage/" in each[1]]

    answers = {
        (method, path): api.request(method, path, token=token).status_code
        for method, path, _ in managed
    }

    assert len(answers) > 30
    assert set(answers.values()) == {403}, answers


def make_key() -> str:
    """A superuser's, with every scope."""
    return keys.create_key(
        name="erp",
        scopes=list(Scope),
        created_by=make_staff().pk,
        expires_at=None,
        at=timezone.now(),
    )[1]


@pytest.mark.django_db(transaction=True)
def test_no_key_writes(api: Api, schema: dict):
    key = make_key()
    writes = [
        (method, re.sub(r"{[^}]*}", str(uuid.uuid4()), path))
        for path, operations in schema["paths"].items()
        for method in operations
        if "/manage/" in path and method != "get"
    ]

    answers = {
        (method, path): api.request(method.upper(), path, token=key).status_code
        for method, path in writes
    }

    assert len(answers) > 30
    assert set(answers.values()) == {403}, answers


@pytest.mark.django_db(transaction=True)
def test_a_key_opens_the_reads_that_the_schema_says_and_no_other(api: Api, schema: dict):
    key = make_key()
    opened, described = set(), set()
    for path, operations in schema["paths"].items():
        if "/manage/" not in path or "get" not in operations or "stream" in path:
            continue
        if any("api_key" in each for each in operations["get"]["security"]):
            described.add(path)
        answer = api.get(re.sub(r"{[^}]*}", str(uuid.uuid4()), path), token=key)
        if answer.status_code not in {401, 403}:
            opened.add(path)

    assert opened == described
    assert {"/api/v1/manage/orders/{order_id}/", "/api/v1/manage/products/"} <= opened
    assert "/api/v1/manage/webhooks/endpoints/" not in opened
