"""A pooled connection that was cut is noticed, and one that lives is not asked each time."""

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection as django_connection

from lavka.kernel import liveness
from lavka.kernel.database import connection_parameters

pytestmark = pytest.mark.django_db(transaction=True)


class Counted(psycopg.Connection[Any]):
    """Knows how often it was asked for nothing."""

    asked = 0

    def execute(self, query: Any, *arguments: Any, **options: Any) -> Any:
        self.asked += query == ""
        return super().execute(query, *arguments, **options)


@pytest.fixture
def pooled() -> Iterator[Counted]:
    with Counted.connect(**connection_parameters()) as connection:
        yield connection


def cut(pooled: Counted) -> None:
    with django_connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pooled.info.backend_pid])


def test_it_is_asked_once_in_a_while(pooled: Counted, monkeypatch):
    liveness.check(pooled)
    liveness.check(pooled)
    assert pooled.asked == 1

    later = time.monotonic() + liveness.TRUSTED_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    liveness.check(pooled)
    assert pooled.asked == 2


def test_a_cut_one_is_noticed_at_once(pooled: Counted):
    liveness.check(pooled)
    cut(pooled)

    with pytest.raises(psycopg.OperationalError):
        liveness.check(pooled)
