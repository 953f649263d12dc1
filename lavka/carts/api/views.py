"""Customers fill carts, with an account or without."""

import datetime
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.carts import selectors, services
from lavka.carts.api import serializers
from lavka.carts.api.serializers import cart_json, option_json
from lavka.carts.errors import AddressMissing, CartClosed, CartFull, TooManyPieces
from lavka.carts.models import Cart
from lavka.carts.pricing import Message
from lavka.carts.rules import MergeStrategy
from lavka.inventory.errors import OutOfStock
from lavka.kernel.errors import NotFound
from lavka.web.schema import operation
from lavka.web.tokens import Caller
from lavka.web.views import CustomerView, View, in_thread

_VARIANT = "01a20adc-bec6-7edd-9eea-85eaf4679678"
_LINE = OpenApiExample("Two pieces", {"variant_id": _VARIANT, "quantity": 2}, request_only=True)
_ADDRESSES = OpenApiExample(
    "To London",
    {
        "email": "ada@example.com",
        "shipping": {
            "name": "Ada Lovelace",
            "line1": "12 St James's Square",
            "city": "London",
            "postal_code": "SW1Y 4JH",
            "country": "GB",
        },
    },
    request_only=True,
)


class CartsView(View):
    """Carts begin here."""

    @operation(
        "create_cart",
        "Open a cart",
        request=serializers.CartInput,
        responses={201: serializers.CartOutput},
        examples=[OpenApiExample("Nothing is needed", {}, request_only=True)],
        description="With a token it is the customer's, and nobody else reaches it. Without one "
        "its id is the key.",
    )
    async def post(self, request: Request) -> Response:
        serializers.CartInput.read(request.data)
        owner_id, at = _caller_id(request), timezone.now()

        def create() -> dict[str, Any]:
            cart = services.create_cart(owner_id=owner_id, at=at)
            return cart_json(selectors.priced_cart(cart.pk, at))

        return Response(await in_thread(create), status=201)


class OneCartView(View):
    """A view of the cart that the path names, for its owner or for whoever knows its id."""

    guest_proof = "cart_id"

    def require_reachable(self) -> None:
        """Raises Cart.DoesNotExist."""
        selectors.require_reachable(
            self.kwargs["cart_id"], _caller_id(self.request), timezone.now()
        )


class CartView(OneCartView):
    """One cart."""

    @operation(
        "get_cart",
        "Get a cart",
        responses=serializers.CartOutput,
        description="Prices and stock are read anew each time; what changed since the customer "
        "last touched a line is a message on it. Reading changes nothing.",
    )
    async def get(self, request: Request, cart_id: UUID) -> Response:
        caller_id, at = _caller_id(request), timezone.now()

        def read() -> dict[str, Any]:
            return _cart(cart_id, caller_id, at)

        return Response(await in_thread(read))

    @operation("delete_cart", "Throw a cart away", responses={204: None}, errors=[CartClosed])
    async def delete(self, request: Request, cart_id: UUID) -> Response:
        await in_thread(
            services.delete_cart,
            cart_id=cart_id,
            caller_id=_caller_id(request),
            at=timezone.now(),
        )
        return Response(status=204)


class LinesView(OneCartView):
    """What goes into a cart."""

    @operation(
        "add_cart_line",
        "Put something into a cart",
        request=serializers.LineInput,
        responses={201: serializers.CartOutput},
        errors=[CartClosed, CartFull, TooManyPieces, OutOfStock],
        examples=[_LINE],
        description="Pieces of a variant that is in the cart already add up.",
    )
    async def post(self, request: Request, cart_id: UUID) -> Response:
        values = serializers.LineInput.read(request.data)
        changed = await _changed(services.add_line, request, cart_id, **values)
        return Response(changed, status=201)


class LineView(OneCartView):
    """One line of a cart."""

    @operation(
        "change_cart_line",
        "Set how many pieces a line has",
        request=serializers.QuantityInput,
        responses=serializers.CartOutput,
        errors=[CartClosed, OutOfStock],
        examples=[OpenApiExample("Three", {"quantity": 3}, request_only=True)],
    )
    async def patch(self, request: Request, cart_id: UUID, line_id: UUID) -> Response:
        values = serializers.QuantityInput.read(request.data)
        return Response(
            await _changed(services.change_line, request, cart_id, line_id=line_id, **values)
        )

    @operation(
        "remove_cart_line",
        "Take a line out of a cart",
        responses=serializers.CartOutput,
        errors=[CartClosed],
    )
    async def delete(self, request: Request, cart_id: UUID, line_id: UUID) -> Response:
        return Response(await _changed(services.remove_line, request, cart_id, line_id=line_id))


