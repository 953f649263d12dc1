"""Who guesses passwords in tests, and from where."""

from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from lavka.accounts.rules import Source
from lavka.accounts.services import credentials
from tests.client import Api

HOME, CAFE, STRANGER = "198.51.100.7", "198.51.100.8", "203.0.113.66"
BOTNET = [f"2001:db8:{number:x}::1" for number in range(1, 1000)]


def guess(api: Api, email: str, password: str = "wrong", *, source: str = STRANGER, **body: str):
    api.client.defaults["REMOTE_ADDR"] = source
    api.client.cookies.clear()
    return api.post("/auth/token/", {"email": email, "password": password} | body)


DOUBLING = [1, 2, 4, 8, 16, 32, 64, 128, 256]


def besiege(email: str) -> None:
    """Sixty strangers, the last one right now, so that unknown places wait for five minutes."""
    pauses = [0] * 51 + DOUBLING
    claim((pause, email, source) for pause, source in zip(pauses, BOTNET, strict=False))


def spray() -> None:
    """A stranger at 110 accounts, the last one right now, so that they wait for five minutes."""
    pauses = [0] * 101 + DOUBLING
    claim((pause, f"{n}@example.com", STRANGER) for n, pause in enumerate(pauses))


def claim(attempts: Iterable[tuple[int, str, str]]) -> None:
    """Each after a pause in seconds, on an account from an address, without the work of hashing."""
    made = list(attempts)
    at = timezone.now() - timedelta(seconds=sum(pause for pause, _, _ in made))
    for pause, email, source in made:
        at += timedelta(seconds=pause)
        credentials.claim_attempt(email=email, source=place(source), at=at)


def as_network(address: str) -> str:
    return address if "." in address else address.replace("::1", "::/64")


def place(source: str = STRANGER) -> Source:
    return Source(as_network(source))
