"""The adapter of Stripe: PaymentIntents, confirmed on the server, with signed webhooks.

Needs the extra `stripe`. The client makes a PaymentMethod with Stripe's own script and sends its id
as the token. For 3-D Secure it gets the address of the bank's page, if it says where to come back
to, else a `client_secret` for `stripe.handleNextAction`.
"""

import asyncio
import datetime
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, ClassVar
from uuid import UUID

import stripe

from lavka.kernel.conf import options
from lavka.payments.errors import GatewayUnavailable, WrongSignature
from lavka.payments.gateways.protocol import (
    ActionNeeded,
    Answer,
    Approved,
    Ask,
    Authorise,
    Capture,
    Declined,
    FrontOptions,
    Notification,
    Processing,
    Refund,
    Statement,
    Void,
)
from lavka.payments.gateways.stripe_amounts import from_stripe, to_stripe

logger = logging.getLogger(__name__)

# One answer, from the connection to its last byte. A page of 100 PaymentIntents is half a megabyte.
TIMEOUT_SECONDS = 20
MAX_ANSWER_BYTES = 4 * 1024 * 1024
# Clocks differ.
MARGIN = datetime.timedelta(minutes=5)
# The reason of a request that is not sent, as Stripe could not move just that amount.
UNSUPPORTED_AMOUNT = "unsupported_amount"


class Stripe:
    """Stripe's API through its SDK, a connection for each call: flows run on loops that end."""

    keeps_books: ClassVar[bool] = True
    pays_later: ClassVar[bool] = False
    captures_once: ClassVar[bool] = True

    async def authorise(self, request: Authorise) -> Answer:
        """Make a PaymentIntent and confirm it, in one call."""
        amount = to_stripe(request.amount)
        if amount is None:
            return Declined(UNSUPPORTED_AMOUNT)
        params: Any = {
            "amount": amount,
            "currency": request.amount.currency.lower(),
            "payment_method": request.token,
            "payment_method_types": ["card"],
            "capture_method": "automatic" if request.wants_capture else "manual",
            "confirm": True,
            "metadata": {
                "operation": str(request.key),
                "payment": str(request.payment_id),
                "order": str(request.order_id),
            },
        }
        if request.return_url:
            params["return_url"] = request.return_url
        return await _answer(
            lambda client: client.v1.payment_intents.create_async(params, _keyed(request.key)),
            _answer_of_intent,
        )

    async def capture(self, request: Capture) -> Answer:
        """Once; what is not captured then is released."""
        amount = to_stripe(request.amount)
        if amount is None:
            return Declined(UNSUPPORTED_AMOUNT, request.reference)
        params: Any = {"amount_to_capture": amount}
        return await _answer(
            lambda client: client.v1.payment_intents.capture_async(
                request.reference, params, _keyed(request.key)
            ),
            _captured_intent,
        )

    async def void(self, request: Void) -> Answer:
        """Cancel the PaymentIntent, also one that waits for the customer."""
        return await _answer(
            lambda client: client.v1.payment_intents.cancel_async(
                request.reference, {}, _keyed(request.key)
            ),
            lambda intent: Approved(intent.id),
        )

    async def refund(self, request: Refund) -> Answer:
        """As often as there is some left."""
        amount = to_stripe(request.amount)
        if amount is None:
            return Declined(UNSUPPORTED_AMOUNT)
        params: Any = {
            "payment_intent": request.reference,
            "amount": amount,
            "metadata": {"operation": str(request.key)},
        }
        return await _answer(
            lambda client: client.v1.refunds.create_async(params, _keyed(request.key)),
            _answer_of_refund,
        )

    async def lookup(self, request: Ask) -> Answer | None:
        """By the key in the metadata, as Stripe forgets idempotency keys after a day."""
        async with _client() as client:
            match request:
                case Authorise():
                    async for intent in _intents(client, request.asked_at - MARGIN):
                        if _key_of(intent) == request.key:
                            return _answer_of_intent(intent)
                    return None
                case Refund():
                    params: Any = {"payment_intent": request.reference, "limit": 100}
                    refunds = await client.v1.refunds.list_async(params)
                    async for refund in refunds.auto_paging_iter():
                        if _key_of(refund) == request.key:
                            return _answer_of_refund(refund)
                    return None
            intent = await client.v1.payment_intents.retrieve_async(request.reference)
            return _answer_to_change(request, intent)

    async def statements(self, since: datetime.datetime) -> Sequence[Statement]:
        """Every PaymentIntent since then, with what its charge gave back."""
        async with _client() as client:
            return [_statement_of(intent) async for intent in _intents(client, since)]

    def front_options(self) -> FrontOptions:
        """The key for Stripe's own script, which makes the token."""
        return FrontOptions(
            needs_token=True,
            takes_return_url=True,
            actions=("redirect", "stripe"),
            publishable_key=options.stripe.get("publishable_key", ""),
        )

    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> Notification:
        """Raises WrongSignature, also for a signature older than five minutes."""
        try:
            event = stripe.Webhook.construct_event(
                body,
                headers.get("Stripe-Signature", ""),
                options.stripe.get("webhook_secret", ""),
                api_key=options.stripe.get("secret_key", ""),
            )
        except stripe.SignatureVerificationError:
            raise WrongSignature from None
        subject: Any = event.data.object
        return Notification(event.id, event.type, _intent_of(subject), _key_of(subject))


