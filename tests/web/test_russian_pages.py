"""What people read in Russian: no word of English, no code, and no wrong plural."""

import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from itertools import chain
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import TextChoices
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import translation

from lavka.invoices.models import Invoice
from lavka.invoices.rules import InvoiceKind
from lavka.invoices.typesetting import pdf_of
from lavka.notifications.letters import written
from lavka.notifications.models import SentMail
from lavka.notifications.samples import sample_of
from lavka.orders.links import link_to
from lavka.orders.models import Order
from tests.invoices.test_printing import text_of
from tests.web.russian_shop import NOT_SAID, open_russian_shop

# What is called that in Russian too, and the names of keys.
KNOWN = {
    "Lavka", "Control", "Command", "Mac", "esc", "Id", "admin",
    "Django", "OpenAPI", "PostgreSQL", "Python", "Swagger", "Valkey",
}  # fmt: skip
LATIN = re.compile(r"[A-Za-z][A-Za-z_]*[a-z_][A-Za-z_]*")
# E-mail and web addresses, names of events and files, ids, tokens and digests.
NOT_WORDS = re.compile(
    r"[\w.+-]+@[\w.]+|https?://\S+|\b\w+(?:[.:][a-z0-9_]+)+\b|\b[0-9A-Fa-f]{8}-[0-9a-f-]{27}\b"
    r"|\S{40,}|(?=\S*\d)\S{20,}|\S+\*{3,}|\bargon2\w*|\bwhpk_\S+"
)
COUNTED = re.compile(r"(\d+) ([а-яё]+(?: [а-яё]+)*)")


class Text(HTMLParser):
    """The texts of a page that people see or hear."""

    UNSEEN = {"script", "style", "code", "pre", "template", "svg", "noscript"}
    VOID = {"br", "img", "input", "meta", "link", "hr", "wbr", "source", "col"}
    SAID = {"title", "alt", "placeholder", "aria-label"}

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        is_icon = "material-symbols" in (given.get("class") or "")
        if tag not in self.VOID:
            self._open.append((tag, tag in self.UNSEEN or is_icon))
        if self._is_seen():
            is_button = tag == "input" and given.get("type") in {"submit", "button"}
            names = self.SAID | {"value"} if is_button else self.SAID
            self.found += [given[name] or "" for name in names if name in given]

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._is_seen():
            self.found.append(data)

    def _is_seen(self) -> bool:
        return not any(is_unseen for _tag, is_unseen in self._open)


def english_in(text: str) -> set[str]:
    return set(LATIN.findall(NOT_WORDS.sub(" ", text))) - KNOWN - NOT_SAID


@cache
def names_of_things() -> tuple[set[str], set[str]]:
    """What one of each is called in Russian, and what several are."""
    with translation.override("ru"):
        models = [model._meta for model in apps.get_models()]
        return {str(each.verbose_name) for each in models}, {
            str(each.verbose_name_plural) for each in models
        }


def wrongly_counted(text: str) -> list[str]:
    """Counts before a name in the nominative: Russian says "9 заказов"; only 1, 21, … take it."""
    one, many = names_of_things()
    return [
        f"{number} {words}"
        for number, words in COUNTED.findall(text)
        if words in many or (words in one and not re.search(r"(?<!1)1$", number))
    ]


def staff_pages(request: HttpRequest) -> Iterator[str]:
    """The address of each page of the staff: where a model has several, with one of its rows."""
    yield reverse("admin:index")
    # What each row is called is shown elsewhere, so this page is the same for all.
    yield reverse("admin:accounts_user_history", args=[request.user.pk])
    for model, page in admin.site._registry.items():
        meta = model._meta
        name = f"admin:{meta.app_label}_{meta.model_name}"
        row = model._default_manager.first()
        assert row is not None, f"the Russian shop has no {meta.label}"
        yield reverse(f"{name}_changelist")
        if page.has_view_permission(request, row):
            yield reverse(f"{name}_change", args=[row.pk])
        if page.has_add_permission(request):
            yield reverse(f"{name}_add")
        if page.has_delete_permission(request, row):
            yield reverse(f"{name}_delete", args=[row.pk])


def customers_pages() -> Iterator[str]:
    yield "/"
    yield reverse("storefront:product", args=["chaynik"])
    for name in ("forgot_password", "request_sign_in_link", "sign_in", "verify_email"):
        yield reverse(f"storefront:{name}")
    for order in Order.objects.all():
        address = urlsplit(link_to(order))
        yield f"{address.path}?{address.query}"


def texts_of(client: Client, address: str) -> Iterator[tuple[str, str]]:
    page = client.get(address)
    assert page.status_code in {200, 422}, address
    place = re.sub(r"[0-9a-f-]{36}", "…", address)
    yield from ((place, text) for text in Text(page.content.decode()).found)


def papers_and_mails() -> Iterator[tuple[str, str]]:
    for invoice in Invoice.objects.filter(kind__in=InvoiceKind).order_by("kind").distinct("kind"):
        yield invoice.kind, text_of(pdf_of(invoice))
    for kind in SentMail.Kind:
        mail = written(sample_of(kind, "ru"))
        yield kind, f"{mail.subject}\n{mail.text}"


@pytest.mark.django_db
def test_everything_that_people_read_is_russian(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path
    request = RequestFactory().get("/")
    request.user = open_russian_shop(monkeypatch)
    staff, customer = (Client(headers={"Accept-Language": "ru"}) for _ in range(2))
    staff.force_login(request.user)

    with translation.override("ru"):
        texts = chain(
            papers_and_mails(),
            *(texts_of(staff, address) for address in staff_pages(request)),
            *(texts_of(customer, address) for address in customers_pages()),
        )
        faults = {
            (place, fault, text.strip())
            for place, text in texts
            for fault in (*english_in(text), *wrongly_counted(text))
        }

    assert faults == set()


def test_every_state_has_a_russian_name():
    with translation.override("ru"):
        faults = {
            (kind.__qualname__, str(choice.label))
            for kind in subclasses_of(TextChoices)
            if kind.__module__.startswith("lavka.")
            for choice in kind
            if english_in(str(choice.label)) or not str(choice.label)
        }

    assert faults == set()


def subclasses_of(kind: type) -> Iterator[type]:
    for each in kind.__subclasses__():
        yield each
        yield from subclasses_of(each)
