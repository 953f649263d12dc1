"""Every write between cart and order, and what is owed back for orders."""

from lavka.checkout.services.buying import (
    Buyer,
    Prepared,
    create_quote,
    finalise,
    give_up,
    prepare,
)
from lavka.checkout.services.claims import claim_lines, claim_return, settle_claim, take_up_claim
from lavka.checkout.services.pay_later import cancel_unpaid, forget_unpaid, purge_unpaid
from lavka.checkout.services.retention import purge_drafts, purge_quotes

__all__ = [
    "Buyer",
    "Prepared",
    "cancel_unpaid",
    "claim_lines",
    "claim_return",
    "create_quote",
    "finalise",
    "forget_unpaid",
    "give_up",
    "prepare",
    "purge_drafts",
    "purge_quotes",
    "purge_unpaid",
    "settle_claim",
    "take_up_claim",
]
