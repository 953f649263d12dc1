"""Purchases in the benchmark: how one is replayed, and a short run of all of it."""

import datetime
import os
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from django.db import connection
from psycopg.types.json import Jsonb

from bench.buying import Bought
from bench.checkout import HOT, SPREAD, measure_checkout
from bench.ground import Ground
from bench.market import Books
from bench.run import Pace
from bench.statements import Differs, Program, program_of
from bench.targets import missed
from bench.tracing import Ended, Sent
from lavka.cli.embedded import Postgres
from tests.catalog.factories import make_variant
from tests.inventory.factories import make_warehouse

GOODS, OTHERS = uuid.UUID(int=1), uuid.UUID(int=2)
AT = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture
def bare() -> Iterator[psycopg.Connection[Any]]:
    settings = connection.settings_dict
    with psycopg.connect(
        host=settings["HOST"],
        port=settings["PORT"],
        user=settings["USER"],
        password=settings["PASSWORD"],
        dbname="postgres",
    ) as opened:
        opened.execute(
            "CREATE TEMP TABLE told (minted uuid, variant uuid, at timestamptz, said jsonb)"
        )
        opened.execute("CREATE TEMP SEQUENCE numbers START 3000000000")
        opened.commit()
        yield opened


def recorded(*, rowcount: int = 1) -> Program:
    minted, given, number = uuid.uuid4(), uuid.uuid4(), 2_000_000_000
    said = {"given": str(given), "key": f"{given} paid", "number": number, "kept": [1, "USD"]}
    entries = [
        Sent(
            query="SELECT gen_random_uuid(), nextval('numbers')",
            parameters=[],
            rows=[(given, number)],
            rowcount=1,
            is_alone=False,
        ),
        Sent(
            query="INSERT INTO told VALUES (%s, %s, %s, %s)",
            parameters=[minted, GOODS, AT, Jsonb(said)],
            rows=[],
            rowcount=rowcount,
            is_alone=False,
        ),
        Ended(is_committed=True),
    ]
    return program_of(entries, [GOODS])


def test_a_purchase_is_sent_again_with_values_of_its_own(bare: psycopg.Connection[Any]):
    program = recorded()

    program.run(bare, [OTHERS])
    program.run(bare, [OTHERS])

    bare.rollback()
    rows = bare.execute("SELECT minted, variant, at, said FROM told").fetchall()
    (one, variant, at, said), (other, _, _, also_said) = rows
    assert (program.statements, program.transactions) == (2, 1)
    assert one != other
    assert variant == OTHERS
    assert abs(at - datetime.datetime.now(datetime.UTC)) < datetime.timedelta(minutes=1)
    assert said["key"] == f"{said['given']} paid"
    assert said["given"] != also_said["given"]
    assert (said["number"], also_said["number"]) == (3_000_000_000, 3_000_000_001)
    assert said["kept"] == [1, "USD"]


def test_a_statement_with_another_effect_is_told(bare: psycopg.Connection[Any]):
    with pytest.raises(Differs, match="1 rows instead of 2"):
        recorded(rowcount=2).run(bare, [OTHERS])


def test_books_that_lack_a_piece_are_told():
    books = Books(
        paid=2, orders=2, numbers=2, carts=2, sold=900, payments=900, charges=900, ledger=900,
        pieces=6, allocated=6, reserved=6, held=0,
    )  # fmt: skip

    assert books.wrong(2) == []
    assert replace(books, reserved=5, charges=1350).wrong(2) == [
        "charges: 1350, and 900 is right",
        "reserved: 5, and 6 is right",
    ]


def test_quantiles_are_those_of_all_purchases():
    bought = Bought(seconds=[number / 1000 for number in range(1, 101)], elapsed=10)

    assert bought.per_second == 10
    assert bought.quantile_ms(0.5) == pytest.approx(50.5)
    assert bought.quantile_ms(0.95) == pytest.approx(95.95)


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    settings = connection.settings_dict
    postgres = Postgres(tmp_path, int(settings["PORT"]), settings["USER"], settings["PASSWORD"])
    backend = connection.cursor().execute("SELECT pg_backend_pid()").fetchone()[0]
    return Ground(
        products=0,
        postgres=postgres,
        postmaster=psutil.Process(backend).ppid(),
        variables={**os.environ, "POSTGRES_DB": settings["NAME"]},
        log=tmp_path,
    )


@pytest.mark.django_db(transaction=True)
def test_lavka_and_the_script_buy_and_their_books_are_right(ground: Ground):
    make_warehouse("main")
    for _number in range(8):
        make_variant()
    told: list[str] = []

    results = measure_checkout(
        ground, Pace(warm_up=0, seconds=0.5, rounds=1, workers=1, connections=2), told.append
    )

    assert [line for line in told if line.startswith("wrong")] == []
    for name in (SPREAD, HOT):
        assert results[name]["lavka"].rps > 0
        assert results[name]["script"].rps > 0
    assert not any("errors" in line for line in missed(results))
