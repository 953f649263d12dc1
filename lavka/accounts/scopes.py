"""What an API key may be allowed: each scope opens reads that need certain Django permissions."""

from collections.abc import Iterable, Mapping

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Scope(TextChoices):
    """What a program may do. There is no scope to write."""

    READ_EVENTS = "events:read", _("read events")
    READ_ORDERS = "orders:read", _("read orders")
    READ_PAYMENTS = "payments:read", _("read payments")
    READ_FULFILMENT = "fulfilment:read", _("read shipments and returns")
    READ_PRODUCTS = "products:read", _("read products, also unpublished ones")
    READ_STOCK = "stock:read", _("read stock")
    READ_CUSTOMERS = "customers:read", _("read customers")
    READ_REVIEWS = "reviews:read", _("read reviews, also rejected ones")
    READ_RATES = "rates:read", _("read tax and shipping rates")


# Each right belongs to at most one scope. A key uses a right only while its maker holds it.
RIGHTS: Mapping[Scope, frozenset[str]] = {
    Scope.READ_EVENTS: frozenset({"kernel.view_recordedevent"}),
    Scope.READ_ORDERS: frozenset({"orders.view_order"}),
    Scope.READ_PAYMENTS: frozenset({"payments.view_payment"}),
    Scope.READ_FULFILMENT: frozenset({"fulfilment.view_shipment", "fulfilment.view_returnrequest"}),
    Scope.READ_PRODUCTS: frozenset(
        {
            "catalog.view_product",
            "catalog.view_variant",
            "catalog.view_productimage",
            "catalog.view_attribute",
            "catalog.view_producttype",
            "catalog.view_brand",
            "catalog.view_category",
        }
    ),
    Scope.READ_STOCK: frozenset(
        {
            "inventory.view_stocklevel",
            "inventory.view_stockmovement",
            "inventory.view_stockpolicy",
            "inventory.view_warehouse",
        }
    ),
    Scope.READ_CUSTOMERS: frozenset({"accounts.view_user"}),
    Scope.READ_REVIEWS: frozenset({"reviews.view_review"}),
    Scope.READ_RATES: frozenset({"tax.view_taxrate", "shipping.view_shippingrate"}),
}
_SCOPES: Mapping[str, Scope] = {
    right: scope for scope, rights in RIGHTS.items() for right in rights
}


def scope_for(right: str) -> Scope | None:
    """The scope that opens what needs `right`; None when no key opens it."""
    return _SCOPES.get(right)


def rights_of(scopes: Iterable[str]) -> frozenset[str]:
    """What these scopes open."""
    return frozenset().union(*(RIGHTS[Scope(scope)] for scope in scopes if scope in Scope))


def scopes_for(rights: Iterable[str]) -> list[Scope]:
    """The scopes of which somebody with `rights` can use anything, in their order."""
    held = set(rights)
    return [scope for scope in Scope if RIGHTS[scope] & held]
