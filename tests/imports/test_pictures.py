from functools import partial
from io import BytesIO

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from lavka.catalog import services as catalog
from lavka.catalog.models import Product, ProductImage
from lavka.imports.downloads import fetch
from lavka.imports.models import ImportedPicture
from lavka.imports.pictures import add_pictures
from lavka.imports.shopify import PictureDraft
from tests.catalog.factories import make_product
from tests.imports.files import MUG, shopify_file
from tests.imports.test_products import imported
from tests.imports.web_server import web_server

pytestmark = pytest.mark.django_db

near = partial(fetch, resolve=lambda host, port: ["127.0.0.1"], is_allowed=lambda address: True)


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


def png(color: str = "red") -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (4, 3), color).save(buffer, "PNG")
    return buffer.getvalue()


def drafts(*sources: str) -> list[PictureDraft]:
    return [
        PictureDraft(line=line, source=source, alt=f"no. {line}")
        for line, source in enumerate(sources, 2)
    ]


def test_pictures_are_downloaded_once_and_failures_told_by_line():
    product = make_product(slug="mug")
    with web_server() as web:
        web.show("/a.png", png())
        web.show("/b.png", b"<svg/>")
        web.show("/c.png", png("blue"))
        wanted = drafts(*(web.url(f"/{name}.png") for name in "abc"), "ftp://shop.example/d.png")
        added, refused = add_pictures(slug="mug", pictures=wanted, content_of=near)
        again, refused_again = add_pictures(slug="mug", pictures=wanted, content_of=near)

    assert (added, again) == (2, 0)
    failures = [(3, "Image Src", "bad_picture"), (5, "Image Src", "bad_address")]
    assert [(r.line, r.column, r.code) for r in refused] == failures
    assert [(r.line, r.column, r.code) for r in refused_again] == failures
    assert list(product.images.values_list("alt", "width", "position")) == [
        ("no. 2", 4, 0),
        ("no. 4", 4, 1),
    ]
    assert [path for _, path in web.asked] == ["/a.png", "/b.png", "/c.png", "/b.png"]


def test_a_picture_that_staff_deleted_comes_again():
    product = make_product(slug="mug")
    wanted = drafts("https://shop.example/a.png")
    add_pictures(slug="mug", pictures=wanted, content_of=lambda source: png())
    catalog.delete_image(image_id=product.images.get().pk)

    assert not ImportedPicture.objects.exists()
    assert add_pictures(slug="mug", pictures=wanted, content_of=lambda source: png()) == (1, [])


def test_a_picture_that_another_import_brings_meanwhile_is_there_once():
    product = make_product(slug="mug")
    wanted = drafts("https://shop.example/a.png")

    def meanwhile(source: str) -> bytes:
        add_pictures(slug="mug", pictures=wanted, content_of=lambda source: png())
        return png()

    assert add_pictures(slug="mug", pictures=wanted, content_of=meanwhile) == (0, [])
    assert product.images.count() == 1


def test_the_command_refuses_this_machine_and_imports_the_product(tmp_path):
    with web_server() as web:
        web.show("/a.png", png())
        row = MUG | {"Image Src": web.url("/a.png", "127.0.0.1")}
        code, summary, refused = imported(shopify_file(tmp_path / "shop.csv", row), images=True)

    assert (code, refused) == (1, [(2, "Image Src", "forbidden_address")])
    assert summary.startswith("1 created; 1 refusals")
    assert Product.objects.get().images.count() == 0
    assert web.asked == []


def test_nothing_is_fetched_unless_it_is_asked_for(tmp_path):
    with web_server() as web:
        row = MUG | {"Image Src": web.url("/a.png", "127.0.0.1")}
        path = shopify_file(tmp_path / "shop.csv", row)
        plain = imported(path)
        dry = imported(path, images=True, dry_run=True)

    assert (plain[0], dry[0]) == (0, 0)
    assert "note: 1 × picture was not fetched" in plain[1]
    assert web.asked == []


def test_pictures_come_from_a_folder_by_their_base_names(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "my mug.png").write_bytes(png())
    (tmp_path / "outside.png").write_bytes(png())
    rows = [
        MUG | {"Image Src": "https://shop.example/1/my%20mug.png?v=7"},
        {"Handle": "mug", "Image Src": "https://shop.example/none.png"},
        {"Handle": "mug", "Image Src": "https://shop.example/..%2Foutside.png/.."},
        {"Handle": "mug", "Image Src": "https://shop.example/"},
    ]
    path = shopify_file(tmp_path / "shop.csv", *rows)

    code, summary, refused = imported(path, images_from=folder)
    again = imported(path, images_from=folder)

    assert code == 1
    assert refused == [(line, "Image Src", "no_such_file") for line in (3, 4, 5)]
    assert "note: 1 × picture was added" in summary
    assert again[1].startswith("1 unchanged; 3 refusals")
    assert ProductImage.objects.count() == 1


def test_a_folder_that_is_not_there_is_told_before_anything_is_written(tmp_path):
    path = shopify_file(tmp_path / "shop.csv", MUG)

    with pytest.raises(CommandError, match="is no folder") as error:
        call_command("import_products", str(path), images_from=tmp_path / "none")

    assert error.value.returncode == 2
    assert not Product.objects.exists()


def test_a_variant_gets_the_picture_that_the_file_names_for_it(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("front", "red", "blue"):
        (folder / f"{name}.png").write_bytes(png("red" if name == "red" else "blue"))
    shirt = MUG | {"Handle": "shirt", "Title": "Shirt", "Option1 Name": "Color",
                   "Variant SKU": "", "Variant Barcode": ""}  # fmt: skip
    at = "https://shop.example/files"
    rows = [
        shirt | {"Option1 Value": "Red", "Image Src": f"{at}/front.png",
                 "Variant Image": f"{at}/red.png?v=1"},
        {"Handle": "shirt", "Option1 Value": "Blue", "Variant Price": "13",
         "Image Src": f"{at}/blue.png", "Variant Image": f"{at}/blue.png"},
        {"Handle": "shirt", "Option1 Value": "Grey", "Variant Price": "13"},
        {"Handle": "shirt", "Option1 Value": "Pink", "Variant Price": "13",
         "Variant Image": f"{at}/lost.png"},
    ]  # fmt: skip
    path = shopify_file(tmp_path / "shop.csv", *rows)

    code, summary, refused = imported(path, images_from=folder)
    again = imported(path, images_from=folder)

    assert (code, refused) == (1, [(5, "Image Src", "no_such_file")])
    assert "2 × variant got its picture" in summary
    assert "variant got its picture" not in again[1]
    product = Product.objects.get(slug="shirt")
    sources = dict(ImportedPicture.objects.values_list("image", "source"))
    assert [sources[image.pk] for image in product.images.all()] == [
        f"{at}/front.png",
        f"{at}/blue.png",
        f"{at}/red.png?v=1",
    ]
    assert [
        [sources[link.image_id] for link in variant.image_links.all()]
        for variant in product.variants.all()
    ] == [[f"{at}/red.png?v=1"], [f"{at}/blue.png"], [], []]
