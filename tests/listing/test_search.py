"""Words in English and Russian: ranked, stemmed, forgiven, and known by other names."""

from urllib.parse import urlencode

import pytest

from lavka.listing.models import Synonym
from lavka.listing.services import rebuild_listing
from tests.catalog.factories import (
    make_attribute,
    make_brand,
    make_category,
    make_product,
    make_type,
    make_variant,
    use_attribute,
)
from tests.client import Api
from tests.listing.factories import make_card, paged, rate, shown, slugs

pytestmark = pytest.mark.django_db


def test_every_word_of_the_query_is_in_what_is_found_first(api: Api):
    make_card(slug="kettle", name="Steel Kettle")
    make_card(slug="pan", name="Steel pan 100%")

    assert set(slugs(api, "q=steel")) == {"kettle", "pan"}
    assert slugs(api, "q=KETTLE+steel") == ["kettle", "pan"]
    assert slugs(api, "q=100%25") == ["pan"]
    assert slugs(api, "q=tea") == []
    assert slugs(api, "q=the") == []


@pytest.mark.parametrize(
    "query",
    [
        "kettles",
        "чайники",
        "чайнику",
        "КРАСНЫЙ чайник",
        "елка",
        "cafes",
        "kettle/чайник",
        "a_kettle",
    ],
)
def test_words_are_stemmed_in_both_languages_without_accents(api: Api, query: str):
    make_card(slug="pot", name="Kettle, красные чайники, ёлка, Café")

    assert slugs(api, urlencode({"q": query})) == ["pot"]


@pytest.mark.parametrize("query", ["ketle", "kettel", "hedphones", "чайнк", "kettl", "headph"])
def test_a_slip_of_the_finger_is_forgiven_and_a_beginning_is_enough(api: Api, query: str):
    make_card(slug="pot", name="Kettle чайник headphones")
    make_card(slug="other", name="Sofa")

    assert slugs(api, urlencode({"q": query})) == ["pot"]


@pytest.mark.parametrize(
    ("name", "queries"),
    [
        ("Monitor 27-inch", ["27 inch", '27"', "27in", "27 inches", "27-Inch", "27 дюймов", "27"]),
        ("Cable 10 Feet USB3.0", ["10ft", "10 ft", "10-foot", "10'", "usb 3.0"]),
        ("Карта памяти 64 Гб", ["64gb", "64 GB", "64-gb", "64гб"]),
        ("Hub 5-in-1", ["5-in-1", "5in1"]),
        ("WH-1000XM5", ["WH1000XM5", "wh 1000xm5", "wh-1000xm5", "1000xm5"]),
        ("WH1000XM5", ["WH-1000XM5", "wh 1000xm5"]),
        ("Wi-Fi", ["wifi", "wi fi", "WI-FI"]),
        ("Wifi", ["wi-fi", "wi fi"]),
        ("microSD", ["micro sd", "micro-sd"]),
        ("Micro SD", ["microsd"]),
        ("Pomo 6 phone", ["pomo6"]),
    ],
)
def test_measures_and_compounds_are_found_however_they_are_written(
    api: Api, name: str, queries: list[str]
):
    make_card(slug="meant", name=name)
    make_card(slug="other", name="Sofa 1000")

    found = {query: slugs(api, urlencode({"q": query})) for query in queries}

    assert found == {query: ["meant"] for query in queries}


def test_a_slip_that_a_seller_made_too_hides_nothing(api: Api):
    for number in range(21):
        make_card(slug=f"right-{number}", name="Headphones")
    make_card(slug="wrong", name="Headpones")

    found = slugs(api, "q=headpones&limit=100")

    assert (found[0], len(found)) == ("wrong", 22)


def test_a_word_counts_more_in_a_short_text_than_in_a_long_one(api: Api):
    make_card(
        slug="long", name="Kettle stand with a cord, a lid, two cups and a tray for the table"
    )
    make_card(slug="short", name="Kettle")

    assert slugs(api, "q=kettle") == ["short", "long"]


@pytest.mark.parametrize("query", ["kottla", "zz", "12346"])
def test_what_is_too_far_off_is_not_found(api: Api, query: str):
    make_card(slug="pot", name="Kettle 12345")

    assert slugs(api, urlencode({"q": query})) == []