class BoundedClient(stripe.HTTPXClient):
    """Reads an answer of so many bytes for so long; the SDK would wait for each byte anew."""

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Raises stripe.APIConnectionError."""
        args, named = self._get_request_args_kwargs(method, url, headers, post_data)
        content = bytearray()
        try:
            async with (
                asyncio.timeout(TIMEOUT_SECONDS),
                self._client_async.stream(*args, **named) as response,
            ):
                async for piece in response.aiter_bytes():
                    content += piece
                    if len(content) > MAX_ANSWER_BYTES:
                        raise OverflowError("the answer is too long")  # noqa: TRY301 - a fault below
        except Exception as fault:  # noqa: BLE001 - raised again as the SDK's own
            self._handle_request_error(fault)
        return bytes(content), response.status_code, response.headers


async def _answer[T](
    call: Callable[[stripe.StripeClient], Awaitable[T]], read: Callable[[T], Answer]
) -> Answer:
    """Call Stripe and put its answer, or its refusal, into the shop's words."""
    async with _client() as client:
        try:
            return read(await call(client))
        except stripe.CardError as refused:
            detail: Any = refused.error
            code = getattr(detail, "decline_code", None) or refused.code
            intent = getattr(detail, "payment_intent", None)
            return Declined(str(code or "card_declined"), intent.id if intent else "")
        except stripe.InvalidRequestError as refused:
            return Declined(str(refused.code or "invalid_request"))


@asynccontextmanager
async def _client() -> AsyncIterator[stripe.StripeClient]:
    """A client for one call; raises GatewayUnavailable for whatever leaves the outcome open."""
    http_client = BoundedClient(timeout=TIMEOUT_SECONDS)
    api_base = options.stripe.get("api_base")
    try:
        yield stripe.StripeClient(
            options.stripe.get("secret_key", ""),
            base_addresses={"api": api_base} if api_base else {},
            max_network_retries=0,
            http_client=http_client,
        )
    except (stripe.CardError, stripe.InvalidRequestError):
        raise
    except stripe.StripeError as fault:
        logger.warning("Stripe gives no answer: %s", fault)
        raise GatewayUnavailable from fault
    except (
        AttributeError, LookupError, TypeError, ValueError, ArithmeticError, RecursionError,
    ) as fault:  # fmt: skip
        # Nothing that can be read as an answer: what became of the request is not known.
        logger.exception("Stripe's answer cannot be read")
        raise GatewayUnavailable from fault
    finally:
        await http_client.close_async()  # type: ignore[no-untyped-call]


