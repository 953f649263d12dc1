"""The staff change an order before anything is shipped: a preview first, then the change."""

from typing import Any
from uuid import UUID

from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from lavka.inventory.errors import OutOfStock
from lavka.kernel.money import Money
from lavka.orders import services
from lavka.orders.api.manage import managed
from lavka.orders.api.serializers import (
    MAX_LINES,
    MAX_QUANTITY,
    ManagedOrderOutput,
    OrderTotalsOutput,
    quantities_of,
    totals_json,
)
from lavka.orders.errors import EditChanged, MoreThanLeft, NothingLeft, OrderInTheWrongState
from lavka.orders.services import Edit, EditWish
from lavka.web.bodies import KIB
from lavka.web.schema import operation
from lavka.web.serializers import (
    Input,
    MinorUnitsField,
    MoneyOutput,
    StrictIntegerField,
    StrictUUIDField,
)
from lavka.web.views import StaffView, in_thread


class EditedLineInput(Input):
    """A line's new quantity; 0 takes it out."""

    line_id = StrictUUIDField()
    quantity = StrictIntegerField(
        validators=[MinValueValidator(0), MaxValueValidator(MAX_QUANTITY)]
    )


class AddedLineInput(Input):
    """Something more, at today's price."""

    variant_id = StrictUUIDField()
    quantity = StrictIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(MAX_QUANTITY)]
    )


class EditInput(Input):
    """What shall be different; lines that are not named stay as they are."""

    lines = EditedLineInput(many=True, required=False, max_length=MAX_LINES)  # type: ignore[call-arg]
    add = AddedLineInput(many=True, required=False, max_length=MAX_LINES)  # type: ignore[call-arg]

    def validate_lines(self, lines: list[dict[str, Any]]) -> dict[UUID, int]:
        """Order line id → pieces; a line may be named once."""
        return quantities_of(lines)

    def validate_add(self, added: list[dict[str, Any]]) -> dict[UUID, int]:
        """Variant id → pieces; a variant may be named once."""
        return quantities_of(added, "variant_id")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Something has to change."""
        if not attrs.get("lines") and not attrs.get("add"):
            raise serializers.ValidationError(_("Name what shall be different."), code="empty")
        return attrs

    @staticmethod
    def wish(body: dict[str, Any]) -> EditWish:
        """What the service needs."""
        return EditWish(quantities=body.get("lines", {}), added=body.get("add", {}))


class ConfirmedEditInput(EditInput):
    """The edit, and the total that its preview has shown."""

    expected_total = MinorUnitsField(help_text=_("Of the preview, in minor units."))


class EditPreviewOutput(Serializer):
    """What the order would come to; `due` is what would be missing, `surplus` what goes back."""

    before = OrderTotalsOutput()
    after = OrderTotalsOutput()
    due = MoneyOutput()
    surplus = MoneyOutput()


_EDIT = {
    "lines": [{"line_id": "01a20adc-bec6-7edd-9eea-85eaf4679678", "quantity": 1}],
    "add": [{"variant_id": "01a20adc-bec6-7edd-9eea-85eaf4679679", "quantity": 2}],
}
EDIT = OpenApiExample("One less of a line, two of something else", _EDIT, request_only=True)
CONFIRMED = OpenApiExample(
    "With the preview's total", _EDIT | {"expected_total": 5276}, request_only=True
)
_REFUSALS = [OrderInTheWrongState, MoreThanLeft, NothingLeft]


class ManageEditPreviewView(StaffView):
    """What an edit would come to."""

    rights = {"POST": "orders.change_order"}

    @operation(
        "preview_order_edit",
        "Preview a change of an order",
        request=EditInput,
        max_body_bytes=32 * KIB,
        responses=EditPreviewOutput,
        errors=_REFUSALS,
        examples=[EDIT],
        description="Computed each time, never stored; nothing is held.",
    )
    async def post(self, request: Request, order_id: UUID) -> Response:
        wish = EditInput.wish(EditInput.read(request.data))

        def preview() -> dict[str, Any]:
            return _preview_json(
                services.preview_edit(order_id=order_id, wish=wish, at=timezone.now())
            )

        return Response(await in_thread(preview))


class ManageEditView(StaffView):
    """Do what the preview has shown."""

    rights = {"POST": "orders.change_order"}

    @operation(
        "edit_order",
        "Change an order before anything is shipped",
        request=ConfirmedEditInput,
        max_body_bytes=32 * KIB,
        responses=ManagedOrderOutput,
        errors=[*_REFUSALS, EditChanged, OutOfStock],
        examples=[CONFIRMED],
        description="What was paid too much goes back by itself; what is missing is paid as any "
        "payment of the order.",
    )
    async def post(self, request: Request, order_id: UUID) -> Response:
        body, actor = ConfirmedEditInput.read(request.data), self.actor

        def edit() -> dict[str, Any]:
            services.edit_order(
                order_id=order_id,
                wish=EditInput.wish(body),
                expected_total=body["expected_total"],
                actor=actor,
                at=timezone.now(),
            )
            return managed(order_id)

        return Response(await in_thread(edit))


def _preview_json(edit: Edit) -> dict[str, Any]:
    content = edit.content
    names = ("subtotal", "discount", "shipping", "tax", "total")
    after = {name: Money(getattr(content, name), content.currency).as_json() for name in names}
    return {
        "before": totals_json(edit.order),
        "after": after | {"is_tax_included": content.is_tax_included},
        "due": edit.order.money(max(edit.due, 0)).as_json(),
        "surplus": edit.order.money(max(-edit.due, 0)).as_json(),
    }
