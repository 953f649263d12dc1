"""The shelves as everyone sees them."""

import pytest

from lavka.catalog.models import Brand, Category
from tests.catalog.factories import make_brand, make_category

pytestmark = pytest.mark.django_db


def test_the_tree_lists_each_category_before_what_stands_inside(api):
    kitchen = make_category(slug="kitchen", name="Kitchen", position=1)
    garden = make_category(slug="garden", name="Garden", position=0)
    kettles = make_category(slug="kettles", name="Kettles", parent=kitchen)

    answer = api.get("/categories/")

    assert answer.status_code == 200
    assert answer.json() == {
        "items": [
            {"id": str(garden.pk), "slug": "garden", "name": "Garden", "parent": None, "depth": 0},
            {
                "id": str(kitchen.pk),
                "slug": "kitchen",
                "name": "Kitchen",
                "parent": None,
                "depth": 0,
            },
            {
                "id": str(kettles.pk),
                "slug": "kettles",
                "name": "Kettles",
                "parent": "kitchen",
                "depth": 1,
            },
        ]
    }


def test_a_category_shows_the_way_to_it_and_what_stands_inside(api):
    kitchen = make_category(slug="kitchen", name="Kitchen")
    kettles = make_category(slug="kettles", name="Kettles", parent=kitchen, description="Boil.")
    make_category(slug="whistling", name="Whistling", parent=kettles, position=2)
    make_category(slug="electric", name="Electric", parent=kettles, position=1)

    answer = api.get("/categories/kettles/")

    assert answer.status_code == 200
    assert answer.json() == {
        "id": str(kettles.pk),
        "slug": "kettles",
        "name": "Kettles",
        "description": "Boil.",
        "seo": {"title": "Kettles", "description": "Boil."},
        "breadcrumbs": [
            {"slug": "kitchen", "name": "Kitchen"},
            {"slug": "kettles", "name": "Kettles"},
        ],
        "children": [
            {"slug": "electric", "name": "Electric"},
            {"slug": "whistling", "name": "Whistling"},
        ],
    }


def test_brands_come_in_pages_by_name(api):
    for name in ("Beta", "Alpha", "Gamma"):
        make_brand(slug=name.lower(), name=name)

    first = api.get("/brands/?limit=2").json()
    second = api.get(f"/brands/?limit=2&cursor={first['next']}").json()

    assert [brand["slug"] for brand in first["items"]] == ["alpha", "beta"]
    assert [brand["slug"] for brand in second["items"]] == ["gamma"]
    assert second["next"] is None


def test_a_brand_says_what_search_engines_are_told(api):
    brand = make_brand(slug="acme", name="Acme", seo_title="Acme kettles")

    answer = api.get("/brands/acme/")

    assert answer.json() == {
        "id": str(brand.pk),
        "slug": "acme",
        "name": "Acme",
        "description": "",
        "seo": {"title": "Acme kettles", "description": ""},
    }


@pytest.mark.parametrize("path", ["/categories/", "/categories/a/", "/brands/", "/brands/a/"])
def test_a_public_read_may_be_kept_and_is_not_sent_twice(api, path):
    make_category(slug="a")
    make_brand(slug="a")

    first = api.get(path)
    again = api.get(path, If_None_Match=first["ETag"])

    assert first["Cache-Control"].startswith("public, max-age=")
    assert again.status_code == 304
    assert again.content == b""
    assert again["ETag"] == first["ETag"]


@pytest.mark.parametrize(
    ("model", "make", "path"),
    [(Category, make_category, "categories"), (Brand, make_brand, "brands")],
)
def test_every_past_slug_leads_to_the_present_one(api, model, make, path):
    row = make(slug="first")
    for slug in ("second", "third"):
        row.slug = slug
        row.save()
    model.objects.filter(pk=row.pk).update(slug="fourth")

    for past in ("first", "second", "third"):
        answer = api.get(f"/{path}/{past}/")
        assert answer.status_code == 301
        assert answer["Location"] == f"/api/v1/{path}/fourth/"
    assert api.get(f"/{path}/fourth/").status_code == 200


def test_a_live_slug_wins_over_a_past_one(api):
    old = make_category(slug="kettles", name="Old")
    Category.objects.filter(pk=old.pk).update(slug="pots")
    make_category(slug="kettles", name="New")

    assert api.get("/categories/kettles/").json()["name"] == "New"


def test_a_renamed_and_renamed_back_category_has_no_loop(api):
    category = make_category(slug="a")
    Category.objects.filter(pk=category.pk).update(slug="b")
    Category.objects.filter(pk=category.pk).update(slug="a")

    assert api.get("/categories/a/").status_code == 200
    assert api.get("/categories/b/")["Location"] == "/api/v1/categories/a/"


def test_a_deleted_category_leads_nowhere(api):
    category = make_category(slug="a")
    Category.objects.filter(pk=category.pk).update(slug="b")
    category.delete()

    assert api.get("/categories/a/").status_code == 404
    assert api.get("/categories/b/").status_code == 404


@pytest.mark.parametrize("count", [1, 3])
def test_the_number_of_queries_does_not_grow(api, django_assert_num_queries, count):
    top = make_category(slug="top")
    for _ in range(count):
        make_category(parent=top)
        make_brand()

    with django_assert_num_queries(1):
        assert len(api.get("/categories/").json()["items"]) == count + 1
    with django_assert_num_queries(1):
        assert len(api.get("/brands/").json()["items"]) == count
    with django_assert_num_queries(3):
        assert len(api.get("/categories/top/").json()["children"]) == count