async def _intents(
    client: stripe.StripeClient, since: datetime.datetime
) -> AsyncIterator[stripe.PaymentIntent]:
    """PaymentIntents, newest first, back to `since`."""
    params: Any = {"limit": 100, "expand": ["data.latest_charge"]}
    listed = await client.v1.payment_intents.list_async(params)
    async for intent in listed.auto_paging_iter():
        if intent.created < since.timestamp():
            return
        yield intent


def _answer_of_intent(intent: stripe.PaymentIntent) -> Answer:
    match intent.status:
        case "succeeded":
            return _captured_intent(intent)
        case "requires_capture":
            return _approved(intent.id, intent.amount, intent.currency)
        case "requires_action":
            return ActionNeeded(intent.id, _action_of(intent))
        case "processing":
            return Processing(intent.id)
        case "canceled":
            return Declined("canceled", intent.id)
    fault = intent.last_payment_error
    code = getattr(fault, "decline_code", None) or getattr(fault, "code", None)
    return Declined(str(code or intent.status), intent.id)


def _captured_intent(intent: stripe.PaymentIntent) -> Answer:
    # Not every server that speaks Stripe's protocol says how much was taken.
    received = getattr(intent, "amount_received", None)
    if received is None:
        return Approved(intent.id, is_captured=True)
    return replace(_approved(intent.id, received, intent.currency), is_captured=True)


def _approved(reference: str, units: int, currency: str) -> Approved:
    amount, is_exact = from_stripe(units, currency)
    return Approved(reference, amount=amount, is_exact=is_exact)


def _answer_to_change(request: Capture | Void, intent: stripe.PaymentIntent) -> Answer | None:
    """What an intent's state says of a capture or a cancellation; None while both are possible."""
    done = "succeeded" if isinstance(request, Capture) else "canceled"
    if intent.status == done:
        return _captured_intent(intent) if isinstance(request, Capture) else Approved(intent.id)
    is_final = intent.status in {"succeeded", "canceled"}
    return Declined(intent.status, intent.id) if is_final else None


def _answer_of_refund(refund: stripe.Refund) -> Answer:
    match refund.status:
        case "succeeded":
            return _approved(refund.id, refund.amount, refund.currency)
        case "failed" | "canceled":
            reason = getattr(refund, "failure_reason", None) or refund.status
            return Declined(reason, refund.id)
    return Processing(refund.id)


def _action_of(intent: stripe.PaymentIntent) -> dict[str, str]:
    action: Any = intent.next_action
    if action.type == "redirect_to_url":
        return {"type": "redirect", "url": str(action.redirect_to_url.url)}
    return {"type": "stripe", "client_secret": str(intent.client_secret)}


def _statement_of(intent: stripe.PaymentIntent) -> Statement:
    charge: Any = intent.latest_charge
    # Without `amount_received` a capture is whole.
    received = getattr(intent, "amount_received", intent.amount)
    sums = (
        received if intent.status == "succeeded" else 0,
        charge.amount_refunded if charge else 0,
    )
    captured, refunded = (from_stripe(each, intent.currency) for each in sums)
    return Statement(
        reference=intent.id,
        captured=captured[0],
        refunded=refunded[0],
        key=_key_of(intent),
        is_exact=captured[1] and refunded[1],
    )


def _intent_of(subject: Any) -> Any:
    """The id of the PaymentIntent that something is or belongs to; empty for what has none."""
    if subject.object == "payment_intent":
        return subject.id
    reference = getattr(subject, "payment_intent", None)
    return "" if reference is None else reference


def _key_of(subject: Any) -> UUID | None:
    written = getattr(getattr(subject, "metadata", None), "operation", "")
    try:
        return UUID(written)
    except ValueError:
        return None


def _keyed(key: UUID) -> Any:
    return {"idempotency_key": str(key)}
