"""Every write of tax rates."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import TypedDict, Unpack
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from psycopg.errors import ExclusionViolation

from lavka.kernel import security_log
from lavka.kernel.errors import FieldError, Invalid
from lavka.kernel.security_log import Object, SecurityEvent
from lavka.tax.errors import RatesOverlap
from lavka.tax.models import TaxRate


class RateContent(TypedDict, total=False):
    """What staff say about a rate; `valid_until` is the first day it no longer holds.

    `reason` says why a rate of 0 % takes nothing.
    """

    country: str
    percent: Decimal
    reason: str
    valid_from: datetime.date
    valid_until: datetime.date | None


@transaction.atomic
def create_rate(**content: Unpack[RateContent]) -> TaxRate:
    """Add a rate.

    Raises: Invalid, for days that run backwards or a reason for a tax; RatesOverlap.
    """
    return _save(TaxRate(**content), SecurityEvent.TAX_RATE_CREATED, content)


@transaction.atomic
def update_rate(*, rate_id: UUID, **content: Unpack[RateContent]) -> TaxRate:
    """Change what is named; what was sold keeps its tax.

    Raises: TaxRate.DoesNotExist; Invalid, for days that run backwards or a reason for a tax;
    RatesOverlap.
    Locks: the rate.
    """
    rate = TaxRate.objects.select_for_update(no_key=True).get(pk=rate_id)
    for name, value in content.items():
        setattr(rate, name, value)
    return _save(rate, SecurityEvent.TAX_RATE_CHANGED, content)


@transaction.atomic
def delete_rate(*, rate_id: UUID) -> None:
    """Take a rate away; raises TaxRate.DoesNotExist."""
    rate = TaxRate.objects.get(pk=rate_id)
    if not TaxRate.objects.filter(pk=rate_id).delete()[0]:
        raise TaxRate.DoesNotExist
    on = Object("tax_rate", rate_id, rate.country)
    security_log.record(SecurityEvent.TAX_RATE_DELETED, on)


def _save(rate: TaxRate, event: SecurityEvent, content: RateContent) -> TaxRate:
    if rate.valid_until is not None and rate.valid_until <= rate.valid_from:
        detail = _("The last day comes before the first.")
        raise Invalid(errors=[FieldError("#/valid_until", "backwards", detail)])
    if rate.reason and rate.percent:
        detail = _("Only a rate of zero has a reason.")
        raise Invalid(errors=[FieldError("#/reason", "not_allowed", detail)])
    with refusals_named():
        rate.save()
    if content:
        on = Object("tax_rate", rate.pk, rate.country)
        security_log.record(event, on, percent=rate.percent, changed=[*content])
    return rate


@contextmanager
def refusals_named() -> Iterator[None]:
    """Write inside a savepoint; raises RatesOverlap where the database refuses two at once."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as fault:
        if isinstance(fault.__cause__, ExclusionViolation):
            raise RatesOverlap from fault
        raise
