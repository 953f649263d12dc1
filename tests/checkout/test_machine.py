"""Whatever customers, staff, the provider, the sweepers and the clock do, the books hold."""

import datetime
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings as shop
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from lavka.carts import services as carts
from lavka.carts.models import Cart
from lavka.checkout import flows, services, tasks
from lavka.checkout.models import RefundClaim
from lavka.checkout.services import Buyer
from lavka.fulfilment import services as fulfilment
from lavka.fulfilment.models import ReturnRequest, Shipment
from lavka.fulfilment.services import Parcel, ReturnWish
from lavka.inventory import services as inventory
from lavka.inventory.models import StockLevel
from lavka.inventory.reconcile import drifted_levels
from lavka.kernel.errors import ShopError
from lavka.kernel.money import Money
from lavka.orders import services as orders
from lavka.orders.models import Order, OrderLine
from lavka.orders.rules import TRANSITIONS, OrderStatus
from lavka.orders.services import EditWish
from lavka.payments import flows as payments
from lavka.payments import selectors
from lavka.payments import services as payment_services
from lavka.payments.models import Operation, Payment
from lavka.payments.rules import Account, PaymentInput
from lavka.payments.sandbox import provider
from lavka.payments.sandbox.models import Charge
from tests.checkout.factories import make_ready_cart
from tests.happening import SYSTEM
from tests.inventory.factories import make_stock
from tests.payments.factories import run

NOBODY = Buyer(id=None, language="en")
WHO, WHAT, PIECES = st.integers(0, 1), st.integers(0, 1), st.integers(1, 3)
TOKENS = st.sampled_from(
    ["success", "declined", "requires_action", "pending", "timeout_after_charge", "error",
     "timeout_after_refund"]
)  # fmt: skip
DAY = datetime.timedelta(days=1)


