"""What a caller's key stands for: the same key again is the same request, or it is refused."""

import json
import re
from collections.abc import Mapping
from hashlib import blake2b
from itertools import pairwise

from django.utils.translation import gettext_lazy as _

from lavka.kernel.errors import Invalid

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_HEX = r"(?=[0-9]*[a-f])[0-9a-f]{32,}"
# Its first ten characters are a time: until the year 2109 they begin so.
_ULID = r"0[1-3][0-9a-hjkmnp-tv-z]{24}"
_RANDOM = re.compile(f"{_UUID}|{_HEX}|{_ULID}", re.IGNORECASE)


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

    It is a UUID of version 4 or 7, 32 or more hexadecimal digits with a letter among them, or a
    ULID. Nothing else is taken, as words and counters look like it. Of these no repetition and no
    counting up is: of three million random keys about one looks like that.
    """
    if _RANDOM.fullmatch(key) is None:
        return False
    text = key.replace("-", "").lower()
    neighbours = sum(abs(ord(a) - ord(b)) <= 1 for a, b in pairwise(text))
    is_periodic = text in (text + text)[1:-1]
    return len(set(text)) >= 7 and neighbours <= len(text) * 2 // 3 and not is_periodic
