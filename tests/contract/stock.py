"""What the contract tests find in the shop; runs in the shop's own Django.

Prints a token for each role and, for the parameters of paths, ids of what there is.
"""

import json
import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
from django.db.models import Model
from django.utils import timezone

from lavka.accounts.scopes import Scope
from lavka.accounts.services import keys
from lavka.fulfilment.models import ReturnRequest, Shipment
from lavka.shipping.models import ShippingRate
from lavka.tax.models import TaxRate
from tests.accounts.factories import make_staff, token_of
from tests.catalog import factories as catalog
from tests.contract.test_strangers import Customer
from tests.webhooks.factories import make_delivery, make_endpoint

# The tests of one role may take longer than a token lives.
LIFETIME = timedelta(hours=12)


class Http:
    """As `tests.client.Api`, over the network: the shop runs in processes of its own."""

    def request(
        self, method: str, path: str, body: Any = None, *, token: str = "", **headers: str
    ) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            named["Authorization"] = f"Bearer {token}"
        url = f"{os.environ['LAVKA_SHOP_URL']}/api/v1{path}"
        return httpx.request(method, url, json=body, headers=named, timeout=60)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return self.request("POST", path, body, **options)


def make_products() -> Iterator[Model]:
    """What anybody finds by its slug."""
    root = catalog.make_category(slug="kitchen", name="Kitchen")
    shelf = catalog.make_category(slug="pots", name="Pots", parent=root)
    brand = catalog.make_brand(slug="acme", name="Acme")
    for number in range(3):
        product = catalog.make_product(
            slug=f"pot-{number}", name=f"Pot {number}", brand=brand, category=shelf
        )
        catalog.make_variant(product=product, sku=f"POT-{number}")
        yield product


superuser = make_staff()
products = list(make_products())
customer = Customer(Http())
(_, key), (other, _) = (
    keys.create_key(
        name=name,
        scopes=list(Scope),
        created_by=superuser.pk,
        expires_at=None,
        at=timezone.now(),
    )
    for name in ("erp", "robot")
)
endpoint = make_endpoint()
line = {"lines": [{"line_id": str(customer.line.pk), "quantity": 1}], "reason": "unwanted"}
Http().post(
    f"/orders/{customer.order.pk}/returns/", line, token=customer.token, Idempotency_Key="r" * 20
)
ids = {name: [value] for name, value in customer.ids().items()} | {
    "product_id": [products[0].pk],
    "attribute_id": [catalog.make_attribute("red").pk],
    "product_type_id": [catalog.make_type().pk],
    "brand_id": [catalog.make_brand().pk],
    "category_id": [catalog.make_category().pk],
    "image_id": [catalog.make_image().pk],
    "key_id": [other.pk],
    "shipment_id": [Shipment.objects.get().pk],
    "return_id": [ReturnRequest.objects.get().pk],
    "endpoint_id": [endpoint.pk],
    "delivery_id": [make_delivery(endpoint).pk],
    "rate_id": [ShippingRate.objects.latest("id").pk, TaxRate.objects.latest("id").pk],
    "slug": ["pot-0", "acme", "kitchen"],
    "number": [customer.order.number],
}
tokens = {
    "customer": token_of(customer.user, LIFETIME),
    "clerk": token_of(make_staff("catalog.view_product", "orders.change_order"), LIFETIME),
    "superuser": token_of(superuser, LIFETIME),
    "key": key,
}
sys.stdout.write(f"{json.dumps({'tokens': tokens, 'ids': ids}, default=str)}\n")
