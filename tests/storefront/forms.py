"""Reads pages as a browser does, and sends their forms."""

from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpResponse
from django.test import Client


class Page(HTMLParser):
    """A page's links, its first form, and its words."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[dict[str, Any]] = []
        self.words = ""
        self._is_style = False
        self.feed(response.content.decode())
        self.text = " ".join(self.words.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._is_style = tag == "style"
        self.words += " "
        if tag == "a":
            self.links.append(given["href"] or "")
        elif tag == "form":
            self.forms.append({"method": given["method"], "action": given.get("action"), "in": {}})
        elif tag == "input":
            self.forms[-1]["in"][given["name"]] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        self._is_style = False

    def handle_data(self, data: str) -> None:
        if not self._is_style:
            self.words += data


def path_of(link: str) -> str:
    """What a browser asks the server of the link for."""
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def send(browser: Client, path: str, page: Page, **fields: str) -> HttpResponse:
    """Fill the page's first form in and send it."""
    form = page.forms[0]
    assert form["method"] == "post"
    return browser.post(form["action"] or path, form["in"] | fields)
