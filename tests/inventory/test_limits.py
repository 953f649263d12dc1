"""What one buyer keeps from others unpaid is limited, in time and in units."""

import datetime
import threading
import uuid
from collections.abc import Iterable

import pytest
from django.utils import timezone

from lavka.catalog.models import Variant
from lavka.inventory import services
from lavka.inventory.models import Hold, ReservationUsage
from lavka.inventory.reconcile import drifted_levels
from lavka.inventory.rules import HoldLimit, Requester
from lavka.inventory.selectors import available_for, available_of
from lavka.inventory.services import limits
from lavka.kernel.models import OutboxEvent
from tests.inventory.factories import counters, make_stock
from tests.racing import race_each

pytestmark = pytest.mark.django_db

NOW = timezone.now()
FOR = datetime.timedelta(seconds=90)
WINDOW = datetime.timedelta(hours=1)
OFFICE = "203.0.113.7"


def guest(address: str = OFFICE, free_units: int = 2) -> Requester:
    return Requester(customer_id=None, address=address, free_units=free_units)


def ask(
    *variants: Variant,
    units: int = 1,
    requester: Requester | None = None,
    holder: uuid.UUID | None = None,
    at: datetime.datetime = NOW,
    lasting: datetime.timedelta = FOR,
) -> bool:
    """Ask for a hold; says whether it was given."""
    held = services.reserve_stock(
        holder=holder or uuid.uuid4(),
        quantities={variant.pk: units for variant in variants},
        until=at + lasting,
        at=at,
        requester=requester or guest(),
    )
    return held is not None


def held_of(variants: Iterable[Variant]) -> int:
    return sum(counters(variant.pk)[1] for variant in variants)


def test_one_address_keeps_a_share_of_what_is_left_however_many_carts_it_has():
    variant = make_stock(50)

    given = [ask(variant) for _ in range(20)]

    assert (sum(given), held_of([variant])) == (4, 4)  # a tenth of 46 is 4
    assert ask(variant, requester=guest("203.0.113.8"))


def test_a_customer_is_limited_from_wherever_they_come():
    variant, customer = make_stock(100), uuid.uuid4()

    given = [
        ask(variant, requester=Requester(customer_id=customer, address=str(n), free_units=2))
        for n in range(9)
    ]

    assert (sum(given), held_of([variant])) == (4, 4)  # a twentieth of 96 is 4


HOME = "198.51.100.4"


def test_a_cart_counts_for_whoever_keeps_its_units_now():
    variant = make_stock(1000)
    carts = [uuid.uuid4() for _ in range(20)]
    begun = [ask(variant, holder=cart) for cart in carts]

    raised = [ask(variant, units=10, holder=cart, requester=guest(HOME)) for cart in carts]

    assert all(begun)
    of_home = ReservationUsage.objects.filter(address=HOME)
    assert sum(raised) == of_home.count() == 9  # a tenth of what is left is 90
    assert held_of([variant]) == sum(ReservationUsage.objects.values_list("quantity", flat=True))
    assert not ask(variant, units=10, requester=guest(HOME))
    assert set(Hold.objects.values_list("address", flat=True)) >= {HOME}


def test_what_moves_to_another_address_frees_the_first_and_counts_once():
    variant, cart = make_stock(50), uuid.uuid4()
    assert ask(variant, units=4, holder=cart)
    assert not ask(variant, units=2)

    assert ask(variant, units=5, holder=cart, requester=guest(HOME))

    assert not ask(variant, requester=guest(HOME))
    assert ask(variant, units=4)


def test_a_guest_who_signs_in_counts_for_the_customer_too():
    variant, customer = make_stock(100), uuid.uuid4()
    carts = [uuid.uuid4() for _ in range(3)]
    for cart in carts:
        ask(variant, holder=cart)

    given = [
        ask(
            variant,
            units=2,
            holder=cart,
            requester=Requester(customer_id=customer, address=str(n), free_units=2),
        )
        for n, cart in enumerate(carts)
    ]

    assert given == [True, True, False]  # a twentieth of what is free is 4


