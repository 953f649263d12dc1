"""Customers, and guests by their cart's key, turn a cart into an order."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import get_language
from drf_spectacular.utils import OpenApiExample
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.carts.api.views import OneCartView
from lavka.carts.errors import CartClosed
from lavka.checkout import flows, selectors, services
from lavka.checkout.api.serializers import (
    CheckoutInput,
    CheckoutOutput,
    QuoteOutput,
    checkout_json,
    quote_json,
)
from lavka.checkout.errors import CartIncomplete, FreeOrderRefused, PayLaterRefused, QuoteChanged
from lavka.checkout.services import Buyer
from lavka.inventory.errors import OutOfStock
from lavka.orders.selectors import with_lines
from lavka.payments.errors import PaymentDeclined
from lavka.payments.rules import PaymentInput
from lavka.web import limits
from lavka.web.schema import operation
from lavka.web.tokens import Caller
from lavka.web.views import in_thread

CHECKOUT = OpenApiExample(
    "With the sandbox",
    {
        "quote_id": "01a20adc-bec6-7edd-9eea-85eaf4679678",
        "payment": {"method": "sandbox", "token": "success"},
    },
    request_only=True,
)


class QuoteView(OneCartView):
    """What a cart comes to."""

    @operation(
        "create_quote",
        "Get a quote for a cart",
        request=None,
        responses={201: QuoteOutput},
        errors=[CartClosed, CartIncomplete, OutOfStock],
        description="Adds up prices, tax and shipping, and says whether all of it is there. A "
        "customer's stock is held until `stock_held_until`: 15 minutes after their last step, at "
        "most 30 in all, and not more than a share of what is left. A guest's is held from the "
        "payment on, for 90 seconds. What is not held can still be bought while it is there.",
    )
    async def post(self, request: Request, cart_id: UUID) -> Response:
        buyer = buyer_of(request)

        def quote() -> dict[str, Any]:
            return quote_json(
                services.create_quote(cart_id=cart_id, buyer=buyer, at=timezone.now())
            )

        return Response(await in_thread(quote), status=201)


class CheckoutView(OneCartView):
    """From cart to order."""

    @operation(
        "get_checkout",
        "See what became of a cart",
        responses=CheckoutOutput,
        description="The order, or the draft of it while the payment is not decided.",
    )
    async def get(self, request: Request, cart_id: UUID) -> Response:
        buyer, at = buyer_of(request), timezone.now()

        def found() -> dict[str, Any]:
            return _checkout(selectors.order_of_cart(cart_id, buyer.id, at).pk)

        return Response(await in_thread(found))

    @operation(
        "check_out",
        "Order a cart",
        request=CheckoutInput,
        responses={201: CheckoutOutput},
        errors=[
            CartClosed, CartIncomplete, OutOfStock, QuoteChanged, PaymentDeclined, PayLaterRefused,
            FreeOrderRefused,
        ],
        examples=[CHECKOUT],
        requires_key=True,
        calls_out=True,
        description="Ordering twice gives the same order. The stock is held for 90 seconds while "
        "it is being paid; when it is gone after that, the money goes back and the answer is "
        "`out_of_stock`. What is paid later, as by invoice, counts against a budget of whom it is "
        "for and of the network it comes from; beyond it the answer is `pay_later_refused`, and "
        "another way to pay is open. An order for nothing counts too, and is then answered "
        "`free_order_refused`. The shop cancels what is not paid until `payment_due_at`. "
        "After the customer has done what "
        "`payment.action` asks for, send it again under a new key, or wait: the provider's word "
        "places the order as well.",
    )  # fmt: skip
    async def post(self, request: Request, cart_id: UUID) -> Response:
        body = CheckoutInput.read(request.data)
        order = await flows.buy(
            cart_id=cart_id,
            quote_id=body["quote_id"],
            buyer=buyer_of(request),
            means=PaymentInput(**body["payment"]),
        )
        return Response(await in_thread(_checkout, order.pk), status=201)


def buyer_of(request: Request) -> Buyer:
    """Who asks, from where, and in which language."""
    user = request.user
    user_id = user.id if isinstance(user, Caller) else None
    address = limits.network_of(request._request)
    return Buyer(id=user_id, language=get_language() or "en", address=address)


def _checkout(order_id: UUID) -> dict[str, Any]:
    return checkout_json(with_lines(order_id), selectors.newest_payment(order_id))
