import csv
import gzip
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from lavka.catalog.models import Product, Variant
from lavka.kernel.models import OutboxEvent
from tests.data.files import rows_of
from tests.imports.files import MUG, SHOPIFY, shop_export, shopify_file
from tests.inventory.factories import make_warehouse

pytestmark = pytest.mark.django_db

# Why a product of a real shop may be refused, and no other reason.
UNSELLABLE = {
    "required", "bad_amount", "negative", "out_of_range", "duplicate", "too_many", "row_lost",
    "row_too_long", "unclosed_quote", "bad_quotes", "too_many_fields", "nul",
}  # fmt: skip


def imported(path: Path, **options) -> tuple[int, str, list[tuple[int, str, str]]]:
    """Exit code, summary, and the refusals as line, column and code."""
    make_warehouse()
    out, report, code = StringIO(), path.with_suffix(".refused"), 0
    try:
        call_command("import_products", str(path), report=report, stdout=out, **options)
    except SystemExit as leaving:
        code = int(leaving.code)
    rows = list(csv.DictReader(report.read_text().splitlines()))
    return code, out.getvalue(), [(int(r["line"]), r["column"], r["code"]) for r in rows]


def test_a_product_without_options_is_read_with_all_its_columns(tmp_path):
    code, summary, refused = imported(shopify_file(tmp_path / "shop.csv", MUG))

    assert (code, refused) == (0, [])
    assert summary.startswith("1 created; 0 refusals")
    product = Product.objects.get(slug="mug")
    variant = product.variants.get()
    assert (product.name, product.brand.name, product.category.name) == ("Mug", "Glinka", "Cups")
    assert product.description == "<p>Hot</p>"
    assert product.attributes == {"tags": ["clay", "blue"]}
    assert product.status == "published"
    assert (variant.sku, variant.gtin, variant.options) == ("MUG", "4006381333931", {})
    assert (variant.price_amount, variant.weight_grams, variant.is_in_stock) == (1250, 340, True)


def test_a_second_import_changes_nothing_and_says_so(tmp_path):
    path = shopify_file(tmp_path / "shop.csv", MUG)
    imported(path)
    before = list(Product.objects.values()), list(Variant.objects.values())
    events = OutboxEvent.objects.count()

    code, summary, _ = imported(path)

    assert code == 0
    assert summary.startswith("1 unchanged; 0 refusals")
    assert (list(Product.objects.values()), list(Variant.objects.values())) == before
    assert OutboxEvent.objects.count() == events


def test_rows_far_apart_with_one_handle_are_one_product(tmp_path):
    shirt = MUG | {"Handle": "shirt", "Title": "Shirt", "Option1 Name": "Color",
                   "Option1 Value": "Red", "Variant SKU": "", "Variant Barcode": ""}  # fmt: skip
    more = {"Handle": "shirt", "Option1 Value": "Dark Blue", "Variant Price": "13"}

    code, _, refused = imported(shopify_file(tmp_path / "shop.csv", shirt, MUG, more))

    assert (code, refused) == (0, [])
    skus = Product.objects.get(slug="shirt").variants.values_list("sku", "options")
    assert list(skus) == [
        ("shirt-red", {"color": "red"}),
        ("shirt-dark-blue", {"color": "dark-blue"}),
    ]


@pytest.mark.parametrize(
    ("change", "column", "expected"),
    [
        ({"Variant Price": "12,5O"}, "Variant Price", "bad_amount"),
        ({"Variant Price": "-1"}, "Variant Price", "negative"),
        ({"Variant Price": ""}, "Variant Price", "required"),
        ({"Variant Price": "1e30"}, "Variant Price", "bad_amount"),
        ({"Variant Price": "1e15"}, "Variant Price", "out_of_range"),
        ({"Variant Price": "12.50 EUR"}, "Variant Price", "currency_mismatch"),
        ({"Variant Price": "JPY 1250"}, "Variant Price", "currency_mismatch"),
        ({"Currency": "EUR"}, "Variant Price", "currency_mismatch"),
        (
            {"Variant Compare At Price": "20 EUR"},
            "Variant Compare At Price",
            "currency_mismatch",
        ),
        ({"Cost per item": "4 EUR"}, "Cost per item", "currency_mismatch"),
        ({"Variant Inventory Qty": "many"}, "Variant Inventory Qty", "bad_quantity"),
        ({"Variant Inventory Qty": "2.5"}, "Variant Inventory Qty", "bad_quantity"),
        ({"Variant Inventory Qty": "1e3"}, "Variant Inventory Qty", "bad_quantity"),
        ({"Variant Inventory Qty": "1000000001"}, "Variant Inventory Qty", "out_of_range"),
        ({"Variant Inventory Qty": "9" * 5000}, "Variant Inventory Qty", "out_of_range"),
        ({"Handle": "!!"}, "Handle", "required"),
        ({"Handle": ""}, "Handle", "required"),
    ],
)
def test_a_bad_value_refuses_its_product_with_line_and_column(tmp_path, change, column, expected):
    bad = MUG | {"Handle": "bad", "Variant SKU": "BAD", "Variant Barcode": ""} | change

    code, _, refused = imported(shopify_file(tmp_path / "shop.csv", MUG, bad))

    assert (code, refused) == (1, [(3, column, expected)])
    assert list(Product.objects.values_list("slug", flat=True)) == ["mug"]


