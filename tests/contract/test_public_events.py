"""What other programs are told is what the catalogue says, is enough to act, and leads on."""

import inspect
import json
import uuid
from functools import cached_property
from inspect import Parameter
from typing import Any

import jsonschema
import pytest
from django.utils import timezone

from lavka.accounts.scopes import Scope
from lavka.accounts.services import keys
from lavka.fulfilment.models import ReturnRequest
from lavka.kernel import catalogue, events
from lavka.kernel.models import RecordedEvent
from lavka.orders.models import Order
from lavka.payments import flows as payments
from lavka.webhooks import rules
from lavka.webhooks import services as webhooks
from lavka.webhooks.models import Delivery
from tests.accounts.factories import PASSWORD, make_customer, make_staff, token_of
from tests.catalog.factories import make_category, make_product
from tests.checkout.factories import Buyer, make_ready_cart
from tests.client import Api
from tests.happening import SYSTEM, follow_events
from tests.inventory.factories import make_stock, make_warehouse
from tests.payments.factories import make_payment, order_of, run
from tests.reviews.factories import make_review
from tests.webhooks.factories import make_endpoint

pytestmark = pytest.mark.django_db(transaction=True)

# What may be missing, and of which event: a guest's customer, the shelf above the highest one, and
# the number of an order that is only being bought.
MAY_BE_EMPTY = {
    ("orders", "customer_id"),
    ("catalog.category_changed", "parent_id"),
    ("payments", "order_number"),
}
# Where an id of an event leads, with the one scope that opens it.
LEADS_TO = {
    "order_id": [("/manage/orders/{}/", Scope.READ_ORDERS)],
    "customer_id": [("/manage/customers/{}/", Scope.READ_CUSTOMERS)],
    "user_id": [("/manage/customers/{}/", Scope.READ_CUSTOMERS)],
    "payment_id": [("/manage/payments/{}/", Scope.READ_PAYMENTS)],
    "shipment_id": [("/manage/shipments/{}/", Scope.READ_FULFILMENT)],
    "return_id": [("/manage/returns/{}/", Scope.READ_FULFILMENT)],
    "product_id": [("/manage/products/{}/", Scope.READ_PRODUCTS)],
    "category_id": [("/manage/categories/{}/", Scope.READ_PRODUCTS)],
    "parent_id": [("/manage/categories/{}/", Scope.READ_PRODUCTS)],
    "variant_id": [
        ("/manage/variants/{}/", Scope.READ_PRODUCTS),
        ("/manage/variants/{}/stock/", Scope.READ_STOCK),
    ],
    "review_id": [("/manage/reviews/{}/", Scope.READ_REVIEWS)],
}
# What a payment shows with itself.
SHOWN_THERE = {"operation_id"}
PUBLIC = {event.name: event for event in rules.TOLD}


