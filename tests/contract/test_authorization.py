"""Who may: asked of every operation in the schema, with a body or without."""

import re
import uuid

import pytest

from tests.accounts.factories import make_customer, token_of
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