def test_a_variant_that_cannot_be_told_apart_refuses_its_product(tmp_path):
    small = MUG | {"Option1 Name": "Size", "Option1 Value": "S"}
    unnamed = {"Handle": "mug", "Variant Price": "13"}

    code, _, refused = imported(shopify_file(tmp_path / "shop.csv", small, unnamed))

    assert (code, refused) == (1, [(3, "Option1 Value", "required")])
    assert not Product.objects.exists()


def test_an_oversized_line_is_skipped_and_the_file_goes_on(tmp_path):
    path = shopify_file(tmp_path / "shop.csv", MUG | {"Handle": "one", "Variant SKU": "1"})
    plate = "plate,Plate" + "," * (SHOPIFY.index("Variant Price") - 1) + "9"
    with path.open("a") as file:
        file.write("huge," + "x" * 10_000_000 + "\n" + plate + "\n")

    code, _, refused = imported(path)

    assert (code, refused) == (1, [(2, "", "row_lost"), (3, "", "row_too_long")])
    assert list(Product.objects.values_list("slug", flat=True)) == ["plate"]


def test_a_nul_byte_refuses_its_row_and_the_product_that_may_have_lost_it(tmp_path):
    bad = MUG | {"Handle": "bad", "Title": "a\x00b", "Variant SKU": "BAD"}

    code, _, refused = imported(shopify_file(tmp_path / "shop.csv", MUG, bad))

    assert (code, refused) == (1, [(2, "", "row_lost"), (3, "Title", "nul")])
    assert not Product.objects.exists()


def test_an_unclosed_quote_refuses_its_line_and_not_the_rest(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text(
        'Handle,Title,Variant Price\nbad,"Never closed,1\nmug,Mug,2\n"multi","Two\nlines",3\n'
        "last,Last,4\n"
    )

    code, _, refused = imported(path)

    assert (code, refused) == (1, [(2, "", "bad_quotes")])
    assert set(Product.objects.values_list("slug", "name")) == {
        ("mug", "Mug"),
        ("multi", "Two\nlines"),
        ("last", "Last"),
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty"),
        (b"Name,Cost\nMug,1\n", "no column Handle, Title, Variant Price"),
        ("Handle,Title,Variant Price\na,A,1\nb,Käse,1\n".encode("latin-1"), "Line 3 is not UTF-8"),
        ("Handle,Title,Variant Price\n".encode("utf-16"), "Line 1 is not UTF-8"),
        (b"Handle,Title,Title,Variant Price\n", "names a column twice: Title"),
    ],
)
def test_an_unusable_file_is_refused_whole(tmp_path, content, message):
    path = tmp_path / "shop.csv"
    path.write_bytes(content)

    with pytest.raises(CommandError, match=message) as error:
        call_command("import_products", str(path))

    assert error.value.returncode == 2
    assert not Product.objects.exists()


def test_a_dry_run_writes_nothing(tmp_path):
    _, summary, _ = imported(shopify_file(tmp_path / "shop.csv", MUG), dry_run=True)

    assert summary.startswith("1 created")
    assert not Product.objects.exists()
    assert not OutboxEvent.objects.exists()


def test_a_shops_export_imports_twice_without_a_duplicate(tmp_path, say_input):
    path = tmp_path / "shop.csv"
    say_input(shop_export(path))
    rows = list(rows_of(path))

    first, summary, refused = imported(path)
    counts = Product.objects.count(), Variant.objects.count()
    second, again, refused_again = imported(path)

    assert {code for _, _, code in refused} <= UNSELLABLE, summary
    if not refused:
        assert set(Product.objects.values_list("slug", flat=True)) == {
            row["Handle"] for row in rows
        }
        assert counts[1] == len([row for row in rows if row["Variant Price"]])
    assert (Product.objects.count(), Variant.objects.count()) == counts
    assert (second, refused_again) == (first, refused)
    assert "created" not in again
    assert "changed" not in again.replace("unchanged", "")


def test_a_gzipped_file_is_read_like_a_plain_one(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_bytes(gzip.compress(shopify_file(tmp_path / "plain.csv", MUG).read_bytes()))

    assert imported(path)[0] == 0
    assert Product.objects.get().slug == "mug"


def test_a_damaged_gzipped_file_is_refused_whole(tmp_path):
    path = tmp_path / "shop.csv.gz"
    whole = gzip.compress(shopify_file(tmp_path / "plain.csv", MUG).read_bytes())
    flipped = bytearray(whole)
    flipped[-20] ^= 0xFF

    for content in (whole[:-9], whole[:2], bytes(flipped), whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(CommandError, match="damaged") as error:
            call_command("import_products", str(path))
        assert error.value.returncode == 2
    assert not Product.objects.exists()
