"""Names of products: of the demo shops in `LAVKA_DATA`, and Russian ones made up for the tests."""

import json

from tests.data.files import made_up, name_of, real_files, real_table, rows_of, text_of

# Folder, columns that its file has, and the one with the name.
TABLES = (
    ("vendure-demo", {"name", "optionGroups"}, "name"),
    ("spree-demo", {"slug", "sku", "name"}, "name"),
    ("spree-demo", {"locale", "name"}, "name"),
    ("magento-luma", {"sku", "name", "configurable_variations"}, "name"),
    ("magento-luma", {"category", "name", "features_bags"}, "name"),
    ("shopify-csv-packt", {"Handle", "Title"}, "Title"),
)
ENGLISH = (
    "No-Pull Harness", "Dog Harness, large", "Men's Crew T-Shirt", "Café Crème Mug",
    "USB-C Cable 2 m", "WH-1000XM5 Headphones", '27" Monitor', "16GB microSD card",
    "Åland Blanket", "Jalapeño Sauce", "3.5mm Jack/Adapter", "Dr. Martens 1460",
    "AC/DC Live (2 CDs)", "naïve_art Poster", "50% Off Bin",
)  # fmt: skip
RUSSIAN = (
    "Шлейка для собак «Барсик и Бим»", "Чайник со свистком", "Ёлочная гирлянда", "Зелёный чай",
    "Свитер мужской шерстяной", "Кресло-качалка", "Кабель USB-C 1,5 м", "Йогуртница электрическая",
    "Щётка-расчёска", "Подъёмник 2-в-1", "Объектив 50 мм f/1.8", "Ёмкость для круп", "Дверь МДФ-12",
    "Книга «Война и мир», том 3", "Лампа светодиодная 60 Вт", "Смартфон 128 ГБ", "Шёлковый шарф",
)  # fmt: skip


def product_names() -> tuple[list[str], list[str]]:
    """Where they come from, and each name once, in a stable order."""
    sources, names = ["English and Russian, made up"], [*ENGLISH, *RUSSIAN]
    for folder, columns, column in TABLES:
        path = real_table(folder, columns)
        sources.append(made_up(folder) if path is None else name_of(path))
        if path is not None:
            # Simple products of Magento are variants, named after their product.
            names += [row[column] for row in rows_of(path) if row.get("product_type") != "simple"]
    for path in real_files("saleor-demo", suffix=".json"):
        sources.append(name_of(path))
        fields = [each for each in json.loads(text_of(path)) if each["model"] == "product.product"]
        names += [each["fields"]["name"] for each in fields]
    return sources, list(dict.fromkeys(filter(None, names)))
