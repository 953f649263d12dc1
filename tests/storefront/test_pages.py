"""What all pages for customers share: their headers, their limits, and who may send their forms."""

import re
import time
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import resolve

from lavka.accounts import tokens
from lavka.accounts.models import User
from lavka.kernel import links
from lavka.listing.services import rebuild_listing
from lavka.orders import links as orders
from lavka.storefront.pages import READ
from lavka.web import limits
from tests.accounts.factories import PASSWORD, make_customer, make_email_change
from tests.listing.factories import make_card
from tests.orders.factories import make_order
from tests.storefront.forms import Page, path_of

pytestmark = pytest.mark.django_db

NEW = "another secret phrase"


@pytest.fixture
def paths() -> list[str]:
    """A page of each kind, and one that refuses its link."""
    user = make_customer()
    change = make_email_change(user)
    make_card(slug="kettle")
    rebuild_listing()
    return [
        f"/verify-email?token={tokens.verification_of(user)}",
        f"/reset-password?token={tokens.reset_of(user)}",
        f"/change-email?token={tokens.email_change_of(change)}",
        f"/undo-email-change?token={tokens.email_undo_of(change)}",
        "/forgot-password",
        path_of(orders.link_to(make_order())),
        "/products/kettle",
        "/products/nothing",
        "/reset-password?token=wrong",
    ]


def test_each_kind_of_link_has_a_page_of_the_shops_own():
    values = {"id": "01a20adc-bec6-7edd-9eea-85eaf4679678", "slug": "kettle"}

    for kind in links.kinds.values():
        path = urlsplit(links.PLACEHOLDER.sub(lambda match: values.get(match[1], "x"), kind.path))
        assert resolve(path.path).namespace == "storefront"


def test_no_page_is_stored_framed_told_to_others_or_runs_anything(browser: Client, paths):
    for path in paths:
        shown = browser.get(path)
        policy, page = shown["Content-Security-Policy"], shown.content.decode()
        (nonce,) = re.findall(r"'nonce-([^']+)'", policy)

        assert shown["Cache-Control"] == "no-store"
        assert shown["Referrer-Policy"] == "no-referrer"
        assert shown["X-Frame-Options"] == "DENY"
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert re.findall("<style[^>]*>", page) == [f'<style nonce="{nonce}">']
        assert "<script" not in page
        assert re.findall(r'\s(?:style|on\w+)="', page) == []
        loaded = re.findall(r'(?:src|action|rel="(?:icon|stylesheet)"[^>]* href)="([^"]+)"', page)
        assert [each for each in loaded if not each.startswith("/")] == []
        assert '<meta name="viewport"' in page


def test_a_page_has_another_nonce_each_time(browser: Client):
    first, second = (browser.get("/forgot-password") for _ in range(2))

    assert first["Content-Security-Policy"] != second["Content-Security-Policy"]


def test_pages_with_secrets_are_not_for_search_engines(browser: Client, paths):
    assert [path for path in paths if "noindex" not in browser.get(path).content.decode()] == [
        "/products/kettle"
    ]


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused(client: Client, method: str):
    refused = getattr(client, method)("/forgot-password")

    assert (refused.status_code, refused["Allow"]) == (405, "GET, HEAD, POST")


def test_whoever_looks_at_many_links_waits(client: Client, monkeypatch):
    now = time.time()
    monkeypatch.setattr(limits.time, "time", lambda: now)
    answers = [client.get("/reset-password?token=guess") for _ in range(READ.burst + 1)]

    assert {answer.status_code for answer in answers[:-1]} == {422}
    assert answers[-1].status_code == 429
    assert answers[-1]["Retry-After"] == "1"


def test_guesses_are_not_taken_while_nobody_counts_them(client: Client, settings, monkeypatch):
    monkeypatch.setattr(limits, "_clients", type(limits._clients)())
    settings.LAVKA = settings.LAVKA | {"VALKEY_URL": "redis://127.0.0.1:1/0"}

    shown = client.get("/forgot-password")
    refused = client.post("/forgot-password", {"email": "ada@example.com"})

    assert (shown.status_code, refused.status_code) == (200, 503)


class Reset:
    """A form that is open in a browser."""

    def __init__(self, browser: Client) -> None:
        self.browser, self.user = browser, make_customer()
        self.path = f"/reset-password?token={tokens.reset_of(self.user)}"
        self.fields = Page(browser.get(self.path)).forms[0]["in"] | {"password": NEW}

    def send(self, *, without: str = "", secure: bool = False, **headers: str) -> int:
        fields = {name: value for name, value in self.fields.items() if name != without}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.browser.post(self.path, fields, secure=secure, headers=named)
        assert self.has_changed == (answer.status_code == 200)
        return answer.status_code

    @property
    def has_changed(self) -> bool:
        return not User.objects.get(pk=self.user.pk).check_password(PASSWORD)


def test_a_form_without_its_token_is_refused_in_words(browser: Client):
    form = Reset(browser)

    assert form.send(without="csrfmiddlewaretoken") == 403
    refused = browser.post(form.path, {}, headers={"Accept-Language": "ru"})
    assert "Форма устарела" in Page(refused).text


@pytest.mark.parametrize("is_secure", [True, False])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        # A browser on a page that tells nobody its address.
        ({"Origin": "null", "Sec_Fetch_Site": "same-origin"}, 200),
        ({"Origin": "null", "Sec_Fetch_Site": "cross-site"}, 403),
        ({"Origin": "null", "Sec_Fetch_Site": "same-site"}, 403),
        ({"Origin": "null", "Sec_Fetch_Site": "none"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "https://evil.example", "Sec_Fetch_Site": "same-origin"}, 403),
    ],
)
def test_a_form_is_taken_from_the_shops_own_pages(browser: Client, headers, status, is_secure):
    assert Reset(browser).send(**headers, secure=is_secure) == status


def test_a_hidden_origin_needs_a_witness_where_browsers_name_one(browser: Client):
    assert Reset(browser).send(Origin="null", secure=True) == 403
    # Over plain HTTP they do not.
    assert Reset(browser).send(Origin="null") == 200
    assert Reset(browser).send(Origin="null", without="csrfmiddlewaretoken") == 403