class Shop:
    """A shop in which everything happened that other programs may be told of."""

    def __init__(self, api: Api) -> None:
        self.api, self.token = api, token_of(make_staff(email="helen@shop.example"))
        self.customer = make_customer(email="grace@example.com", name="Grace Hopper")
        self.sell()
        self.change_the_catalogue()
        self.have_accounts()
        self.fail_to_be_paid()

    def buy(self, owner: Any = None, **how: str) -> Order:
        """Three pieces of one variant, which sell it out."""
        cart = make_ready_cart(make_stock(3), quantity=3, owner=owner)
        answer = Buyer(self.api, cart, token_of(owner) if owner else "").check_out(**how)
        return Order.objects.get(pk=answer.json()["order"]["id"])

    def manage(self, method: str, path: str, body: Any = None) -> Any:
        key = str(uuid.uuid4())
        path = f"/manage/{path}"
        answer = self.api.request(method, path, body, token=self.token, Idempotency_Key=key)
        assert answer.status_code in {200, 201, 204}, (path, answer.content)
        return answer.json() if answer.content else None

    def sell(self) -> None:
        order, edited = self.buy(self.customer), self.buy()
        line, other = order.lines.get(), edited.lines.get()
        policy = {"when_out": "deny", "low_stock_threshold": 5}
        self.manage("PUT", f"variants/{line.variant_id}/stock/policy/", policy)
        level = {"warehouse": "main", "by": 9, "reason": "receipt"}
        self.manage("POST", f"variants/{line.variant_id}/stock/adjustments/", level)
        level |= {"by": -6, "reason": "damage"}
        self.manage("POST", f"variants/{line.variant_id}/stock/adjustments/", level)
        pieces = {"lines": [{"line_id": str(line.pk), "quantity": 3}]}
        self.manage(
            "POST", f"orders/{order.pk}/shipments/",
            pieces | {"carrier": "Post", "tracking_number": "RR123456785GB"},
        )  # fmt: skip
        self.manage("POST", f"orders/{order.pk}/capture/")
        shipment = order.shipments.get()
        self.manage("POST", f"shipments/{shipment.pk}/delivered/")
        self.api.post(
            f"/orders/{order.pk}/returns/", pieces | {"reason": "damaged"},
            token=token_of(self.customer), Idempotency_Key=str(uuid.uuid4()),
        )  # fmt: skip
        back = f"returns/{ReturnRequest.objects.get().pk}"
        self.manage("POST", f"{back}/approve/")
        self.manage("POST", f"{back}/receive/", {"restock": True})
        self.manage("POST", f"{back}/refund/")
        change = {"lines": [{"line_id": str(other.pk), "quantity": 2}]}
        seen = self.manage("POST", f"orders/{edited.pk}/edit/preview/", change)
        change |= {"expected_total": seen["after"]["total"]["amount"]}
        self.manage("POST", f"orders/{edited.pk}/edit/", change)
        self.manage("POST", f"orders/{edited.pk}/cancel/", {"reason": "Twice."})

    def change_the_catalogue(self) -> None:
        pots = make_category(slug="pots", parent=make_category(slug="kitchen"))
        self.manage("PATCH", f"categories/{pots.pk}/", {"name": "Pots & pans"})
        product = make_product(slug="gone-soon")
        self.manage("DELETE", f"products/{product.pk}/")
        make_review(author=self.customer, rating=4)

    def have_accounts(self) -> None:
        who = {"email": "new@example.com", "password": PASSWORD}
        self.api.post("/auth/register/", who)
        leaving = make_customer(email="leaving@example.com")
        body = {"current_password": PASSWORD}
        assert self.api.request("DELETE", "/me/", body, token=token_of(leaving)).status_code == 204

    def fail_to_be_paid(self) -> None:
        for token in ("declined", "success"):
            payment = make_payment(token=token, order_id=order_of(1000).pk)
            run(payments.authorise, payment_id=payment.pk)
        run(payments.void, payment_id=payment.pk, actor=SYSTEM)

    @cached_property
    def told(self) -> list[RecordedEvent]:
        """All that is public, in the order in which it happened."""
        return [each for each in follow_events() if each.name in PUBLIC]


@pytest.fixture
def shop(api: Api, settings: Any) -> Shop:
    settings.LAVKA = settings.LAVKA | {"THROTTLES": False, "CAPTURES_AT_ONCE": False}
    make_warehouse()
    return Shop(api)


def in_the_feed(api: Api, token: str) -> dict[str, dict[str, Any]]:
    items, after = {}, 0
    while page := api.get(f"/manage/events/?after={after}", token=token).json()["items"]:
        items |= {each["id"]: each for each in page}
        after = page[-1]["position"]
    return items


def may_be_empty(event: str, field: str) -> bool:
    return {(event, field), (event.partition(".")[0], field)} & MAY_BE_EMPTY != set()


def test_every_public_event_fits_its_schema_leaves_nothing_out_and_names_nobody(shop: Shop):
    told = {each.name: each for each in shop.told}
    feed = in_the_feed(shop.api, shop.token)

    assert told.keys() == PUBLIC.keys()
    for event in shop.told:
        schema = catalogue.schema_of(PUBLIC[event.name])
        said = feed[str(event.event_id)]
        jsonschema.validate(said, schema, format_checker=jsonschema.FormatChecker())
        fields = schema["properties"]["payload"]["properties"].keys()
        empty = {name for name, value in said["payload"].items() if value is None}
        assert said["payload"].keys() == fields
        assert {name for name in empty if not may_be_empty(event.name, name)} == set(), said
        assert said["actor"]["kind"] in {"staff", "customer", "guest", "system"}
    text = json.dumps([each.payload | each.actor.as_json() for each in shop.told]).lower()
    private = ["@", "grace", "hopper", "lovelace", "london", "helen"]
    assert [each for each in private if each in text] == []


