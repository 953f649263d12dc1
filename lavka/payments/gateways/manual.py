"""Payment outside the shop: by invoice, or in cash on delivery. Staff say when it arrived."""

import datetime
from collections.abc import Mapping, Sequence
from typing import ClassVar

from lavka.payments.errors import WrongSignature
from lavka.payments.gateways.protocol import (
    Answer,
    Approved,
    Ask,
    Authorise,
    Capture,
    FrontOptions,
    Notification,
    Refund,
    Statement,
    Void,
)


class Manual:
    """Approves everything: authorised is what a customer promised, captured what staff received."""

    keeps_books: ClassVar[bool] = False
    pays_later: ClassVar[bool] = True
    captures_once: ClassVar[bool] = False

    async def authorise(self, request: Authorise) -> Answer:
        """The order is the promise to pay."""
        return Approved(reference=str(request.payment_id))

    async def capture(self, request: Capture) -> Answer:
        """Staff saw the money."""
        return Approved(request.reference)

    async def void(self, request: Void) -> Answer:
        """The promise is let go."""
        return Approved(request.reference)

    async def refund(self, request: Refund) -> Answer:
        """Staff gave the money back."""
        return Approved(request.reference)

    async def lookup(self, request: Ask) -> Answer | None:
        """Nobody to ask: what was cut off needed nothing but to be written down."""
        if isinstance(request, Authorise):
            return await self.authorise(request)
        return Approved(request.reference)

    async def statements(self, since: datetime.datetime) -> Sequence[Statement]:
        """No books."""
        return []

    def front_options(self) -> FrontOptions:
        """Nothing is sent, and nothing is to be done."""
        return FrontOptions()

    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> Notification:
        """No provider, so nobody who could have signed."""
        raise WrongSignature
