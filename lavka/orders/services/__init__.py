"""Every write of orders; each public function is one transaction that locks its order first."""

from lavka.orders.services.drafts import draft_order, forget_drafts
from lavka.orders.services.edits import Edit, EditWish, edit_order, preview_edit
from lavka.orders.services.history import add_note, record_event, revoke_links
from lavka.orders.services.lifecycle import (
    cancel_order,
    complete_order,
    fulfil_lines,
    lines_of,
    locked_order,
    next_number,
    place_order,
    set_payment_due,
    take_back_lines,
)
from lavka.orders.services.money import claim_refund, record_payments, unclaim_refund

__all__ = [
    "Edit",
    "EditWish",
    "add_note",
    "cancel_order",
    "claim_refund",
    "complete_order",
    "draft_order",
    "edit_order",
    "forget_drafts",
    "fulfil_lines",
    "lines_of",
    "locked_order",
    "next_number",
    "place_order",
    "preview_edit",
    "record_event",
    "record_payments",
    "revoke_links",
    "set_payment_due",
    "take_back_lines",
    "unclaim_refund",
]
