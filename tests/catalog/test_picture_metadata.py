"""A stored picture is a picture and nothing else: no place, no name, no file inside the file."""

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from PIL import Image, ImageCms, ImageSequence, PngImagePlugin

from lavka.catalog import pictures, tasks
from lavka.catalog.errors import BadPicture, PictureTooLarge
from lavka.catalog.models import ProductImage
from lavka.catalog.picture_files import has_extras
from lavka.kernel.models import OutboxEvent
from tests.catalog.factories import make_image, make_product, picture
from tests.imports.files import MUG, shopify_file
from tests.inventory.factories import make_warehouse

# What Pillow reads of the parts that draw.
DRAWING = {"jfif", "jfif_version", "jfif_unit", "jfif_density", "version", "background", "duration",
           "loop", "transparency", "timestamp", "default_image", "extension", "bbox", "disposal",
           "blend"}  # fmt: skip
SECRET = b"GPS 48.8584N 2.2945E Ada"
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + SECRET + b"</x:xmpmeta>"


def exif(orientation: int = 1) -> Image.Exif:
    made = Image.Exif()
    made[0x0112], made[0x010E] = orientation, SECRET.decode()
    made.get_ifd(0x8825)[1] = "N"
    return made


def profile() -> bytes:
    """A color profile whose description names somebody."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return made + SECRET


def segment(marker: int, body: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


def with_segment(marker: int, body: bytes) -> bytes:
    """A JPEG with one segment more, behind its first two bytes."""
    jpeg = picture(300, 200)
    return jpeg[:2] + segment(marker, body) + jpeg[2:]


def with_chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG with one chunk more, before its end."""
    png = picture(300, 200, "PNG")
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return png[:-12] + chunk + png[-12:]


def text_chunks() -> PngImagePlugin.PngInfo:
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", SECRET.decode())
    told.add_text("Author", SECRET.decode(), zip=True)
    told.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return told


def gif_with_comment() -> bytes:
    return picture(300, 200, "GIF", comment=SECRET)


CARRIERS: dict[str, bytes] = {
    "JPEG EXIF": picture(300, 200, exif=exif()),
    "JPEG XMP": picture(300, 200, xmp=XMP),
    "JPEG comment": picture(300, 200, comment=SECRET),
    "JPEG IPTC": with_segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\x00\x00" + SECRET),
    "JPEG profile": picture(300, 200, icc_profile=profile()),
    "JPEG thumbnail": with_segment(0xE0, b"JFXX\x00\x10" + SECRET),
    "JPEG of a maker": with_segment(0xEF, SECRET),
    "JPEG with a tail": picture(300, 200) + b"PK\x03\x04" + SECRET,
    "JPEG extended XMP": with_segment(0xE1, b"http://ns.adobe.com/xmp/extension/\x00" + SECRET),
    "PNG EXIF": picture(300, 200, "PNG", exif=exif()),
    "PNG texts": picture(300, 200, "PNG", pnginfo=text_chunks()),
    "PNG profile": picture(300, 200, "PNG", icc_profile=profile()),
    "PNG time": with_chunk(b"tIME", struct.pack(">HBBBBB", 2026, 1, 1, 1, 1, 1)),
    "PNG of a maker": with_chunk(b"prVt", SECRET),
    "PNG with a tail": picture(300, 200, "PNG") + SECRET,
    "WebP EXIF": picture(300, 200, "WEBP", exif=exif()),
    "WebP XMP": picture(300, 200, "WEBP", xmp=XMP),
    "WebP profile": picture(300, 200, "WEBP", icc_profile=profile()),
    "WebP with a tail": picture(300, 200, "WEBP") + SECRET,
    "GIF comment": gif_with_comment(),
    "GIF XMP": picture(300, 200, "GIF")[:-1]
    + b"\x21\xff\x0bXMP DataXMP\x18"
    + SECRET
    + b"\x00\x3b",
    "GIF with a tail": picture(300, 200, "GIF") + SECRET,
}


def stored(name: str) -> bytes:
    with default_storage.open(name) as file:
        return file.read()


def is_plain(content: bytes) -> bool:
    """Whether Pillow and the walk over the file find nothing but a picture."""
    with Image.open(BytesIO(content)) as image:
        said = {*image.info} - DRAWING
        return not (image.getexif() or said) and not has_extras(content, image.format or "")


@pytest.mark.parametrize("name", CARRIERS)
def test_nothing_but_the_picture_is_kept(name):
    content = CARRIERS[name]
    assert not is_plain(content), "the test would prove nothing"

    kept = pictures.checked(BytesIO(content))

    assert is_plain(kept.content)
    assert b"48.8584" not in kept.content
    assert (kept.width, kept.height) == (300, 200)
    with Image.open(BytesIO(kept.content)) as image:
        red, _, blue = image.convert("RGB").getpixel((50, 100))
        assert red > 200 > 50 > blue


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("saved", [{}, {"optimize": True}, {"progressive": True}])
def test_a_plain_picture_is_kept_byte_by_byte(file_format, saved):
    content = picture(300, 200, file_format, **saved)

    assert pictures.checked(BytesIO(content)).content == content


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "size"), [(1, (300, 200)), (3, (300, 200)), (6, (200, 300))]
)
def test_it_is_turned_upright_first(file_format, orientation, size):
    kept = pictures.checked(BytesIO(picture(300, 200, file_format, exif=exif(orientation))))

    assert (kept.width, kept.height) == size
    with Image.open(BytesIO(kept.content)) as image:
        pixel = {1: (50, 100), 3: (250, 100), 6: (100, 50)}[orientation]
        red, _, blue = image.convert("RGB").getpixel(pixel)
        assert red > 200 > 50 > blue


