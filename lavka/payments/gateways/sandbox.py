"""The adapter of the sandbox: what its books say, in the shop's words."""

import datetime
import json
from collections.abc import Mapping, Sequence
from typing import ClassVar
from uuid import UUID

from django.urls import reverse

from lavka.kernel.conf import options
from lavka.kernel.money import Money
from lavka.kernel.threads import in_thread
from lavka.payments.errors import GatewayUnavailable, WrongSignature
from lavka.payments.gateways.protocol import (
    ActionNeeded,
    Answer,
    Approved,
    Ask,
    Authorise,
    Capture,
    Change,
    Declined,
    FrontOptions,
    Notification,
    Processing,
    Refund,
    Statement,
    Void,
)
from lavka.payments.sandbox import provider
from lavka.payments.sandbox.models import Charge, ChargeChange

Kind = ChargeChange.Kind


class Sandbox:
    """Talks to the sandbox as to any provider: its transactions are not the shop's."""

    keeps_books: ClassVar[bool] = True
    pays_later: ClassVar[bool] = False
    captures_once: ClassVar[bool] = False

    async def authorise(self, request: Authorise) -> Answer:
        """The token decides; `error` and `timeout_after_charge` give no answer."""
        if request.token == provider.ERROR:
            raise GatewayUnavailable
        charge = await in_thread(
            provider.open_charge,
            key=request.key,
            token=request.token,
            amount=request.amount,
            wants_capture=request.wants_capture,
            return_url=request.return_url,
        )
        if request.token == provider.TIMEOUT_AFTER_CHARGE:
            raise GatewayUnavailable
        return _answer_of_charge(charge)

    async def capture(self, request: Capture) -> Answer:
        """As often as there is some left."""
        return _answer_of_change(await _change(request, Kind.CAPTURE))

    async def void(self, request: Void) -> Answer:
        """Also for what waits for the customer."""
        return _answer_of_change(await _change(request, Kind.VOID))

    async def refund(self, request: Refund) -> Answer:
        """As often as there is some left; `timeout_after_refund` gives no answer."""
        change = await _change(request, Kind.REFUND)
        if change.charge.token == provider.TIMEOUT_AFTER_REFUND:
            raise GatewayUnavailable
        return _answer_of_change(change)

    async def lookup(self, request: Ask) -> Answer | None:
        """By the shop's key."""
        if isinstance(request, Authorise):
            charge = await in_thread(provider.find_charge, key=request.key)
            return _answer_of_charge(charge) if charge else None
        change = await in_thread(provider.find_change, key=request.key)
        return _answer_of_change(change) if change else None

    async def statements(self, since: datetime.datetime) -> Sequence[Statement]:
        """Every charge, also those that were declined."""
        return [
            Statement(
                reference=str(charge.pk),
                captured=Money(charge.captured, charge.currency),
                refunded=Money(charge.refunded, charge.currency),
                key=charge.key,
            )
            for charge in await in_thread(provider.charges_since, since)
        ]

    def front_options(self) -> FrontOptions:
        """The tokens that tell it what to do."""
        return FrontOptions(
            needs_token=True,
            tokens=provider.TOKENS,
            takes_return_url=True,
            actions=("redirect",),
        )

    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> Notification:
        """Raises WrongSignature."""
        if not provider.is_signed(body, headers.get(provider.SIGNATURE_HEADER, "")):
            raise WrongSignature
        told = json.loads(body)
        return Notification(
            event_id=told["id"],
            kind=told["kind"],
            reference=told["charge"],
            key=UUID(told["key"]),
        )


async def _change(request: Change, kind: Kind) -> ChargeChange:
    return await in_thread(
        provider.change_charge,
        key=request.key,
        charge_id=UUID(request.reference),
        kind=kind,
        amount=request.amount.amount,
    )


def _answer_of_change(change: ChargeChange) -> Answer:
    if change.is_done:
        amount = None if change.kind == Kind.VOID else Money(change.amount, change.charge.currency)
        return Approved(str(change.charge_id), amount=amount)
    return Declined("not_possible", str(change.charge_id))


def _answer_of_charge(charge: Charge) -> Answer:
    reference = str(charge.pk)
    if charge.voided == charge.amount:
        return Declined("voided", reference)
    match charge.status:
        case Charge.Status.APPROVED:
            amount = Money(charge.amount, charge.currency)
            return Approved(reference, is_captured=charge.wants_capture, amount=amount)
        case Charge.Status.WAITS_FOR_CUSTOMER:
            page = options.shop_url + reverse("sandbox:challenge", args=[charge.page_key])
            return ActionNeeded(reference, {"type": "redirect", "url": page})
        case Charge.Status.PROCESSING:
            return Processing(reference)
    return Declined(charge.reason or "cancelled", reference)