class CartAddressesView(OneCartView):
    """Where a cart goes."""

    @operation(
        "set_cart_addresses",
        "Say whom a cart is for and where it goes",
        request=serializers.CartAddressesInput,
        responses=serializers.CartOutput,
        errors=[CartClosed],
        examples=[_ADDRESSES],
    )
    async def put(self, request: Request, cart_id: UUID) -> Response:
        values = serializers.CartAddressesInput.read(request.data)
        changed = await _changed(
            services.set_addresses,
            request,
            cart_id,
            contact=services.Contact(values["email"], values["vat_number"]),
            shipping=values["shipping"],
            billing=values["billing"],
        )
        return Response(changed)


class ShippingOptionsView(OneCartView):
    """How a cart may be sent."""

    @operation(
        "list_shipping_options",
        "List the ways to ship a cart",
        responses=serializers.ShippingChoicesOutput,
        errors=[AddressMissing],
    )
    async def get(self, request: Request, cart_id: UUID) -> Response:
        caller_id, at = _caller_id(request), timezone.now()

        def read() -> list[dict[str, Any]]:
            cart = selectors.cart_seen_by(cart_id, caller_id, at)
            if cart.shipping_address is None:
                raise AddressMissing
            return [option_json(option) for option in cart.shipping_options]

        return Response({"items": await in_thread(read)})


class ShippingOptionView(OneCartView):
    """How a cart is sent."""

    @operation(
        "set_shipping_option",
        "Choose the way to ship a cart",
        request=serializers.ShippingChoiceInput,
        responses=serializers.CartOutput,
        errors=[CartClosed, AddressMissing],
        examples=[OpenApiExample("A rate", {"id": _VARIANT}, request_only=True)],
    )
    async def put(self, request: Request, cart_id: UUID) -> Response:
        option_id = serializers.ShippingChoiceInput.read(request.data)["id"]
        return Response(
            await _changed(services.set_shipping_option, request, cart_id, option_id=option_id)
        )


class MergeView(OneCartView, CustomerView):
    """What a customer had in the cart before they signed in."""

    @operation(
        "merge_cart",
        "Bring a cart into your own",
        request=serializers.MergeInput,
        responses=serializers.CartOutput,
        errors=[CartClosed, CartFull],
        examples=[OpenApiExample("Add up", {"strategy": "add"}, request_only=True)],
        description="The answer is the cart to go on with: your current one, or this one if you "
        "had none. Said again, it gives the same cart.",
    )
    async def post(self, request: Request, cart_id: UUID) -> Response:
        strategy = MergeStrategy(serializers.MergeInput.read(request.data)["strategy"])
        caller_id, at = self.caller.id, timezone.now()

        def merge() -> dict[str, Any]:
            merged_id, messages = services.merge_cart(
                cart_id=cart_id, caller_id=caller_id, strategy=strategy, at=at
            )
            return _cart(merged_id, caller_id, at, messages)

        return Response(await in_thread(merge))


class CurrentCartView(CustomerView):
    """The customer's own."""

    @operation(
        "get_current_cart",
        "Get the cart you changed last",
        responses=serializers.CartOutput,
        errors=[NotFound],
        description="404 while you have none.",
    )
    async def get(self, request: Request) -> Response:
        caller_id, at = self.caller.id, timezone.now()

        def read() -> dict[str, Any]:
            cart_id = selectors.current_cart_id(caller_id, at)
            if cart_id is None:
                raise Cart.DoesNotExist
            return _cart(cart_id, caller_id, at)

        return Response(await in_thread(read))


def _caller_id(request: Request) -> UUID | None:
    """Whose token came with the request, None without one."""
    return request.user.id if isinstance(request.user, Caller) else None


def _cart(
    cart_id: UUID, caller_id: UUID | None, at: datetime.datetime, also: Sequence[Message] = ()
) -> dict[str, Any]:
    return cart_json(selectors.cart_seen_by(cart_id, caller_id, at), also)


async def _changed(
    service: Callable[..., None], request: Request, cart_id: UUID, **values: Any
) -> dict[str, Any]:
    """Run one change of a cart; the answer is the cart as it is then."""
    caller_id, at = _caller_id(request), timezone.now()

    def change() -> dict[str, Any]:
        service(cart_id=cart_id, caller_id=caller_id, at=at, **values)
        return _cart(cart_id, caller_id, at)

    return await in_thread(change)
