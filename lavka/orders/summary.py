"""What an order comes to, row by row, for people."""

from django.utils.translation import gettext as _

from lavka.kernel.money import Money
from lavka.orders.models import Order


def totals_of(order: Order) -> list[tuple[str, Money]]:
    """The parts that are not zero, and the total, in the active language."""
    rows = [
        (_("Goods"), order.subtotal_amount),
        (_("Discount"), -order.discount_amount),
        (_("Shipping"), order.shipping_amount),
        (_("Tax, included") if order.is_tax_included else _("Tax"), order.tax_amount),
    ]
    shown = [(label, order.money(amount)) for label, amount in rows if amount]
    return [*shown, (_("Total"), order.total)]
