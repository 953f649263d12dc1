"""The staff's pages for stock."""

import datetime
import uuid

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from lavka.inventory import services
from lavka.inventory.models import Hold, StockLevel, StockMovement, StockPolicy
from tests.accounts.factories import make_staff
from tests.catalog.factories import make_variant
from tests.inventory.factories import counters, make_stock, make_warehouse

pytestmark = pytest.mark.django_db

LEDGER = {"movements-TOTAL_FORMS": "0", "movements-INITIAL_FORMS": "0"}
MODELS = [
    "warehouse", "stocklevel", "stockpolicy", "hold", "allocation", "stockmovement",
]  # fmt: skip


@pytest.fixture
def staff(client: Client):
    user = make_staff()
    client.force_login(user)
    return user


@pytest.mark.usefixtures("staff")
@pytest.mark.parametrize("model", MODELS)
def test_every_page_opens(client: Client, model: str):
    make_stock(3)

    assert client.get(reverse(f"admin:inventory_{model}_changelist")).status_code == 200


def test_a_count_in_the_admin_is_a_line_in_the_ledger(client: Client, staff):
    variant = make_stock(3)
    level = StockLevel.objects.get()

    answer = client.post(
        reverse("admin:inventory_stocklevel_change", args=[level.pk]), {"on_hand": 7} | LEDGER
    )

    assert answer.status_code == 302
    assert counters(variant.pk) == (7, 0)
    newest = StockMovement.objects.first()
    assert (newest.quantity, newest.actor_id) == (4, staff.pk)


@pytest.mark.usefixtures("staff")
def test_the_first_count_in_the_admin_tracks_the_variant(client: Client):
    variant, warehouse = make_variant(), make_warehouse()

    answer = client.post(
        reverse("admin:inventory_stocklevel_add"),
        {"variant": variant.pk, "warehouse": warehouse.pk, "on_hand": 4} | LEDGER,
    )

    assert answer.status_code == 302
    assert counters(variant.pk) == (4, 0)


@pytest.mark.usefixtures("staff")
def test_a_policy_in_the_admin_reaches_the_level(client: Client):
    variant = make_stock(0)

    answer = client.post(
        reverse("admin:inventory_stockpolicy_add"),
        {"variant": variant.pk, "when_out": "backorder", "backorder_limit": 4},
    )

    assert answer.status_code == 302
    assert StockLevel.objects.get().available == 4


@pytest.mark.usefixtures("staff")
def test_a_refused_policy_is_told_and_not_saved(client: Client):
    answer = client.post(
        reverse("admin:inventory_stockpolicy_add"),
        {"variant": make_variant().pk, "when_out": "backorder", "backorder_limit": 4},
        follow=True,
    )

    assert "Track its inventory first" in answer.content.decode()
    assert not StockPolicy.objects.exists()


@pytest.mark.usefixtures("staff")
@pytest.mark.parametrize("action", ["change", "delete"])
def test_the_ledger_is_only_looked_at(client: Client, action: str):
    make_stock(3)
    movement = StockMovement.objects.get()

    answer = client.post(reverse(f"admin:inventory_stockmovement_{action}", args=[movement.pk]))

    assert answer.status_code == 403
    assert StockMovement.objects.count() == 1


def make_hold() -> Hold:
    """Two units that a guest's cart keeps."""
    services.reserve_stock(
        holder=uuid.uuid4(),
        quantities={make_stock(5).pk: 2},
        until=timezone.now() + datetime.timedelta(minutes=1),
        at=timezone.now(),
    )
    return Hold.objects.get()


@pytest.mark.usefixtures("staff")
def test_staff_end_a_hold_without_seeing_whose_cart_it_is(client: Client):
    hold = make_hold()
    release = reverse("admin:inventory_hold_release", args=[hold.reference])

    page = client.get(reverse("admin:inventory_hold_changelist")).content.decode()
    answer = client.post(release, follow=True)

    assert (release in page, str(hold.pk) in page) == (True, False)
    assert "Released." in answer.content.decode()
    assert StockLevel.objects.get().reserved == 0
    assert client.post(release).status_code == 302


def test_who_may_only_look_ends_no_hold(client: Client):
    hold = make_hold()
    client.force_login(make_staff("inventory.view_hold"))
    release = reverse("admin:inventory_hold_release", args=[hold.reference])

    page = client.get(reverse("admin:inventory_hold_changelist")).content.decode()

    assert release not in page
    assert [client.post(release).status_code, client.get(release).status_code] == [403, 403]
    assert Hold.objects.exists()