def test_one_variant_more_does_not_move_another_past_its_share():
    """What is not asked for again stays with whoever it was within the limits of."""
    scarce = make_stock(50)
    for _ in range(12):
        cart = uuid.uuid4()
        ask(scarce, holder=cart)
        services.reserve_stock(
            holder=cart,
            quantities={scarce.pk: 1, make_stock(50).pk: 1},
            until=NOW + FOR,
            at=NOW,
            requester=guest(HOME),
        )

    assert held_of([scarce]) == 8  # 4 of each address


def test_so_many_units_are_held_however_few_are_left():
    variant = make_stock(3)

    assert [ask(variant, requester=guest(free_units=2)) for _ in range(3)] == [True, True, False]
    assert ask(variant, requester=guest("203.0.113.8"))


def test_one_cart_is_limited_like_many():
    variant = make_stock(50)

    assert not ask(variant, units=6)
    assert held_of([variant]) == 0
    assert not Hold.objects.exists()
    assert ask(variant, units=5)


def test_what_is_refused_shows_nothing_as_sold_out():
    variant = make_stock(5)
    OutboxEvent.objects.all().delete()

    assert not ask(variant, units=5)

    assert not OutboxEvent.objects.exists()
    variant.refresh_from_db()
    assert variant.is_in_stock


def test_units_of_all_variants_together_are_limited(settings):
    settings.LAVKA = settings.LAVKA | {"HOLD_UNITS": {"address": 7}}
    variants = [make_stock(50) for _ in range(12)]

    given = [ask(variant, units=2) for variant in variants]

    assert (sum(given), held_of(variants)) == (3, 6)


def test_who_lets_go_and_begins_anew_with_another_cart_gains_nothing():
    variant, carts = make_stock(50), [uuid.uuid4() for _ in range(40)]
    for cart in carts[:4]:
        ask(variant, holder=cart)
        services.release_reservation(holder=cart)

    at = NOW + 10 * FOR
    assert not any(ask(variant, units=2, holder=cart, at=at) for cart in carts)

    assert ask(variant, units=2, at=NOW + WINDOW)


def test_a_cart_that_changes_what_it_holds_counts_for_all_of_it(settings):
    settings.LAVKA = settings.LAVKA | {"HOLD_UNITS": {"address": 5}}
    variants, cart = [make_stock(50) for _ in range(9)], uuid.uuid4()

    given = [ask(variant, units=2, holder=cart) for variant in variants]

    assert given == [True, True, *[False] * 7]
    assert sum(ReservationUsage.objects.values_list("quantity", flat=True)) == 4


def test_fewer_units_are_held_whatever_the_limit_is_now():
    variant, cart = make_stock(50), uuid.uuid4()
    ask(variant, units=5, holder=cart)
    services.adjust_stock(variant_id=variant.pk, warehouse="main", by=-40, reason="damage")

    assert ask(variant, units=3, holder=cart)
    assert held_of([variant]) == 3


def test_what_was_bought_no_longer_counts():
    variant = make_stock(50)
    bought = 0
    for _ in range(9):
        cart = uuid.uuid4()
        assert ask(variant, units=2, holder=cart)
        services.allocate_reservation(
            holder=cart, order_id=uuid.uuid4(), quantities={variant.pk: 2}, at=NOW
        )
        bought += 2

    assert (counters(variant.pk), ReservationUsage.objects.count()) == ((50, bought), 0)


def test_a_hold_ends_whatever_its_cart_does():
    variant, cart = make_stock(50), uuid.uuid4()
    given = []
    for step in range(6):
        at = NOW + step * FOR / 3
        given.append(ask(variant, units=1 + step % 2, holder=cart, at=at))
        services.extend_reservation(holder=cart, until=at + FOR)
        if step == 4:
            services.release_expired(at=at, limit=10)

    assert given == [True, True, True, False, False, False]
    assert held_of([variant]) == 0
    assert ask(variant, holder=cart, at=NOW + WINDOW)


