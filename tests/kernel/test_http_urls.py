"""Addresses of the web are read strictly, into one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lavka.kernel.http_urls import BadUrl, HttpUrl


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://shop.example", ("https", "shop.example", 443, "/")),
        ("HTTP://Shop.Example:8080/a?b=c#d", ("http", "shop.example", 8080, "/a?b=c")),
        ("https://shop.example.:443/", ("https", "shop.example", 443, "/")),
        ("https://shop.example:/a", ("https", "shop.example", 443, "/a")),
        ("https://bücher.example/ü?ä=ö", ("https", "xn--bcher-kva.example", 443,
                                          "/%C3%BC?%C3%A4=%C3%B6")),
        ("http://[::1]:81/", ("http", "::1", 81, "/")),
        ("http://[0:0:0:0:0:0:0:1]/", ("http", "::1", 80, "/")),
        ("http://127.1/", ("http", "127.0.0.1", 80, "/")),
        ("http://0x7f000001/", ("http", "127.0.0.1", 80, "/")),
        ("http://0177.0.0.1/", ("http", "127.0.0.1", 80, "/")),
        ("http://2130706433/", ("http", "127.0.0.1", 80, "/")),
        ("http://0/", ("http", "0.0.0.0", 80, "/")),
        ("http://①②⑦.⓪.⓪.①/", ("http", "127.0.0.1", 80, "/")),
        ("http://my_host/", ("http", "my_host", 80, "/")),
    ],
)  # fmt: skip
def test_an_address_has_one_spelling(text, expected):
    read = HttpUrl.parse(text)

    assert (read.scheme, read.host, read.port, read.target) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "shop.example", "//shop.example/", "/a", "https://", "https:///a", "https:shop.example",
        "https://shop.example:0/", "https://shop.example:65536/", "https://shop.example:99999/",
        "https://shop.example:-1/", "https://shop.example:８０/", "https://shop.example:80:80/",
        "https://shop.example:port/", "https://shop..example/", "https://.example/",
        "https://-a.example/", "https://a%2fb.example/", "https://shop.example\\@evil.example/",
        "https://shop .example/", "https://shop.example/\n", "\thttps://shop.example/",
        "https://shop.example/\x00", "https://shop.example/\x85", "https://[::1/", "https://[::1%eth0]/",
        "https://[fe80::1%25eth0]/", "https://[v1.x]/", "https://[127.0.0.1]/", "https://::1/",
        "https://256.1.1.1/", "https://1.2.3.4.5/", "https://0x/", "https://a.1/", "https://08.1.1.1/",
        "https://" + "x" * 64 + ".example/", "https://" + "a." * 130 + "example/",
        "https://shop.example/" + "x" * 2000, "https://shop.example/a\u2028b",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(text):
    with pytest.raises(BadUrl):
        HttpUrl.parse(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("https://user@shop.example/", "credentials"),
        ("https://user:password@shop.example/", "credentials"),
        ("https://@shop.example/", "credentials"),
        ("https://shop.example:443@evil.example/", "credentials"),
        ("ftp://shop.example/", "not_http"),
        ("javascript:alert(1)", "not_http"),
        ("file:///etc/passwd", "not_http"),
    ],
)
def test_a_refusal_says_which(text, code):
    with pytest.raises(BadUrl) as refused:
        HttpUrl.parse(text)

    assert refused.value.code == code


@given(st.text(max_size=50) | st.text(max_size=50).map("https://{}".format))
def test_nothing_else_is_ever_raised_and_what_is_read_is_sent_in_ascii(text):
    try:
        read = HttpUrl.parse(text)
    except BadUrl:
        return
    assert read.host.isascii()
    assert read.target.isascii()
    assert HttpUrl.parse(f"{read.origin}{read.target}").target == read.target


def test_an_origin_leaves_the_usual_port_out():
    assert HttpUrl.parse("https://Shop.example:443/a").origin == "https://shop.example"
    assert HttpUrl.parse("http://[::1]:8000/a").origin == "http://[::1]:8000"
