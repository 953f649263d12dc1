"""What is suggested as a customer types."""

import re
import unicodedata
from collections.abc import Callable
from functools import cache

import pytest
from asgiref.sync import async_to_sync
from hypothesis import given
from hypothesis import strategies as st

from lavka.catalog import services as catalog
from lavka.catalog.models import Product, Variant
from lavka.listing.services import rebuild_listing
from lavka.listing.suggestions import MOST, suggestions_for
from tests.catalog.factories import make_brand, make_category, make_product, make_type
from tests.client import Api
from tests.data.product_names import ENGLISH, RUSSIAN, product_names
from tests.listing.factories import make_card, rate, shown

pytestmark = pytest.mark.django_db


# "й" is a letter, not an "и" with an accent.
SPELLED = {"ß": "ss", "ø": "o", "æ": "ae", unicodedata.normalize("NFD", "й"): "й"}


def suggested(text: str) -> list[str]:
    """The names of the suggested products."""
    found = async_to_sync(suggestions_for)(text)
    return [each.name for each in found if each.kind == "product"]


def plain(text: str) -> str:
    """Small letters without accents; computed without the shop's code."""
    letters = unicodedata.normalize("NFKD", text.lower())
    for letter, spelled in SPELLED.items():
        letters = letters.replace(letter, spelled)
    return "".join(each for each in letters if not unicodedata.combining(each))


@cache
def tokens_of(name: str) -> list[str]:
    """The words of a name, compounds as one word too."""
    written = f"{plain(name)} {re.sub(r"(?<=\w)[-'’](?=\w)", '', plain(name))}"
    return [token for token in re.split(r"[\W_]+", written) if token]


def begins(name: str, typed: str) -> bool:
    """Whether each typed word begins a word of the name, or a compound written as one word."""
    return all(
        any(token.startswith(word) for token in tokens_of(name))
        for word in re.split(r"[\W_]+", plain(typed))
        if word
    )


def stock(names: list[str]) -> None:
    """Show a product by each of these names."""
    kind = make_type()
    products = Product.objects.bulk_create(
        Product(product_type=kind, name=name, slug=f"product-{n}", status="published")
        for n, name in enumerate(names)
    )
    Variant.objects.bulk_create(
        Variant(product=each, sku=each.slug, price_amount=100) for each in products
    )
    rebuild_listing()


def prefixes_in(names: list[str]) -> list[str]:
    """Each beginning, of two letters or more, of each word of the names as it is written."""
    words = {word for name in names for word in [*name.split(), *re.findall(r"\w+", name)]}
    found = {word[:length] for word in words for length in range(2, len(word) + 1)}
    return sorted(each for each in found if re.search(r"[^\W_]", each))


def test_each_beginning_of_each_word_suggests_what_has_it(say_input: Callable[[str], None]):
    sources, names = product_names()
    for source in sources:
        say_input(source)
    stock(names)

    for typed in prefixes_in(names):
        found, fitting = suggested(typed), {name for name in names if begins(name, typed)}
        assert len(found) <= MOST
        if len(fitting) > MOST:
            assert fitting.issuperset(found), typed
            assert len(found) == MOST, typed
        else:
            assert fitting, typed
            assert set(found[: len(fitting)]) == fitting, typed


@pytest.fixture(scope="module")
def typing() -> st.SearchStrategy[tuple[str, str]]:
    """A name, and how somebody types the beginnings of two or three of its words."""
    names = [name for name in [*ENGLISH, *RUSSIAN] if len(name.split()) > 1]

    @st.composite
    def typings(draw: st.DrawFn) -> tuple[str, str]:
        name = draw(st.sampled_from(names))
        words = [word for word in name.split() if re.search(r"[^\W_]", word)]
        words = draw(st.permutations(words))[: draw(st.integers(1, 3))]
        last = words[-1][: draw(st.integers(1, len(words[-1])))]
        typed = " ".join([*words[:-1], last])
        change = draw(st.sampled_from([str, str.upper, str.lower, plain, str.title]))
        form = draw(st.sampled_from(["NFC", "NFD"]))
        blanks = draw(st.sampled_from(["", " ", "  "]))
        return name, unicodedata.normalize(form, change(typed)) + blanks

    return typings()


def test_several_words_are_suggested_however_they_are_typed(typing):
    stock([*ENGLISH, *RUSSIAN])

    @given(typing)
    def check(case: tuple[str, str]) -> None:
        name, typed = case
        assert name in suggested(typed) or sum(begins(each, typed) for each in ENGLISH) > MOST

    check()


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Dog Harness", "dog har"),
        ("Dog Harness", "har dog"),
        ("Dog Harness", "DOGS"),
        ("Dog Harness", "dogs har"),
        ("Dog Harness", "harnesses"),
        ("Harness for Dogs", "harness for the d"),
        ("Men's T-Shirt", "mens"),
        ("Men's T-Shirt", "tshi"),
        ("Men's T-Shirt", "t-sh"),
        ("WH-1000XM5", "wh1000x"),
        ("WH-1000XM5", "wh-1000x"),
        ("Card 16 GB", "16gb"),
        ("Card 16GB", "16 g"),
        ("Card 16GB", "16gig"),
        ("Зелёный чай", "зелены"),
        ("Зеленый чай", "ЗЕЛЁН"),
        ("Чайник", "чайники"),
        ("Чайник", "чай"),
        ("Crème brûlée", "creme brul"),
        ("Straße", "strass"),
        ("ΚΑΦΕΣ ΕΛΛΗΝΙΚΟΣ", "καφές"),
        ("Καφές ελληνικός", "ΚΑΦΕΣ ΕΛΛ"),
        ("№5 Perfume", "no5"),
        ("Пряжа №12", "12"),
        ("Пряжа №12", "№1"),
        ("Lʼatelier", "latel"),
        ("Lʼatelier", "l'at"),
        ("E\N{NON-BREAKING HYPHEN}reader", "erea"),
        ("Rock`n`roll", "rocknr"),
        ("100% Juice", "100%"),
        ("C++ for Cats", "c++ f"),
    ],
)
def test_it_is_suggested_as_people_type_it(name: str, typed: str):
    stock([name, "Sofa", "Диван"])

    assert suggested(typed) == [name]


