"""Every write of shipping rates."""

from collections.abc import Mapping
from typing import TypedDict, Unpack
from uuid import UUID

from django.db import IntegrityError, transaction

from lavka.catalog.errors import Taken
from lavka.kernel.conf import options
from lavka.kernel.money import Money
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
    return _save(ShippingRate(), content)


@transaction.atomic
def update_rate(*, rate_id: UUID, **content: Unpack[RateContent]) -> ShippingRate:
    """Change what is named.

    Raises: ShippingRate.DoesNotExist; Taken; CurrencyMismatch. Locks: the rate.
    """
    return _save(ShippingRate.objects.select_for_update(no_key=True).get(pk=rate_id), content)


@transaction.atomic
def delete_rate(*, rate_id: UUID) -> None:
    """Take a rate away; raises ShippingRate.DoesNotExist."""
    if not ShippingRate.objects.filter(pk=rate_id).delete()[0]:
        raise ShippingRate.DoesNotExist
    hot.invalidate()


def _save(rate: ShippingRate, content: Mapping[str, object]) -> ShippingRate:
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
    return rate