def test_a_webhook_says_what_the_feed_says(shop: Shop):
    endpoint, feed = make_endpoint(), in_the_feed(shop.api, shop.token)

    for event in shop.told:
        webhooks.tell_endpoints(event_id=event.event_id, at=timezone.now())

    deliveries = list(Delivery.objects.filter(endpoint=endpoint))
    assert {each.event_name for each in deliveries} == PUBLIC.keys()
    for each in deliveries:
        said = feed[str(each.event_id)]
        assert each.body == {
            "type": said["name"],
            "version": said["version"],
            "timestamp": each.body["timestamp"],
            "actor": said["actor"],
            "data": said["payload"],
        }


def test_a_program_that_is_told_reads_the_rest_with_the_scope_for_it(shop: Shop):
    made = {scope: key_with(scope) for scope in Scope}
    gone = {str(each.aggregate) for each in shop.told if each.payload.get("is_deleted")}
    named = {
        (field, value)
        for event in shop.told
        for field, value in event.payload.items()
        if field in LEADS_TO and value and value not in gone
    }

    ids = {field for event in shop.told for field in event.payload if field.endswith("_id")}
    assert ids - LEADS_TO.keys() == SHOWN_THERE

    opened: dict[str, set[int]] = {}
    for field, value in named:
        for path, scope in LEADS_TO[field]:
            target = path.format(value)
            if path not in opened:
                others = [made[each] for each in Scope if each != scope]
                closed = {shop.api.get(target, token=key).status_code for key in others}
                assert closed == {403}, path
            answer = shop.api.get(target, token=made[scope])
            opened.setdefault(path, set()).add(answer.status_code)

    assert opened == {path: {200} for paths in LEADS_TO.values() for path, _scope in paths}


def test_events_tell_numbers_sums_and_counts(shop: Shop):
    order = Order.objects.get(customer=shop.customer)
    of_order = [each for each in shop.told if each.payload.get("order_id") == str(order.pk)]
    last = {each.name: each.payload for each in of_order}

    placed = last["orders.order_placed"]
    assert placed == {
        "order_id": str(order.pk),
        "number": order.number,
        "status": "placed",
        "payment_status": "authorised",
        "total": order.total.as_json(),
        "customer_id": str(shop.customer.pk),
        "line_count": 1,
        "piece_count": 3,
    }
    assert last["fulfilment.shipment_sent"]["tracking_number"] == "RR123456785GB"
    assert last["fulfilment.shipment_sent"]["order_status"] == "fulfilled"
    assert [
        (each.payload["status"], each.payload["piece_count"], each.payload["order_number"])
        for each in of_order
        if each.name == "fulfilment.return_changed"
    ] == [(status, 3, order.number) for status in ("requested", "approved", "received")]
    edited = next(each.payload for each in shop.told if each.name == "orders.order_edited")
    assert (edited["line_count"], edited["piece_count"]) == (1, 2)
    stock = {
        each.name: each.payload["available"]
        for each in shop.told
        if each.payload.get("sku") == order.lines.get().sku
    }
    assert stock["inventory.stock_came_back"] == 9
    assert stock["inventory.stock_ran_low"] == 3
    gone = [each.payload for each in shop.told if each.payload.get("slug") == "gone-soon"]
    assert [each["is_deleted"] for each in gone][-1] is True


def key_with(scope: Scope) -> str:
    made = keys.create_key(
        name=scope, scopes=[scope], created_by=make_staff().pk, expires_at=None, at=timezone.now()
    )
    return made[1]


def test_a_new_field_of_a_public_event_breaks_no_handler():
    for event in PUBLIC.values():
        for task in events.handlers_of(event.name):
            run = getattr(task, "_orig_run", task.run)
            kinds = {each.kind for each in inspect.signature(run).parameters.values()}
            assert Parameter.VAR_KEYWORD in kinds, (event.name, task.name)