def animated(file_format: str, **saved: Any) -> bytes:
    frames = [Image.new("RGB", (40, 30), color) for color in ("red", "lime", "blue")]
    buffer = BytesIO()
    frames[0].save(
        buffer, file_format, save_all=True, append_images=frames[1:], duration=120, loop=0, **saved
    )
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("file_format", "saved"),
    [("GIF", {"comment": SECRET}), ("WEBP", {"xmp": XMP}), ("PNG", {"pnginfo": text_chunks()})],
)
def test_an_animation_stays_one(file_format, saved):
    assert pictures.checked(BytesIO(animated(file_format))).content == animated(file_format)

    kept = pictures.checked(BytesIO(animated(file_format, **saved)))

    assert is_plain(kept.content)
    with Image.open(BytesIO(kept.content)) as image:
        colors = [
            max(range(3), key=frame.convert("RGB").getpixel((20, 15)).__getitem__)
            for frame in ImageSequence.Iterator(image)
        ]
        assert colors == [0, 1, 2]
        assert image.info.get("loop") == 0


def test_an_animation_of_too_many_pixels_is_refused():
    frames = [Image.new("P", (4000, 3000), number) for number in range(5)]
    buffer = BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], comment=SECRET)

    with pytest.raises(PictureTooLarge):
        pictures.checked(buffer)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
def test_every_kind_of_pixel_survives(mode):
    base = Image.new("RGBA", (60, 40), (200, 30, 30, 128))
    image = Image.new("I;16", (60, 40), 700) if mode == "I;16" else base.convert(mode)
    buffer = BytesIO()
    image.save(buffer, "JPEG" if mode == "CMYK" else "PNG", icc_profile=profile())

    kept = pictures.checked(buffer)

    assert is_plain(kept.content)
    with Image.open(BytesIO(kept.content)) as clean:
        assert clean.size == (60, 40)
        if mode in {"LA", "RGBA"}:
            assert clean.convert("RGBA").getpixel((5, 5))[3] == 128


def test_colors_of_another_profile_become_those_of_the_web():
    wide = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    content = picture(300, 200, icc_profile=wide)

    assert is_plain(pictures.checked(BytesIO(content)).content)


def test_the_first_picture_of_several_is_kept():
    first, second = Image.new("RGB", (60, 40), "red"), Image.new("RGB", (60, 40), "blue")
    buffer = BytesIO()
    first.save(buffer, "MPO", save_all=True, append_images=[second])

    kept = pictures.checked(buffer)

    assert kept.suffix == "jpg"
    assert is_plain(kept.content)


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a<svg onload=alert(1)>",
        b"\xff\xd8\xff\xe1" + b"\xff\xff" + b"x" * 20,
        b"RIFF\xff\xff\xff\xffWEBPVP8 ",
        b"",
    ],
)
def test_what_only_looks_like_a_picture_is_refused(content):
    with pytest.raises(BadPicture):
        pictures.checked(BytesIO(content))


@pytest.mark.django_db
def test_thumbnails_tell_nothing_either():
    image = make_image(content=CARRIERS["JPEG XMP"])

    tasks.make_thumbnails(image_id=str(image.pk))

    image.refresh_from_db()
    for name in image.stored_names:
        assert is_plain(stored(name))


@pytest.mark.django_db
def test_imported_pictures_tell_nothing(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "mug.jpg").write_bytes(CARRIERS["JPEG XMP"])
    row = MUG | {"Image Src": "https://shop.example/mug.jpg"}
    make_warehouse()

    call_command(
        "import_products", str(shopify_file(tmp_path / "shop.csv", row)), images_from=folder
    )

    assert is_plain(stored(ProductImage.objects.get().file.name))


@pytest.mark.django_db
def test_stored_pictures_are_cleaned_in_place(capsys):
    product = make_product()
    dirty, clean = make_image(product=product), make_image(product=product)
    turned = picture(300, 200, exif=exif(6))
    Path(default_storage.path(dirty.file.name)).write_bytes(turned)
    before = stored(clean.file.name)
    OutboxEvent.objects.all().delete()

    call_command("clean_pictures")
    call_command("clean_pictures")

    dirty.refresh_from_db()
    assert is_plain(stored(dirty.file.name))
    assert (dirty.width, dirty.height) == (200, 300)
    assert stored(clean.file.name) == before
    assert OutboxEvent.objects.filter(name="catalog.product_changed").count() == 1
    first, second = capsys.readouterr().out.strip().splitlines()
    assert first == "1 of 2 pictures were written anew."
    assert second == "0 of 2 pictures were written anew."


@pytest.mark.django_db
def test_a_picture_whose_file_is_gone_is_told_and_stops_nothing(capsys):
    gone, dirty = make_image(), make_image()
    default_storage.delete(gone.file.name)
    Path(default_storage.path(dirty.file.name)).write_bytes(CARRIERS["JPEG EXIF"])

    with pytest.raises(SystemExit):
        call_command("clean_pictures")

    said = capsys.readouterr()
    assert gone.file.name in said.err
    assert "1 of 2 pictures were written anew." in said.out
    assert is_plain(stored(dirty.file.name))
