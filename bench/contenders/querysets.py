"""How the contenders on Django read the shop: select_related, prefetch_related, no N+1."""

from typing import Any

from django.db.models import F, Min, QuerySet

from lavka.catalog.models import Category, Product

ORDERS: dict[str, list[Any]] = {
    "newest": ["-id"],
    "price": ["price", "id"],
    "-price": ["-price", "-id"],
    "rating": [F("rating__average").desc(nulls_last=True), "-id"],
}


def listed() -> QuerySet[Product]:
    """Published products with what a card shows: 3 queries a page, and one to count.

    No seeded product has a publishing window; without asking for it the count reads an index only.
    """
    return (
        Product.objects.filter(status=Product.Status.PUBLISHED)
        .select_related("brand", "category", "rating")
        .prefetch_related("variants", "images")
    )


def wanted(products: QuerySet[Product], query: Any) -> QuerySet[Product]:
    """Filtered and sorted by a query string, as a FilterSet would."""
    if category := query.get("category"):
        root = Category.objects.filter(slug=category).first()
        below = Category.objects.descendants(root, include_self=True) if root else []
        products = products.filter(category__in=[each.pk for each in below])
    sort = query.get("sort", "newest")
    if "price" in sort or query.get("price_min"):
        products = products.annotate(price=Min("variants__price_amount"))
    if price_min := query.get("price_min"):
        products = products.filter(price__gte=int(price_min))
    return products.order_by(*ORDERS[sort])


def paged() -> QuerySet[Product]:
    """Products with all that their pages show: 6 queries."""
    return (
        listed()
        .select_related("category__parent__parent", "product_type")
        .prefetch_related(
            "product_type__type_attributes__attribute__choices", "variants__image_links"
        )
    )


def described(product: Product, *, is_option: bool) -> list[tuple[Any, list[Any]]]:
    """The loaded attributes of the product's type, each with its choices."""
    return [
        (each.attribute, list(each.attribute.choices.all()))
        for each in product.product_type.type_attributes.all()
        if each.is_option == is_option
    ]
