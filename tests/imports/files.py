"""Files for tests, of the shape that shops export."""

import csv
from pathlib import Path
from typing import Any

from tests.data.files import made_up, name_of, real_table

SHOPIFY = [
    "Handle", "Title", "Body (HTML)", "Vendor", "Type", "Tags", "Published", "Option1 Name",
    "Option1 Value", "Option1 Linked To", "Option2 Name", "Option2 Value", "Variant SKU",
    "Variant Grams", "Variant Inventory Tracker", "Variant Inventory Qty",
    "Variant Inventory Policy", "Variant Price", "Variant Compare At Price", "Variant Barcode",
    "Image Src", "Variant Image", "SEO Title", "Cost per item", "Status", "Currency",
]  # fmt: skip
SHOPIFY_NEEDS = {"Handle", "Title", "Variant Price"}
MUG = {
    "Handle": "mug", "Title": "Mug", "Body (HTML)": "<p onclick='x()'>Hot</p><script>y</script>",
    "Vendor": "Glinka", "Type": "Cups", "Tags": "clay, blue", "Published": "true",
    "Option1 Name": "Title", "Option1 Value": "Default Title", "Variant SKU": "'MUG",
    "Variant Grams": "340", "Variant Inventory Tracker": "shopify", "Variant Inventory Qty": "3",
    "Variant Inventory Policy": "deny", "Variant Price": "12.50", "Cost per item": "4.10",
    "Variant Barcode": "'4006381333931", "Status": "active",
}  # fmt: skip


def shopify_file(path: Path, *rows: dict[str, Any]) -> Path:
    """A product file, a row each; line 2 is the first."""
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, SHOPIFY, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def shop_export(path: Path) -> str:
    """Put a shop's real product export at `path`, or a made-up one; returns which it is."""
    real = real_table("shopify-csv-packt", SHOPIFY_NEEDS)
    if real is not None:
        path.symlink_to(real)
        return name_of(real)
    bowl = MUG | {"Handle": "bowl", "Variant SKU": "BOWL", "Variant Barcode": ""}
    shopify_file(path, MUG, bowl, {"Handle": "mug", "Image Src": "https://shop.example/2.png"})
    return made_up("shopify-csv-packt")
