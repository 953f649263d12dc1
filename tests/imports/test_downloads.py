import threading
from collections.abc import Iterator

import pytest

from lavka.imports import downloads
from lavka.imports.downloads import NotFetched, fetch
from lavka.kernel.outbound import is_public
from tests.imports.web_server import Web, web_server


@pytest.fixture
def web() -> Iterator[Web]:
    with web_server() as web:
        yield web


def here(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


def fetched(url: str) -> bytes:
    """Fetch where the machine of the tests counts as public."""
    return fetch(url, resolve=here, is_allowed=lambda address: True)


def refusal(url: str, **how) -> str:
    with pytest.raises(NotFetched) as refused:
        fetch(url, **({"resolve": here, "is_allowed": lambda address: True} | how))
    return refused.value.code


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0"])
def test_this_machine_is_refused_unless_somebody_says_otherwise(web, host):
    web.show("/a.png", b"secret")

    with pytest.raises(NotFetched) as refused:
        fetch(web.url("/a.png", host))

    assert refused.value.code == "forbidden_address"
    assert web.asked == []


def test_a_name_with_one_private_address_is_refused_whole(web):
    def both(host, port):
        return ["8.8.8.8", "10.0.0.1"]

    assert refusal(web.url("/a.png"), resolve=both, is_allowed=is_public) == "forbidden_address"


def test_a_host_is_resolved_once_and_reached_at_the_address_that_was_checked(web):
    web.show("/a.png", b"bytes")
    resolved, checked = [], []

    def resolve(host, port):
        resolved.append(host)
        # A second answer would be another address.
        return ["127.0.0.1"] if len(resolved) == 1 else ["127.0.0.9"]

    content = fetch(
        web.url("/a.png"), resolve=resolve, is_allowed=lambda a: checked.append(a) or True
    )

    assert content == b"bytes"
    assert (resolved, checked) == (["shop.example"], ["127.0.0.1"])
    assert web.asked == [(f"shop.example:{web.port}", "/a.png")]


def test_a_redirect_is_followed_and_its_address_checked_again(web):
    web.show("/old.png", b"", 301, Location="/new.png?v=2")
    web.show("/new.png?v=2", b"bytes")
    web.show("/evil.png", b"", 302, Location=web.url("/new.png?v=2", "inside.example"))

    def resolve(host, port):
        return ["127.0.0.2" if host == "inside.example" else "127.0.0.1"]

    assert fetched(web.url("/old.png")) == b"bytes"
    code = refusal(web.url("/evil.png"), resolve=resolve, is_allowed="127.0.0.1".__eq__)
    assert code == "forbidden_address"
    assert len(web.asked) == 3


def test_a_redirect_to_another_scheme_or_without_an_end_is_refused(web):
    web.show("/file.png", b"", 302, Location="file:///etc/passwd")
    web.show("/loop.png", b"", 302, Location="/loop.png")
    web.show("/broken.png", b"", 302, Location="http://[::1/")

    assert refusal(web.url("/file.png")) == "bad_address"
    assert refusal(web.url("/broken.png")) == "bad_address"
    assert refusal(web.url("/loop.png")) == "too_many_redirects"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("ftp://shop.example/a.png", "bad_address"),
        ("file:///etc/passwd", "bad_address"),
        ("a.png", "bad_address"),
        ("", "bad_address"),
        ("http://", "bad_address"),
        ("http://shop.example:99999/", "bad_address"),
        ("http://shop.example:0/", "bad_address"),
        ("http://[::1/", "bad_address"),
        ("http://" + "x" * 70 + ".example/", "bad_address"),
        ("http://user:password@shop.example/a.png", "bad_address"),
        ("http://shop.example/a\r\nX-Injected: 1", "bad_address"),
    ],
)
def test_what_is_no_address_is_refused(url, code):
    assert refusal(url) == code


def test_a_missing_page_and_a_closed_port_are_told(web):
    web.show("/gone.png", b"", 404)

    assert refusal(web.url("/gone.png")) == "not_there"
    assert refusal("http://shop.example:1/a.png") == "unreachable"


def test_more_than_ten_megabytes_are_not_kept(web):
    web.show("/fits.png", b"x" * downloads.MAX_BYTES)
    web.show("/large.png", b"x" * (downloads.MAX_BYTES + 1))

    assert len(fetched(web.url("/fits.png"))) == downloads.MAX_BYTES
    assert refusal(web.url("/large.png")) == "too_large"


def test_less_than_was_promised_is_refused(web):
    web.show("/short.png", b"half", Content_Length="8")

    assert refusal(web.url("/short.png")) == "cut_off"


@pytest.mark.parametrize("part", ["header", "body"])
def test_a_server_that_drips_is_left_in_time(web, monkeypatch, part):
    monkeypatch.setattr(downloads, "SECONDS", 0.5)
    left = threading.Event()

    def drip(request):
        if part == "body":
            request.send_response(200)
            request.end_headers()
        while not left.wait(0.05):
            request.wfile.write(b"x")
            request.wfile.flush()

    web.pages["/slow.png"] = drip
    try:
        assert refusal(web.url("/slow.png")) == "too_slow"
    finally:
        left.set()
