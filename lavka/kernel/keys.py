"""The shop's secret keys: one for each purpose, so that none can stand in for another.

They are derived (HKDF-SHA256, RFC 5869) from SECRET_KEY or, for a purpose that `LAVKA["KEYS"]`
names, from a secret of its own. The secrets before it, SECRET_KEY_FALLBACKS or the further ones of
that list, sign nothing any more; what they have signed stays good until it expires.
"""

import base64
import hashlib
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.crypto import constant_time_compare

from lavka.kernel.conf import options

TOKENS = "tokens"  # sessions' access and refresh tokens
MAILS = "mails"  # what proves an address, and resets a password
ORDER_LINKS = "order_links"  # what opens a guest's order
WEBHOOKS = "webhooks.keys"  # what endpoints' keys are sealed with
ANSWERS = "answers"  # what answers are sealed with that may have to be given again
PLACES = "places"  # the networks from which people sign in, as they are stored
SECURITY_LOG = "security_log"  # what stands in it for addresses that are nobody's
SANDBOX = "sandbox"  # the sandbox's webhooks
PURPOSES: tuple[str, ...] = (
    TOKENS, MAILS, ORDER_LINKS, WEBHOOKS, ANSWERS, PLACES, SECURITY_LOG, SANDBOX,
)  # fmt: skip


def keys_for(purpose: str) -> tuple[bytes, ...]:
    """The purpose's keys, 32 bytes each, the one that signs first."""
    own = options.keys.get(purpose)
    secrets = own or (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return tuple(derive(secret, purpose) for secret in secrets)


def derive(secret: str, purpose: str) -> bytes:
    """The key for a purpose that is made of a secret."""
    return _derived(secret, purpose)


@lru_cache(maxsize=64)
def _derived(secret: str, purpose: str) -> bytes:
    info = f"lavka.{purpose}".encode()
    return HKDF(SHA256(), 32, salt=None, info=info).derive(secret.encode())


def sign(purpose: str, text: bytes) -> str:
    """64 hexadecimal digits that only the shop could have written."""
    return signatures(purpose, text)[0]


def signatures(purpose: str, text: bytes) -> list[str]:
    """The signature by the purpose's key, then those by the keys before it."""
    return [_signature(key, text) for key in keys_for(purpose)]


def is_signature(purpose: str, text: bytes, signature: str) -> bool:
    """Whether the shop has signed the text, with its key or with one before it."""
    return any(constant_time_compare(each, signature) for each in signatures(purpose, text))


def seal(purpose: str, content: bytes) -> bytes:
    """Encrypt what nobody is to read in the database."""
    return _vault(purpose).encrypt(content)


def unseal(purpose: str, sealed: bytes) -> bytes:
    """Open what `seal` closed, by the purpose's key or one before it; raises InvalidToken."""
    return _vault(purpose).decrypt(sealed)


def _vault(purpose: str) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys_for(purpose)])


def _signature(key: bytes, text: bytes) -> str:
    return hmac.digest(key, text, hashlib.sha256).hex()
