"""What a caller's key stands for: the same key again is the same request, or it is refused."""

import json
import re
from collections.abc import Mapping
from hashlib import blake2b
from itertools import pairwise

from django.utils.translation import gettext_lazy as _

from lavka.kernel.errors import Invalid

_UUID = re.compile(
    r"(?<![0-9A-Za-z])[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    r"(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_HEX = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{22,}(?![0-9A-Za-z])")
_BASE64 = re.compile(r"(?=.*[A-Z])(?=.*[a-z])[A-Za-z0-9+/_-]{22,}={0,2}")
_BASE32 = re.compile(r"(?=(.*[0-9]){4})[0-9A-Z]{26,}")


class KeyReused(Invalid):
    """The key came with another request before."""

    code = "idempotency_key_reused"
    title = _("Idempotency-Key reused")
    message = _("This Idempotency-Key was used for another request. Take a new one.")


def fingerprint_of(meaning: Mapping[str, object]) -> str:
    """A digest of what is asked for under a key; `meaning` holds what JSON can say."""
    canonical = json.dumps(meaning, sort_keys=True, separators=(",", ":"))
    return blake2b(canonical.encode(), digest_size=32).hexdigest()


def require_same_meaning(earlier: str, now: str) -> None:
    """Compare two fingerprints of one key; an empty one is of before they were kept.

    Raises: KeyReused.
    """
    if earlier and earlier != now:
        raise KeyReused


def is_unguessable(key: str) -> bool:
    """Whether a key is random as far as it can be judged by itself.

    It holds a UUID of version 4 or 7, or 22 hexadecimal digits, or it is 22 characters of base64,
    or 26 of base32 in capitals, such as a ULID. No repetition and no counting up is accepted; of
    100,000 random keys three are refused.
    """
    found = _UUID.search(key) or _HEX.search(key) or _BASE64.fullmatch(key)
    found = found or _BASE32.fullmatch(key)
    if found is None:
        return False
    text = found[0].replace("-", "")
    neighbours = sum(abs(ord(a) - ord(b)) <= 1 for a, b in pairwise(text))
    is_periodic = text in (text + text)[1:-1]
    return len(set(text)) >= 7 and neighbours <= len(text) // 2 and not is_periodic
