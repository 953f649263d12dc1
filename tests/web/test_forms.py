"""What may be sent to the pages outside of the API, and by whom."""

from typing import Any

import pytest
from django.http.multipartparser import MultiPartParser
from django.test import Client

from config.asgi import application
from lavka.web.bodies import SMALL_BYTES
from tests.accounts.factories import make_customer, make_staff
from tests.web import asgi

pytestmark = pytest.mark.django_db

LARGE = {"name": "a" * (SMALL_BYTES + 1)}


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every form that was parsed."""
    seen: list[str] = []
    original = MultiPartParser.parse

    def watched(self: Any) -> Any:
        seen.append("form")
        return original(self)

    monkeypatch.setattr(MultiPartParser, "parse", watched)
    return seen


@pytest.mark.parametrize(
    "path", ["/admin/login/", "/admin/catalog/product/add/", "/admin/nothing/"]
)
@pytest.mark.parametrize("who", ["nobody", "customer"])
def test_a_large_form_of_no_staff_is_refused_unparsed(parsed: list[str], path: str, who: str):
    browser = Client(enforce_csrf_checks=True)
    browser.cookies["csrftoken"] = "a" * 32
    if who == "customer":
        browser.force_login(make_customer())

    response = browser.post(path, LARGE)

    assert (response.status_code, parsed) == (413, [])


def test_staff_send_large_forms(parsed: list[str]):
    browser = Client()
    browser.force_login(make_staff())

    response = browser.post("/admin/catalog/brand/add/", LARGE)

    assert (response.status_code, parsed) == (200, ["form"])
    assert "at most 200 characters" in response.content.decode()


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [("/admin/login/", 13 * 1024 * 1024, 413), ("/sandbox/challenges/1/", SMALL_BYTES + 1, 413)],
)
async def test_a_body_above_the_paths_limit_is_not_read(path: str, size: int, status: int):
    client = asgi.Client("POST", path, headers={"content-length": str(size)})

    await client.ask(application)

    assert (client.status, len(client.messages)) == (status, 1)
