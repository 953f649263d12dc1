"""Links in mails: the shop's own pages, or where the settings say, if that can work."""

import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as project

from lavka.kernel import links
from lavka.kernel.checks import check_links
from lavka.kernel.links import LinkKind

RESET = LinkKind("reset_password", "/reset-password?token={token}")
ORDER = LinkKind(
    "order",
    "/orders/{id}?key={key}",
    also=frozenset({"number"}),
    needs=(frozenset({"key"}), frozenset({"id", "number"})),
)


@pytest.fixture
def configure(settings: Any) -> Any:
    """Set links, with a shop front at https://front.example/shop."""

    def configure(**configured: str) -> None:
        settings.LAVKA = settings.LAVKA | {
            "SHOP_URL": "https://front.example/shop/",
            "LINKS": configured,
        }

    configure()
    settings.CORS_ALLOWED_ORIGINS = ["https://mobile.example:8443"]
    return configure


@pytest.mark.parametrize(
    ("page", "link"),
    [
        (None, "https://front.example/shop/reset-password?token=a%3Ab%2F%26c"),
        ("/reset?token={token}", "https://front.example/shop/reset?token=a%3Ab%2F%26c"),
        ("/#/reset/{token}", "https://front.example/shop/#/reset/a%3Ab%2F%26c"),
        ("/пароль?t={token}", "https://front.example/shop/%D0%BF%D0%B0%D1%80%D0%BE%D0%BB%D1%8C?t="),
        ("https://mobile.example:8443/r/{token}", "https://mobile.example:8443/r/a%3Ab%2F%26c"),
    ],
)
def test_a_link_leads_to_the_own_page_or_where_the_settings_say(configure, page, link):
    configure(**({"reset_password": page} if page else {}))

    assert RESET.url(token="a:b/&c").startswith(link)
    assert check_links() == []


def test_a_configured_link_may_leave_out_what_it_does_not_need(configure):
    configure(order="/o/{number}?key={key}")

    assert ORDER.url(id="7f", number=12, key="k") == "https://front.example/shop/o/12?key=k"
    assert check_links() == []


@pytest.mark.parametrize("values", [{}, {"token": "a", "more": "b"}, {"tokens": "a"}])
def test_a_link_takes_exactly_its_placeholders(values):
    with pytest.raises(TypeError, match="reset_password takes token"):
        RESET.url(**values)


@pytest.mark.parametrize(
    ("kind", "page", "refusals"),
    [
        ("order", "/orders/{number}?key={key}&u={user}", ["lavka.E062"]),
        ("order", "/orders/{number.__class__}?key={key}", ["lavka.E062", "lavka.E063"]),
        ("order", "/orders/{number!r}?key={key}", ["lavka.E062", "lavka.E063"]),
        ("order", "/orders/{number}{}?key={key}", ["lavka.E062"]),
        ("order", "/orders/{number?key={key}", ["lavka.E062", "lavka.E063"]),
        ("order", "/orders/{number}", ["lavka.E063"]),
        ("order", "/orders?key={key}", ["lavka.E063"]),
        ("order", "", ["lavka.E063", "lavka.E063", "lavka.E064"]),
        ("reset_password", "/reset", ["lavka.E063"]),
        ("reset_password", "/re set?token={token}", ["lavka.E061"]),
        ("reset_password", "/reset?token={token}\n\nBuy here", ["lavka.E061"]),
        ("reset_password", "//evil.example/?token={token}", ["lavka.E061"]),
        ("reset_password", "/\\evil.example/?token={token}", ["lavka.E061"]),
        ("reset_password", "reset?token={token}", ["lavka.E064"]),
        ("reset_password", "https://evil.example/?token={token}", ["lavka.E064"]),
        ("reset_password", "http://front.example/?token={token}", ["lavka.E064"]),
        ("reset_password", "https://front.example:8443/?token={token}", ["lavka.E064"]),
        ("reset_password", "https://front.example.evil.example/?token={token}", ["lavka.E064"]),
        ("reset_password", "https://front.example@evil.example/{token}", ["lavka.E064"]),
        ("reset_password", "https://{token}.front.example/", ["lavka.E064"]),
        ("reset_password", "https://[front.example/{token}", ["lavka.E064"]),
        ("reset_password", "javascript:alert('{token}')", ["lavka.E064"]),
    ],
)
def test_a_link_that_cannot_work_is_refused(configure, kind, page, refusals):
    configure(**{kind: page})

    found = check_links()

    assert [each.id for each in found] == refusals
    assert {each.obj for each in found} == {f"LAVKA['LINKS']['{kind}']"}


def test_a_link_that_no_mail_has_is_told(configure):
    configure(resett_password="/reset?token={token}")

    (warning,) = check_links()

    assert warning.id == "lavka.W060"
    assert "reset_password" in warning.hint


@pytest.mark.parametrize("url", ["", "shop.example", "ftp://shop.example", "https://a.example?b="])
def test_an_address_of_the_shop_that_is_none_is_refused(settings, url):
    settings.LAVKA = settings.LAVKA | {"SHOP_URL": url}

    assert [each.id for each in check_links()] == ["lavka.E060"]


def test_a_name_is_given_to_one_kind():
    with pytest.raises(ValueError, match="registered already"):
        links.register(LinkKind("order", "/somewhere/{else}"))

    assert links.register(links.kinds["order"]) is links.kinds["order"]


def test_each_kind_of_link_is_set_by_a_variable_of_its_name():
    variables = {
        "LAVKA_LINK_ORDER": "https://evil.example/orders/{number}",
        "LAVKA_LINK_PRODUCT": "/p/{slug}",
        "POSTGRES_DB": "postgres",
    }
    checked = subprocess.run(
        [sys.executable, "manage.py", "check"],
        env=os.environ | variables,
        cwd=project.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 1
    assert "lavka.E063" in checked.stderr
    assert "lavka.E064" in checked.stderr
    assert "product" not in checked.stderr


def test_the_documentation_lists_each_kind_with_its_placeholders_and_its_page():
    page = (project.BASE_DIR / "docs" / "links.md").read_text()
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| `")]

    listed = {
        row[0].strip("| `"): (set(links.PLACEHOLDER.findall(row[1])), row[2].strip("`"))
        for row in rows
    }

    assert listed == {
        kind.name: (set(kind.placeholders), kind.path) for kind in links.kinds.values()
    }
