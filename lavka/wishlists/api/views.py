"""Customers keep wishlists, share them, and wait for what is out."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.carts import selectors as carts
from lavka.carts.api.serializers import CartOutput, cart_json
from lavka.carts.errors import CartClosed, CartFull, TooManyPieces
from lavka.inventory.errors import OutOfStock
from lavka.web.pages import PageRequest, page_of
from lavka.web.schema import PAGE_PARAMETERS, operation
from lavka.web.serializers import page_output
from lavka.web.views import CustomerView, View, in_thread
from lavka.wishlists import selectors, services
from lavka.wishlists.api.serializers import (
    MoveInput,
    SharedWishlistOutput,
    StockAlertOutput,
    WishlistChangeInput,
    WishlistInput,
    WishlistOutput,
    WishlistSummaryOutput,
    alerts_json,
    shared_json,
    summary_json,
    wishlist_json,
)
from lavka.wishlists.errors import StillInStock, TooManyAlerts, TooManyWishlists, WishlistFull

_CART = "01a20adc-bec6-4edd-9eea-85eaf4679678"


class WishlistsView(CustomerView):
    """A customer's lists."""

    @operation(
        "list_wishlists",
        "List your wishlists",
        parameters=PAGE_PARAMETERS,
        responses=page_output(WishlistSummaryOutput, "WishlistPage"),
    )
    async def get(self, request: Request) -> Response:
        wanted = PageRequest.of(request.query_params)

        def page() -> dict[str, object]:
            own = selectors.wishlists_of(self.caller.id, timezone.now())
            return page_of(own, order=["-id"], wanted=wanted, render=summary_json)

        return Response(await in_thread(page))

    @operation(
        "create_wishlist",
        "Begin a wishlist",
        request=WishlistInput,
        responses={201: WishlistOutput},
        errors=[TooManyWishlists],
        examples=[OpenApiExample("For the kitchen", {"name": "Kitchen"}, request_only=True)],
    )
    async def post(self, request: Request) -> Response:
        name = WishlistInput.read(request.data)["name"]

        def create() -> dict[str, Any]:
            wishlist = services.create_wishlist(owner_id=self.caller.id, name=name)
            return _own(wishlist.pk, self.caller.id)

        return Response(await in_thread(create), status=201)


class OneWishlistView(CustomerView):
    """A view of the customer's list that the path names."""

    def require_reachable(self) -> None:
        """Raises Wishlist.DoesNotExist."""
        selectors.own_wishlist(self.kwargs["wishlist_id"], self.caller.id, timezone.now())


class WishlistView(OneWishlistView):
    """One list."""

    @operation("get_wishlist", "Get a wishlist", responses=WishlistOutput)
    async def get(self, request: Request, wishlist_id: UUID) -> Response:
        return Response(await in_thread(_own, wishlist_id, self.caller.id))

    @operation(
        "update_wishlist",
        "Rename, share or hide a wishlist",
        request=WishlistChangeInput,
        responses=WishlistOutput,
        examples=[OpenApiExample("Share", {"is_shared": True}, request_only=True)],
    )
    async def patch(self, request: Request, wishlist_id: UUID) -> Response:
        values: Any = WishlistChangeInput.read(request.data, partial=True)

        def change() -> dict[str, Any]:
            services.update_wishlist(wishlist_id=wishlist_id, owner_id=self.caller.id, **values)
            return _own(wishlist_id, self.caller.id)

        return Response(await in_thread(change))

    @operation("delete_wishlist", "Throw a wishlist away", responses={204: None})
    async def delete(self, request: Request, wishlist_id: UUID) -> Response:
        await in_thread(services.delete_wishlist, wishlist_id=wishlist_id, owner_id=self.caller.id)
        return Response(status=204)


