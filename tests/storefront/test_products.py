"""The page of a product."""

import pytest
from django.test import Client

from lavka.listing.services import rebuild_listing
from tests.catalog.factories import make_kettle_type, make_product, make_variant
from tests.listing.factories import make_card, make_image, rate
from tests.storefront.forms import Page

pytestmark = pytest.mark.django_db


def test_a_product_shows_what_it_is_and_what_it_costs(browser: Client):
    card = make_card(
        129_900, 99_900, slug="kettle", name="<i>Kettle</i>", description="Two\n\nlines"
    )
    make_image(card, "a.jpg")
    rate(card, stars_4=1, stars_5=2)
    rebuild_listing()

    shown = browser.get("/products/kettle")

    text = Page(shown).text
    for words in ("<i>Kettle</i>", "999.00 USD", "1,299.00 USD", "In stock", "4.67 (3)"):
        assert words in text
    assert "<p>Two</p>" in shown.content.decode()
    assert 'src="/media/a.jpg"' in shown.content.decode()


def test_a_description_runs_and_loads_nothing(browser: Client):
    product = make_product(
        slug="kettle",
        description="<p onclick='x()'>Warm<script>steal()</script><img src='https://evil.example/a'>"
        "<a href='javascript:steal()'>here</a><style>main{display:none}</style></p>",
    )
    make_variant(product=product)
    rebuild_listing()

    page = browser.get("/products/kettle").content.decode()

    assert "<p>Warm" in page
    for danger in ("steal", "onclick", "evil.example", "javascript", "display:none"):
        assert danger not in page


def test_what_nobody_may_see_has_no_page(browser: Client):
    make_variant(product=make_product(slug="draft", status="draft"))
    rebuild_listing()

    for slug in ("draft", "nothing"):
        refused = browser.get(f"/products/{slug}")
        assert refused.status_code == 404
        assert "There is nothing here." in Page(refused).text


def test_variants_are_told_apart_by_labels_and_by_what_there_is(browser: Client):
    kettle = make_product(slug="kettle", product_type=make_kettle_type())
    make_variant(product=kettle, options={"color": "red"}, price_amount=1000)
    make_variant(
        product=kettle,
        options={"color": "blue"},
        price_amount=1200,
        track_inventory=True,
        is_in_stock=False,
    )
    rebuild_listing()

    text = Page(browser.get("/products/kettle")).text

    assert "Red 10.00 USD" in text
    assert "Blue Out of stock 12.00 USD" in text


def test_a_past_slug_leads_to_the_present_one(browser: Client):
    moved = make_card(slug="teapot")
    moved.slug = "kettle"
    moved.save()
    rebuild_listing()

    answer = browser.get("/products/teapot")

    assert (answer.status_code, answer["Location"]) == (301, "/products/kettle")
