"""Whoever changes something is named by the events and the history that follow from it."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from lavka.checkout import tasks as checkout
from lavka.checkout.models import RefundClaim
from lavka.fulfilment.models import ReturnRequest, Shipment
from lavka.inventory.models import StockMovement
from lavka.kernel.actors import Actor
from lavka.kernel.models import OutboxEvent
from lavka.orders import tokens
from lavka.orders.models import Order, OrderEvent
from lavka.payments import flows as payments
from lavka.payments import tasks as payment_tasks
from lavka.payments.errors import GatewayUnavailable
from lavka.payments.gateways.sandbox import Sandbox
from lavka.payments.models import Operation, Payment
from lavka.payments.sandbox import provider
from lavka.payments.sandbox.models import Charge
from lavka.payments.selectors import LEASE
from lavka.reviews.models import Review
from tests.accounts.factories import make_customer, make_staff, token_of
from tests.catalog.factories import make_attribute, make_brand, make_category, make_image
from tests.catalog.managing import make_kettle
from tests.checkout.factories import Buyer, make_ready_cart
from tests.client import Api
from tests.happening import follow_events
from tests.inventory.factories import make_stock, make_warehouse
from tests.payments.factories import make_payment, order_of, run
from tests.reviews.factories import make_review

pytestmark = pytest.mark.django_db(transaction=True)

USD = {"currency": "USD"}


@pytest.fixture(autouse=True)
def _limits_off(settings: Any) -> None:
    settings.LAVKA = settings.LAVKA | {"THROTTLES": False}


def buy(api: Api, owner: Any = None, quantity: int = 3, **how: str) -> Order:
    cart = make_ready_cart(make_stock(9), quantity=quantity, owner=owner)
    answer = Buyer(api, cart, token_of(owner) if owner else "").check_out(**how)
    return Order.objects.get(pk=answer.json()["order"]["id"])


def settle(**of_charge: Any) -> None:
    """The provider's side of it: the customer confirms, and the webhook is followed."""
    provider.confirm_charge(charge_id=Charge.objects.get(**of_charge).pk, is_confirmed=True)
    follow_events()


def last(order: Order, kind: str) -> OrderEvent:
    return order.history.filter(kind=kind).latest("id")


def whose(order: Order, kind: str) -> Actor:
    return last(order, kind).by


