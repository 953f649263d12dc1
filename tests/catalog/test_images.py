"""Pictures: what is let in, what is made of them, what is left of them."""

import struct
import uuid
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from lavka.catalog import services, tasks
from lavka.catalog.errors import BadPicture, PictureTooLarge, ReferenceGone
from lavka.catalog.models import Product, ProductImage
from lavka.catalog.pictures import MAX_BYTES
from lavka.kernel.models import OutboxEvent
from tests.catalog.factories import make_image, make_product, picture
from tests.client import AsgiClient

pytestmark = pytest.mark.django_db


def upload(product, content: bytes, token: str, **fields):
    return AsgiClient(raise_request_exception=False).post(
        f"/api/v1/manage/products/{product.pk}/images/",
        {"file": SimpleUploadedFile("picture.jpg", content, "image/jpeg"), **fields},
        headers={"Authorization": f"Bearer {token}"},
    )


def stored() -> list[str]:
    return sorted(str(path) for path in Path(default_storage.path("")).rglob("*") if path.is_file())


def rotated() -> bytes:
    """What a phone held upright writes: 600 x 400, to be turned, and where it was."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Camera of Ada"
    return picture(600, 400, exif=exif)


def bomb() -> bytes:
    """A few bytes that say they are 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_is_stored_under_a_name_of_its_own(api, token, file_format):
    product = make_product()

    answer = upload(product, picture(300, 200, file_format), token, alt="A kettle")

    image = ProductImage.objects.get()
    assert answer.status_code == 201, answer.content
    assert answer.json() == {
        "id": str(image.pk),
        "url": f"/media/{image.file.name}",
        "alt": "A kettle",
        "position": 0,
        "width": 300,
        "height": 200,
        "thumbnails": {},
    }
    assert "picture" not in image.file.name
    read = api.get(f"/manage/images/{image.pk}/", token=token)
    assert (read.json(), read["ETag"]) == (answer.json(), answer["ETag"])


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "bad_picture"),
        (b"no picture", "bad_picture"),
        (picture()[:2000], "bad_picture"),
        (picture(40, 40, "BMP"), "bad_picture"),
        (picture(40, 40, "TIFF"), "bad_picture"),
        (bomb(), "picture_too_large"),
        (picture(8000, 5001, "GIF"), "picture_too_large"),
        (picture() + bytes(MAX_BYTES), "picture_too_large"),
    ],
    ids=["svg", "text", "cut off", "bmp", "tiff", "bomb", "40 megapixels", "10 MB"],
)
def test_what_is_no_picture_for_a_shop_is_refused(token, content, code):
    answer = upload(make_product(), content, token)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert not ProductImage.objects.exists()
    assert stored() == []


def test_a_body_far_above_the_limit_is_not_read(token):
    answer = upload(make_product(), bytes(MAX_BYTES + 2 * 1024 * 1024), token)

    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({}, [("#/file", "required")]),
        ({"file": "text"}, [("#/file", "invalid")]),
        ({"file": SimpleUploadedFile("a.jpg", b"", "image/jpeg")}, [("#/file", "empty")]),
    ],
)
def test_a_form_without_a_file_is_refused(token, fields, refused):
    answer = Client().post(
        f"/api/v1/manage/products/{make_product().pk}/images/",
        fields,
        headers={"Authorization": f"Bearer {token}"},
    )

    assert answer.status_code == 422
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == refused


def test_a_broken_form_is_malformed(token):
    answer = Client().generic(
        "POST",
        f"/api/v1/manage/products/{make_product().pk}/images/",
        b"--x\r\nnonsense",
        content_type="multipart/form-data; boundary=",
        headers={"Authorization": f"Bearer {token}"},
    )

    assert answer.status_code == 400


def test_a_turned_photo_is_stored_upright_and_tells_nothing():
    image = make_image(content=rotated())

    with default_storage.open(image.file.name) as file, Image.open(file) as kept:
        assert kept.size == (400, 600)
        assert not kept.getexif()
        red, _, blue = kept.convert("RGB").getpixel((200, 50))
        assert red > 200 > 50 > blue
    assert (image.width, image.height) == (400, 600)


def test_a_picture_without_metadata_is_kept_byte_by_byte():
    content = picture(300, 200)

    image = make_image(content=content)

    with default_storage.open(image.file.name) as file:
        assert file.read() == content


