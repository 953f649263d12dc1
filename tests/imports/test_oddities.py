"""What real exports have in them and a shop can still sell."""

import pytest
from django.core.management import CommandError

from lavka.catalog.models import Product, Variant
from lavka.imports.shopify_variants import BLANK_TRACKER
from lavka.imports.tables import Unusable, header_of
from lavka.inventory.selectors import available_of, policy_of
from tests.catalog.factories import make_variant
from tests.imports.files import MUG, shopify_file
from tests.imports.test_products import imported

pytestmark = pytest.mark.django_db

# The columns of the template of 2025.
HEADER_2025 = (
    "Title,URL handle,Description,Vendor,Product category,Type,Tags,Published on online store,"
    "Status,SKU,Barcode,Option1 name,Option1 value,Option1 Linked To,Option2 name,Option2 value,"
    "Option2 Linked To,Option3 name,Option3 value,Option3 Linked To,Price,Compare-at price,"
    "Cost per item,Charge tax,Tax code,Unit price total measure,Inventory tracker,"
    "Inventory quantity,Continue selling when out of stock,Weight value (grams),"
    "Weight unit for display,Requires shipping,Fulfillment service,Product image URL,"
    "Image position,Image alt text,Variant image URL,Gift card,SEO title,SEO description\n"
)
ROWS_2025 = (
    "Lamp,lamp,<p>Warm,Glow,Home > Light,Lamps,new,TRUE,Active,L-R,4006381333931,Color,Red,,,,,,,,"
    "20,25,9.50,TRUE,,,shopify,7,DENY,900,kg,TRUE,manual,https://shop.example/lamp.jpg,1,Front,"
    ",FALSE,A lamp,It glows\n"
    ",lamp,,,,,,,,L-B,,,Blue,,,,,,,,21,,,TRUE,,,shopify,0,CONTINUE,900,kg,TRUE,manual,,,,"
    "https://shop.example/blue.jpg,,,\n"
    "Cord,cord,,,,,,FALSE,Active,,,,,,,,,,,,nothing,,,,,,,,,,,,,,,,,,,\n"
)
# The columns of 2015: no status, no position of pictures, a tracker that is often empty.
HEADER_2015 = (
    "Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,"
    "Option2 Value,Option3 Name,Option3 Value,Variant SKU,Variant Grams,Variant Inventory Tracker,"
    "Variant Inventory Qty,Variant Inventory Policy,Variant Fulfillment Service,Variant Price,"
    "Variant Compare At Price,Variant Requires Shipping,Variant Taxable,Variant Barcode,Image Src,"
    "Image Alt Text,Gift Card,Google Shopping / MPN,Google Shopping / Gender,SEO Title,"
    "SEO Description,Variant Image,Variant Weight Unit\r\n"
)
ROWS_2015 = (
    "hat,Felt Hat,<p>Warm,,Hats,wool,TRUE,Title,Default Title,,,,,,200,,0,deny,manual,25.00,0.00,"
    "true,true,'0123,https://shop.example/hat.jpg?v=1,Front,false,,,,,,kg\r\n"
    "hat,,,,,,,,,,,,,,,,,,,,,,,,https://shop.example/side.jpg?v=1,,,,,,,,\r\n"
    "sock,Sock,,Knit Co,,,true,Size,S,Color,Red,,,'SOCK,30.5,shopify,2,deny,manual,4,3.00,true,"
    "true,'4006381333931,,,,,,,,,g\r\n"
    "sock,,,,,,,,M,,Red,,,'SOCK,30.5,shopify,0,deny,manual,4,,true,true,'4006381333931,,,,,,,,,g\r\n"
    ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\r\n"
    "\r\n\r\n"
)


