"""The demo's orders: bought as its customer would, and moved on as its staff would."""

import datetime
from collections.abc import Callable, Mapping
from random import Random
from uuid import UUID

from lavka.accounts.models import User
from lavka.carts import services as carts
from lavka.carts.selectors import priced_cart
from lavka.catalog.models import Variant
from lavka.catalog.rules import slug_from
from lavka.checkout import flows
from lavka.checkout import services as checkout
from lavka.checkout.services import Buyer
from lavka.demo import goods
from lavka.fulfilment import services as fulfilment
from lavka.fulfilment.models import ReturnRequest, Shipment
from lavka.fulfilment.services import Parcel, ReturnWish
from lavka.inventory.selectors import available_of
from lavka.kernel.actors import Actor
from lavka.kernel.threads import run_flow
from lavka.orders.models import Order
from lavka.payments.gateways import registry
from lavka.payments.rules import PaymentInput

ADDRESS: Mapping[str, str] = {
    "name": "Demo customer",
    "line1": "548 Market Street",
    "line2": "",
    "city": "San Francisco",
    "region": "CA",
    "postal_code": "94104",
    "country": "US",
    "phone": "",
}
SANDBOX, INVOICE = "sandbox", "invoice"
# Nobody is to find a shelf empty because the demo has bought from it.
PLENTY = 10
MOST_LINES = 3

type Step = Callable[[Order, Actor, datetime.datetime], object]


def place_orders(customer: User, staff: User, *, at: datetime.datetime) -> int:
    """Place those of the demo's orders that the customer does not have; returns how many.

    There are none in a shop that takes no payment by invoice, or sends nothing to the customer.
    """
    done = Order.objects.placed().filter(customer=customer).count()
    methods, baskets = registry.methods(), _baskets()
    if INVOICE not in methods or len(baskets) < len(STORIES):
        return 0
    placed = 0
    for (method, steps), basket in list(zip(STORIES, baskets, strict=False))[done:]:
        means = PaymentInput(method=method if method in methods else INVOICE, token="success")  # noqa: S106
        order = _buy(customer, basket, means, at)
        if order is None:
            break
        for step in steps:
            step(order, Actor.staff(staff.pk), at)
        placed += 1
    return placed


def _baskets() -> list[dict[UUID, int]]:
    """Variant id → pieces, for one order after the other: the same every time."""
    chance = Random("orders")  # noqa: S311 - the same orders every time, nothing secret
    slugs = [slug_from(said["name"]) for said in goods.products()]
    variants = Variant.objects.filter(product__slug__in=slugs).order_by("sku")
    ids = list(variants.values_list("pk", flat=True))
    available = available_of(ids)
    plenty = [each for each in ids if (available.get(each) or 0) >= PLENTY]
    chance.shuffle(plenty)
    return [
        {
            plenty.pop(): chance.choice([1, 1, 1, 2])
            for _ in range(chance.choice([2, 2, MOST_LINES]))
        }
        for _ in STORIES
        if len(plenty) >= MOST_LINES
    ]


def _buy(
    customer: User, basket: Mapping[UUID, int], means: PaymentInput, at: datetime.datetime
) -> Order | None:
    """The placed order, or None when nothing is sent to the customer's country."""
    cart = carts.create_cart(owner_id=customer.pk, at=at)
    whose = {"cart_id": cart.pk, "caller_id": customer.pk}
    for variant_id, quantity in basket.items():
        carts.add_line(**whose, variant_id=variant_id, quantity=quantity, at=at)
    contact = carts.Contact(customer.email)
    carts.set_addresses(**whose, contact=contact, shipping=ADDRESS, billing=None, at=at)
    ways = priced_cart(cart.pk, at).shipping_options
    if not ways:
        carts.delete_cart(**whose, at=at)
        return None
    carts.set_shipping_option(**whose, option_id=ways[0].id, at=at)
    buyer = Buyer(id=customer.pk, language=customer.language)
    quote = checkout.create_quote(cart_id=cart.pk, buyer=buyer, at=at)
    return run_flow(flows.buy(cart_id=cart.pk, quote_id=quote.pk, buyer=buyer, means=means))


def _take_money(order: Order, actor: Actor, at: datetime.datetime) -> None:
    order.refresh_from_db()
    if order.captured_amount < order.total_amount:
        run_flow(flows.capture(order_id=order.pk, actor=actor))


def _send(order: Order, actor: Actor, at: datetime.datetime) -> None:
    everything = dict(order.lines.values_list("pk", "quantity"))
    _send_parcel(order, everything, actor, at)


def _send_first_line(order: Order, actor: Actor, at: datetime.datetime) -> None:
    _send_parcel(order, _first_line(order), actor, at)


def _send_parcel(
    order: Order, quantities: Mapping[UUID, int], actor: Actor, at: datetime.datetime
) -> None:
    parcel = Parcel(
        quantities=quantities, carrier="USPS", tracking_number=f"9400 1000 0000 {order.number:04}"
    )
    fulfilment.send_shipment(order_id=order.pk, parcel=parcel, actor=actor, at=at)


def _deliver(order: Order, actor: Actor, at: datetime.datetime) -> None:
    for shipment in Shipment.objects.filter(order=order):
        fulfilment.mark_delivered(shipment_id=shipment.pk, actor=actor, at=at)


def _ask_back(order: Order, actor: Actor, at: datetime.datetime) -> None:
    wish = ReturnWish(
        quantities=_first_line(order), reason="not_as_described", comment="The colour is different."
    )
    by_customer = Actor.customer(order.customer_id)
    fulfilment.request_return(order_id=order.pk, wish=wish, actor=by_customer, at=at)


def _take_back(order: Order, actor: Actor, at: datetime.datetime) -> None:
    asked = ReturnRequest.objects.get(order=order)
    fulfilment.decide_return(return_id=asked.pk, is_approved=True, actor=actor, at=at)
    fulfilment.receive_return(return_id=asked.pk, restock=True, actor=actor, at=at)
    run_flow(flows.refund_return(return_id=asked.pk, actor=actor))


def _first_line(order: Order) -> dict[UUID, int]:
    return dict(order.lines.order_by("position").values_list("pk", "quantity")[:1])


# The newest comes last: what still wants something of the staff.
STORIES: tuple[tuple[str, tuple[Step, ...]], ...] = (
    (SANDBOX, (_take_money, _send, _deliver)),
    (SANDBOX, (_take_money, _send, _deliver, _ask_back, _take_back)),
    (SANDBOX, (_take_money, _send, _deliver, _ask_back)),
    (SANDBOX, (_take_money, _send)),
    (SANDBOX, (_take_money, _send_first_line)),
    (SANDBOX, (_take_money,)),
    (INVOICE, ()),
)
