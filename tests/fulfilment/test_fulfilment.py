import uuid

import pytest
from django.test import Client
from django.urls import reverse

from lavka.fulfilment.models import ReturnRequest, Shipment
from lavka.orders import tokens
from lavka.orders.models import Order
from tests.accounts.factories import make_customer, make_staff, token_of
from tests.client import Api
from tests.inventory.factories import counters
from tests.orders.factories import make_stocked_order

pytestmark = pytest.mark.django_db(transaction=True)


def pieces(order: Order, *quantities: int) -> list[dict]:
    lines = zip(order.lines.all(), quantities, strict=False)
    return [{"line_id": str(line.pk), "quantity": count} for line, count in lines if count]


class Staff:
    """What somebody of the shop does over the API."""

    def __init__(self, api: Api) -> None:
        self.api, self.token = api, token_of(make_staff())

    def ship(self, order: Order, *quantities: int, **fields: str):
        body = {"lines": pieces(order, *quantities)} | fields
        return self.api.post(f"/manage/orders/{order.pk}/shipments/", body, token=self.token)

    def deliver(self, shipment_id: str):
        return self.api.post(f"/manage/shipments/{shipment_id}/delivered/", token=self.token)

    def step(self, return_id: str, step: str, body: dict | None = None):
        return self.api.post(f"/manage/returns/{return_id}/{step}/", body, token=self.token)


@pytest.fixture
def staff(api: Api) -> Staff:
    return Staff(api)


def ask_back(api: Api, order: Order, *quantities: int):
    body = {"lines": pieces(order, *quantities), "reason": "damaged"}
    path = f"/orders/{order.pk}/returns/?key={tokens.key_of(order.pk)}"
    return api.post(path, body, Idempotency_Key=str(uuid.uuid4()))


def test_an_order_goes_out_in_two_parcels(api: Api, staff: Staff):
    customer = make_customer()
    order = make_stocked_order(2, 1, customer=customer)

    first = staff.ship(order, 2, carrier="Post", tracking_number="RR123456785GB")
    staff.ship(order, 0, 1)

    assert (first.status_code, first.json()["tracking_number"]) == (201, "RR123456785GB")
    parcels = api.get(f"/orders/{order.pk}/shipments/", token=token_of(customer)).json()["items"]
    assert [[line["quantity"] for line in each["lines"]] for each in parcels] == [[2], [1]]
    order.refresh_from_db()
    assert order.status == "fulfilled"
    assert [counters(line.variant_id) for line in order.lines.all()] == [(8, 0), (9, 0)]
    assert [entry.kind for entry in order.history.all()] == ["placed", "shipped", "shipped"]


def test_more_than_was_bought_is_not_sent(staff: Staff):
    order = make_stocked_order(2)

    answer = staff.ship(order, 3)

    assert (answer.status_code, answer.json()["code"]) == (409, "more_than_left")
    assert not Shipment.objects.exists()
    assert counters(order.lines.get().variant_id) == (10, 2)


def test_a_line_of_another_order_is_not_sent(staff: Staff):
    order, other = make_stocked_order(2), make_stocked_order(2)

    answer = staff.api.post(
        f"/manage/orders/{order.pk}/shipments/", {"lines": pieces(other, 1)}, token=staff.token
    )

    assert answer.status_code == 404
    assert not Shipment.objects.exists()


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([], "empty"),
        ([{"line_id": str(uuid.UUID(int=1)), "quantity": 0}], "min_value"),
        ([{"line_id": str(uuid.UUID(int=1)), "quantity": 1}] * 2, "duplicate"),
    ],
)
def test_a_parcel_of_nothing_is_refused(staff: Staff, lines: list, code: str):
    order = make_stocked_order(2)

    answer = staff.api.post(
        f"/manage/orders/{order.pk}/shipments/", {"lines": lines}, token=staff.token
    )

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)


def test_delivery_is_noted_once(staff: Staff):
    order = make_stocked_order(2)
    shipment = staff.ship(order, 2).json()["id"]

    first, second = staff.deliver(shipment).json(), staff.deliver(shipment).json()

    assert first["status"] == second["status"] == "delivered"
    assert first["delivered_at"] == second["delivered_at"]
    kinds = [entry.kind for entry in order.history.all()]
    assert kinds == ["placed", "shipped", "delivered"]


