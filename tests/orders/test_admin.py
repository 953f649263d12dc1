import pytest
from django.test import Client
from django.urls import reverse

from tests.accounts.factories import make_staff
from tests.orders.factories import make_draft, make_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def test_the_list_shows_number_state_and_total(admin: Client):
    make_order()
    make_draft()

    page = admin.get(reverse("admin:orders_order_changelist")).content.decode()

    assert "№ 1" in page
    assert "37.18 USD" in page


def test_an_orders_page_shows_lines_and_history_and_changes_nothing(admin: Client):
    order = make_order()

    page = admin.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()

    assert "KETTLE-RED" in page
    assert "12.99 USD" in page
    assert 'name="_save"' not in page