def test_the_template_of_2025_calls_its_columns_otherwise(tmp_path):
    path = tmp_path / "products.csv"
    path.write_text(HEADER_2025 + ROWS_2025)

    code, summary, refused = imported(path)

    assert (code, refused) == (1, [(4, "Price", "bad_amount")])
    assert "line 4, Price: “nothing” is no amount." in summary
    assert summary.startswith("1 created, 1 refused; 1 refusals")
    lamp = Product.objects.get()
    told = (lamp.name, lamp.slug, lamp.description, lamp.brand.name, lamp.category.name)
    assert told == ("Lamp", "lamp", "<p>Warm</p>", "Glow", "Light")
    assert (lamp.seo_title, lamp.seo_description, lamp.status) == (
        "A lamp",
        "It glows",
        "published",
    )
    red, blue = lamp.variants.order_by("sku").reverse()
    assert (red.sku, red.gtin, red.options) == ("L-R", "4006381333931", {"color": "red"})
    assert (red.price_amount, red.compare_at_amount, red.cost_amount) == (2000, 2500, 950)
    assert (red.weight_grams, red.track_inventory, red.is_in_stock) == (900, True, True)
    assert available_of([red.pk]) == {red.pk: 7}
    assert (blue.sku, blue.options, blue.is_in_stock) == ("L-B", {"color": "blue"}, True)
    assert policy_of(blue.pk).when_out == "backorder"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("URL handle,Title,Price,Variant Price", "a column twice: Price, Variant Price"),
        ("URL handle,Title,price,PRICE", "a column twice: price, PRICE"),
        ("URL handle,Description", "no column Title, Price"),
        ("URL handle,Handle,Title,Price", "a column twice: URL handle, Handle"),
    ],
)
def test_a_header_of_2025_is_refused_by_its_own_names(tmp_path, header, message):
    path = tmp_path / "products.csv"
    path.write_text(f"{header}\nlamp,Lamp,20,21\n")

    with pytest.raises(CommandError, match=message):
        imported(path)


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("Price", "-1", "negative"),
        ("Price", "1e15", "out_of_range"),
        ("Inventory quantity", "many", "bad_quantity"),
        ("Compare-at price", "20 EUR", "currency_mismatch"),
        ("Cost per item", "20 EUR", "currency_mismatch"),
        ("URL handle", "!!", "required"),
        ("SEO title", "a\0b", "nul"),
    ],
)
def test_a_bad_value_of_2025_is_refused_under_the_name_in_its_header(tmp_path, column, value, code):
    row = {"Title": "Mug", "URL handle": "mug", "Price": "2", "SKU": "MUG", "SEO title": ""}
    row |= {"Inventory tracker": "shopify", "Inventory quantity": "1", "Compare-at price": ""}
    row |= {"Cost per item": "", column: value}
    path = tmp_path / "products.csv"
    path.write_text(f"{','.join(row)}\n{','.join(row.values())}\n")

    assert imported(path)[2] == [(2, column, code)]


def test_an_option_without_a_value_is_refused_under_the_name_in_its_header(tmp_path):
    path = tmp_path / "products.csv"
    path.write_text(
        "url Handle,Title,PRICE,option1 Name,OPTION1 value\nmug,Mug,2,Size,S\nmug,,3,,\n"
    )

    assert imported(path)[2] == [(3, "OPTION1 value", "required")]


def test_what_was_sold_beyond_its_stock_has_none_left(tmp_path):
    code, summary, refused = imported(
        shopify_file(tmp_path / "shop.csv", MUG | {"Variant Inventory Qty": "-2"})
    )

    assert (code, refused) == (0, [])
    assert "note: 1 × quantity is below zero and was taken as 0" in summary
    variant = Variant.objects.get()
    assert (available_of([variant.pk]), variant.is_in_stock) == ({variant.pk: 0}, False)


def test_an_export_of_2015_imports_whole_and_twice(tmp_path):
    path = tmp_path / "products_export.csv"
    path.write_bytes((HEADER_2015 + ROWS_2015).encode())

    code, summary, refused = imported(path)
    again = imported(path)[1]

    assert (code, refused) == (0, [])
    assert summary.startswith("2 created; 0 refusals")
    assert again.startswith("2 unchanged; 0 refusals")
    hat = Product.objects.get(slug="hat")
    assert (hat.brand, hat.status, hat.description) == (None, "published", "<p>Warm</p>")
    assert list(hat.variants.values_list("sku", "gtin", "compare_at_amount", "is_in_stock")) == [
        ("hat", "", None, False)
    ]
    assert list(
        Variant.objects.filter(product__slug="sock").values_list(
            "sku", "gtin", "compare_at_amount", "is_in_stock", "weight_grams"
        )
    ) == [
        ("SOCK", "4006381333931", None, True, 30),
        ("sock-m-red", "", None, False, 30),
    ]
    assert summary.splitlines()[1:] == [
        "note: 1 × SKU belongs to another variant, so one was made from handle and options",
        "note: 1 × barcode belongs to another variant and was left out",
        "note: 1 × barcode is no GTIN and was left out",
        "note: 1 × compare-at price is not above the price and was left out",
        f"note: 1 × {BLANK_TRACKER}",
        "note: 2 × picture was not fetched",
    ]