class Books(RuleBasedStateMachine):
    """Two carts at a time, two variants of which one may be sold beyond its stock, and a clock."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.before = transaction.savepoint_create()
        self.now, self.requests = timezone.now(), 0
        self.seen: dict[UUID, str] = {}
        self.quotes: dict[UUID, UUID] = {}

    @initialize(backorder=st.integers(0, 2), at_once=st.booleans())
    def open(self, backorder: int, at_once: bool) -> None:
        self.patch.setattr(timezone, "now", lambda: self.now)
        self.patch.setattr(shop, "LAVKA", shop.LAVKA | {"CAPTURES_AT_ONCE": at_once})
        self.variants = [make_stock(6), make_stock(3)]
        if backorder:
            inventory.set_policy(
                variant_id=self.variants[1].pk, when_out="backorder", backorder_limit=backorder
            )
        self.carts = [make_ready_cart(variant, quantity=2) for variant in self.variants]
        self.check_out(0, "success")

    def attempt(self, call: Callable[..., Any], **values: Any) -> Any:
        """What the call gives; None when the shop refuses, which it does by an error of its own."""
        try:
            return call(**values)
        except (ShopError, ObjectDoesNotExist):
            return None

    def flow(self, flow: Callable[..., Any], **values: Any) -> None:
        self.attempt(run, flow=flow, **values)

    def key(self) -> str:
        self.requests += 1
        return f"request {self.requests}"

    def order(self, who: int) -> Order | None:
        """One of the two newest orders."""
        found = list(Order.objects.placed().order_by("-number")[:2])
        return found[who % len(found)] if found else None

    @rule(who=WHO, what=WHAT, pieces=PIECES)
    def put_into_the_cart(self, who: int, what: int, pieces: int) -> None:
        self.attempt(
            carts.add_line, cart_id=self.carts[who].pk, caller_id=None,
            variant_id=self.variants[what].pk, quantity=pieces, at=self.now,
        )  # fmt: skip

    @rule(who=WHO, pieces=PIECES)
    def change_the_cart(self, who: int, pieces: int) -> None:
        line = self.carts[who].lines.first()
        if line is not None:
            self.attempt(
                carts.change_line, cart_id=self.carts[who].pk, caller_id=None, line_id=line.pk,
                quantity=pieces, at=self.now,
            )  # fmt: skip

    @rule(who=WHO)
    def ask_for_a_quote(self, who: int) -> None:
        cart = self.carts[who]
        quote = self.attempt(services.create_quote, cart_id=cart.pk, buyer=NOBODY, at=self.now)
        if quote is not None:
            self.quotes[cart.pk] = quote.pk

    @rule(who=WHO, token=TOKENS)
    def check_out(self, who: int, token: str) -> None:
        cart = self.carts[who]
        if cart.pk not in self.quotes:
            self.ask_for_a_quote(who)
        if cart.pk in self.quotes:
            means = PaymentInput(method="sandbox", token=token)
            self.flow(
                flows.buy, cart_id=cart.pk, quote_id=self.quotes[cart.pk], buyer=NOBODY, means=means
            )
        if Cart.objects.filter(pk=cart.pk, status="ordered").exists():
            self.carts[who] = make_ready_cart()
            self.put_into_the_cart(who, who, 2)

    @rule(is_confirmed=st.booleans())
    def answer_the_bank(self, is_confirmed: bool) -> None:
        for charge in Charge.objects.all():
            provider.confirm_charge(charge_id=charge.pk, is_confirmed=is_confirmed)

    @rule(who=WHO)
    def cancel(self, who: int) -> None:
        if order := self.order(who):
            self.attempt(orders.cancel_order, order_id=order.pk, actor=SYSTEM, at=self.now)

    @rule(who=WHO, pieces=PIECES)
    def edit(self, who: int, pieces: int) -> None:
        if order := self.order(who):
            line = order.lines.earliest("position")
            wish = EditWish(quantities={line.pk: pieces})
            edit = self.attempt(orders.preview_edit, order_id=order.pk, wish=wish, at=self.now)
            if edit is not None:
                self.attempt(
                    orders.edit_order, order_id=order.pk, wish=wish,
                    expected_total=edit.content.total, actor=SYSTEM, at=self.now,
                )  # fmt: skip

    @rule(who=WHO)
    def capture(self, who: int) -> None:
        if order := self.order(who):
            self.flow(flows.capture, order_id=order.pk)

    @rule(who=WHO, amount=st.integers(1, 4000) | st.none())
    def refund(self, who: int, amount: int | None) -> None:
        if order := self.order(who):
            part = None if amount is None else Money(amount, "USD")
            self.flow(flows.refund, order_id=order.pk, amount=part, key=self.key())

    @rule(who=WHO, pieces=PIECES)
    def refund_pieces(self, who: int, pieces: int) -> None:
        if order := self.order(who):
            quantities = {order.lines.earliest("position").pk: pieces}
            self.flow(flows.refund_lines, order_id=order.pk, quantities=quantities, key=self.key())

    @rule(who=WHO, pieces=PIECES)
    def ship(self, who: int, pieces: int) -> None:
        if order := self.order(who):
            parcel = Parcel(quantities={order.lines.earliest("position").pk: pieces})
            self.attempt(
                fulfilment.send_shipment, order_id=order.pk, parcel=parcel, actor=SYSTEM,
                at=self.now,
            )  # fmt: skip

    @rule()
    def arrive(self) -> None:
        for shipment in Shipment.objects.all():
            fulfilment.mark_delivered(shipment_id=shipment.pk, actor=SYSTEM, at=self.now)

    @rule(who=WHO, pieces=PIECES, is_approved=st.booleans(), restock=st.booleans())
    def send_back(self, who: int, pieces: int, is_approved: bool, restock: bool) -> None:
        """Some of what was shipped, if need be just now."""
        if order := self.order(who):
            self.ship(who, 1)
            quantities = {order.lines.earliest("position").pk: pieces}
            asked = self.attempt(
                fulfilment.request_return, order_id=order.pk,
                wish=ReturnWish(quantities=quantities, reason="unwanted"), actor=SYSTEM,
                at=self.now,
            )  # fmt: skip
            if asked is not None:
                decided = {"return_id": asked.pk, "actor": SYSTEM, "at": self.now}
                self.attempt(fulfilment.decide_return, is_approved=is_approved, **decided)
                self.attempt(fulfilment.receive_return, restock=restock, **decided)

    @rule()
    def refund_returns(self) -> None:
        for asked in ReturnRequest.objects.all():
            self.flow(flows.refund_return, return_id=asked.pk)

    @rule(what=WHAT, by=st.integers(-3, 3).filter(bool))
    def count_stock(self, what: int, by: int) -> None:
        self.attempt(
            inventory.adjust_stock, variant_id=self.variants[what].pk, warehouse="main", by=by,
            reason="receipt",
        )  # fmt: skip

    @rule(minutes=st.sampled_from([1, 6, 31, 90, 60 * 25]))
    def wait(self, minutes: int) -> None:
        """The workers do what events ask for, and beat runs the sweepers."""
        self.now += datetime.timedelta(minutes=minutes)
        for order in Order.objects.all():
            if order.status == OrderStatus.CANCELLED:
                tasks.return_money(order_id=str(order.pk))
            if order.is_placed:
                payment_services.enter_sale(order_id=order.pk, at=self.now)
        inventory.release_expired(at=self.now, limit=100)
        run(payments.sweep)
        tasks.sweep()
        tasks.sweep_refunds()

    @invariant()
    def every_order_adds_up(self) -> None:
        for order in Order.objects.prefetch_related("lines", "payments"):
            lines, paid = order.lines.all(), order.payments.all()
            goods = sum(line.unit_price_amount * line.quantity for line in lines)
            tax = sum(line.tax_amount for line in lines) + order.shipping_tax_amount
            assert order.total_amount == goods + order.shipping_amount + tax
            assert order.captured_amount == sum(each.captured for each in paid)
            assert order.refunded_amount == sum(each.refunded for each in paid)
            assert order.refunded_amount <= order.captured_amount

    @invariant()
    def every_order_came_here_by_the_rules(self) -> None:
        for order in Order.objects.all():
            before = self.seen.get(order.pk, OrderStatus.DRAFT)
            assert order.status == before or is_reachable(before, order.status)
            self.seen[order.pk] = order.status

    @invariant()
    def stock_is_promised_within_bounds(self) -> None:
        assert drifted_levels() == {}
        bound = F("on_hand") + F("backorder_limit")
        assert not StockLevel.objects.filter(reserved__gt=bound).exists()
        assert not StockLevel.objects.filter(reserved__lt=0).exists()

    @invariant()
    def the_ledger_balances(self) -> None:
        totals = [selectors.balance_of(account).get("USD", 0) for account in Account]
        assert sum(totals) == 0
        held = Payment.objects.aggregate(held=Sum(F("captured") - F("refunded")))["held"] or 0
        assert selectors.balance_of(Account.CLEARING).get("USD", 0) == held

    @invariant()
    def pieces_are_refunded_by_claims(self) -> None:
        claimed: dict[UUID, int] = {}
        for claim in RefundClaim.objects.standing():
            for line_id, pieces in claim.pieces.items():
                claimed[line_id] = claimed.get(line_id, 0) + pieces
        refunded = OrderLine.objects.filter(refunded_quantity__gt=0)
        assert claimed == dict(refunded.values_list("pk", "refunded_quantity"))

    def teardown(self) -> None:
        try:
            if self.seen:
                self.require_that_all_comes_to_rest()
        finally:
            self.patch.undo()
            transaction.savepoint_rollback(self.before)

    def require_that_all_comes_to_rest(self) -> None:
        for _ in range(4):
            self.wait(60 * 25)
        assert not Operation.objects.filter(state="started").exists()
        for payment in Payment.objects.exclude(abandoned_at=None):
            assert payment.amounts.held == 0
        assert not RefundClaim.objects.filter(state="claimed").exists()
        report = run(payments.reconcile, since=self.now - 30 * DAY, at=self.now + DAY)
        assert report.details["drifts"] == []


def is_reachable(before: str, after: str) -> bool:
    """In any number of steps, as a parcel may end an order at once."""
    following = TRANSITIONS[OrderStatus(before)]
    return after in following or any(is_reachable(each, after) for each in following)


@pytest.mark.django_db
def test_any_sequence_of_purchases_keeps_the_books() -> None:
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=8,
            stateful_step_count=20,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
