"""The link to an order ends by itself, and the staff can end it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from lavka.orders import tokens
from lavka.orders.links import link_to
from lavka.orders.models import Order
from tests.accounts.factories import make_customer, make_staff, token_of
from tests.orders.factories import make_order

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _limits_off(settings: Any) -> None:
    settings.LAVKA = settings.LAVKA | {"THROTTLES": False}


def read(api: Any, order: Order, key: str, **options: Any) -> int:
    return api.get(f"/orders/{order.pk}/?key={key}", **options).status_code


def test_staff_revoke_the_links_to_an_order(api):
    order, other = make_order(), make_order()
    key, foreign = tokens.key_of(order.pk), tokens.key_of(other.pk)
    assert read(api, order, key) == 200

    staff = token_of(make_staff("orders.change_order"))
    answer = api.delete(f"/manage/orders/{order.pk}/links/", token=staff)

    order.refresh_from_db()
    assert answer.status_code == 200
    assert [each["kind"] for each in answer.json()["history"]][-1] == "links_revoked"
    assert "key" not in answer.json()
    for path in ("", "invoice/", "payments/", "returns/", "shipments/"):
        assert api.get(f"/orders/{order.pk}/{path}?key={key}").status_code == 404
    assert api.post(f"/orders/{order.pk}/cancel/?key={key}", {}).status_code == 404
    assert read(api, other, foreign) == 200
    fresh = link_to(order).rpartition("key=")[2]
    assert read(api, order, fresh) == 200


def test_who_may_not_change_orders_revokes_nothing(api):
    order = make_order()
    key = tokens.key_of(order.pk)

    for token in (token_of(make_customer()), token_of(make_staff("orders.view_order")), ""):
        answer = api.delete(f"/manage/orders/{order.pk}/links/", token=token)
        assert answer.status_code in {401, 403}

    assert read(api, order, key) == 200


def test_reading_an_order_does_not_prolong_its_link(api, settings):
    order = make_order()
    old = tokens.key_of(order.pk, on=timezone.now().date() - timedelta(days=80))

    shown = api.get(f"/orders/{order.pk}/?key={old}").json()
    cancelled = api.post(f"/orders/{order.pk}/cancel/?key={old}", {}).json()
    settings.LAVKA = settings.LAVKA | {"ORDER_LINKS_DAYS": 79}

    assert shown["key"] == cancelled["key"] == old
    assert read(api, order, old) == 404


def test_a_customer_gets_a_key_of_today_whatever_they_came_with(api):
    customer = make_customer()
    order = make_order(customer=customer)
    token = token_of(customer)

    plain = api.get(f"/orders/{order.pk}/", token=token).json()
    odd = api.get(f"/orders/{order.pk}/?key=nonsense", token=token).json()
    listed = api.get("/orders/", token=token).json()["items"]

    assert plain["key"] == odd["key"] == listed[0]["key"] == tokens.key_of(order.pk)
    assert api.get(f"/orders/{order.pk}/?key=nonsense").status_code == 404


def test_the_admin_revokes_too(client):
    order = make_order()
    client.force_login(make_staff())

    client.post(
        "/admin/orders/order/", {"action": "revoke_links", "_selected_action": [str(order.pk)]}
    )

    order.refresh_from_db()
    assert order.link_version == 1
    assert not tokens.opens(tokens.key_of(order.pk), order.pk, order.link_version)
