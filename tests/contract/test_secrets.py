"""Nobody but a customer sees what opens their cart, their order, their payment or their account."""

import io
import json
import logging
import re
import uuid
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import pytest
from django.contrib import admin as django_admin
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from lavka.accounts.models import Session
from lavka.accounts.services import keys
from lavka.carts.models import Cart
from lavka.fulfilment.models import ReturnRequest, Shipment
from lavka.invoices.models import Invoice
from lavka.orders import tokens
from lavka.orders.models import Order
from lavka.payments.models import Payment, ProviderEvent
from lavka.payments.sandbox.models import Charge
from lavka.reviews.models import Review
from lavka.shipping.models import ShippingRate
from lavka.tax.models import TaxRate
from lavka.web.logging import config
from lavka.webhooks import services as webhooks
from lavka.webhooks.models import Delivery
from lavka.wishlists import services as wishlists
from lavka.wishlists.models import Wishlist
from tests.accounts.factories import PASSWORD, make_customer, make_staff, token_of
from tests.catalog.factories import (
    make_attribute,
    make_brand,
    make_category,
    make_image,
    make_type,
)
from tests.checkout.factories import Buyer, make_ready_cart
from tests.client import Api
from tests.happening import follow_events
from tests.inventory.factories import make_stock
from tests.reviews.factories import make_review
from tests.webhooks.factories import make_endpoint

pytestmark = pytest.mark.django_db(transaction=True)

DEVICE = "Telephone of Ada 17.3"
CLIENT_SECRET = "pi_3Mtw_secret_YrKJUKribcBjcG8HVhfZluoGH"
CALLERS_KEY = "key-of-a-customer-0001"
STAFFS_KEY = "key-of-the-staff-00001"
EMAIL = "grace@example.com"
# Nothing of customers is in the rows of these.
PUBLIC = {"auth", "catalog", "listing", "shipping", "tax"}


class World:
    """A shop in which customers and guests have done everything that gives them a secret."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.customer = make_customer(email=EMAIL)
        self.paid = self.buy(make_ready_cart(make_stock(9), quantity=3), key=CALLERS_KEY)
        self.own = self.buy(make_ready_cart(make_stock(9), owner=self.customer))
        self.unsure = make_ready_cart(make_stock(9))
        bank = Buyer(api, self.unsure).check_out(means="requires_action").json()
        self.page_key = re.search(r"challenges/([^/]+)/", bank["payment"]["action"]["url"])[1]
        self.open = make_ready_cart(make_stock(9))
        Buyer(api, self.open).quote()
        self.account = self.sign_in()
        self.list = wishlists.create_wishlist(owner_id=self.customer.pk, name="Kitchen")
        wishlists.update_wishlist(
            wishlist_id=self.list.pk, owner_id=self.customer.pk, is_shared=True
        )
        api.get(f"/wishlists/shared/{Wishlist.objects.get().share_key}/")
        api.post("/auth/password/forgot/", {"email": EMAIL})
        api.post("/auth/register/", {"email": "new@example.com", "password": PASSWORD})
        self.plant()
        follow_events()

    def buy(self, cart: Cart, key: str = "") -> Order:
        token = token_of(cart.owner) if cart.owner else ""
        answer = Buyer(self.api, cart, token).check_out(key=key)
        return Order.objects.get(pk=answer.json()["order"]["id"])

    def sign_in(self) -> dict[str, str]:
        who = {"email": EMAIL, "password": PASSWORD}
        return self.api.post("/auth/token/", who, User_Agent=DEVICE).json()

    def plant(self) -> None:
        """What only other providers tell."""
        Payment.objects.filter(order__cart_id=self.unsure.pk).update(
            action={"type": "confirm", "client_secret": CLIENT_SECRET}
        )
        ProviderEvent.objects.create(
            method="stripe",
            event_id="evt_1",
            kind="payment_intent.requires_action",
            payload=json.dumps({"data": {"object": {"client_secret": CLIENT_SECRET}}}),
            received_at=timezone.now(),
        )

    @cached_property
    def secrets(self) -> dict[str, str]:
        """What must not be seen, by what it is; gathered at the first look."""
        carts = Cart.objects.filter(owner=None).values_list("pk", flat=True)
        mailed = re.findall(r"token=([\w.:%-]+)", " ".join(each.body for each in mail.outbox))
        found = {
            **{f"key of order {each.pk}": tokens.key_of(each.pk) for each in Order.objects.all()},
            **{f"guest's cart {each}": str(each) for each in carts},
            **{f"mailed token {number}": token for number, token in enumerate(mailed)},
            **{f"{kind} token": token for kind, token in self.account.items()},
            "session's token": str(Session.objects.get(user=self.customer).current_token),
            "share key": str(Wishlist.objects.get().share_key),
            "page of the bank": self.page_key,
            "client secret": CLIENT_SECRET,
            "idempotency key": CALLERS_KEY,
            "staff's idempotency key": STAFFS_KEY,
            "device": DEVICE,
        }
        assert len(mailed) >= 2
        assert all(len(secret) > 15 for secret in found.values())
        return found

    def seen_in(self, text: str) -> set[str]:
        """Which secrets a text gives away."""
        plain = text.lower()
        return {
            name
            for name, secret in self.secrets.items()
            if secret.lower() in plain or secret.replace("-", "").lower() in plain
        }


@pytest.fixture(autouse=True)
def _limits_off(settings: Any) -> None:
    settings.LAVKA = settings.LAVKA | {"THROTTLES": False}


@pytest.fixture
def written(settings: Any) -> Iterator[io.StringIO]:
    """What the shop logs, by its own configuration, whichever test configured logging before."""
    stream = io.StringIO()
    configured = logging.config.dictConfigClass(config(is_json=True, level="DEBUG"))
    configured.configure()
    handlers = [*logging.getLogger().handlers, *logging.getLogger("lavka.access").handlers]
    ours = [each for each in handlers if type(each) is logging.StreamHandler]
    for each in ours:
        each.setStream(stream)
    yield stream
    logging.config.dictConfig(settings.LOGGING)


@pytest.fixture
def world(api: Api) -> World:
    return World(api)


def objects_of(world: World) -> dict[str, Any]:
    """What stands in a path of the staff's for each of its parameters."""
    variant = world.paid.lines.get().variant_id
    endpoint = make_endpoint()
    event = follow_events()[0]
    webhooks.tell_endpoints(event_id=event.event_id, at=timezone.now())
    return {
        "attribute_id": make_attribute("red").pk,
        "brand_id": make_brand().pk,
        "category_id": make_category().pk,
        "code": "main",
        "customer_id": world.customer.pk,
        "delivery_id": Delivery.objects.get().pk,
        "endpoint_id": endpoint.pk,
        "image_id": make_image().pk,
        "invoice_id": Invoice.objects.first().pk,
        "order_id": world.paid.pk,
        "payment_id": Payment.objects.get(order__cart_id=world.unsure.pk).pk,
        "product_id": world.paid.lines.get().product_id,
        "product_type_id": make_type().pk,
        "rate_id": ShippingRate.objects.get().pk,
        "return_id": ReturnRequest.objects.create(
            order=world.paid, reason="damaged", requested_at=timezone.now()
        ).pk,
        "review_id": make_review(author=world.customer).pk,
        "shipment_id": Shipment.objects.create(order=world.paid, sent_at=timezone.now()).pk,
        "variant_id": variant,
    }


