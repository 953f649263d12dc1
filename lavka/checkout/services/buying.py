"""The two transactions around a payment, and what makes an order of a paid draft.

Locks are taken in this order: the cart, its order, the payments, its stock, the order's number.
"""

import datetime
from dataclasses import dataclass, replace
from uuid import UUID

from django.db import transaction

from lavka.carts import pricing
from lavka.carts import services as carts
from lavka.carts.errors import CartClosed
from lavka.carts.models import Cart
from lavka.carts.pricing import PricedCart
from lavka.carts.selectors import lines_of
from lavka.checkout import rules, selectors
from lavka.checkout.errors import CartIncomplete, QuoteChanged, unknown_quote
from lavka.checkout.models import Quote
from lavka.checkout.services import pay_later
from lavka.checkout.services.pay_later import Debtor
from lavka.inventory import services as inventory
from lavka.inventory.errors import OutOfStock
from lavka.inventory.rules import Requester
from lavka.kernel import rows
from lavka.kernel.actors import Actor
from lavka.kernel.conf import options
from lavka.kernel.money import Money
from lavka.orders import services as orders
from lavka.orders.models import Order
from lavka.orders.rules import OrderContent, OrderStatus
from lavka.payments import services as payments
from lavka.payments.gateways.registry import gateway_of
from lavka.payments.rules import UNDECIDED, PaymentInput

# How long a customer may take to pay.
PAYING_TAKES = datetime.timedelta(minutes=30)

_BEGIN = """
INSERT INTO checkout_checkout (order_id, digest, started_at, expires_at) VALUES (%s, %s, %s, %s)
ON CONFLICT (order_id) DO UPDATE
SET digest = excluded.digest, started_at = excluded.started_at, expires_at = excluded.expires_at
"""
_END = "DELETE FROM checkout_checkout WHERE order_id = %s"


@dataclass(frozen=True, kw_only=True, slots=True)
class Buyer:
    """Who checks out, and from which network address; mail comes in their `language`.

    A customer or, without an id, a guest.
    """

    id: UUID | None
    language: str
    address: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """What is to be paid; no `payment_id` when nothing is due."""

    order_id: UUID
    payment_id: UUID | None


@transaction.atomic
def create_quote(*, cart_id: UUID, buyer: Buyer, at: datetime.datetime) -> Quote:
    """Fix what a cart comes to, and hold a customer's stock for a while, within their limits.

    A guest's stock is held from the payment on, unless the shop says otherwise.
    Raises: Cart.DoesNotExist; CartClosed; CartIncomplete, with what is `missing`; OutOfStock.
    Locks: the cart, its hold, its stock levels, the buyer's limits.
    """
    cart = _open_cart(cart_id, buyer, at)
    content = _agreed(_priced(cart, at), buyer)
    expires_at = at + datetime.timedelta(seconds=options.hold_seconds)
    agreed = rules.as_json(content)
    quote = Quote(
        cart_id=cart.pk,
        content=agreed,
        digest=rules.digest_of(agreed),
        currency=content.currency,
        total_amount=content.total,
        created_at=at,
        expires_at=expires_at,
    )
    if buyer.id is not None or options.guest_quotes_hold_stock:
        quote.stock_held_until = inventory.reserve_stock(
            holder=cart.pk,
            quantities=quantities_of(content),
            until=expires_at,
            ends_at=at + datetime.timedelta(seconds=options.hold_max_seconds),
            at=at,
            requester=_requester(buyer, rules.FREE_UNITS_OF_QUOTE),
        )
    return rows.insert(quote)


@transaction.atomic
def prepare(
    *, cart_id: UUID, quote_id: UUID, buyer: Buyer, means: PaymentInput, at: datetime.datetime
) -> Prepared:
    """Draft the order, open its payment and hold the stock, if the quote still holds.

    A cart that was ordered gives its order, and one that is being paid for by the same means, or
    has been, gives that payment: a second click pays nothing twice. Another means or another
    content gives up the payment before it.
    Beyond the buyer's limits nothing is held: the stock is taken when the money is there, or the
    money goes back. An order without money, that is paid later or costs nothing, is refused then.
    Raises: Cart.DoesNotExist; CartClosed; Invalid, for a quote or a method that is not known;
    CartIncomplete; OutOfStock; QuoteChanged, with the new `totals`; PayLaterRefused;
    FreeOrderRefused.
    Locks: the cart, its draft, its hold, its stock levels, the buyer's limits; the levels last, as
    other buyers wait for them.
    """
    cart = carts.reachable_cart.get(cart_id, buyer.id, at)
    if cart.status == Cart.Status.ORDERED:
        return Prepared(order_id=Order.objects.get(cart_id=cart.pk).pk, payment_id=None)
    quote = selectors.quote.first(quote_id, cart.pk)
    if quote is None:
        raise unknown_quote()
    under_way = _under_way(cart, quote, means)
    if under_way is not None:
        return under_way
    _require_open(cart)
    content = _agreed(_priced(cart, at, has_details=False), buyer)
    if rules.digest_of(rules.as_json(content)) != quote.digest:
        raise QuoteChanged(totals=_totals(content))
    content = rules.with_looks_of(quote.content, content)
    order = _draft(cart, quote, content, at)
    payment_id, debtor = None, None
    if content.total:
        payment = payments.open_payment(order_id=order.pk, amount=order.total, means=means, at=at)
        payment_id = payment.pk
    if not content.total or gateway_of(means.method).pays_later:
        debtor = pay_later.debtor_of(order, buyer.address)
        pay_later.require_budget(order, debtor, at)
    if not _hold(cart, content, buyer, debtor, at) and debtor is not None:
        raise pay_later.refusal_of(order)
    return Prepared(order_id=order.pk, payment_id=payment_id)


