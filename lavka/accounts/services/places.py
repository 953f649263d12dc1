"""Devices and networks from which a user signed in.

OWASP's device cookie: a guesser locks the places that they guess from, not those of the owner.
"""

import datetime
import hashlib
import secrets
from uuid import UUID

from django.db import transaction

from lavka.accounts import rules
from lavka.accounts.models import KnownPlace
from lavka.accounts.rules import PlaceKind, Source
from lavka.kernel import keys

TOKEN_BYTES = 32


def known_places(*, email: str, source: Source) -> list[str]:
    """What the failures of this source count under, as far as the account knows it.

    The device comes first: it is told from others in its network.
    """
    digests = dict.fromkeys(_networks(source), source.network)
    if source.device:
        digests = {_device(source): f"device {_device(source)[:16]}"} | digests
    known = KnownPlace.objects.filter(user__email=email, digest__in=list(digests))
    found = set(known.values_list("digest", flat=True))
    return list(dict.fromkeys(place for digest, place in digests.items() if digest in found))


@transaction.atomic
def remember_place(*, user_id: UUID, source: Source, at: datetime.datetime) -> str:
    """Know the device and the network from now on; returns the token that the device is to keep.

    That is the one which it shows if the shop made it, for whatever user, else a new one.
    """
    device = source.device
    if not device or not KnownPlace.objects.filter(digest=_device(source)).exists():
        device = secrets.token_urlsafe(TOKEN_BYTES)
    source = Source(source.network, device)
    KnownPlace.objects.bulk_create(
        [
            KnownPlace(user_id=user_id, kind=kind, digest=digest, used_at=at)
            for kind, digest in (
                (PlaceKind.DEVICE, _device(source)),
                (PlaceKind.NETWORK, _networks(source)[0]),
            )
        ],
        update_conflicts=True,
        unique_fields=["user", "digest"],
        update_fields=["used_at"],
    )
    for kind in PlaceKind:
        places = KnownPlace.objects.filter(user_id=user_id, kind=kind).order_by("-used_at", "-pk")
        too_many = list(places.values_list("pk", flat=True)[rules.MAX_KNOWN_PLACES :])
        KnownPlace.objects.filter(pk__in=too_many).delete()
    return device


@transaction.atomic
def replace_places(*, user_id: UUID, source: Source, at: datetime.datetime) -> str:
    """Know this place and no other, as after a new password; otherwise as `remember_place`."""
    device = remember_place(user_id=user_id, source=source, at=at)
    kept = [_device(Source(source.network, device)), _networks(source)[0]]
    KnownPlace.objects.filter(user_id=user_id).exclude(digest__in=kept).delete()
    return device


@transaction.atomic
def purge_places(*, at: datetime.datetime) -> int:
    """Forget the places that were not used for long; returns how many."""
    return KnownPlace.objects.filter(used_at__lt=at - rules.PLACES_KEPT).delete()[0]


def _device(source: Source) -> str:
    # 256 random bits need neither salt nor a slow hash.
    return hashlib.sha256(source.device.encode()).hexdigest()


def _networks(source: Source) -> list[str]:
    """Keyed: there are few enough addresses to try them all. Those of earlier keys follow."""
    return keys.signatures(keys.PLACES, source.network.encode())
