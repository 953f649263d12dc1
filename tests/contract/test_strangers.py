"""What belongs to a customer is 404 to everybody else, by every operation that names it."""

import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from lavka.accounts.models import Session
from lavka.fulfilment import services as fulfilment
from lavka.fulfilment.services import Parcel
from lavka.invoices.services import issue_invoices
from lavka.orders import tokens
from lavka.orders.models import Order
from lavka.wishlists import services as wishlists
from tests.accounts.factories import make_address, make_customer, sign_in
from tests.carts.factories import ADDRESS
from tests.checkout.factories import Buyer, make_ready_cart
from tests.client import Api
from tests.happening import SYSTEM
from tests.inventory.factories import make_stock
from tests.reviews.factories import make_review

pytestmark = pytest.mark.django_db

# Anybody may use these with any id: what they name is public, or whoever knows the name may.
PUBLIC = {"vote_helpful", "withdraw_vote", "create_stock_alert", "delete_stock_alert"}
PAYMENT = {"method": "sandbox", "token": "success"}
REVIEW = {"rating": 1, "title": "Mine", "text": "It was not."}


class Customer:
    """Somebody who owns one of everything."""

    def __init__(self, api: Api) -> None:
        self.user = make_customer()
        self.token = sign_in(api, self.user)["access"]
        self.cart, self.quote = self.shop_for(api)
        paid, quote = self.shop_for(api)
        buyer = Buyer(api, paid, self.token)
        self.order = Order.objects.get(pk=buyer.check_out(quote).json()["order"]["id"])
        self.line, self.line_of_cart = self.order.lines.get(), self.cart.lines.get().pk
        [self.invoice] = issue_invoices(order_id=self.order.pk, at=timezone.now())
        self.ship()
        self.address = make_address(self.user)
        self.review = make_review(author=self.user)
        self.wishlist = wishlists.create_wishlist(owner_id=self.user.pk, name="Kitchen")
        self.wished = make_stock(3).pk
        wishlists.add_item(
            wishlist_id=self.wishlist.pk,
            owner_id=self.user.pk,
            variant_id=self.wished,
            at=timezone.now(),
        )
        sign_in(api, self.user)

    def shop_for(self, api: Api) -> tuple[Any, str]:
        cart = make_ready_cart(make_stock(9), quantity=2, owner=self.user)
        return cart, Buyer(api, cart, self.token).quote().json()["id"]

    def ids(self, operation: str = "") -> Mapping[str, object]:
        """What stands in a path for each of its parameters."""
        return {
            "cart_id": self.order.cart_id if operation == "get_checkout" else self.cart.pk,
            "line_id": self.line_of_cart,
            "address_id": self.address.pk,
            "session_id": Session.objects.filter(user=self.user).latest("id").pk,
            "order_id": self.order.pk,
            "payment_id": self.order.payments.get().pk,
            "invoice_id": self.invoice.pk,
            "review_id": self.review.pk,
            "wishlist_id": self.wishlist.pk,
            "variant_id": self.wished,
        }

    def ship(self) -> None:
        """So that something can be returned."""
        fulfilment.send_shipment(
            order_id=self.order.pk,
            parcel=Parcel(quantities={self.line.pk: 2}),
            actor=SYSTEM,
            at=timezone.now(),
        )


# In an order in which the owner finds everything: what ends something comes after its other uses.
BODIES: Mapping[str, Callable[[Customer], Any]] = {
    "get_cart": lambda _: None,
    "set_cart_addresses": lambda _: {"email": "eve@example.com", "shipping": ADDRESS},
    "get_checkout": lambda _: None,
    "add_cart_line": lambda owner: {"variant_id": str(owner.wished), "quantity": 1},
    "change_cart_line": lambda _: {"quantity": 1},
    "merge_cart": lambda _: {},
    "create_quote": lambda _: None,
    "set_shipping_option": lambda owner: {"id": owner.cart.shipping_option_id},
    "list_shipping_options": lambda _: None,
    "remove_cart_line": lambda _: None,
    "move_wish_to_cart": lambda owner: {"cart_id": str(owner.cart.pk)},
    "check_out": lambda owner: {"quote_id": owner.quote, "payment": PAYMENT},
    "delete_cart": lambda _: None,
    "get_address": lambda _: None,
    "update_address": lambda _: {"city": "Paris"},
    "delete_address": lambda _: None,
    "revoke_session": lambda _: None,
    "get_order": lambda _: None,
    "cancel_order": lambda _: {},
    "get_invoice": lambda _: None,
    "list_order_invoices": lambda _: None,
    "get_order_invoice_pdf": lambda _: None,
    "list_order_payments": lambda _: None,
    "pay_order": lambda _: {"payment": PAYMENT},
    "confirm_payment": lambda _: None,
    "list_returns": lambda _: None,
    "request_return": lambda owner: {
        "lines": [{"line_id": str(owner.line.pk), "quantity": 1}],
        "reason": "unwanted",
    },
    "list_shipments": lambda _: None,
    "change_review": lambda _: REVIEW,
    "delete_review": lambda _: None,
    "get_wishlist": lambda _: None,
    "update_wishlist": lambda _: {"name": "Eve's"},
    "add_wish": lambda _: None,
    "remove_wish": lambda _: None,
    "delete_wishlist": lambda _: None,
}


