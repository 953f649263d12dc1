import re

import pytest
from django.core.cache import cache

from lavka.listing.services import rebuild_listing
from tests.accounts.factories import make_customer, make_staff
from tests.client import Api
from tests.listing.factories import make_card, make_image, rate

pytestmark = pytest.mark.django_db

PAGES = ["/", "/api/docs/", "/api/docs/errors/"]


@pytest.fixture(autouse=True)
def _nothing_is_kept():
    cache.clear()


def test_the_page_counts_what_is_there_and_shows_some(api: Api):
    card = make_card(129_900, name="<b>Kettle</b>", slug="kettle")
    make_image(card, "a.jpg")
    rate(card, stars_4=1, stars_5=2)
    rebuild_listing()
    make_card(status="draft")
    make_customer()
    make_staff()

    page = api.client.get("/").content.decode()

    numbers = re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", page)
    assert numbers == [
        ("Products", "1"),
        ("Reviews", "3"),
        ("Average rating", "4.67"),
        ("Customers", "1"),
    ]
    assert "&lt;b&gt;Kettle&lt;/b&gt;" in page
    assert 'src="/media/a.jpg"' in page
    assert "1299.00\u00a0USD" in page
    for link in ("/api/docs/", "/api/schema/", "/admin/", "/readyz", "/api/v1/products/kettle/"):
        assert f'href="{link}"' in page


def test_an_empty_shop_has_a_page_too(api: Api):
    response = api.client.get("/")

    assert response.status_code == 200
    assert "PostgreSQL 18" in response.content.decode()


def test_the_numbers_are_asked_for_once_in_a_while(api: Api, django_assert_num_queries):
    make_card()
    api.client.get("/")

    with django_assert_num_queries(0):
        api.client.get("/")


@pytest.mark.parametrize("path", PAGES)
def test_no_page_names_a_foreign_host(api: Api, path: str):
    response = api.client.get(path)

    page = response.content.decode()
    loaded = re.findall(r"""(?:src|href|action)=["']([^"']+)|url\(([^)]+)\)""", page)
    assert [each for pair in loaded for each in pair if "//" in each and "data:" not in each] == []
    assert "default-src 'self'" in response["Content-Security-Policy"]
    assert response["X-Frame-Options"] == "DENY"


def test_swaggers_own_files_are_served_by_the_shop(api: Api):
    page = api.client.get("/api/docs/").content.decode()
    script = api.client.get("/api/docs/?script=")

    assert "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js" in page
    assert "<script>" not in page
    assert '"/api/schema/"' in script.content.decode().replace("\\u002D", "-")


def test_every_error_stands_on_the_errors_page(api: Api):
    page = api.client.get("/api/docs/errors/").content.decode()

    for code in ("not_found", "invalid_credentials", "already_reviewed", "too_many_requests"):
        assert f'<section id="{code}">' in page


def test_pages_follow_the_readers_language(api: Api):
    response = api.client.get("/", headers={"Accept-Language": "ru"})

    assert response["Content-Language"] == "ru"
    assert '<html lang="ru">' in response.content.decode()