def test_the_name_counts_more_than_brand_attribute_and_description(api: Api):
    kind = make_type()
    use_attribute(kind, make_attribute("copper", code="material"))
    make_card(slug="text", name="Pan", description="With a copper bottom.")
    make_card(slug="attribute", product_type=kind, attributes={"material": "copper"}, name="Pan")
    make_card(slug="brand", name="Pan", brand=make_brand(name="Copper"))
    make_card(slug="name", name="Copper pan")

    assert slugs(api, "q=copper") == ["name", "brand", "attribute", "text"]


def test_a_category_above_and_an_option_are_searched_too(api: Api):
    kind = make_type()
    use_attribute(kind, make_attribute("teal", code="color"), is_option=True)
    inner = make_category(name="Lids", parent=make_category(name="Cookware"))
    lid = make_product(slug="lid", name="Thing", category=inner, product_type=kind)
    make_variant(product=lid, options={"color": "teal"})

    assert slugs(api, "q=cookware") == ["lid"]
    assert slugs(api, "q=teal") == ["lid"]


def test_rarer_words_count_more_when_no_product_has_all(api: Api):
    for number in range(5):
        make_card(slug=f"steel-{number}", name="Steel pan")
    make_card(slug="samovar", name="Samovar")

    assert slugs(api, "q=steel+samovar")[0] == "samovar"


@pytest.mark.parametrize("query", ["ktl-red", "KTL-RED", "4006381333931"])
def test_a_number_on_the_box_finds_its_product(api: Api, query: str):
    kettle = make_card(slug="kettle", name="Kettle")
    make_variant(product=kettle, sku="KTL-RED", gtin="4006381333931", options={"n": "9"})
    make_card(slug="red", name="Red")

    assert slugs(api, urlencode({"q": query}))[0] == "kettle"


def test_synonyms_lead_both_ways_and_to_phrases(api: Api):
    Synonym.objects.create(word="couch", other="sofa")
    Synonym.objects.create(word="mobile", other="cell phone")
    make_card(slug="sofa", name="Corner sofas")
    make_card(slug="couch", name="Small couch")
    make_card(slug="phone", name="Cell phone")
    make_card(slug="cell", name="Phone for a cell")

    assert set(slugs(api, "q=couches")) == {"sofa", "couch"}
    assert set(slugs(api, "q=sofa")) == {"sofa", "couch"}
    assert slugs(api, "q=mobile") == ["phone"]


def test_a_search_is_narrowed_and_sorted_like_any_page(api: Api):
    shelf = make_category(slug="pots")
    rate(make_card(300, slug="dear", name="Kettle", category=shelf), stars_5=1)
    make_card(100, slug="cheap", name="Kettle", category=make_category(parent=shelf))
    make_card(200, slug="other", name="Kettle")
    make_card(100, slug="pan", name="Pan", category=shelf)

    assert slugs(api, "q=kettle&sort=price") == ["cheap", "other", "dear"]
    assert slugs(api, "q=kettle&sort=-price&category=pots") == ["dear", "cheap"]
    assert slugs(api, "q=kettle&rating_min=4") == ["dear"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("sort", ["relevance", "price", "newest", "rating", "popularity"])
def test_a_search_pages_through_in_every_order(api: Api, sort: str):
    for number in range(7):
        name = "Steel kettle" if number % 2 else "Kettle of steel with a lid"
        make_card(100 * (number % 3 + 1), slug=f"kettle-{number}", name=name)
    whole = slugs(api, f"q=kettle+steel&sort={sort}")

    seen = paged(api, f"q=kettle+steel&sort={sort}", limit=2)

    assert seen == whole
    assert len(set(seen)) == 7


@pytest.mark.parametrize(
    "query", ["'", "\\", "a'b\\c", "!", "&|()<->:*", "<b>", "' OR 1=1 --", "%"]
)
def test_no_sign_breaks_a_search(api: Api, query: str):
    make_card(name="It's a kettle")

    assert shown(api, f"/products/?{urlencode({'q': query})}").status_code == 200


def test_a_search_takes_one_query(api: Api, django_assert_num_queries):
    for _ in range(3):
        make_card(name="Kettle")
    rebuild_listing()

    with django_assert_num_queries(1):
        assert len(api.get("/products/?q=kettle").json()["items"]) == 3