def test_what_begins_so_comes_before_what_has_the_stem():
    stock(["Nail File", *(f"Nails {n}" for n in range(MOST - 1))])
    for product in Product.objects.exclude(name="Nail File"):
        rate(product, stars_5=9)

    assert suggested("nails")[-1] == "Nail File"
    assert len(suggested("nails")) == MOST


def test_a_new_name_is_suggested_and_the_old_one_not_any_more():
    stock(["Harness"])
    product = Product.objects.get()

    catalog.update_product(product_id=product.pk, name="Leash")
    rebuild_listing()
    renamed = suggested("lea"), suggested("harn")
    catalog.set_status(product_ids=[product.pk], status=Product.Status.ARCHIVED)
    rebuild_listing()
    archived = suggested("lea")
    catalog.set_status(product_ids=[product.pk], status=Product.Status.PUBLISHED)
    rebuild_listing()
    back = suggested("lea")
    catalog.delete_product(product_id=product.pk)

    assert renamed == (["Leash"], [])
    assert (archived, back) == ([], ["Leash"])
    assert suggested("lea") == []


def test_a_name_of_one_endless_word_is_suggested_too():
    """A name of 250 characters, each of which stands for six letters."""
    stock(["㌖" * 250, "Harness"])

    assert suggested("キロメ") == ["㌖" * 250]
    assert suggested("㌖" * 250) == ["㌖" * 250]
    assert suggested("har") == ["Harness"]


def test_a_product_without_a_variant_is_not_suggested():
    make_product(name="Harness")
    rebuild_listing()

    assert suggested("har") == []


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Kettles and pots", "pots ket"),
        ("T-Shirts", "shirt"),
        ("Чай и кофе", "КОФ"),
        ("Ёлки", "елк"),
        ("Crèmes", "creme"),
        ("Rosa & Söhne", "rosa soh"),
    ],
)
def test_categories_and_brands_are_suggested_by_the_same_rule(name: str, typed: str):
    make_category(name=name, slug="c")
    make_brand(name=name, slug="b")
    make_category(name="Sofas", slug="sofas")

    found = [(each.kind, each.name) for each in async_to_sync(suggestions_for)(typed)]

    assert found == [("category", name), ("brand", name)]


def test_a_few_letters_suggest_products_categories_and_brands(api: Api):
    shelf = make_category(slug="kettles", name="Kettles and pots")
    make_card(slug="steel", name="Steel kettle", category=shelf)
    make_card(slug="pan", name="Pan", description="Like a kettle.")
    make_brand(slug="kettering", name="Kettering")

    assert shown(api, "/products/suggest/?q=ket").json() == {
        "products": [{"slug": "steel", "name": "Steel kettle"}],
        "categories": [{"slug": "kettles", "name": "Kettles and pots"}],
        "brands": [{"slug": "kettering", "name": "Kettering"}],
    }
    assert api.get("/products/suggest/?q=steel+ke").json()["products"][0]["slug"] == "steel"
    assert api.get("/products/suggest/?q=pots").json()["categories"][0]["slug"] == "kettles"


@pytest.mark.parametrize("query", ["", "   ", "'", "\\", "%25", "!:*", "a' | 'b", "the"])
def test_no_letters_suggest_nothing_and_break_nothing(api: Api, query: str):
    make_card(name="Kettle")
    rebuild_listing()

    response = api.client.get("/api/v1/products/suggest/", {"q": query})

    assert response.status_code == 200
    assert response.json()["products"] == []
