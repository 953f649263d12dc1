"""Staff who may look at a list cannot ask it about what its pages withhold."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from lavka.inventory import services as inventory
from lavka.inventory.models import Hold
from lavka.kernel.admin import ModelAdmin
from lavka.notifications.models import SentMail
from lavka.wishlists.models import Wishlist
from tests.accounts.factories import make_customer, make_staff
from tests.carts.factories import make_cart
from tests.inventory.factories import make_stock
from tests.orders.factories import make_order
from tests.webhooks.factories import make_delivery, make_endpoint, make_event

pytestmark = pytest.mark.django_db

LOOKUPS = ["", "exact", "iexact", "gt", "gte", "lte", "in", "range", "startswith", "regex"]
ANY_LOOKUP = [*LOOKUPS, "contains", "isnull", "has_key", "year", "total", "total__amount__gte"]


def columns_of(model: type[Model], depth: int = 1) -> Iterator[str]:
    """Each column of a model, and each of those that its relations lead to."""
    for field in model._meta.get_fields(include_hidden=True):
        yield from {field.name, getattr(field, "attname", field.name)}
        if depth and field.is_relation and field.related_model:
            for column in columns_of(field.related_model, depth - 1):
                yield f"{field.name}__{column}"


def linked_by(page: ModelAdmin) -> set[str]:
    """The lookups of a page that lead to no more than it shows; of a date, all its filters use."""
    key = page.opts.pk.name
    shown = {key, f"{key}__exact"} if page.shows_ids else set()
    for entry in page.list_filter:
        name = entry if isinstance(entry, str) else entry[0]
        shown |= {f"{name}{end}" for end in ("", "__exact", "__isnull", "__isempty")}
        shown |= {f"{name}__{end}" for end in ("gte", "lt", "id__exact")}
    if page.date_hierarchy:
        shown |= {f"{page.date_hierarchy}__{part}" for part in ("year", "month", "day")}
    return shown


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, id=model._meta.label) for model, page in admin.site._registry.items()],
)
def test_a_list_is_filtered_only_by_what_its_page_links_to(page: Any):
    request, linked = RequestFactory().get("/"), linked_by(page)
    columns = {"pk", *columns_of(page.model)}
    lookups = {f"{each}__{lookup}".rstrip("_") for each in columns for lookup in ANY_LOOKUP}

    allowed = {each for each in lookups if page.lookup_allowed(each, "1", request)}

    assert isinstance(page, ModelAdmin)
    assert len(lookups) > 30
    assert allowed <= linked


@pytest.mark.parametrize("model", ["carts.Cart", "inventory.Hold"])
def test_a_row_whose_id_is_a_key_is_not_found_by_it(model: str):
    page = next(each for row, each in admin.site._registry.items() if row._meta.label == model)

    asked = ["id", "id__exact", "pk", "pk__exact"]
    assert not any(page.lookup_allowed(each, str(uuid.uuid4()), HttpRequest()) for each in asked)
    assert not page.to_field_allowed(HttpRequest(), "id")


def secrets() -> dict[str, str]:
    """A query for each value that a page withholds, true of the row that there is."""
    cart = make_cart(email="grace@example.com")
    order = make_order(cart_id=cart.pk)
    share_key = uuid.uuid4()
    Wishlist.objects.create(owner=make_customer(), name="Birthday", share_key=share_key)
    inventory.reserve_stock(
        holder=cart.pk,
        quantities={make_stock(5).pk: 2},
        until=timezone.now() + timedelta(minutes=1),
        at=timezone.now(),
    )
    make_event()
    make_delivery(make_endpoint())
    low = "00000000-0000-0000-0000-000000000000"
    return {
        "orders_order": f"id__exact={order.pk}&cart_id__gte={low}",
        "carts_cart": f"id__gte={low}",
        "inventory_hold": f"id__gte={low}",
        "checkout_quote": f"cart_id__gte={low}",
        "wishlists_wishlist": f"share_key__gte={low}",
        "kernel_recordedevent": "payload__order_id__gte=0",
        "kernel_outboxevent": "payload__order_id__gte=0",
        "webhooks_delivery": "body__data__order_id__gte=0",
        "accounts_user": "password__startswith=a",
        "accounts_apikey": "digest__gte=0",
        "payments_operation": "key__startswith=a",
    }


def test_no_list_answers_whether_a_withheld_value_is_beyond_another(client: Client):
    client.force_login(make_staff())
    asked = secrets()

    def answered(page: str, query: str) -> int:
        return client.get(f"{reverse(f'admin:{page}_changelist')}?{query}").status_code

    assert {page: answered(page, query) for page, query in asked.items()} == dict.fromkeys(
        asked, 400
    )


def test_a_list_still_answers_to_its_own_links(client: Client):
    client.force_login(make_staff())
    order, endpoint = make_order(), make_endpoint()
    make_delivery(endpoint)
    year = order.placed_at.year
    asked = {
        "orders_order": f"id__exact={order.pk}&status__exact={order.status}&placed_at__year={year}",
        "webhooks_delivery": f"endpoint__id__exact={endpoint.pk}&event_name=orders.order_placed",
        "payments_payment": "method=sandbox&created_at__gte=2026-01-01T00:00:00Z&_facets=True",
        "accounts_user": "is_staff__exact=1&email_verified_at__isempty=1&o=1&p=1",
        "inventory_stockmovement": f"level__warehouse__id__exact={uuid.uuid4()}",
        "carts_cart": "status__exact=open&q=grace&o=-5",
    }

    for page, query in asked.items():
        path = f"{reverse(f'admin:{page}_changelist')}?{query}"
        assert (page, client.get(path).status_code) == (page, 200)


@pytest.mark.parametrize(
    ("app", "model", "field"),
    [
        ("carts", "cartline", "cart"),
        ("carts", "cart", "merged_into"),
        ("inventory", "reservation", "hold"),
    ],
)
def test_no_field_completes_what_is_typed_with_a_key(
    client: Client, app: str, model: str, field: str
):
    secrets()
    client.force_login(make_staff())
    query = f"app_label={app}&model_name={model}&field_name={field}&term="

    answer = client.get(f"{reverse('admin:autocomplete')}?{query}")

    assert answer.status_code == 403


@pytest.mark.parametrize("query", ["_popup=1", "_popup=1&_to_field=id", "_to_field=id", "o=1&all="])
def test_no_form_of_a_list_shows_a_key(client: Client, query: str):
    secrets()
    client.force_login(make_staff())
    key = str(Hold.objects.get().pk)

    for page in ("carts_cart", "inventory_hold"):
        answer = client.get(f"{reverse(f'admin:{page}_changelist')}?{query}")
        assert key not in answer.content.decode()


@pytest.mark.parametrize(("text", "found"), [("grace@example.com", 1), ("grace@", 0), ("x", 0)])
def test_a_guests_address_is_found_whole_where_it_is_not_shown(
    client: Client, text: str, found: int
):
    order = make_order(email="grace@example.com")
    mailed = SentMail.objects.create(kind="order_placed", order=order, event_id=uuid.uuid4())
    client.force_login(make_staff("notifications.view_sentmail"))

    listed = client.get(reverse("admin:notifications_sentmail_changelist"), {"q": text})

    assert (listed.status_code, listed.content.decode().count(str(mailed.pk))) == (200, found)
