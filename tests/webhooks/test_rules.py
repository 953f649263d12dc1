"""What is told, and when it is tried again."""

import datetime
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lavka.kernel.actors import Actor
from lavka.webhooks import rules
from lavka.webhooks.rules import Answer

AT = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


def answer(status_code: int | None = 500, retry_after: str = "") -> Answer:
    return Answer(status_code, datetime.timedelta(0), retry_after=retry_after)


def test_the_pauses_grow_from_seconds_to_a_day_and_end_after_three():
    pauses = [rules.next_attempt_at(answer(), tries=n, at=AT, luck=0.5) - AT for n in range(1, 10)]

    assert pauses[0] == datetime.timedelta(seconds=5)
    assert pauses[-1] == datetime.timedelta(days=1)
    assert pauses == sorted(pauses)
    assert sum(pauses, datetime.timedelta(0)) == datetime.timedelta(hours=75, minutes=35, seconds=5)
    assert rules.next_attempt_at(answer(), tries=10, at=AT, luck=0.5) is None


@given(tries=st.integers(1, 9), luck=st.floats(0, 1))
def test_jitter_stays_within_a_fifth(tries, luck):
    pause = rules.next_attempt_at(answer(), tries=tries, at=AT, luck=luck) - AT

    assert abs(pause / rules.PAUSES[tries - 1] - 1) <= 0.2 + 1e-6


@pytest.mark.parametrize(
    ("header", "pause"),
    [
        ("120", datetime.timedelta(seconds=120)),
        (" 0 ", datetime.timedelta(0)),
        ("9" * 30, datetime.timedelta(days=1)),
        ("Sun, 01 Mar 2026 13:00:00 GMT", HOUR),
        ("Sun, 01 Mar 2026 13:00:00 -0000", HOUR),
        ("Sun, 01 Mar 2026 11:00:00 GMT", datetime.timedelta(0)),
        ("Fri, 01 Jan 2100 00:00:00 GMT", datetime.timedelta(days=1)),
        ("-5", datetime.timedelta(0)),
        ("soon", datetime.timedelta(0)),
        ("", datetime.timedelta(0)),
        ("²", datetime.timedelta(0)),
        ("1e99", datetime.timedelta(0)),
        ("-1e99", datetime.timedelta(0)),
        ("NaN", datetime.timedelta(0)),
        ("\x00", datetime.timedelta(0)),
        ("9" * 10_000, datetime.timedelta(days=1)),
        ("Mon, 01 Jan 9999 00:00:00 GMT", datetime.timedelta(days=1)),
        ("Fri, 31 Dec 9999 23:59:59 -2359", datetime.timedelta(days=1)),
        ("Mon, 01 Jan 0001 00:00:00 +2359", datetime.timedelta(0)),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", datetime.timedelta(0)),
        ("Mon, 01 Jan 2026 99:99:99 GMT", datetime.timedelta(0)),
        ("Mon, 01 Jan 2026 00:00:00 +99999999999", datetime.timedelta(0)),
        ("Mon, 99999999999999999999 Jan 2026 00:00:00 GMT", datetime.timedelta(0)),
        ("Mon," * 5_000, datetime.timedelta(0)),
    ],
)
def test_retry_after_is_read_in_both_its_forms_and_bounded(header, pause):
    assert rules.asked_pause(header, at=AT) == pause


@given(
    st.text(max_size=120) | st.from_regex(r"\w{3}, \d{1,25} Jan \d{1,25} [\d:]{1,12} [+-]\d{1,25}")
)
def test_whatever_retry_after_says_the_pause_is_from_nothing_to_a_day(header):
    assert rules.NO_PAUSE <= rules.asked_pause(header, at=AT) <= rules.LONGEST_WAIT


def test_retry_after_makes_the_pause_longer_and_never_shorter():
    assert rules.next_attempt_at(answer(503, "3600"), tries=1, at=AT, luck=0) == AT + HOUR
    assert rules.next_attempt_at(answer(503, "1"), tries=4, at=AT, luck=0.5) == AT + 2 * HOUR


def test_the_circuit_opens_at_the_fifth_failure_and_stays_open_longer_each_time():
    minutes = [
        until and (until - AT).total_seconds() / 60
        for until in (rules.open_until(n, answer(), at=AT) for n in range(1, 14))
    ]

    assert minutes == [None, None, None, None, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert rules.open_until(10**6, answer(), at=AT) == AT + HOUR


def test_retry_after_holds_for_the_whole_endpoint():
    assert rules.open_until(1, answer(429, "7200"), at=AT) == AT + 2 * HOUR


@pytest.mark.parametrize(
    ("status_code", "is_accepted"),
    [
        (200, True),
        (204, True),
        (299, True),
        (199, False),
        (301, False),
        (410, False),
        (None, False),
    ],
)
def test_only_2xx_takes_a_delivery(status_code, is_accepted):
    assert answer(status_code).is_accepted is is_accepted


def test_a_body_is_an_events_payload_and_never_reaches_twenty_kilobytes():
    order_id = uuid.uuid4()
    staff = Actor.staff(uuid.uuid4())
    told = {
        "name": "orders.order_placed",
        "version": 3,
        "occurred_at": AT,
        "actor": staff,
        "aggregate": order_id,
    }

    thin = rules.body_of(**told, payload={"order_id": str(order_id)})
    cut = rules.body_of(**told, payload={"files": ["x" * 1000] * 20})

    assert thin == {
        "type": "orders.order_placed",
        "version": 3,
        "actor": {"kind": "staff", "id": str(staff.id), "name": ""},
        "timestamp": "2026-03-01T12:00:00+00:00",
        "data": {"order_id": str(order_id)},
    }
    assert cut["data"] == {"id": str(order_id)}


def test_nothing_that_a_customer_must_not_fear_is_told():
    assert not [name for name in rules.NAMES if "password" in name or "verif" in name]
    assert len(set(rules.NAMES)) == len(rules.NAMES) == 20