class Staff:
    """Somebody of the shop who does one thing after the other; each is looked at."""

    def __init__(self, api: Api) -> None:
        self.api, self.user = api, make_staff(email="helen@shop.example")
        self.token = token_of(self.user)
        self.made: dict[str, int] = {}

    def do(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Ask for it, and see who the events and entries that came of it name."""
        OutboxEvent.objects.all().delete()
        before = (
            set(OrderEvent.objects.values_list("pk", flat=True)),
            set(StockMovement.objects.values_list("pk", flat=True)),
        )
        key = str(uuid.uuid4())
        answer = self.api.request(method, path, body, token=self.token, Idempotency_Key=key)
        assert answer.status_code in {200, 201, 204}, (path, answer.content)
        entries = list(OrderEvent.objects.exclude(pk__in=before[0]))
        movements = list(StockMovement.objects.exclude(pk__in=before[1]))
        events = list(OutboxEvent.objects.exclude(name__startswith="sandbox."))
        staff = Actor.staff(self.user.pk)
        named = [*(entry.by for entry in entries), *(movement.by for movement in movements)]
        named += [event.actor for event in events]
        assert [each for each in named if each != staff] == [], path
        self.made[path] = len(named)
        return answer.json() if answer.content else {}


def test_whatever_staff_write_names_them(api: Api):
    staff = Staff(api)
    order, other, unpaid = buy(api), buy(api), buy(api, means="success", method="invoice")
    line = order.lines.get()
    path, pieces = (
        f"/manage/orders/{order.pk}",
        {"lines": [{"line_id": str(line.pk), "quantity": 1}]},
    )
    refund = {"amount": {"amount": 100} | USD}

    staff.do("POST", f"{path}/notes/", {"text": "Call first."})
    preview = staff.api.post(
        f"/manage/orders/{other.pk}/edit/preview/",
        {"lines": [{"line_id": str(other.lines.get().pk), "quantity": 2}]},
        token=staff.token,
    ).json()
    total = preview["after"]["total"]["amount"]
    edit = {"lines": [{"line_id": str(other.lines.get().pk), "quantity": 2}]}
    staff.do("POST", f"/manage/orders/{other.pk}/edit/", edit | {"expected_total": total})
    staff.do("POST", f"/manage/orders/{unpaid.pk}/capture/")
    staff.do("POST", f"{path}/refund/", refund)
    staff.do("POST", f"{path}/refund/", pieces)
    staff.do("POST", f"/manage/payments/{order.payments.get().pk}/refund/", refund)
    staff.do("POST", f"{path}/shipments/", pieces)
    staff.do("POST", f"/manage/shipments/{Shipment.objects.get().pk}/delivered/")
    for decision in ("refuse", "approve"):
        api.post(
            f"/orders/{order.pk}/returns/?key={tokens.key_of(order.pk)}",
            pieces | {"reason": "damaged"},
            Idempotency_Key=str(uuid.uuid4()),
        )
        back = f"/manage/returns/{ReturnRequest.objects.latest('id').pk}"
        staff.do("POST", f"{back}/{decision}/")
    staff.do("POST", f"{back}/receive/", {"restock": True})
    staff.do("POST", f"{back}/refund/")
    staff.do("POST", f"/manage/orders/{other.pk}/cancel/", {"reason": "Twice."})

    assert [path for path, count in staff.made.items() if count == 0] == []
    assert {
        (entry["by"], entry["actor"], entry["actor_id"])
        for entry in api.get(f"{path}/", token=staff.token).json()["history"]
    } == {
        ("guest", None, None),
        ("staff", "helen@shop.example", str(staff.user.pk)),
    }


def test_whatever_staff_write_into_stock_names_them(api: Api):
    staff, variant = Staff(api), make_stock(0)
    make_warehouse("north")
    stock = f"/manage/variants/{variant.pk}/stock"

    staff.do("PUT", f"{stock}/", {"warehouse": "main", "on_hand": 5})
    delivery = {"warehouse": "main", "by": 3, "reason": "receipt"}
    staff.do("POST", f"{stock}/adjustments/", delivery)
    move = {"variant_id": str(variant.pk), "origin": "main", "destination": "north", "quantity": 2}
    staff.do("POST", "/manage/stock-transfers/", move)

    assert [path for path, count in staff.made.items() if count == 0] == []
    line = api.get("/manage/stock-movements/", token=staff.token).json()["items"][0]
    assert (line["by"], line["actor"]) == ("staff", "helen@shop.example")
    assert line["actor_id"] == str(staff.user.pk)


def test_whatever_staff_write_into_the_catalogue_names_them(api: Api):
    staff = Staff(api)
    product = make_kettle(api, staff.token).json()
    image, brand, category = make_image(), make_brand(), make_category()
    attribute = make_attribute("red")
    path, variant = f"/manage/products/{product['id']}", product["variants"][0]
    review = make_review()

    staff.do("PATCH", f"{path}/", {"name": "Kettle"})
    staff.do("PATCH", f"/manage/variants/{variant['id']}/", {"price": {"amount": 4000} | USD})
    staff.do("PATCH", f"/manage/images/{image.pk}/", {"alt": "A kettle"})
    staff.do("DELETE", f"/manage/images/{image.pk}/")
    staff.do("PATCH", f"/manage/brands/{brand.pk}/", {"name": "Acme & Co"})
    staff.do("PATCH", f"/manage/categories/{category.pk}/", {"name": "Pots"})
    staff.do("PATCH", f"/manage/attributes/{attribute.pk}/", {"name": "Colour"})
    staff.do("DELETE", f"/manage/variants/{variant['id']}/")
    staff.do("DELETE", f"{path}/")
    staff.do("PATCH", f"/manage/reviews/{review.pk}/", {"status": "hidden"})

    assert [path for path, count in staff.made.items() if count == 0] == []


@pytest.mark.parametrize("action", ["cancel", "refund", "publish", "delivered", "count", "save"])
def test_whatever_staff_do_in_the_admin_names_them(api: Api, action: str):
    order, review, user = buy(api), make_review(status=Review.Status.HIDDEN), make_staff()
    api.post(
        f"/manage/orders/{order.pk}/shipments/",
        {"lines": [{"line_id": str(order.lines.get().pk), "quantity": 3}]},
        token=token_of(user),
    ) if action == "delivered" else None
    pages = {
        "cancel": ("orders_order", "cancel", order.pk),
        "refund": ("payments_payment", "refund", order.payments.get().pk),
        "publish": ("reviews_review", "publish", review.pk),
        "delivered": ("fulfilment_shipment", "mark_delivered", order.pk),
    }
    client, brand = Client(), make_brand()
    client.force_login(user)
    OutboxEvent.objects.all().delete()
    newest = OrderEvent.objects.latest("id").pk

    if action in pages:
        page, name, chosen = pages[action]
        if action == "delivered":
            chosen = Shipment.objects.get().pk
        form = {"action": name, "_selected_action": str(chosen)}
        answer = client.post(reverse(f"admin:{page}_changelist"), form)
    elif action == "count":
        level = StockMovement.objects.latest("id").level
        form = {"on_hand": 77, "movements-TOTAL_FORMS": 0, "movements-INITIAL_FORMS": 0}
        answer = client.post(reverse("admin:inventory_stocklevel_change", args=[level.pk]), form)
    else:
        form = {"name": "Acme & Co", "slug": brand.slug}
        answer = client.post(reverse("admin:catalog_brand_change", args=[brand.pk]), form)

    assert answer.status_code == 302
    events = OutboxEvent.objects.exclude(name__startswith="sandbox.")
    named = [each.actor for each in events]
    named += [each.by for each in OrderEvent.objects.filter(pk__gt=newest)]
    if action == "count":
        named.append(StockMovement.objects.latest("id").by)
    assert len(named) >= 1
    assert set(named) == {Actor.staff(user.pk)}


def test_customers_and_guests_are_told_apart(api: Api):
    customer = make_customer()

    own, guests = buy(api, customer), buy(api)

    assert {entry.by for entry in own.history.all()} == {Actor.customer(customer.pk)}
    assert {(entry.by.kind, entry.by.id) for entry in guests.history.all()} == {("guest", None)}
    placed = OutboxEvent.objects.get(name="orders.order_placed", aggregate=own.pk)
    assert placed.actor == Actor.customer(customer.pk)


def test_a_provider_that_tells_on_its_own_is_named(api: Api):
    cart = make_ready_cart(make_stock(9), quantity=1)
    order_id = Buyer(api, cart).check_out(means="pending").json()["order"]["id"]

    settle()

    order = Order.objects.get(pk=order_id)
    assert order.status == "placed"
    assert whose(order, "captured") == Actor.provider("sandbox")
    assert whose(order, "placed").kind == "guest"


def test_a_refund_that_the_sweeper_finishes_names_who_asked(api: Api, monkeypatch: Any):
    order, staff = buy(api), Staff(api)

    async def no_answer(*_: object) -> None:
        raise GatewayUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(Sandbox, "refund", no_answer)
        api.post(
            f"/manage/orders/{order.pk}/refund/", {"amount": {"amount": 100} | USD},
            token=staff.token, Idempotency_Key="refund-0001",
        )  # fmt: skip
    assert not order.history.filter(kind="refunded").exists()
    Operation.objects.filter(kind="refund").update(started_at=timezone.now() - 10 * LEASE)
    payment_tasks.sweep()

    assert whose(order, "refunded") == Actor.staff(staff.user.pk)
    refunded = OutboxEvent.objects.get(name="payments.payment_refunded")
    assert refunded.actor == Actor.staff(staff.user.pk)


def test_a_refund_of_lines_that_was_cut_off_names_who_asked(api: Api, monkeypatch: Any):
    order, staff = buy(api), Staff(api)
    pieces = {"lines": [{"line_id": str(order.lines.get().pk), "quantity": 1}]}

    async def cut_off(**_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(payments, "refund", cut_off)
        with pytest.raises(KeyboardInterrupt):
            api.post(
                f"/manage/orders/{order.pk}/refund/", pieces, token=staff.token,
                Idempotency_Key="refund-0002",
            )  # fmt: skip
    RefundClaim.objects.update(due_at=timezone.now())
    checkout.sweep_refunds()

    assert whose(order, "refunded") == Actor.staff(staff.user.pk)


def test_money_that_goes_back_by_itself_names_who_caused_it(api: Api):
    """After a cancellation whoever cancelled, after an edit whoever edited."""
    customer, staff = make_customer(), Staff(api)
    cancelled, edited = buy(api, customer), buy(api)
    line = str(edited.lines.get().pk)

    api.post(f"/orders/{cancelled.pk}/cancel/", {"reason": ""}, token=token_of(customer))
    preview = api.post(
        f"/manage/orders/{edited.pk}/edit/preview/",
        {"lines": [{"line_id": line, "quantity": 1}]},
        token=staff.token,
    ).json()
    change = {
        "lines": [{"line_id": line, "quantity": 1}],
        "expected_total": preview["after"]["total"]["amount"],
    }
    api.post(f"/manage/orders/{edited.pk}/edit/", change, token=staff.token)
    follow_events()

    assert whose(cancelled, "refunded") == Actor.customer(customer.pk)
    assert whose(edited, "refunded") == Actor.staff(staff.user.pk)


def test_a_job_of_the_shop_is_named(api: Api):
    payment = make_payment(token="requires_action", order_id=order_of(1000).pk)
    run(payments.authorise, payment_id=payment.pk)
    day = timezone.timedelta(days=2)
    Payment.objects.update(created_at=timezone.now() - day)

    payment_tasks.sweep()

    voided = OutboxEvent.objects.get(name="payments.payment_voided")
    assert voided.actor == Actor.system("payments.sweep")


def test_an_import_is_named(tmp_path: Path):
    make_warehouse()
    file = tmp_path / "spring.csv"
    file.write_text("Handle,Title,Variant SKU,Variant Price\nkettle,Kettle,K-1,12.99\n")

    call_command("import_products", str(file))

    assert {each.actor for each in OutboxEvent.objects.all()} == {Actor.importer("spring.csv")}


def test_the_feed_tells_who_it_was(api: Api):
    order, staff = buy(api), Staff(api)
    api.post(f"/manage/orders/{order.pk}/cancel/", {}, token=staff.token)

    page = api.get("/manage/events/?name=orders.order_cancelled", token=staff.token).json()

    [told] = page["items"]
    assert told["actor"] == {"kind": "staff", "id": str(staff.user.pk), "name": ""}