@pytest.mark.parametrize(
    ("change", "field", "value", "note"),
    [
        ({"Title": ""}, "product__name", "mug", "title is empty"),
        ({"Title": "x" * 300}, "product__name", "x" * 250, "title was cut"),
        ({"Variant Inventory Qty": "0", "Variant Inventory Policy": "continue"}, "is_in_stock",
         True, ""),
        ({"Variant Inventory Policy": "perhaps"}, "stock_policy__when_out", None,
         "inventory policy is neither"),
        ({"Variant Inventory Tracker": ""}, "stock_levels__on_hand", 3,
         "inventory tracker is blank"),
        ({"Variant Inventory Qty": "7.0"}, "stock_levels__on_hand", 7, ""),
        ({"Cost per item": "cheap"}, "cost_amount", None, "cost is no amount"),
        ({"Cost per item": "-1"}, "cost_amount", None, "cost is no amount"),
        ({"Cost per item": "1e30"}, "cost_amount", None, "cost is no amount"),
        ({"Variant Grams": "-5"}, "weight_grams", None, "weight is no number"),
        ({"Variant Grams": "heavy"}, "weight_grams", None, "weight is no number"),
        ({"Variant Compare At Price": "9"}, "compare_at_amount", None, "compare-at price"),
        ({"Variant Compare At Price": "cheap"}, "compare_at_amount", None, "compare-at price"),
        ({"Variant Compare At Price": "0.00"}, "compare_at_amount", None, ""),
        ({"Variant Compare At Price": "15"}, "compare_at_amount", 1500, ""),
        ({"Variant SKU": ""}, "sku", "mug", ""),
        ({"Variant SKU": "x" * 101}, "sku", "mug", "SKU is longer"),
        ({"Published": "FALSE"}, "product__status", "draft", ""),
        ({"Published": ""}, "product__status", "published", ""),
        ({"Option1 Name": "Size", "Option1 Value": ""}, "options", {}, ""),
        ({"Option1 Name": "", "Option1 Value": "Red"}, "options", {"option_1": "red"}, ""),
    ],
)  # fmt: skip
def test_a_harmless_oddity_is_mended(tmp_path, change, field, value, note):
    code, summary, refused = imported(shopify_file(tmp_path / "shop.csv", MUG | change))

    assert (code, refused) == (0, [])
    assert Variant.objects.values_list(field, flat=True).get() == value
    assert note in summary
    assert ("note:" in summary) == bool(note)


def test_a_row_that_stands_twice_is_one_variant(tmp_path):
    code, summary, refused = imported(shopify_file(tmp_path / "shop.csv", MUG, MUG))

    assert (code, refused, Variant.objects.count()) == (0, [], 1)
    assert "note: 1 × variant stands twice" in summary


def test_a_long_handle_gives_each_variant_a_sku_of_its_own(tmp_path):
    red = MUG | {"Handle": "x" * 120, "Variant SKU": "", "Option1 Name": "Color",
                 "Option1 Value": "Red"}  # fmt: skip
    blue = red | {"Option1 Value": "Blue", "Variant Barcode": ""}

    assert imported(shopify_file(tmp_path / "shop.csv", red, blue))[0] == 0
    assert {len(sku) for sku in Variant.objects.values_list("sku", flat=True)} == {100}


def test_a_sku_and_a_barcode_of_another_product_stay_there(tmp_path):
    path = shopify_file(tmp_path / "shop.csv", MUG, MUG | {"Handle": "twin"})
    owner = make_variant(sku="MUG", gtin="4006381333931")

    code, _, refused = imported(path)
    again = imported(path)[1]

    assert (code, refused) == (0, [])
    assert again.startswith("2 unchanged; 0 refusals")
    owner.refresh_from_db()
    assert (owner.sku, owner.gtin) == ("MUG", "4006381333931")
    assert set(Variant.objects.exclude(pk=owner.pk).values_list("sku", "gtin")) == {
        ("mug", ""),
        ("twin", ""),
    }


def test_many_long_options_make_product_types_of_their_own(tmp_path):
    colors = [f"A very long name of an option, {letter}" for letter in "ab"]
    rows = [
        MUG | {"Handle": name[-1], "Variant SKU": "", "Variant Barcode": "", "Option1 Name": name,
               "Option1 Value": "1", "Option2 Name": "Another long name", "Option2 Value": "2"}
        for name in colors
    ]  # fmt: skip

    assert imported(shopify_file(tmp_path / "shop.csv", *rows))[2] == []
    assert Product.objects.count() == 2


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (",".join(f"c{number}" for number in range(1001)), "names 1001 columns"),
        ("Handle," + "a" * 200_000, "field larger than field limit"),
        ('Handle,"a"b', "cannot be read"),
        ("a," * 500_000, "names 500001 columns"),
    ],
)
def test_a_header_that_is_none_is_refused_at_once(tmp_path, header: str, reason: str):
    path = tmp_path / "products.csv"
    path.write_text(header + "\n")

    with pytest.raises(Unusable, match=reason):
        header_of(path)
