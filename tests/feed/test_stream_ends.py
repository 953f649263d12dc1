"""A stream ends with the key, the session, the person or the right that opened it."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.utils import timezone

from lavka.accounts.models import ApiKey, User
from lavka.accounts.services import keys
from lavka.catalog.events import BrandChanged
from lavka.feed.hub import hub
from lavka.kernel import events, log
from lavka.kernel.errors import Unavailable
from lavka.kernel.threads import in_thread
from lavka.orders.events import OrderPlaced
from lavka.web.handler import FastLane
from tests.accounts.factories import make_staff, token_of
from tests.web.asgi import Client

pytestmark = pytest.mark.usefixtures("worker_threads", "read_pool")

RIGHT = "kernel.view_recordedevent"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lavka.feed.hub.CHECK_SECONDS", 0.05)


def make_key(*, right: str = RIGHT, scopes: Sequence[str] = ("events:read",)) -> tuple[User, str]:
    """The maker, whose right is their group's, and the key."""
    maker, group = make_staff("orders.view_order"), Group.objects.create(name=uuid.uuid4().hex)
    app, codename = right.split(".")
    group.permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    maker.groups.add(group)
    key = keys.create_key(
        name="erp", scopes=scopes, created_by=maker.pk, expires_at=None, at=timezone.now()
    )[1]
    return maker, key


def publish() -> None:
    events.publish(BrandChanged(brand_id=uuid.uuid4()))
    log.record_waiting()


def publish_order(*, number: int) -> None:
    events.publish(OrderPlaced(order_id=uuid.uuid4(), number=number))
    log.record_waiting()


@asynccontextmanager
async def listening(token: str) -> AsyncIterator[tuple[Client, asyncio.Task[Any]]]:
    """An open stream: what it has said, and the task that ends with it."""
    headers = {"authorization": f"Bearer {token}"}
    client = Client("GET", "/api/v1/manage/events/stream/", headers=headers)
    streaming = asyncio.create_task(client.ask(FastLane()))
    try:
        async with asyncio.timeout(20):
            await client.has_said(2)
        assert client.status == 200
        yield client, streaming
    finally:
        client.leaving.set()
        streaming.cancel()
        await asyncio.gather(streaming, return_exceptions=True)


def revoked(maker: User) -> None:
    key = ApiKey.objects.get(created_by=maker)
    keys.revoke_key(key_id=key.pk, by=maker.pk, at=timezone.now())


def expired(maker: User) -> None:
    ApiKey.objects.filter(created_by=maker).update(expires_at=timezone.now())


def deactivated(maker: User) -> None:
    User.objects.filter(pk=maker.pk).update(is_active=False)


def no_staff_any_more(maker: User) -> None:
    User.objects.filter(pk=maker.pk).update(is_staff=False)


def out_of_the_group(maker: User) -> None:
    maker.groups.clear()


def without_the_groups_right(maker: User) -> None:
    maker.groups.get().permissions.clear()


def deleted(maker: User) -> None:
    maker.delete()


ENDS = [
    revoked, expired, deactivated, no_staff_any_more, out_of_the_group, without_the_groups_right,
    deleted,
]  # fmt: skip


async def test_a_stream_tells_details_until_the_right_to_them_is_gone(
    monkeypatch: pytest.MonkeyPatch,
):
    """With no pause between its looks, one comes before each event."""
    monkeypatch.setattr("lavka.feed.hub.CHECK_SECONDS", 0)
    maker, key = await in_thread(make_key, scopes=["events:read", "orders:read"])
    async with listening(key) as (client, _):
        await in_thread(publish_order, number=1001)
        async with asyncio.timeout(20):
            await client.has_said(3)
        await in_thread(maker.user_permissions.clear)
        await in_thread(publish_order, number=1002)
        async with asyncio.timeout(20):
            await client.has_said(4)

    assert (b"1001" in client.body, b"1002" in client.body) == (True, False)
    assert client.body.count(b"orders.order_placed") == 4


@pytest.mark.parametrize("what", ENDS)
async def test_a_keys_stream_ends_and_another_goes_on(what: Callable[[User], None]):
    (maker, key), (_, other) = await in_thread(make_key), await in_thread(make_key)
    async with listening(key) as (client, streaming), listening(other) as (unharmed, going_on):
        await in_thread(what, maker)
        async with asyncio.timeout(20):
            await streaming
        said = len(client.said)
        await in_thread(publish)
        async with asyncio.timeout(20):
            await unharmed.has_said(3)
        assert not going_on.done()

    assert b"catalog.brand_changed" in unharmed.body
    assert len(client.said) == said
    assert b"catalog.brand_changed" not in client.body


async def test_between_two_events_of_a_batch_it_is_asked_too(monkeypatch: pytest.MonkeyPatch):
    """A slow listener gets no more than what comes before the next question."""
    monkeypatch.setattr("lavka.feed.hub.CHECK_SECONDS", 0)
    answers = [True, True, True, False]

    async def is_allowed() -> bool:
        return answers.pop(0)

    for _ in range(5):
        await in_thread(publish)

    heard = [event async for event in hub().stream(after=0, name="", is_allowed=is_allowed)]

    # Once before the batch, then before each of its events.
    assert [event and event.position for event in heard] == [1, 2]


async def test_a_members_stream_ends_with_the_right():
    person = await in_thread(make_staff, RIGHT)
    async with listening(token_of(person)) as (_, streaming):
        await in_thread(person.user_permissions.clear)
        async with asyncio.timeout(20):
            await streaming


async def test_nothing_is_told_while_nobody_can_say_whether_it_may_be():
    asked: list[bool] = []

    async def is_allowed() -> bool:
        asked.append(True)
        if len(asked) == 1:
            await in_thread(publish)
            raise Unavailable
        return False

    heard = [event async for event in hub().stream(after=0, name="", is_allowed=is_allowed)]

    assert (len(asked), heard) == (2, [])
