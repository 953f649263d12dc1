"""Pictures that show one variant of a product."""

import uuid

import pytest
from django.db import IntegrityError, transaction

from lavka.catalog import services
from lavka.catalog.errors import ReferenceGone
from lavka.catalog.models import Product, ProductImage, VariantImage
from lavka.catalog.rules import MAX_VARIANT_IMAGES
from lavka.kernel.models import OutboxEvent
from tests.accounts.factories import make_staff, token_of
from tests.catalog.factories import make_image, make_variant
from tests.catalog.managing import BLUE, RED, make_kettle, refusals

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def token() -> str:
    return token_of(make_staff())


class Kettle:
    """A kettle, red and blue, with three pictures, as staff see it."""

    def __init__(self, api, token) -> None:
        self.api, self.token = api, token
        self.id = make_kettle(api, token).json()["id"]
        product = Product.objects.get(pk=self.id)
        self.images = [str(make_image(product=product).pk) for _ in range(3)]
        self.red, self.blue = (str(each.pk) for each in product.variants.all())

    def shown(self) -> list[list[str]]:
        """The pictures of each variant."""
        product = self.api.get(f"/manage/products/{self.id}/", token=self.token).json()
        return [variant["image_ids"] for variant in product["variants"]]

    def set(self, *variants: dict):
        return self.api.put(
            f"/manage/products/{self.id}/variants/", {"variants": variants}, token=self.token
        )

    def change(self, variant_id: str, **body):
        return self.api.patch(f"/manage/variants/{variant_id}/", body, token=self.token)


@pytest.fixture
def kettle(api, token) -> Kettle:
    return Kettle(api, token)


def test_staff_set_a_variants_pictures_in_their_order(kettle: Kettle):
    first, second, third = kettle.images
    before = OutboxEvent.objects.filter(name="catalog.product_changed").count()

    changed = kettle.change(kettle.blue, image_ids=[third, first])
    read = kettle.api.get(f"/manage/variants/{kettle.blue}/", token=kettle.token)
    kettle.change(kettle.red, image_ids=[second])
    kettle.change(kettle.red, weight_grams=900)

    assert changed.json()["image_ids"] == [third, first]
    assert (read.json(), read["ETag"]) == (changed.json(), changed["ETag"])
    assert kettle.shown() == [[second], [third, first]]
    assert OutboxEvent.objects.filter(name="catalog.product_changed").count() == before + 3
    assert kettle.change(kettle.red, image_ids=[]).json()["image_ids"] == []
    assert kettle.shown() == [[], [third, first]]


def test_a_new_variant_comes_with_its_pictures(kettle: Kettle):
    first, _, third = kettle.images
    kettle.set(BLUE)

    added = kettle.api.post(
        f"/manage/products/{kettle.id}/variants/",
        RED | {"image_ids": [third, first]},
        token=kettle.token,
    )

    assert (added.status_code, added.json()["image_ids"]) == (201, [third, first])


def test_setting_all_variants_leaves_the_pictures_of_those_that_name_none(kettle: Kettle):
    first, second, _ = kettle.images
    kettle.set(RED | {"image_ids": [first]}, BLUE | {"image_ids": [second]})

    answer = kettle.set(RED, BLUE | {"image_ids": [second, first]})

    assert [each["image_ids"] for each in answer.json()["items"]] == [[first], [second, first]]
    assert kettle.shown() == [[first], [second, first]]


def test_another_products_picture_a_repeated_and_too_many_are_refused(kettle: Kettle):
    first, other = kettle.images[0], str(make_image().pk)
    kettle.change(kettle.red, image_ids=[first])

    foreign = kettle.set(RED | {"image_ids": []}, BLUE | {"image_ids": [first, other]})
    gone = kettle.change(kettle.red, image_ids=[str(uuid.uuid4())])
    twice = kettle.change(kettle.red, image_ids=[first, first])
    many = kettle.change(kettle.red, image_ids=[first] * (MAX_VARIANT_IMAGES + 1))

    assert refusals(foreign) == [("#/variants/1/image_ids/1", "unknown")]
    assert refusals(gone) == [("#/image_ids/0", "unknown")]
    assert refusals(twice) == [("#/image_ids/1", "duplicate")]
    assert refusals(many) == [("#/image_ids", "max_length")]
    assert {foreign.status_code, gone.status_code, twice.status_code, many.status_code} == {422}
    assert kettle.shown() == [[first], []]


def test_a_deleted_picture_shows_no_variant_any_more(kettle: Kettle):
    first, second, _ = kettle.images
    kettle.change(kettle.red, image_ids=[first, second])

    kettle.api.delete(f"/manage/images/{first}/", token=kettle.token)

    assert kettle.shown() == [[second], []]


def test_the_database_refuses_a_picture_of_another_product(kettle: Kettle):
    stranger = make_variant()

    with pytest.raises(IntegrityError, match="pictures of its product only"), transaction.atomic():
        VariantImage.objects.create(variant=stranger, image_id=kettle.images[0])


def test_a_picture_that_is_deleted_at_the_same_moment_is_told(kettle: Kettle, monkeypatch):
    """The picture goes between the check and the write."""
    first = kettle.images[0]
    check = services.images.check_variant_images

    def slow_check(*args, **options):
        errors = check(*args, **options)
        ProductImage.objects.filter(pk=first).delete()
        return errors

    monkeypatch.setattr(services.images, "check_variant_images", slow_check)

    with pytest.raises(ReferenceGone):
        services.change_variant(variant_id=kettle.red, image_ids=[uuid.UUID(first)])


def test_an_imported_picture_comes_first_and_once(kettle: Kettle):
    first, second, _ = map(uuid.UUID, kettle.images)
    kettle.change(kettle.red, image_ids=[str(first)])

    added = services.add_variant_image(variant_id=uuid.UUID(kettle.red), image_id=second)
    again = services.add_variant_image(variant_id=uuid.UUID(kettle.red), image_id=first)

    assert (added, again) == (True, False)
    assert kettle.shown()[0] == [str(second), str(first)]
