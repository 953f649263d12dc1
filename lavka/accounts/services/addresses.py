"""The address book."""

from typing import Any
from uuid import UUID

from django.db import transaction

from lavka.accounts.models import Address, User
from lavka.addresses.rules import FIELDS
from lavka.addresses.validation import clean_address
from lavka.kernel.errors import Unauthenticated

DEFAULTS = ("is_default_shipping", "is_default_billing")


@transaction.atomic
def add_address(*, user_id: UUID, fields: dict[str, Any]) -> Address:
    """Add an address; one that is a default takes that place from another.

    Raises: Invalid, for what its country refuses; Unauthenticated, for an account that is closed.
    Locks: the user row.
    """
    postal = clean_address(fields)
    _lock_book(user_id)
    _clear_defaults(user_id, fields)
    return Address.objects.create(user_id=user_id, **fields | postal)


@transaction.atomic
def change_address(*, user_id: UUID, address_id: UUID, changes: dict[str, Any]) -> Address:
    """Change an address; one that becomes a default takes that place from another.

    One that was taken before its country's rules were checked is checked with its next change.
    Raises: Address.DoesNotExist, also for another customer's; Invalid; Unauthenticated.
    Locks: the user row.
    """
    _lock_book(user_id)
    address = Address.objects.get(pk=address_id, user_id=user_id)
    if changes.keys() & set(FIELDS):
        before = {name: getattr(address, name) for name in FIELDS}
        changes = changes | clean_address(before | changes)
    _clear_defaults(user_id, changes)
    for name, value in changes.items():
        setattr(address, name, value)
    address.save(update_fields=list(changes))
    return address


@transaction.atomic
def remove_address(*, user_id: UUID, address_id: UUID) -> None:
    """Delete an address; raises Address.DoesNotExist, also for another customer's."""
    if not Address.objects.filter(pk=address_id, user_id=user_id).delete()[0]:
        raise Address.DoesNotExist


def _lock_book(user_id: UUID) -> None:
    owner = User.objects.select_for_update(no_key=True).filter(pk=user_id, is_active=True)
    if owner.first() is None:
        raise Unauthenticated


def _clear_defaults(user_id: UUID, fields: dict[str, Any]) -> None:
    for name in DEFAULTS:
        if fields.get(name):
            Address.objects.filter(user_id=user_id, **{name: True}).update(**{name: False})