def test_no_answer_to_the_staff_holds_a_secret(world: World, schema: dict):
    """Every operation of the staff's that reads, and a reading by a machine."""
    token, ids = token_of(make_staff()), objects_of(world)
    made, machine = keys.create_key(
        name="ears", scopes=["events:read"], created_by=make_staff().pk, expires_at=None,
        at=timezone.now(),
    )  # fmt: skip
    paths = [
        path
        for path, methods in schema["paths"].items()
        if "/manage/" in path and "get" in methods and "stream" not in path
    ]

    answers = {}
    for path in paths:
        own = ids | ({"rate_id": TaxRate.objects.get().pk} if "tax-rates" in path else {})
        answers[path] = world.api.get(path.format(**own), token=token)
    answers["machine"] = world.api.get("/manage/events/", token=machine)

    assert len(paths) > 30
    assert {path: each.status_code for path, each in answers.items()} == dict.fromkeys(answers, 200)
    told = {path: world.seen_in(each.content.decode("latin-1")) for path, each in answers.items()}
    assert {path: names for path, names in told.items() if names} == {}
    assert made.prefix in answers["/api/v1/manage/api-keys/"].content.decode()


def test_no_answer_to_what_the_staff_do_with_an_order_holds_a_secret(world: World):
    token, line = token_of(make_staff()), world.paid.lines.get()
    path, own = f"/manage/orders/{world.paid.pk}", f"/manage/orders/{world.own.pk}"
    pieces = {"lines": [{"line_id": str(line.pk), "quantity": 1}]}
    payment = world.paid.payments.get()

    def do(target: str, body: Any = None) -> Any:
        key = f"{STAFFS_KEY}-{uuid.uuid4()}"
        return world.api.post(target, body, token=token, Idempotency_Key=key)

    said = [
        do(f"{path}/notes/", {"text": "Call first."}),
        do(f"{path}/edit/preview/", pieces),
        do(f"{path}/refund/", {"amount": {"amount": 100, "currency": "USD"}}),
        do(f"/manage/payments/{payment.pk}/refund/", {"amount": {"amount": 1, "currency": "USD"}}),
        do(f"{path}/capture/"),
        do(f"{path}/shipments/", pieces),
    ]
    said += [do(f"/manage/shipments/{Shipment.objects.get().pk}/delivered/")]
    world.api.post(
        f"/orders/{world.paid.pk}/returns/?key={tokens.key_of(world.paid.pk)}",
        pieces | {"reason": "damaged"},
        Idempotency_Key=f"{CALLERS_KEY}-2",
    )
    back = f"/manage/returns/{ReturnRequest.objects.get().pk}"
    said += [do(f"{back}/approve/"), do(f"{back}/receive/", {"restock": True})]
    said += [do(f"{back}/refund/"), do(f"{own}/cancel/", {"reason": "Twice."})]

    statuses = [each.status_code for each in said]
    assert statuses == [201, 200, 200, 200, 409, 201, 200, 200, 200, 200, 200]
    assert set().union(*(world.seen_in(each.content.decode()) for each in said)) == set()