def test_a_return_is_asked_for_approved_received_and_restocked(api: Api, staff: Staff):
    order = make_stocked_order(2)
    staff.ship(order, 2)

    asked = ask_back(api, order, 1)
    approved = staff.step(asked.json()["id"], "approve")
    received = staff.step(asked.json()["id"], "receive", {"restock": True})

    assert (asked.status_code, asked.json()["status"]) == (201, "requested")
    assert approved.json()["status"] == "approved"
    assert (received.json()["status"], received.json()["is_restocked"]) == ("received", True)
    line = order.lines.get()
    assert (line.returned_quantity, counters(line.variant_id)) == (1, (9, 0))
    assert [entry.kind for entry in order.history.all()][2:] == [
        "return_requested", "return_approved", "return_received",
    ]  # fmt: skip


def test_receiving_twice_restocks_once(api: Api, staff: Staff):
    order = make_stocked_order(2)
    staff.ship(order, 2)
    asked = ask_back(api, order, 1).json()["id"]
    staff.step(asked, "approve")

    for _ in range(2):
        assert staff.step(asked, "receive", {"restock": True}).status_code == 200

    assert counters(order.lines.get().variant_id) == (9, 0)


def test_what_came_back_broken_is_not_sold_again(api: Api, staff: Staff):
    order = make_stocked_order(2)
    staff.ship(order, 2)
    asked = ask_back(api, order, 2).json()["id"]
    staff.step(asked, "approve")

    staff.step(asked, "receive", {"restock": False})

    assert counters(order.lines.get().variant_id) == (8, 0)


def test_no_more_is_asked_back_than_was_shipped(api: Api, staff: Staff):
    order = make_stocked_order(3)
    staff.ship(order, 2)
    ask_back(api, order, 1)

    answer = ask_back(api, order, 2)

    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_return")
    assert answer.json()["details"]["left"] == 1
    assert ReturnRequest.objects.count() == 1


def test_a_refused_return_goes_no_further(api: Api, staff: Staff):
    order = make_stocked_order(2)
    staff.ship(order, 2)
    asked = ask_back(api, order, 2).json()["id"]

    refused = staff.step(asked, "refuse").json()
    received = staff.step(asked, "receive", {"restock": True})

    assert refused["status"] == "refused"
    assert (received.status_code, received.json()["code"]) == (409, "return_in_the_wrong_state")
    assert ask_back(api, order, 2).status_code == 201


def test_another_customers_parcels_and_returns_are_not_there(api: Api):
    order, token = make_stocked_order(customer=make_customer()), token_of(make_customer())
    body = {"lines": pieces(order, 1), "reason": "other"}

    assert api.get(f"/orders/{order.pk}/shipments/", token=token).status_code == 404
    assert api.get(f"/orders/{order.pk}/returns/", token=token).status_code == 404
    answer = api.post(
        f"/orders/{order.pk}/returns/", body, token=token, Idempotency_Key=str(uuid.uuid4())
    )

    assert answer.status_code == 404


def test_staff_list_returns_by_status(api: Api, staff: Staff):
    order = make_stocked_order(2)
    staff.ship(order, 2)
    asked = ask_back(api, order, 1).json()["id"]

    def ids(query: str) -> list[str]:
        found = api.get(f"/manage/returns/?{query}", token=staff.token).json()["items"]
        return [each["id"] for each in found]

    assert ids("status=requested") == [asked]
    assert ids("status=received") == []


def test_the_admin_decides_returns_and_marks_parcels(api: Api, staff: Staff, client: Client):
    order = make_stocked_order(2)
    shipment = staff.ship(order, 2).json()["id"]
    asked = ask_back(api, order, 1).json()["id"]
    client.force_login(make_staff())

    act(client, "returnrequest", "approve", asked)
    act(client, "returnrequest", "receive_and_restock", asked)
    act(client, "shipment", "mark_delivered", shipment)

    assert ReturnRequest.objects.get().status == "received"
    assert Shipment.objects.get().status == "delivered"
    assert counters(order.lines.get().variant_id) == (9, 0)


def act(client: Client, model: str, action: str, row: str) -> None:
    path = reverse(f"admin:fulfilment_{model}_changelist")
    answer = client.post(path, {"action": action, "_selected_action": [row]}, follow=True)
    assert answer.status_code == 200
    assert row in client.get(path).content.decode()