@transaction.atomic
def finalise(*, order_id: UUID, at: datetime.datetime) -> Order:
    """Make an order of a draft whose money is there; anything else is returned as it is.

    The customer's click, its repetition, the provider's webhook and the sweeper all end here, and
    the first of them wins; whoever it is, it was the customer who has ordered.
    Raises: Order.DoesNotExist; OutOfStock, when the hold is gone and there is no other stock.
    Locks: the cart, the order, its hold, the stock levels that are not held, the order's number.
    Emits: OrderPlaced, once.
    """
    cart, order = _lock_order(order_id)
    if order.status != OrderStatus.DRAFT or not selectors.is_covered(order):
        return order
    terms = pay_later.terms_of(order, at)
    inventory.allocate_reservation(
        holder=order.cart_id,
        order_id=order.pk,
        quantities=selectors.ordered_quantities(order.pk),
        at=at,
        unpaid_until=terms.counts_until,
    )
    if cart is not None:
        carts.order_cart(cart_id=cart.pk)
    rows.execute(_END, [order.pk])
    buyer = Actor.customer(order.customer_id)
    return orders.place_order(order_id=order.pk, actor=buyer, at=at, payment_due_at=terms.due_at)


@transaction.atomic
def give_up(*, order_id: UUID, actor: Actor, at: datetime.datetime) -> list[UUID]:
    """Let go of a draft: nobody waits for its payments any more.

    Returns the ids of payments that hold money or may come to; none, when the order was placed
    meanwhile. The cart stays open, and its draft is written anew at the next checkout.
    Raises: Order.DoesNotExist. Locks: the cart, the order, its payments.
    """
    _cart, order = _lock_order(order_id)
    if order.status != OrderStatus.DRAFT:
        return []
    rows.execute(_END, [order.pk])
    return payments.abandon_payments(order_id=order.pk, actor=actor, at=at)


def quantities_of(content: OrderContent) -> dict[UUID, int]:
    """Variant id → pieces; a cart has each variant on one line."""
    return {line.variant_id: line.quantity for line in content.lines}


def _lock_order(order_id: UUID) -> tuple[Cart | None, Order]:
    """The cart, as far as it is kept, and the order: a checkout that drafts holds the cart."""
    cart_id = selectors.cart_id_of(order_id)
    return carts.locked_cart.first(cart_id), orders.locked_order.get(order_id)


def _open_cart(cart_id: UUID, buyer: Buyer, at: datetime.datetime) -> Cart:
    cart = carts.reachable_cart.get(cart_id, buyer.id, at)
    _require_open(cart)
    return cart


def _require_open(cart: Cart) -> None:
    if cart.status != Cart.Status.OPEN:
        raise CartClosed(status=cart.status)


def _priced(cart: Cart, at: datetime.datetime, *, has_details: bool = True) -> PricedCart:
    return pricing.price(cart, lines_of(cart), at, has_details=has_details)


def _agreed(cart: PricedCart, buyer: Buyer) -> OrderContent:
    missing = rules.missing_from(cart)
    if missing:
        raise CartIncomplete(missing=missing)
    if cart.shortages:
        raise OutOfStock(variants=cart.shortages)
    return rules.content_of(cart, buyer.language)


def _under_way(cart: Cart, quote: Quote, means: PaymentInput) -> Prepared | None:
    """The purchase that an earlier click began, if this one is the same or its money is there."""
    begun = selectors.checkout_of.first(cart.pk)
    payment = selectors.live_payment(begun.order_id) if begun else None
    if begun is None or payment is None:
        return None
    is_same = begun.digest == quote.digest and (payment.method, payment.token) == (
        means.method,
        means.token,
    )
    if payment.status in UNDECIDED and not is_same:
        return None
    return Prepared(order_id=begun.order_id, payment_id=payment.pk)


def _draft(cart: Cart, quote: Quote, content: OrderContent, at: datetime.datetime) -> Order:
    earlier_id = selectors.order_id_of(cart.pk)
    if earlier_id is not None:
        payments.abandon_payments(order_id=earlier_id, actor=Actor.customer(cart.owner_id), at=at)
        pay_later.forget_draft(order_id=earlier_id)
    order = orders.draft_order(cart_id=cart.pk, customer_id=cart.owner_id, content=content)
    rows.execute(_BEGIN, [order.pk, quote.digest, at, at + PAYING_TAKES])
    return order


def _hold(
    cart: Cart, content: OrderContent, buyer: Buyer, debtor: Debtor | None, at: datetime.datetime
) -> bool:
    """Hold what is being ordered, if that is within the buyer's limits.

    What a debtor keeps counts for long. For one who has proved their mailbox it counts by itself,
    not for the address: neighbours, as in an office, do not share it.
    Raises: OutOfStock.
    """
    requester = _requester(buyer, rules.FREE_UNITS_OF_PAYMENT)
    if debtor is not None:
        address = "" if debtor.is_trusted else buyer.address
        requester = replace(requester, address=address, is_ordering=True)
    held_until = inventory.reserve_stock(
        holder=cart.pk,
        quantities=quantities_of(content),
        until=at + datetime.timedelta(seconds=options.payment_hold_seconds),
        at=at,
        requester=requester,
    )
    return held_until is not None


def _requester(buyer: Buyer, free_units: int) -> Requester:
    return Requester(customer_id=buyer.id, address=buyer.address, free_units=free_units)


def _totals(content: OrderContent) -> dict[str, object]:
    names = ("subtotal", "discount", "shipping", "tax", "total")
    return {name: Money(getattr(content, name), content.currency).as_json() for name in names} | {
        "is_tax_included": content.is_tax_included
    }