class SharedWishlistView(View):
    """A list that its owner shares."""

    @operation(
        "get_shared_wishlist",
        "Get a shared wishlist",
        responses=SharedWishlistOutput,
        description="By the key of its link; who owns it is not told.",
    )
    async def get(self, request: Request, share_key: UUID) -> Response:
        def read() -> dict[str, Any]:
            at = timezone.now()
            return shared_json(selectors.shared_wishlist(share_key, at), at)

        return Response(await in_thread(read))


class ItemView(CustomerView):
    """One variant on a list."""

    @operation(
        "add_wish",
        "Put a variant on a wishlist",
        request=None,
        responses=WishlistOutput,
        errors=[WishlistFull],
        description="It is on it once, however often this is sent.",
    )
    async def put(self, request: Request, wishlist_id: UUID, variant_id: UUID) -> Response:
        def add() -> dict[str, Any]:
            services.add_item(
                wishlist_id=wishlist_id,
                owner_id=self.caller.id,
                variant_id=variant_id,
                at=timezone.now(),
            )
            return _own(wishlist_id, self.caller.id)

        return Response(await in_thread(add))

    @operation("remove_wish", "Take a variant off a wishlist", responses={204: None})
    async def delete(self, request: Request, wishlist_id: UUID, variant_id: UUID) -> Response:
        await in_thread(
            services.remove_item,
            wishlist_id=wishlist_id,
            owner_id=self.caller.id,
            variant_id=variant_id,
        )
        return Response(status=204)


class MoveView(OneWishlistView):
    """From a list into a cart."""

    @operation(
        "move_wish_to_cart",
        "Put a wish into a cart",
        request=MoveInput,
        responses=CartOutput,
        errors=[CartClosed, CartFull, TooManyPieces, OutOfStock],
        examples=[OpenApiExample("One of it", {"cart_id": _CART}, request_only=True)],
        description="It leaves the list; if the cart does not take it, it stays.",
    )
    async def post(self, request: Request, wishlist_id: UUID, variant_id: UUID) -> Response:
        values, at = MoveInput.read(request.data), timezone.now()

        def move() -> dict[str, Any]:
            services.move_to_cart(
                wishlist_id=wishlist_id,
                owner_id=self.caller.id,
                variant_id=variant_id,
                at=at,
                **values,
            )
            return cart_json(carts.cart_seen_by(values["cart_id"], self.caller.id, at))

        return Response(await in_thread(move))


class AlertsView(CustomerView):
    """What a customer waits for."""

    @operation(
        "list_stock_alerts",
        "List what you wait for",
        parameters=PAGE_PARAMETERS,
        responses=page_output(StockAlertOutput, "StockAlertPage"),
    )
    async def get(self, request: Request) -> Response:
        wanted = PageRequest.of(request.query_params)

        def page() -> dict[str, object]:
            at = timezone.now()
            own = selectors.alerts_of(self.caller.id, at)
            found = page_of(own, order=["-id"], wanted=wanted, render=lambda alert: alert)
            alerts: Any = found["items"]
            return found | {"items": alerts_json(alerts, at)}

        return Response(await in_thread(page))


class AlertView(CustomerView):
    """Waiting for one variant."""

    @operation(
        "create_stock_alert",
        "Be mailed when a variant is back in stock",
        request=None,
        responses={204: None},
        errors=[StillInStock, TooManyAlerts],
        description="One mail comes, and with it the waiting ends.",
    )
    async def put(self, request: Request, variant_id: UUID) -> Response:
        await in_thread(
            services.wait_for,
            customer_id=self.caller.id,
            variant_id=variant_id,
            at=timezone.now(),
        )
        return Response(status=204)

    @operation("delete_stock_alert", "Wait for a variant no more", responses={204: None})
    async def delete(self, request: Request, variant_id: UUID) -> Response:
        await in_thread(services.wait_no_more, customer_id=self.caller.id, variant_id=variant_id)
        return Response(status=204)


def _own(wishlist_id: UUID, owner_id: UUID) -> dict[str, Any]:
    at = timezone.now()
    return wishlist_json(selectors.own_wishlist(wishlist_id, owner_id, at), at)
