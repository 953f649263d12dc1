"""The page of a product."""

import json
from typing import Any

import nh3
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.html import linebreaks
from django.utils.safestring import SafeString, mark_safe

from lavka.kernel.errors import NotFound
from lavka.kernel.formats import format_money
from lavka.kernel.money import Money
from lavka.listing import selectors
from lavka.storefront.pages import customer_page, show

# No pictures: they would tell other sites who reads the page.
TAGS = {
    *("p", "br", "hr", "div", "span", "h2", "h3", "h4", "blockquote", "ul", "ol", "li"),
    *("b", "i", "strong", "em", "sub", "sup", "small", "code", "a"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}


@customer_page("GET")
async def product(request: HttpRequest, slug: str) -> HttpResponseBase:
    """What it is, what it costs and whether it is there; a past slug leads to the present one."""
    document = await selectors.product_document(slug)
    if document is None:
        current = await selectors.moved_to(slug)
        if current is None:
            raise NotFound
        return redirect("storefront:product", current, permanent=True)
    return show(request, "product", {"product": _shown(json.loads(document))})


def _shown(product: dict[str, Any]) -> dict[str, Any]:
    labels = {
        (option["code"], each["value"]): each["label"]
        for option in product["options"]
        for each in option["values"]
    }
    variants = [
        {
            "options": ", ".join(labels.get(each, each[1]) for each in variant["options"].items()),
            "sku": variant["sku"],
            "price": _price(variant["price"]),
            "in_stock": variant["in_stock"],
        }
        for variant in product["variants"]
    ]
    return product | {
        "description": _description(product["description"]),
        "price": _price(product["price"]),
        "before": _price(product["compare_at_price"]),
        "variants": variants,
    }


def _price(money: dict[str, Any] | None) -> str:
    return "" if money is None else format_money(Money(**money))


def _description(text: str) -> SafeString:
    """HTML without what could run, load or look like the page's own; plain text in paragraphs."""
    if "<" not in text:
        return mark_safe(linebreaks(text, autoescape=True))  # noqa: S308 - escaped there
    return mark_safe(nh3.clean(text, tags=TAGS, attributes={"a": {"href"}}))  # noqa: S308
