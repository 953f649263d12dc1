"""A shop whose staff, customers and products are Russian, with a row on every page of the staff."""

import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from lavka.accounts.models import ApiKey, LoginFailure, Session, User
from lavka.accounts.scopes import Scope
from lavka.catalog.models import Choice, SlugHistory, Variant
from lavka.checkout.models import Checkout
from lavka.demo import goods, orders, year
from lavka.inventory.models import Hold, StockPolicy, Warehouse
from lavka.kernel import events
from lavka.kernel.models import DeadLetter, DriftReport
from lavka.listing.models import StaleProduct, Synonym
from lavka.listing.services import rebuild_listing
from lavka.orders.events import OrderPlaced
from lavka.orders.models import Order
from lavka.payments.models import ProviderEvent
from lavka.reviews.models import HelpfulVote, ProductRating
from lavka.web.models import IdempotentRequest
from lavka.wishlists.models import StockAlert, Wishlist
from tests.accounts.factories import make_address, make_customer, make_staff
from tests.catalog.factories import (
    make_attribute,
    make_brand,
    make_category,
    make_image,
    make_product,
    make_type,
    make_variant,
    use_attribute,
)
from tests.inventory.factories import make_stock, make_warehouse
from tests.reviews.factories import make_review
from tests.shipping.factories import make_shipping_rate
from tests.tax.factories import make_tax_rate
from tests.webhooks.factories import make_delivery, make_endpoint

# What the shop itself does not say: codes, slugs, and where webhooks go.
NOT_SAID = {
    "chaynik", "kuhnya", "zavod", "color", "red", "main", "kettles", "staryy", "shop", "example",
    "pytest", "celery", "products", "jpg", "capture", "Royal", "Mail", "AB",
}  # fmt: skip


def open_russian_shop(monkeypatch: pytest.MonkeyPatch) -> User:
    """Everything that has a page, orders in each state among it; returns a superuser."""
    at = timezone.now()
    staff = make_staff(name="Мария", email="maria@example.com")
    customer = make_customer(name="Анна Ветрова", language="ru", email="anna@example.com")
    variant = _stock_the_shelves()
    # The demo's customer has an order in each state; its goods are those of this shop.
    monkeypatch.setattr(goods, "products", lambda: [{"name": "chaynik"}])
    monkeypatch.setattr(orders, "OTHERS", 0)
    monkeypatch.setattr(orders, "COMMENT", "Другой цвет.")
    bought = orders.planned_purchases(customer, [], [], at=at)
    assert list(year.play(bought, [], staff=staff, voters=[], at=at)) == ["order"] * len(bought)
    _add_what_people_do(customer, variant, at)
    _add_what_runs_behind(staff, variant, at)
    return staff


def _stock_the_shelves() -> Variant:
    make_warehouse()
    Warehouse.objects.update(name="Склад")
    kettles = make_type(code="kettles", name="Чайники")
    use_attribute(kettles, make_attribute("red", code="color", name="Цвет"))
    Choice.objects.update(label="Красный")
    product = make_product(
        slug="chaynik",
        name="Чайник",
        description="<p>Хороший.</p>",
        product_type=kettles,
        brand=make_brand(slug="zavod", name="Завод"),
        category=make_category(slug="kuhnya", name="Кухня"),
        created_at=timezone.now() - datetime.timedelta(days=400),
    )
    make_image(product=product, alt="Чайник")
    variant = make_variant(product=product, sku="CHAYNIK-1", track_inventory=True)
    make_stock(100, variant)
    make_shipping_rate(name="Посылка", delivery="2–4 дня")
    make_tax_rate("RU", "22")
    return variant


def _add_what_people_do(customer: User, variant: Variant, at: datetime.datetime) -> None:
    make_address(customer, name="Анна", line1="ул. Мира, 1", city="Пермь", postal_code="614000",
                 country="RU")  # fmt: skip
    later = at + datetime.timedelta(days=1)
    Session.objects.create(user=customer, current_token=uuid4(), expires_at=later)
    LoginFailure.objects.create(email=customer.email, source="192.0.2.1", failures=2, failed_at=at)
    Hold.objects.create(id=uuid4(), reference=uuid4(), expires_at=later, ends_at=later)
    draft = Order.objects.latest("created_at")
    Checkout.objects.create(order=draft, digest="0", started_at=at, expires_at=later)
    opinion: dict[str, Any] = {"title": "Отлично", "text": "Кипятит."}
    review = make_review(product=variant.product, author=customer, **opinion)
    HelpfulVote.objects.create(review=review, voter=customer)
    ProductRating.objects.create(product=variant.product, stars_5=1)
    rebuild_listing()
    Wishlist.objects.create(owner=customer, name="На праздник")
    StockAlert.objects.create(customer=customer, variant=variant)


def _add_what_runs_behind(staff: User, variant: Variant, at: datetime.datetime) -> None:
    Group.objects.create(name="Кладовщики")
    ApiKey.objects.create(name="Касса", prefix="000", digest="0", scopes=[Scope.READ_ORDERS],
                          created_by=staff)  # fmt: skip
    SlugHistory.objects.create(kind="product", slug="staryy", target=variant.product_id)
    StockPolicy.objects.create(variant=variant)
    Synonym.objects.create(word="чайник", other="самовар")
    StaleProduct.objects.get_or_create(product_id=variant.product_id)
    ProviderEvent.objects.create(method="sandbox", event_id="1", kind="charge.approved",
                                 payload="{}", received_at=at)  # fmt: skip
    IdempotentRequest.objects.create(id=uuid4(), fingerprint="0", status=201, leased_until=at)
    DeadLetter.objects.create(task_id="1", task="orders.mail", queue="celery", arguments={},
                              reason="failed", failures=3, failed_at=at)  # fmt: skip
    DriftReport.objects.create(subject="stock", checked=10, drifted=1)
    make_delivery(make_endpoint(name="Учёт"))
    events.publish(OrderPlaced(order_id=uuid4()))
