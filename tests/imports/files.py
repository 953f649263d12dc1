"""Files for tests, of the shape that shops export."""

import csv
import os
import sys
from pathlib import Path
from typing import Any

SHOPIFY = [
    "Handle", "Title", "Body (HTML)", "Vendor", "Type", "Tags", "Published", "Option1 Name",
    "Option1 Value", "Option1 Linked To", "Option2 Name", "Option2 Value", "Variant SKU",
    "Variant Grams", "Variant Inventory Tracker", "Variant Inventory Qty",
    "Variant Inventory Policy", "Variant Price", "Variant Compare At Price", "Variant Barcode",
    "Image Src", "Variant Image", "SEO Title", "Cost per item", "Status", "Currency",
]  # fmt: skip
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


def real_files(folder: str) -> list[Path]:
    """CSV files of a folder below `LAVKA_DATA`; none, and a word about it, where they are not."""
    root = os.environ.get("LAVKA_DATA", "")
    found = sorted(Path(root, folder).glob("*.csv")) if root else []
    if not found:
        sys.stdout.write(f"no real data: LAVKA_DATA has no {folder}; generated files only\n")
    return found