@pytest.mark.parametrize(
    ("width", "made"),
    [(100, []), (160, ["160"]), (700, ["160", "480"]), (2000, ["160", "480", "960"])],
)
def test_thumbnails_are_made_but_never_larger_than_the_picture(width, made):
    image = make_image(content=picture(width, width // 2))

    tasks.make_thumbnails(image_id=str(image.pk))

    image.refresh_from_db()
    assert list(image.thumbnails) == made
    for size, name in image.thumbnails.items():
        with default_storage.open(name) as file, Image.open(file) as small:
            assert small.format == "WEBP"
            assert small.size == (int(size), int(size) // 2)
            assert not small.getexif()


def test_a_transparent_picture_stays_transparent():
    buffer = BytesIO()
    Image.new("RGBA", (200, 200), (255, 0, 0, 0)).save(buffer, "PNG")
    image = make_image(content=buffer.getvalue())

    tasks.make_thumbnails(image_id=str(image.pk))

    image.refresh_from_db()
    with default_storage.open(image.thumbnails["160"]) as file, Image.open(file) as small:
        assert small.convert("RGBA").getpixel((80, 80))[3] == 0


def test_a_second_delivery_makes_nothing_new():
    image = make_image()
    tasks.make_thumbnails(image_id=str(image.pk))
    image.refresh_from_db()
    names, files = image.thumbnails, stored()
    OutboxEvent.objects.all().delete()

    tasks.make_thumbnails(image_id=str(image.pk))

    image.refresh_from_db()
    assert image.thumbnails == names
    assert stored() == files
    assert not OutboxEvent.objects.exists()


def test_made_thumbnails_change_the_product():
    image = make_image()
    OutboxEvent.objects.all().delete()

    tasks.make_thumbnails(image_id=str(image.pk))

    assert list(OutboxEvent.objects.values_list("name", "aggregate")) == [
        ("catalog.product_changed", image.product_id)
    ]


def test_thumbnails_of_a_picture_that_is_gone_are_not_left_behind():
    image = make_image()

    assert not services.record_thumbnails(image_id=make_product().pk, names={"160": "x"})
    image.delete()
    tasks.make_thumbnails(image_id=str(image.pk or make_product().pk))

    assert len(stored()) == 1


def test_a_deleted_picture_takes_its_files_along(api, token):
    image = make_image()
    tasks.make_thumbnails(image_id=str(image.pk))
    OutboxEvent.objects.all().delete()

    answer = api.delete(f"/manage/images/{image.pk}/", token=token)

    assert answer.status_code == 204
    assert len(stored()) == 3
    event = OutboxEvent.objects.get(name="catalog.image_removed")
    tasks.remove_files(event_id=str(event.pk), **event.payload)
    assert stored() == []
    tasks.remove_files(event_id=str(event.pk), **event.payload)


def test_a_refused_row_leaves_no_file():
    gone = Product(pk=uuid.uuid4())

    with pytest.raises(ReferenceGone):
        services.add_image(product=gone, content=ContentFile(picture()))
    assert stored() == []


@pytest.mark.parametrize("refusal", [BadPicture, PictureTooLarge])
def test_the_refusals_have_their_codes(refusal):
    assert refusal.status == 422


def test_pictures_are_put_in_order(api, token):
    product = make_product()
    first, second = make_image(product=product), make_image(product=product)
    path = f"/manage/products/{product.pk}/images/"

    turned = api.put(path, {"images": [str(second.pk), str(first.pk)]}, token=token)
    short = api.put(path, {"images": [str(first.pk)]}, token=token)
    twice = api.put(path, {"images": [str(first.pk), str(first.pk)]}, token=token)

    assert [each["id"] for each in turned.json()["items"]] == [str(second.pk), str(first.pk)]
    assert [short.status_code, twice.status_code] == [422, 422]
    assert api.get(path, token=token).json() == turned.json()


def test_a_pictures_text_is_changed(api, token):
    image = make_image()
    path = f"/manage/images/{image.pk}/"
    seen = api.get(path, token=token)["ETag"]

    changed = api.patch(path, {"alt": "Kettle"}, token=token, If_Match=seen)
    stale = api.patch(path, {"alt": "Pot"}, token=token, If_Match=seen)

    assert changed.json()["alt"] == "Kettle"
    assert stale.status_code == 412
    image.refresh_from_db()
    assert image.alt == "Kettle"