@pytest.fixture(autouse=True)
def _limits_off(settings: Any) -> None:
    settings.LAVKA = settings.LAVKA | {"THROTTLES": False}


def status_of(api: Api, method: str, body: Any, path: str, token: str = "") -> int:
    key = str(uuid.uuid4())
    return api.request(method, path, body, token=token, Idempotency_Key=key).status_code


def private(schema: dict) -> dict[str, tuple[str, str, bool]]:
    """Method, path and whether a token is required, by operation that names something by its id."""
    return {
        operation["operationId"]: (method.upper(), path, {} not in operation["security"])
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
        if "_id}" in path and "/manage/" not in path and operation["operationId"] not in PUBLIC
    }


def test_the_table_has_every_operation_that_names_something_by_its_id(schema: dict):
    assert private(schema).keys() == BODIES.keys()


def test_strangers_find_nothing_and_the_owner_does(api: Api, schema: dict):
    owner, stranger = Customer(api), Customer(api)
    of_another = f"?key={tokens.key_of(stranger.order.pk)}"
    refused: dict[str, list[int]] = {}
    expected: dict[str, list[int]] = {}
    found: dict[str, int] = {}

    for operation, body_of in BODIES.items():
        method, template, needs_token = private(schema)[operation]
        path, body = template.format(**owner.ids(operation)), body_of(owner)
        ask = partial(status_of, api, method, body)
        refused[operation] = [ask(path, stranger.token), ask(path)]
        expected[operation] = [404, 401 if needs_token else 404]
        if "order_id" in template:
            refused[operation] += [ask(path + of_another, stranger.token), ask(path + of_another)]
            expected[operation] += [404, 404]
        found[operation] = ask(path, owner.token)

    assert refused == expected
    assert {operation for operation, status in found.items() if status in {401, 403, 404}} == set()


@pytest.mark.parametrize(
    "body", [{"unknown": 1}, b"{", b" " * 300_000], ids=["wrong", "broken", "large"]
)
def test_strangers_are_not_told_what_is_wrong_with_a_body(api: Api, schema: dict, body: Any):
    owner, stranger = Customer(api), Customer(api)
    writes = {
        operation: asked
        for operation, asked in private(schema).items()
        if asked[0] != "GET" and BODIES[operation](owner) is not None
    }
    told: dict[str, list[int]] = {}
    expected: dict[str, list[int]] = {}

    for operation, (method, template, needs_token) in writes.items():
        path = template.format(**owner.ids(operation))
        told[operation] = [
            status_of(api, method, body, path, token) for token in (stranger.token, "", owner.token)
        ]
        refusal = {bytes: 400, dict: 422}[type(body)] if len(body) < 1000 else 413
        expected[operation] = [404, 401 if needs_token else 404, refusal]

    assert len(writes) > 12
    assert told == expected


def test_parts_of_another_are_not_found_below_ones_own(api: Api):
    """A line, a payment or a cart of somebody else, named below something of one's own."""
    owner, other = Customer(api), Customer(api)
    own, theirs = owner.ids(), other.ids()
    asked = {
        f"/carts/{own['cart_id']}/lines/{theirs['line_id']}/": ("DELETE", None),
        f"/orders/{own['order_id']}/payments/{theirs['payment_id']}/confirm/": ("POST", None),
        f"/wishlists/{own['wishlist_id']}/items/{own['variant_id']}/move/": (
            "POST",
            {"cart_id": str(theirs["cart_id"])},
        ),
        f"/orders/{own['order_id']}/returns/": (
            "POST",
            {"lines": [{"line_id": str(other.line.pk), "quantity": 1}], "reason": "unwanted"},
        ),
    }

    answers = {
        path: status_of(api, method, body, path, owner.token)
        for path, (method, body) in asked.items()
    }

    assert set(answers.values()) == {404}, answers
