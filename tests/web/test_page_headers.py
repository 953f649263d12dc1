"""Pages say what a browser may do with them, and have nothing in them that this forbids."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import NoReverseMatch, reverse

from lavka.kernel.money import Money
from lavka.payments.sandbox import provider
from tests.accounts.factories import make_staff
from tests.catalog.test_admin import make_kettle
from tests.orders.factories import make_order
from tests.payments.factories import make_payment

pytestmark = pytest.mark.django_db

PAGES = ["/", "/api/docs/", "/api/docs/errors/", "/api/schema/", "/admin/login/", "/admin/",
         "/nothing-here", "/media/nothing.jpg", "/reset-password?token=x",
         "/admin/nothing/"]  # fmt: skip


def policy_of(answer: Any) -> dict[str, list[str]]:
    """Sources by directive."""
    parts = (each.split() for each in answer["Content-Security-Policy"].split(";"))
    return {name: sources for name, *sources in parts}


class Scripts(HTMLParser):
    """Finds what a page would run of itself."""

    def __init__(self) -> None:
        super().__init__()
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        named = dict(attrs)
        runs = named.get("type") in {None, "", "module", "text/javascript"}
        if tag == "script" and runs and "src" not in named:
            self.inline.append("script")
        self.inline += [name for name in named if re.fullmatch(r"on[a-z]+", name)]
        self.inline += [
            value for value in named.values() if (value or "").lower().startswith("javascript:")
        ]
        if tag in {"script", "link"} and "//" in (named.get("src") or named.get("href") or ""):
            self.inline.append(f"{tag} from elsewhere")


def inline_in(answer: Any) -> list[str]:
    parser = Scripts()
    parser.feed(answer.content.decode())
    return parser.inline


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_the_headers_of_safety(path):
    answer = Client(raise_request_exception=False).get(path)

    policy = policy_of(answer)
    scripts = policy.get("script-src", policy["default-src"])
    assert not {"'unsafe-inline'", "*", "https:", "data:"} & set(scripts)
    assert policy["base-uri"] == ["'none'"]
    assert policy.get("object-src", policy["default-src"]) == ["'none'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] in {"same-origin", "no-referrer"}
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "geolocation=()" in answer["Permissions-Policy"]


def test_only_the_admin_may_compile_scripts(client):
    client.force_login(make_staff())

    assert "'unsafe-eval'" in policy_of(client.get("/admin/"))["script-src"]
    assert "unsafe-eval" not in client.get("/")["Content-Security-Policy"]
    assert "unsafe-eval" not in client.get("/administration")["Content-Security-Policy"]


def admin_pages() -> list[str]:
    """Every list and form of the admin."""
    found = [reverse("admin:index"), reverse("admin:password_change")]
    for model in admin.site._registry:
        for page in ("changelist", "add"):
            try:
                found.append(
                    reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}")
                )
            except NoReverseMatch:
                continue
    return found


def test_no_page_of_the_admin_has_a_script_that_its_policy_forbids(client):
    client.force_login(make_staff())
    kettle, order = make_kettle(), make_order()
    shown = [
        *admin_pages(),
        reverse("admin:catalog_product_change", args=[kettle.pk]),
        reverse("admin:orders_order_change", args=[order.pk]),
        reverse("admin:orders_order_history", args=[order.pk]),
    ]

    answers = {path: client.get(path) for path in shown}
    pages = {path: answer for path, answer in answers.items() if answer.status_code == 200}

    assert len(pages) > 40
    assert {path: inline_in(answer) for path, answer in pages.items() if inline_in(answer)} == {}


def test_no_other_page_has_one_either(client):
    charge = provider.open_charge(
        key=make_payment().pk, token="requires_action", amount=Money(5, "USD"), wants_capture=True
    )
    paths = [*PAGES, reverse("sandbox:challenge", args=[charge.pk])]

    answers = {path: client.get(path) for path in paths if path != "/api/schema/"}

    assert {path: inline_in(answer) for path, answer in answers.items() if inline_in(answer)} == {}
