"""Requests to the shop, as its customers and its staff send them."""

import asyncio
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import Any

import httpx
from rest_framework_simplejwt.tokens import AccessToken

# What creates an order, a refund or a return needs a key.
KEYED = ("/checkout/", "/refund/", "/returns/")


@dataclass(frozen=True)
class Person:
    """Somebody with or without an account; paths are below /api/v1."""

    client: httpx.AsyncClient
    answers: Counter[int]
    user_id: str = ""
    is_staff: bool = False

    async def call(
        self, method: str, path: str, body: Any = None, *, expected: int = 200, **query: str
    ) -> dict[str, Any]:
        """What is answered to a request that must succeed."""
        answer = await self.ask(method, path, body, **query)
        assert answer.status_code == expected, f"{method} {path}: {answer.text}"
        found: dict[str, Any] = answer.json()
        return found

    async def ask(self, method: str, path: str, body: Any = None, **query: str) -> httpx.Response:
        """Whatever is answered, once the shop does not ask to come again in a moment."""
        headers = {"Idempotency-Key": str(uuid.uuid4())} if path.endswith(KEYED) else {}
        if self.user_id:
            headers["Authorization"] = f"Bearer {self._token()}"
        while True:
            answer = await self.client.request(
                method, path, json=body, headers=headers, params=query
            )
            self.answers[answer.status_code] += 1
            if "Retry-After" not in answer.headers:
                return answer
            await asyncio.sleep(int(answer.headers["Retry-After"]))

    def _token(self) -> str:
        token = AccessToken()
        token["sub"], token["staff"] = self.user_id, self.is_staff
        token["sid"] = str(uuid.uuid4())
        return str(token)
