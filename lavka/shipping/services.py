"""Every write of shipping rates."""

from collections.abc import Mapping
from typing import TypedDict, Unpack
from uuid import UUID

from django.db import IntegrityError, transaction

from lavka.catalog.errors import Taken
from lavka.kernel import security_log
from lavka.kernel.conf import options
from lavka.kernel.money import Money
from lavka.kernel.security_log import Object, SecurityEvent
from lavka.shipping.models import ShippingRate
from lavka.web import hot


class RateContent(TypedDict, total=False):
    """What staff say about a rate, in the shop's currency; an empty country is all others."""

    country: str
    name: str
    delivery: str
    price: Money
    free_from: Money | None
    position: int


@transaction.atomic
def create_rate(**content: Unpack[RateContent]) -> ShippingRate:
    """Add a rate.

    Raises: Taken, for a name that the country's rates have already; CurrencyMismatch.
    """
    return _save(ShippingRate(), SecurityEvent.SHIPPING_RATE_CREATED, content)


@transaction.atomic
def update_rate(*, rate_id: UUID, **content: Unpack[RateContent]) -> ShippingRate:
    """Change what is named.

    Raises: ShippingRate.DoesNotExist; Taken; CurrencyMismatch. Locks: the rate.
    """
    rate = ShippingRate.objects.select_for_update(no_key=True).get(pk=rate_id)
    return _save(rate, SecurityEvent.SHIPPING_RATE_CHANGED, content)


@transaction.atomic
def delete_rate(*, rate_id: UUID) -> None:
    """Take a rate away; raises ShippingRate.DoesNotExist."""
    rate = ShippingRate.objects.get(pk=rate_id)
    if not ShippingRate.objects.filter(pk=rate_id).delete()[0]:
        raise ShippingRate.DoesNotExist
    hot.invalidate()
    on = Object("shipping_rate", rate_id, rate.name)
    security_log.record(SecurityEvent.SHIPPING_RATE_DELETED, on)


def _save(rate: ShippingRate, event: SecurityEvent, content: Mapping[str, object]) -> ShippingRate:
    for name, value in content.items():
        if isinstance(value, Money):
            money = value.require(options.currency, f"#/{name}/currency")
            setattr(rate, f"{name}_amount", money.amount)
        elif name == "free_from":
            rate.free_from_amount = None
        else:
            setattr(rate, name, value)
    try:
        with transaction.atomic():
            rate.save()
    except IntegrityError as fault:
        raise Taken.at("#/name") from fault
    hot.invalidate()
    if content:
        on = Object("shipping_rate", rate.pk, rate.name)
        security_log.record(event, on, price=rate.price_amount, changed=[*content])
    return rate
