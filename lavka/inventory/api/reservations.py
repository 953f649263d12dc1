"""Staff see what carts keep from others, and end it."""

from uuid import UUID

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.inventory import selectors, services
from lavka.inventory.api.serializers import ReservationOutput, reservation_json
from lavka.web import parameters
from lavka.web.pages import PageRequest, page_of
from lavka.web.parameters import text_parameter
from lavka.web.schema import PAGE_PARAMETERS, operation
from lavka.web.serializers import page_output
from lavka.web.views import StaffView, in_thread

FILTERS = [
    OpenApiParameter("variant_id", OpenApiTypes.UUID, description="Only what keeps this variant."),
    OpenApiParameter("customer_id", OpenApiTypes.UUID, description="Only of this customer."),
    text_parameter(
        "address", "Only from this address, or from this /64 network of IPv6.", max_length=64
    ),
]


class ReservationsView(StaffView):
    """What carts keep from others."""

    rights = {"GET": "inventory.view_hold"}

    @operation(
        "list_stock_reservations",
        "List stock reservations, newest first",
        parameters=[*FILTERS, *PAGE_PARAMETERS],
        responses=page_output(ReservationOutput, "StockReservationPage"),
        description="Units that buyers keep from others before they have paid.",
    )
    async def get(self, request: Request) -> Response:
        query = request.query_params
        variant_id = parameters.uuid(query, "variant_id")
        customer_id = parameters.uuid(query, "customer_id")
        address, wanted = query.get("address"), PageRequest.of(query)

        def page() -> dict[str, object]:
            rows = selectors.holds()
            if variant_id is not None:
                rows = rows.filter(reservations__level__variant_id=variant_id).distinct()
            if customer_id is not None:
                rows = rows.filter(customer_id=customer_id)
            if address is not None:
                rows = rows.filter(address=address)
            return page_of(rows, order=("-reference",), wanted=wanted, render=reservation_json)

        return Response(await in_thread(page))


class ReservationView(StaffView):
    """One reservation."""

    rights = {"DELETE": "inventory.delete_hold"}

    @operation(
        "release_stock_reservation",
        "Release a stock reservation",
        responses={204: None},
        description="Its units can be bought at once, also by whoever kept them: their cart keeps "
        "nothing from others any more.",
    )
    async def delete(self, request: Request, reference: UUID) -> Response:
        await in_thread(services.release_hold, reference=reference, at=timezone.now())
        return Response(status=204)