def test_no_page_of_the_admin_holds_a_secret(world: World):
    client = Client()
    client.force_login(make_staff())
    world.api.post(
        f"/manage/orders/{world.paid.pk}/refund/", {"amount": {"amount": 1, "currency": "USD"}},
        token=token_of(make_staff()), Idempotency_Key=STAFFS_KEY,
    )  # fmt: skip
    make_review(author=world.customer)
    webhooks.tell_endpoints(event_id=follow_events()[0].event_id, at=timezone.now())
    told, opened = {}, 0

    for model in django_admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        listed = client.get(reverse(f"{name}_changelist")).content.decode()
        pages = {f"{name} list": listed}
        # Only what a link leads to: an address that somebody knows already tells them nothing.
        rows = [] if model._meta.app_label in PUBLIC else model._default_manager.all()[:2]
        for row in rows:
            address = reverse(f"{name}_change", args=[row.pk])
            if address in listed:
                pages[f"{name} {row.pk}"] = client.get(address).content.decode()
                opened += 1
        told |= {page: world.seen_in(text) for page, text in pages.items()}

    assert {page: names for page, names in told.items() if names} == {}
    assert len(told) > 60
    assert opened > 15
    assert Review.objects.exists()


def test_a_guests_cart_has_no_page_and_a_customers_has(world: World):
    client, own = Client(), Cart.objects.filter(owner=world.customer).first()
    client.force_login(make_staff())

    shut, shown = (
        client.get(reverse("admin:carts_cart_change", args=[each.pk])) for each in (world.open, own)
    )

    assert (shut.status_code, shown.status_code) == (403, 200)


def test_no_event_and_no_webhook_holds_a_secret(world: World):
    endpoint = make_endpoint()
    world.api.post(
        f"/manage/orders/{world.own.pk}/cancel/", {"reason": ""}, token=token_of(make_staff())
    )

    events = follow_events()
    for event in events:
        webhooks.tell_endpoints(event_id=event.event_id, at=timezone.now())

    told = json.dumps([each.payload for each in events])
    bodies = json.dumps(list(Delivery.objects.values_list("body", flat=True)))
    assert endpoint.deliveries.count() > 5
    assert len({each.name for each in events}) > 8
    assert world.seen_in(told) == world.seen_in(bodies) == set()


def test_no_mail_to_somebody_else_holds_a_secret(world: World):
    follow_events()

    to_others = {
        (message.to[0], message.subject): world.seen_in(message.subject + message.body)
        for message in mail.outbox
    }

    # Buyers have the keys of their own orders, and whoever asked for a token has that.
    buyer, customer, new = "ada@example.com", EMAIL, "new@example.com"
    own = {buyer: {"key"}, customer: {"mailed"}, new: {"mailed"}}
    for (to, _subject), names in to_others.items():
        assert {name.split(" ")[0] for name in names} <= own[to]
    assert {to for to, _subject in to_others} == own.keys()


def test_no_log_holds_a_secret(written: io.StringIO, api: Api):
    world = World(api)
    key = tokens.key_of(world.paid.pk)
    world.api.get(f"/orders/{world.paid.pk}/?key={key}")
    world.api.get(f"/carts/{world.open.pk}")  # no address of the shop
    Client().get(f"/sandbox/challenges/{world.page_key}/")
    Client(raise_request_exception=False).get(f"/sandbox/challenges/{world.page_key}/nothing/")
    logging.getLogger("django.request").error("Internal: %s", f"/api/v1/carts/{world.open.pk}/")
    follow_events()

    logged = written.getvalue()

    assert world.seen_in(logged) == set()
    assert '"path": "/api/v1/carts/***/checkout/"' in logged
    assert f"/api/v1/orders/{world.paid.pk}/" in logged
    assert Charge.objects.filter(page_key=uuid.UUID(world.page_key)).exists()
