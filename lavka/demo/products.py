"""The demo's products: rows from text, pictures painted on the way."""

import datetime
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product as combinations
from typing import Any

from django.core.files.base import ContentFile
from django.db import transaction

from lavka.catalog import services as catalog
from lavka.catalog.models import Product, ProductImage
from lavka.catalog.rules import slug_from
from lavka.catalog.services import VariantValues
from lavka.demo import goods, paintings
from lavka.demo.gtin import restricted_gtin
from lavka.demo.shelves import Shelves
from lavka.kernel import clock
from lavka.kernel.conf import options
from lavka.kernel.money import Money

# The oldest product came to the shop this long ago, the newest a few days ago.
OLDEST = datetime.timedelta(days=420)
NEWEST = datetime.timedelta(days=6)


def add_products(shelves: Shelves, *, at: datetime.datetime) -> int:
    """Create the demo's products that the shop does not have; returns how many."""
    known = set(Product.objects.filter(slug__in=_slugs()).values_list("slug", flat=True))
    added = 0
    for said, age in _by_age():
        if slug_from(said["name"]) not in known:
            with clock.set_to(at - age):
                _add_product(said, shelves, created_at=at - age)
            added += 1
    return added


def paint_products() -> Iterator[int]:
    """Paint the demo's products that have no picture; yields the number of each one's pictures."""
    bare = {
        product.slug: product for product in Product.objects.filter(slug__in=_slugs(), images=None)
    }
    waiting = [said for said in goods.products() if slug_from(said["name"]) in bare]
    with ThreadPoolExecutor(2) as painters:
        for said, painted in zip(waiting, painters.map(paintings.paint_all, waiting), strict=True):
            product = bare[slug_from(said["name"])]
            images = [
                catalog.add_image(
                    product=product, content=ContentFile(content, "picture.jpg"), alt=alt
                )
                for alt, content in painted
            ]
            _show_colors(product, said["options"].get("color", []), images)
            yield len(painted)


@transaction.atomic
def _show_colors(product: Product, colors: Sequence[str], images: Sequence[ProductImage]) -> None:
    """Show a variant in its color, or by the picture of all colors, where there is one."""
    for variant in product.variants.all():
        if (color := variant.options.get("color")) in colors:
            image = images[min(colors.index(color), len(images) - 1)]
            catalog.add_variant_image(variant_id=variant.pk, image_id=image.pk)


def _slugs() -> list[str]:
    return [slug_from(said["name"]) for said in goods.products()]


def _by_age() -> list[tuple[dict[str, Any], datetime.timedelta]]:
    """Products with their ages, oldest first: ids rise with time, as they do in a real shop."""
    shuffled = sorted(goods.products(), key=lambda said: zlib.crc32(said["sku"].encode()))
    step = (OLDEST - NEWEST) / (len(shuffled) - 1)
    return [(said, OLDEST - step * place) for place, said in enumerate(shuffled)]


@transaction.atomic
def _add_product(said: dict[str, Any], shelves: Shelves, *, created_at: datetime.datetime) -> None:
    brand = shelves.brands[said["brand"]]
    product = catalog.create_product(
        slug=slug_from(said["name"]),
        variants=list(_variants(said)),
        product_type=shelves.types[said["type"]],
        name=said["name"],
        description=said["description"],
        brand=brand,
        category=shelves.categories[said["category"]],
        attributes=said["attributes"],
        status=Product.Status.PUBLISHED,
        seo_title=f"{said['name']} by {brand.name}",
        seo_description=said["description"],
    )
    Product.objects.filter(pk=product.pk).update(created_at=created_at)


def _variants(said: dict[str, Any]) -> Iterator[VariantValues]:
    extra = said.get("extra", {})
    for choices in combinations(*said["options"].values()):
        sku = _sku(said, choices)
        surcharge = sum((_money(extra.get(choice, "0")).amount for choice in choices), 0)
        before = _money(said["was"]) if "was" in said else None
        yield VariantValues(
            sku=sku,
            gtin=restricted_gtin(zlib.crc32(sku.encode()), prefix="20"),
            options=dict(zip(said["options"], choices, strict=True)),
            price=_plus(_money(said["price"]), surcharge),
            compare_at_price=_plus(before, surcharge) if before else None,
            track_inventory=True,
            weight_grams=said["weight"],
        )


def sold_out_skus() -> set[str]:
    """Of the demo's variants those of which nothing is left."""
    return {
        _sku(said, choices.split("-"))
        for said in goods.products()
        for choices in said.get("sold_out", [])
    }


def _sku(said: dict[str, Any], choices: Iterable[str]) -> str:
    return "-".join([said["sku"], *choices]).upper()


def _money(text: str) -> Money:
    return Money.parse(text, options.currency)


def _plus(price: Money, minor_units: int) -> Money:
    return Money(price.amount + minor_units, price.currency)