def test_more_units_bring_the_end_nearer_and_never_further():
    variant, cart = make_stock(500), uuid.uuid4()
    ask(variant, holder=cart, lasting=4 * FOR)

    ask(variant, units=2, holder=cart)
    nearer = Hold.objects.get().ends_at
    ask(variant, units=3, holder=cart, lasting=4 * FOR)

    assert (nearer, Hold.objects.get().ends_at) == (NOW + FOR, NOW + FOR)


def test_what_others_let_expire_is_told_to_whoever_is_short():
    variant = make_stock(2)
    cart = uuid.uuid4()
    ask(variant, units=2, holder=cart)

    wanted = {variant.pk: 1}
    assert available_for(wanted, NOW) == {variant.pk: 0}
    assert available_for(wanted, NOW + FOR) == {variant.pk: 2}
    assert available_for(wanted, NOW + FOR, holder=cart) == available_of([variant.pk], cart)


def test_what_counts_no_longer_hides_nothing_before_it_is_forgotten():
    variant, carts = make_stock(100), [uuid.uuid4() for _ in range(5)]
    begun = [ask(variant, holder=cart) for cart in carts]
    services.release_expired(at=NOW + FOR, limit=10)

    given = [ask(variant, units=8, holder=cart, at=NOW + WINDOW) for cart in carts]

    assert (begun, given) == ([True] * 5, [True, *[False] * 4])
    assert ReservationUsage.objects.get().quantity == 8


def test_what_was_exchanged_before_an_unpaid_order_counts_no_longer_than_its_hour():
    ordered, exchanged, cart = make_stock(50), make_stock(50), uuid.uuid4()
    ask(exchanged, holder=cart)
    ask(ordered, holder=cart)
    until = NOW + datetime.timedelta(days=14)
    services.allocate_reservation(
        holder=cart,
        order_id=uuid.uuid4(),
        quantities={ordered.pk: 1},
        at=NOW,
        unpaid_until=until,
    )

    counted = dict(ReservationUsage.objects.values_list("variant_id", "counts_until"))
    assert counted == {ordered.pk: until, exchanged.pk: NOW + WINDOW}


def test_what_counts_no_longer_is_forgotten():
    ask(make_stock(50))

    assert services.purge_usage(at=NOW + WINDOW - FOR) == 0
    assert services.purge_usage(at=NOW + WINDOW) == 1


def test_without_limits_all_is_held(settings):
    settings.LAVKA = settings.LAVKA | {
        "HOLD_UNITS": {"address": 0},
        "HOLD_SHARE_PERCENT": {"address": 0},
    }
    variant = make_stock(50)

    assert ask(variant, units=50)


def test_a_limit_of_units_and_of_a_share():
    one, two = uuid.uuid4(), uuid.uuid4()
    limit = HoldLimit(units=10, share_percent=10)
    free = {one: 50}

    def allows(asked: int, *, used: dict[uuid.UUID, int] | None = None) -> bool:
        return limit.allows({one: asked}, used=used or {}, free=free, free_units=2)

    assert (allows(5), allows(6)) == (True, False)
    assert (allows(2, used={one: 3}), allows(3, used={one: 3})) == (True, False)
    assert (allows(5, used={two: 5}), allows(5, used={two: 6})) == (True, False)


ELSEWHERE = 6


def race_for_different_variants(settings) -> int:
    """How many of ten carts from one address, each of another variant, hold two units at once."""
    settings.LAVKA = settings.LAVKA | {"HOLD_UNITS": {"address": ELSEWHERE}}
    variants = [make_stock(50) for _ in range(10)]
    race_each(*[lambda each=each: ask(each, units=2) for each in variants])
    assert drifted_levels() == {}
    return held_of(variants)


@pytest.mark.django_db(transaction=True)
def test_carts_at_once_stay_within_the_limit(settings):
    assert race_for_different_variants(settings) == ELSEWHERE


@pytest.mark.django_db(transaction=True)
def test_control_carts_at_once_exceed_a_limit_that_nobody_locks(settings, monkeypatch):
    """Instead of taking turns, all come to the same point and then count."""
    meeting = threading.Barrier(10)
    monkeypatch.setattr(limits, "lock_limits", lambda _requester: meeting.wait(timeout=20))

    assert race_for_different_variants(settings) > ELSEWHERE
