"""The demo's orders: a year of them, bought as customers would and moved on as the staff would."""

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
from lavka.demo.reviews import Opinion
from lavka.fulfilment import services as fulfilment
from lavka.fulfilment.models import ReturnRequest, Shipment
from lavka.fulfilment.services import Parcel, ReturnWish
from lavka.inventory.selectors import available_of
from lavka.invoices.services import issue_invoices
from lavka.kernel.actors import Actor
from lavka.kernel.threads import run_flow
from lavka.orders import services as orders
from lavka.orders.models import Order
from lavka.payments import services as payments
from lavka.payments.gateways import registry
from lavka.payments.rules import PaymentInput

SANDBOX, INVOICE = "sandbox", "invoice"
# Nobody is to find a shelf empty because the demo has bought from it.
PLENTY = 10
YEAR = datetime.timedelta(days=360)
# How many of the year's orders are followed by their customer's review, and how many are not.
REVIEWED, OTHERS = 28, 26
# Why something is sent back.
COMMENT = "The colour is different."

type Step = Callable[[Order, Actor, datetime.datetime], object]
type Steps = Sequence[tuple[datetime.timedelta, Step]]


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """An order that is to be placed; each of `steps` comes so long after it."""

    placed_at: datetime.datetime
    customer: User
    basket: Mapping[UUID, int]
    method: str
    steps: Steps


class Shelves:
    """What the demo has plenty of, and how much of it the planned orders leave."""

    def __init__(self, chance: Random) -> None:
        """Look the stock up."""
        slugs = [slug_from(said["name"]) for said in goods.products()]
        variants = Variant.objects.filter(product__slug__in=slugs).select_related("product")
        self._variants = list(variants.order_by("sku"))
        self._left = {
            variant_id: (units or 0) - PLENTY
            for variant_id, units in available_of([each.pk for each in self._variants]).items()
        }
        self._chance = chance

    def basket(self, at: datetime.datetime, *, product_id: UUID | None = None) -> dict[UUID, int]:
        """One to three variants that the shop had at `at`, one of the product first, if named."""
        there = [
            variant
            for variant in self._variants
            if self._left.get(variant.pk, 0) > 0 and variant.product.created_at < at
        ]
        of_product = [each for each in there if each.product_id == product_id]
        wanted = [self._chance.choice(of_product)] if of_product else []
        while there and len(wanted) < self._chance.choice([1, 2, 2, 3]):
            wanted.append(self._chance.choice(there))
        basket = {}
        for variant in wanted:
            quantity = min(self._chance.choice([1, 1, 1, 2]), self._left[variant.pk])
            if quantity > 0 and variant.pk not in basket:
                basket[variant.pk] = quantity
                self._left[variant.pk] -= quantity
        return basket


def planned_purchases(
    customer: User, others: Sequence[User], opinions: Sequence[Opinion], *, at: datetime.datetime
) -> list[Purchase]:
    """The orders of the year before `at`, the same ones every time for the same customers.

    `opinions` are the reviews that are to come; some of their authors buy what they write about.
    There are none in a shop that takes no payment by invoice, or had such orders before.
    """
    people = [customer, *others]
    is_done = Order.objects.placed().filter(customer__in=people).exists()
    if is_done or INVOICE not in registry.methods():
        return []
    chance = Random("orders")  # noqa: S311 - the same orders every time, nothing secret
    shelves = Shelves(chance)
    planned = [
        *_reviewed(opinions, shelves, chance, at),
        *_others(others, shelves, chance, at),
        *_own(customer, shelves, at),
    ]
    return sorted(
        (each for each in planned if each.basket and each.placed_at < at),
        key=lambda each: each.placed_at,
    )


def _reviewed(
    opinions: Sequence[Opinion], shelves: Shelves, chance: Random, at: datetime.datetime
) -> Iterator[Purchase]:
    """Bought by those who review it when it has come."""
    authors: set[UUID] = set()
    for opinion in chance.sample(opinions, len(opinions)):
        placed_at = _in_the_day(opinion.written_at - _days(chance.uniform(10, 25)), chance)
        is_new = placed_at < opinion.product.created_at + _days(1)
        if is_new or placed_at < at - YEAR or opinion.author.pk in authors:
            continue
        authors.add(opinion.author.pk)
        yield Purchase(
            placed_at=placed_at,
            customer=opinion.author,
            basket=shelves.basket(placed_at, product_id=opinion.product.pk),
            method=SANDBOX,
            steps=_usual(chance),
        )
        if len(authors) == REVIEWED:
            break


def _others(
    customers: Sequence[User], shelves: Shelves, chance: Random, at: datetime.datetime
) -> Iterator[Purchase]:
    """The later in the year, the more; some pay by invoice, and a few orders are called off."""
    for place in range(OTHERS):
        ago = YEAR * (1 - ((place + chance.random()) / OTHERS) ** 0.8)
        placed_at = _in_the_day(at - ago, chance)
        fate = chance.random()
        steps: Steps = _usual(chance)
        if fate < 0.1:
            steps = [(datetime.timedelta(hours=chance.uniform(1, 9)), _cancel)]
        elif fate < 0.3:
            steps = [(_days(chance.uniform(2, 12)), _take_money), *steps]
        yield Purchase(
            placed_at=placed_at,
            customer=chance.choice(customers),
            basket=shelves.basket(placed_at),
            method=INVOICE if 0.1 <= fate < 0.3 else SANDBOX,
            steps=steps,
        )


