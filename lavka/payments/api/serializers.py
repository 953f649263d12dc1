"""Payments on the wire."""

from typing import Any

from django.utils.encoding import iri_to_uri
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from lavka.kernel import links
from lavka.kernel.http_urls import BadUrl, HttpUrl
from lavka.kernel.money import Money
from lavka.payments.gateways import registry
from lavka.payments.models import MAX_RETURN_URL, Operation, Payment
from lavka.payments.rules import OperationKind, OperationState, PaymentStatus
from lavka.web.serializers import Input, MoneyOutput, PositiveMoneyInput, StrictCharField


class ChangeInput(Input):
    """A part of the money, or all that is left."""

    amount = PositiveMoneyInput(
        required=False, allow_null=True, help_text=_("All that is left, when absent.")
    )

    @classmethod
    def money(cls, body: Any) -> Money | None:
        """The amount of a body, of which there need be none; raises ValidationError."""
        amount: Money | None = cls.read(body).get("amount")
        return amount


class MethodField(StrictCharField):
    """The name of a payment method; the service refuses one that the shop does not take."""

    @property
    def choices(self) -> list[str]:
        """Those that the shop takes."""
        return registry.methods()


class ReturnUrlField(StrictCharField):
    """An address on one of the shop's fronts."""

    default_error_messages = {
        "not_allowed": _("An address on one of the shop's fronts is expected."),
    }

    def __init__(self, **options: Any) -> None:
        """Take none as well."""
        super().__init__(max_length=MAX_RETURN_URL, allow_blank=True, default="", **options)

    @property
    def choices(self) -> list[str]:
        """The origins that an address may have."""
        return sorted(links.front_origins())

    def to_internal_value(self, data: Any) -> str:
        """The address as it was understood: no browser reads another host in it.

        Raises: ValidationError, for the address of anybody else.
        """
        text = super().to_internal_value(data)
        if not text:
            return ""
        try:
            url = HttpUrl.parse(text)
        except BadUrl as fault:
            raise serializers.ValidationError(fault.reason, code=fault.code) from None
        if url.origin not in self.choices:
            self.fail("not_allowed")
        fragment = f"#{iri_to_uri(url.fragment)}" if url.fragment else ""
        return f"{url.origin}{url.target}{fragment}"


class PaymentMeansInput(Input):
    """How the customer pays; what each method takes is at `/api/v1/shop/`."""

    method = MethodField(max_length=50, choices_url=registry.METHODS_PATH)
    token = StrictCharField(
        max_length=255,
        allow_blank=True,
        default="",
        help_text=_("The provider's word for the customer's means of payment."),
    )
    return_url = ReturnUrlField(
        help_text=_("Where a customer comes back to who had to go to their bank's page.")
    )


class PayInput(Input):
    """What is still due is paid by this."""

    payment = PaymentMeansInput()


class ActionOutput(serializers.Serializer):
    """What the customer has to do: with `redirect`, to visit `url`."""

    type = serializers.CharField()
    url = serializers.CharField(required=False)
    client_secret = serializers.CharField(required=False)


class PaymentContentOutput(serializers.Serializer):
    """One attempt to pay an order, for everybody who may see it."""

    id = serializers.UUIDField()
    method = serializers.CharField()
    status = serializers.ChoiceField(choices=PaymentStatus.choices)
    amount = MoneyOutput()
    captured = MoneyOutput()
    refunded = MoneyOutput()
    reason = serializers.CharField(help_text=_("Why it was declined, in the provider's word."))
    created_at = serializers.DateTimeField()


class PaymentOutput(PaymentContentOutput):
    """One attempt to pay an order. `action` holds the customer's secrets: staff never see it."""

    action = ActionOutput(allow_null=True, help_text=_("What the customer must do, if anything."))


class OperationOutput(serializers.Serializer):
    """One request to the provider."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=OperationKind.choices)
    amount = MoneyOutput()
    state = serializers.ChoiceField(choices=OperationState.choices)
    reason = serializers.CharField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class ManagedPaymentOutput(PaymentContentOutput):
    """A payment as staff see it."""

    order_id = serializers.UUIDField()
    authorised = MoneyOutput()
    voided = MoneyOutput()
    reference = serializers.CharField(help_text=_("How the provider calls it."))
    abandoned_at = serializers.DateTimeField(allow_null=True)
    operations = OperationOutput(many=True)


class WebhookOutput(serializers.Serializer):
    """The provider need not send it again."""

    received = serializers.BooleanField()


def payment_json(payment: Payment) -> dict[str, Any]:
    """`PaymentOutput`: for the order's customer alone."""
    return _content_json(payment) | {"action": payment.action}


def _content_json(payment: Payment) -> dict[str, Any]:
    return {
        "id": payment.pk,
        "method": payment.method,
        "status": payment.status,
        "amount": payment.money(payment.amount).as_json(),
        "captured": payment.money(payment.captured).as_json(),
        "refunded": payment.money(payment.refunded).as_json(),
        "reason": payment.reason,
        "created_at": payment.created_at,
    }


def managed_payment_json(payment: Payment) -> dict[str, Any]:
    """`ManagedPaymentOutput` of a payment whose operations are loaded."""
    return _content_json(payment) | {
        "order_id": payment.order_id,
        "authorised": payment.money(payment.authorised).as_json(),
        "voided": payment.money(payment.voided).as_json(),
        "reference": payment.reference,
        "abandoned_at": payment.abandoned_at,
        "operations": [_operation_json(payment, each) for each in payment.operations.all()],
    }


def _operation_json(payment: Payment, operation: Operation) -> dict[str, Any]:
    return {
        "id": operation.pk,
        "kind": operation.kind,
        "amount": payment.money(operation.amount).as_json(),
        "state": operation.state,
        "reason": operation.reason,
        "started_at": operation.started_at,
        "finished_at": operation.finished_at,
    }
