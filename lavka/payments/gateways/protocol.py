"""What the shop asks of a payment provider, and what a provider may answer."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol
from uuid import UUID

from lavka.kernel.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorise:
    """Hold `amount` for the shop, and take it at once if `wants_capture`.

    `token` is what the client got from the provider for the customer's means of payment. To
    `return_url`, if there is one, the provider sends a customer back who had to act on its page.
    """

    key: UUID
    payment_id: UUID
    order_id: UUID
    amount: Money
    token: str
    wants_capture: bool
    asked_at: datetime.datetime
    return_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of an authorisation, which the provider knows as `reference`."""

    key: UUID
    reference: str
    amount: Money
    asked_at: datetime.datetime


class Capture(Change):
    """Take `amount` of what is authorised."""


class Void(Change):
    """Give up what is authorised and not captured; `amount` is what the shop thinks that is."""


class Refund(Change):
    """Give `amount` of what was captured back."""


type Ask = Authorise | Capture | Void | Refund


@dataclass(frozen=True, slots=True)
class Approved:
    """It is done. `is_captured` says of an authorisation that its money was taken at once.

    `amount` is what the provider says that it moved, None when it does not say. One that differs
    from what was asked for is never booked, nor is one with a part of a minor unit more, which is
    not `is_exact`.
    """

    reference: str
    is_captured: bool = False
    amount: Money | None = None
    is_exact: bool = True


@dataclass(frozen=True, slots=True)
class ActionNeeded:
    """The customer must act first, as 3-D Secure has it: `{"type": "redirect", "url": …}`."""

    reference: str
    action: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Processing:
    """The provider took the order and will tell the outcome by webhook."""

    reference: str


@dataclass(frozen=True, slots=True)
class Declined:
    """It will not be done; `reason` is the provider's code for why."""

    reason: str
    reference: str = ""


type Answer = Approved | ActionNeeded | Processing | Declined


@dataclass(frozen=True, slots=True)
class Notification:
    """What a webhook is about: `key` is the shop's own, where the provider gives it back."""

    event_id: str
    kind: str
    reference: str
    key: UUID | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """One line of the provider's books: what it took and gave back under `reference`.

    Without `is_exact` one of the sums has a part of a minor unit more.
    """

    reference: str
    captured: Money
    refunded: Money
    key: UUID | None = None
    is_exact: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontOptions:
    """What a shop front has to know to pay by a method.

    `needs_token` says whether it sends one; `tokens` are all that there are, for a provider that
    has a few. `actions` are the types of what a customer may have to do, such as `redirect`.
    `publishable_key` is for the provider's own script in the browser.
    """

    needs_token: bool = False
    tokens: Sequence[str] = ()
    takes_return_url: bool = False
    actions: Sequence[str] = ()
    publishable_key: str = ""


class Gateway(Protocol):
    """One payment provider. Every call may raise GatewayUnavailable: the outcome is not known.

    Each request carries a key. A provider that gets a key twice acts once and answers alike, so a
    request may be repeated at any time.
    """

    # False for one without a computer behind it: then the shop's word is all there is.
    keeps_books: ClassVar[bool]
    # Whether it approves what nobody has paid or vouched for: an order waits for its money then.
    pays_later: ClassVar[bool]
    # Whether the first capture, if partial, gives the rest of the authorisation up.
    captures_once: ClassVar[bool]

    async def authorise(self, request: Authorise) -> Answer:
        """Ask for the money."""

    async def capture(self, request: Capture) -> Answer:
        """Take authorised money, all or a part."""

    async def void(self, request: Void) -> Answer:
        """Give an authorisation up, or a payment that waits for the customer."""

    async def refund(self, request: Refund) -> Answer:
        """Give captured money back, all or a part, as often as there is some left."""

    async def lookup(self, request: Ask) -> Answer | None:
        """What became of a request whose answer was lost; None if it never arrived."""

    async def statements(self, since: datetime.datetime) -> Sequence[Statement]:
        """The provider's books: every charge that was opened since then."""

    def front_options(self) -> FrontOptions:
        """What a shop front has to know; read at every request for the shop, so it never waits."""

    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> Notification:
        """Check the signature over the raw body and read it; raises WrongSignature."""
