import pytest

from lavka.catalog import services as catalog
from lavka.catalog.models import Attribute, Choice, Product, TypeAttribute
from lavka.listing.services import rebuild_listing
from tests.catalog.factories import make_category, make_product, make_type, make_variant
from tests.client import Api
from tests.listing.factories import make_card, make_image, rate, shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def shirt() -> Product:
    """A shirt in two of three colors."""
    kind = make_type()
    described = {
        "color": ("Color", Attribute.Kind.CHOICE, ["red", "blue", "green"], True),
        "care": ("Care", Attribute.Kind.CHOICES, ["wash", "iron"], False),
        "weight": ("Weight", Attribute.Kind.NUMBER, [], False),
        "organic": ("Organic", Attribute.Kind.BOOLEAN, [], False),
    }
    for position, (code, (name, value, choices, is_option)) in enumerate(described.items()):
        attribute = Attribute.objects.create(
            code=code, name=name, kind=value, unit="g" if code == "weight" else ""
        )
        for place, choice in enumerate(choices):
            Choice.objects.create(
                attribute=attribute, code=choice, label=choice.title(), position=place
            )
        TypeAttribute.objects.create(
            product_type=kind, attribute=attribute, is_option=is_option, position=position
        )
    product = make_product(
        slug="shirt",
        name="Shirt",
        description="Soft.",
        product_type=kind,
        category=make_category(
            slug="shirts", name="Shirts", parent=make_category(slug="clothes", name="Clothes")
        ),
        attributes={"care": ["wash", "iron"], "weight": 120.5, "unknown": 1},
    )
    make_variant(product=product, sku="R", price_amount=900, options={"color": "red"}, position=1)
    make_variant(product=product, sku="B", price_amount=800, options={"color": "blue"}, position=2)
    return product


def test_a_products_page_shows_everything(api: Api, shirt: Product):
    image = make_image(shirt, "a.jpg", thumbnails={"480": "a-480.jpg"})
    rate(shirt, stars_1=1, stars_5=2)
    red, blue = shirt.variants.all()

    page = shown(api, "/products/shirt/").json()

    assert page["price"] == {"amount": 800, "currency": "USD"}
    assert page["image"]["url"] == "/media/a-480.jpg"
    assert page["images"] == [
        {
            "id": str(image.pk),
            "url": "/media/a.jpg",
            "alt": "Seen from above",
            "width": 1200,
            "height": 900,
            "thumbnails": {"480": "/media/a-480.jpg"},
        }
    ]
    assert page["description"] == "Soft."
    assert page["attributes"] == [
        {
            "code": "care",
            "name": "Care",
            "value": ["wash", "iron"],
            "label": "Wash, Iron",
            "unit": None,
        },
        {"code": "weight", "name": "Weight", "value": 120.5, "label": None, "unit": "g"},
    ]
    assert page["options"] == [
        {
            "code": "color",
            "name": "Color",
            "values": [{"value": "red", "label": "Red"}, {"value": "blue", "label": "Blue"}],
        }
    ]
    assert [each["id"] for each in page["variants"]] == [str(red.pk), str(blue.pk)]
    assert page["variants"][0] == {
        "id": str(red.pk),
        "sku": "R",
        "gtin": None,
        "options": {"color": "red"},
        "price": {"amount": 900, "currency": "USD"},
        "compare_at_price": None,
        "in_stock": True,
        "weight_grams": None,
        "image_ids": [str(image.pk)],
    }
    assert page["breadcrumbs"] == [
        {"slug": "clothes", "name": "Clothes"},
        {"slug": "shirts", "name": "Shirts"},
    ]
    assert page["seo"] == {"title": "Shirt", "description": "Soft."}
    assert page["rating"] == {
        "average": 3.67,
        "count": 3,
        "histogram": {"1": 1, "2": 0, "3": 0, "4": 0, "5": 2},
    }


def test_a_page_tells_which_pictures_show_which_variant(api: Api, shirt: Product):
    first, second, third = (make_image(shirt, f"{name}.jpg", position=name) for name in (1, 2, 3))
    _red, blue = shirt.variants.all()
    catalog.change_variant(variant_id=blue.pk, image_ids=[third.pk, second.pk])

    chosen = shown(api, "/products/shirt/").json()["variants"]
    catalog.change_variant(variant_id=blue.pk, image_ids=[second.pk])
    catalog.delete_image(image_id=first.pk)
    changed = shown(api, "/products/shirt/").json()["variants"]
    catalog.delete_image(image_id=second.pk)
    catalog.delete_image(image_id=third.pk)
    bare = shown(api, "/products/shirt/").json()["variants"]

    assert [each["image_ids"] for each in chosen] == [
        [str(first.pk)],
        [str(third.pk), str(second.pk)],
    ]
    assert [each["image_ids"] for each in changed] == [[str(second.pk)]] * 2
    assert [each["image_ids"] for each in bare] == [[], []]


def test_a_product_is_found_by_its_id_too(api: Api):
    product = make_card(slug="pot")

    by_id = shown(api, f"/products/{product.pk}/")

    assert by_id.json() == api.get("/products/pot/").json()


def test_a_past_slug_leads_to_the_present_one(api: Api):
    product = make_card(slug="pot")
    for slug in ("pan", "wok"):
        product.slug = slug
        product.save()

    for past in ("pot", "pan"):
        moved = shown(api, f"/products/{past}/")
        assert moved.status_code == 301
        assert moved["Location"] == "/api/v1/products/wok/"


def test_a_past_slug_of_a_hidden_product_leads_nowhere(api: Api):
    product = make_card(slug="pot")
    product.slug, product.status = "pan", Product.Status.DRAFT
    product.save()

    assert api.get("/products/pot/").status_code == 404
    assert api.get("/products/pan/").status_code == 404


def test_what_customers_may_not_see_is_not_found(api: Api):
    hidden = make_card(slug="draft", status=Product.Status.DRAFT)
    make_product(slug="no-variant")

    for name in ("draft", str(hidden.pk), "no-variant", "nothing", "0" * 32):
        response = shown(api, f"/products/{name}/")
        assert response.status_code == 404
        assert response.json()["code"] == "not_found"


def test_prices_and_stock_are_those_of_now(api: Api, shirt: Product):
    rebuild_listing()
    shirt.variants.filter(sku="B").update(price_amount=950, track_inventory=True)
    shirt.variants.filter(sku="R").update(compare_at_amount=1000)

    page = api.get("/products/shirt/").json()

    assert page["price"] == {"amount": 900, "currency": "USD"}
    assert page["compare_at_price"] == {"amount": 1000, "currency": "USD"}
    assert [each["in_stock"] for each in page["variants"]] == [True, False]
    assert page["variants"][1]["price"] == {"amount": 950, "currency": "USD"}


def test_a_product_that_was_taken_back_is_gone_at_once(api: Api, shirt: Product):
    rebuild_listing()
    Product.objects.update(status=Product.Status.ARCHIVED)

    assert api.get("/products/shirt/").status_code == 404


def test_a_page_takes_one_query_for_one_variant_as_for_many(
    api: Api, shirt: Product, django_assert_num_queries
):
    for number in range(20):
        make_variant(product=shirt, options={"color": f"shade-{number}"})
        make_image(shirt, f"{number}.jpg")
    rebuild_listing()

    with django_assert_num_queries(1):
        assert len(api.get("/products/shirt/").json()["variants"]) == 22

    shirt.variants.exclude(sku="R").delete()
    shirt.images.exclude(file="1.jpg").delete()
    rebuild_listing()
    with django_assert_num_queries(1):
        assert len(api.get("/products/shirt/").json()["variants"]) == 1
