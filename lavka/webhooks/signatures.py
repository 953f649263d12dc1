"""Keys and signatures as Standard Webhooks 1.0 writes them, and how keys are kept.

`v1` is HMAC-SHA256 with a shared secret, `v1a` is ed25519. Every delivery carries both, for each
valid key. Source: Standard Webhooks 1.0, "Signature scheme".
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lavka.kernel.keys import WEBHOOKS, seal, unseal

SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Keys:
    """What signs: 32 random bytes shared with the receiver, and a private key of our own."""

    secret: bytes
    private_key: bytes

    @classmethod
    def make(cls) -> Self:
        """A new pair."""
        return cls(
            secrets.token_bytes(SECRET_BYTES), Ed25519PrivateKey.generate().private_bytes_raw()
        )

    @classmethod
    def unseal(cls, sealed_secret: bytes, sealed_private_key: bytes) -> Self:
        """Open what `seal` closed; raises InvalidToken when the shop's secret is another now."""
        return cls(unseal(WEBHOOKS, sealed_secret), unseal(WEBHOOKS, sealed_private_key))

    def seal(self) -> tuple[bytes, bytes]:
        """Both, as they are stored."""
        return seal(WEBHOOKS, self.secret), seal(WEBHOOKS, self.private_key)

    @property
    def shared(self) -> str:
        """The secret as its receiver configures it: `whsec_…`."""
        return f"whsec_{_base64(self.secret)}"

    @property
    def public(self) -> str:
        """The key that checks `v1a`: `whpk_…`."""
        key = Ed25519PrivateKey.from_private_bytes(self.private_key).public_key()
        return f"whpk_{_base64(key.public_bytes_raw())}"

    def sign(self, message: bytes) -> str:
        """Both signatures."""
        v1 = hmac.digest(self.secret, message, hashlib.sha256)
        v1a = Ed25519PrivateKey.from_private_bytes(self.private_key).sign(message)
        return f"v1,{_base64(v1)} v1a,{_base64(v1a)}"


def headers_of(
    *, message_id: str, timestamp: int, body: bytes, keys: Iterable[Keys]
) -> dict[str, str]:
    """The three headers of a message that is sent at `timestamp`, in seconds since 1970."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(each.sign(signed) for each in keys),
    }


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