def _own(customer: User, shelves: Shelves, at: datetime.datetime) -> Iterator[Purchase]:
    """The orders of the customer whose login is told: one in each state that there is."""
    for days_ago, method, steps in STORIES:
        placed_at = at - _days(days_ago)
        yield Purchase(
            placed_at=placed_at,
            customer=customer,
            basket=shelves.basket(placed_at),
            method=method,
            steps=[(_days(later), step) for later, step in steps],
        )


def _usual(chance: Random) -> list[tuple[datetime.timedelta, Step]]:
    """Sent after a day or two, there after some days more."""
    sent = chance.uniform(0.5, 2.5)
    return [
        (datetime.timedelta(minutes=20), _take_money),
        (_days(sent), _send),
        (_days(sent + chance.uniform(1.5, 6)), _deliver),
    ]


def _days(number: float) -> datetime.timedelta:
    return datetime.timedelta(days=number)


def _in_the_day(instant: datetime.datetime, chance: Random) -> datetime.datetime:
    """The same day, when people are awake: more in the evening."""
    hour = min(22, int(chance.triangular(7, 23, 20)))
    return instant.replace(hour=hour, minute=chance.randrange(60), second=chance.randrange(60))


def buy(purchase: Purchase, at: datetime.datetime) -> Order | None:
    """The placed order, or None when nothing is sent to the customer's country."""
    methods, customer = registry.methods(), purchase.customer
    method = purchase.method if purchase.method in methods else INVOICE
    cart = carts.create_cart(owner_id=customer.pk, at=at)
    whose = {"cart_id": cart.pk, "caller_id": customer.pk}
    for variant_id, quantity in purchase.basket.items():
        carts.add_line(**whose, variant_id=variant_id, quantity=quantity, at=at)
    address, contact = _address_of(customer), carts.Contact(customer.email)
    carts.set_addresses(**whose, contact=contact, shipping=address, billing=None, at=at)
    ways = priced_cart(cart.pk, at).shipping_options
    if not ways:
        carts.delete_cart(**whose, at=at)
        return None
    carts.set_shipping_option(**whose, option_id=ways[0].id, at=at)
    buyer = Buyer(id=customer.pk, language=customer.language)
    quote = checkout.create_quote(cart_id=cart.pk, buyer=buyer, at=at)
    means = PaymentInput(method=method, token="success")  # noqa: S106 - the sandbox's, public
    order = run_flow(flows.buy(cart_id=cart.pk, quote_id=quote.pk, buyer=buyer, means=means))
    issue_invoices(order_id=order.pk, at=at)
    return order


def _address_of(customer: User) -> dict[str, str]:
    """Where a person lives: the same place each time."""
    is_russian = customer.name in goods.read("people")["russian"]
    places = goods.read("addresses")["russian" if is_russian else "english"]
    place = places[sum(map(ord, customer.name)) % len(places)]
    empty = {"line2": "", "region": "", "phone": ""}
    return {**empty, **place, "name": customer.name}


def _cancel(order: Order, actor: Actor, at: datetime.datetime) -> None:
    by_customer = Actor.customer(order.customer_id)
    orders.cancel_order(order_id=order.pk, actor=by_customer, at=at)
    held = payments.abandon_payments(order_id=order.pk, actor=by_customer, at=at)
    run_flow(flows.give_back(held, actor=by_customer))
    issue_invoices(order_id=order.pk, at=at)


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
    wish = ReturnWish(quantities=_first_line(order), reason="not_as_described", comment=COMMENT)
    by_customer = Actor.customer(order.customer_id)
    fulfilment.request_return(order_id=order.pk, wish=wish, actor=by_customer, at=at)


def _take_back(order: Order, actor: Actor, at: datetime.datetime) -> None:
    asked = ReturnRequest.objects.get(order=order)
    fulfilment.decide_return(return_id=asked.pk, is_approved=True, actor=actor, at=at)
    fulfilment.receive_return(return_id=asked.pk, restock=True, actor=actor, at=at)
    run_flow(flows.refund_return(return_id=asked.pk, actor=actor))
    issue_invoices(order_id=order.pk, at=at)


def _first_line(order: Order) -> dict[UUID, int]:
    return dict(order.lines.order_by("position").values_list("pk", "quantity")[:1])


# Days ago, how it was paid, and what followed so many days later. The newest comes last: what still
# wants something of the staff.
STORIES: Sequence[tuple[float, str, Sequence[tuple[float, Step]]]] = (
    (301, SANDBOX, ((0.1, _take_money), (1, _send), (4, _deliver))),
    (
        164, SANDBOX,
        ((0.1, _take_money), (1, _send), (4, _deliver), (6, _ask_back), (13, _take_back)),
    ),
    (19, SANDBOX, ((0.1, _take_money), (2, _send), (6, _deliver), (17, _ask_back))),
    (4, SANDBOX, ((0.1, _take_money), (1.5, _send))),
    (3, SANDBOX, ((0.1, _take_money), (2, _send_first_line))),
    (1, SANDBOX, ((0.1, _take_money),)),
    (0.2, INVOICE, ()),
)  # fmt: skip
