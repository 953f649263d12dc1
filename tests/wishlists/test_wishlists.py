"""Wishlists over the API: several, shared by link, moved to a cart."""

from uuid import UUID, uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from lavka.accounts.events import AccountClosed
from lavka.kernel import events
from lavka.wishlists import services, tasks
from lavka.wishlists.errors import TooManyWishlists, WishlistFull
from lavka.wishlists.models import MAX_ITEMS, MAX_LISTS, StockAlert, Wishlist, WishlistItem
from tests.accounts.factories import make_customer, make_staff, token_of
from tests.carts.factories import in_cart, make_cart
from tests.catalog.factories import make_product, make_variant
from tests.inventory.factories import make_stock
from tests.racing import race

pytestmark = pytest.mark.django_db

LISTS = "/wishlists/"


@pytest.fixture
def customer():
    return make_customer()


@pytest.fixture
def token(customer) -> str:
    return token_of(customer)


def make_wishlist(owner, *variants, name: str = "Kitchen") -> Wishlist:
    wishlist = services.create_wishlist(owner_id=owner.pk, name=name)
    for variant in variants:
        services.add_item(
            wishlist_id=wishlist.pk, owner_id=owner.pk, variant_id=variant.pk, at=timezone.now()
        )
    return wishlist


def item(wishlist: Wishlist, variant_id: UUID) -> str:
    return f"{LISTS}{wishlist.pk}/items/{variant_id}/"


def test_a_list_is_begun_filled_and_read(api, token):
    variant = make_variant(product=make_product(slug="kettle", name="Kettle"), price_amount=1299)

    made = api.post(LISTS, {"name": "Kitchen"}, token=token)
    path = f"{LISTS}{made.json()['id']}/"
    for _ in range(2):
        filled = api.put(f"{path}items/{variant.pk}/", token=token)

    assert (made.status_code, made.json()["items"]) == (201, [])
    assert filled.status_code == 200
    assert api.get(path, token=token).json() == filled.json()
    (wish,) = filled.json()["items"]
    assert wish.pop("added_at")
    assert wish == {
        "variant_id": str(variant.pk),
        "sku": variant.sku,
        "product": {"slug": "kettle", "name": "Kettle"},
        "options": {},
        "selected_options": [],
        "image": None,
        "price": {"amount": 1299, "currency": "USD"},
        "in_stock": True,
    }
    (listed,) = api.get(LISTS, token=token).json()["items"]
    assert (listed["name"], listed["item_count"], listed["share_key"]) == ("Kitchen", 1, None)


def test_what_customers_cannot_see_is_neither_added_nor_shown(api, customer, token):
    hidden = make_variant(product=make_product(status="draft"))
    shown = make_variant()
    wishlist = make_wishlist(customer, shown)

    refused = api.put(item(wishlist, hidden.pk), token=token)
    shown.product.status = "draft"
    shown.product.save()

    assert refused.status_code == 404
    assert api.get(f"{LISTS}{wishlist.pk}/", token=token).json()["items"] == []
    assert api.get(LISTS, token=token).json()["items"][0]["item_count"] == 0
    assert WishlistItem.objects.count() == 1


def test_a_wish_is_taken_off_however_often_it_is_said(api, customer, token):
    variant = make_variant()
    wishlist = make_wishlist(customer, variant)

    for _ in range(2):
        assert api.delete(item(wishlist, variant.pk), token=token).status_code == 204
    assert not WishlistItem.objects.exists()


def test_a_shared_list_is_seen_by_its_link_until_it_is_hidden(api, customer, token):
    wishlist = make_wishlist(customer, make_variant())
    path = f"{LISTS}{wishlist.pk}/"

    first = api.patch(path, {"is_shared": True}, token=token).json()["share_key"]
    again = api.patch(path, {"is_shared": True, "name": "Mine"}, token=token).json()["share_key"]
    seen = api.get(f"{LISTS}shared/{first}/").json()
    hidden = api.patch(path, {"is_shared": False}, token=token).json()
    second = api.patch(path, {"is_shared": True}, token=token).json()["share_key"]

    assert UUID(first).version == 4
    assert first == again != second
    assert (seen["name"], len(seen["items"]), sorted(seen)) == ("Mine", 1, ["items", "name"])
    assert hidden["share_key"] is None
    assert api.get(f"{LISTS}shared/{first}/").status_code == 404
    assert api.get(f"{LISTS}shared/{wishlist.pk}/").status_code == 404


def test_another_customers_list_is_404_by_every_path(api, token):
    variant = make_variant()
    wishlist = make_wishlist(make_customer(), variant)
    path, cart = f"{LISTS}{wishlist.pk}/", make_cart()

    answers = [
        api.get(path, token=token),
        api.patch(path, {"name": "Mine"}, token=token),
        api.delete(path, token=token),
        api.put(item(wishlist, make_variant().pk), token=token),
        api.delete(item(wishlist, variant.pk), token=token),
        api.post(f"{item(wishlist, variant.pk)}move/", {"cart_id": str(cart.pk)}, token=token),
    ]

    assert [answer.status_code for answer in answers] == [404] * 6
    wishlist.refresh_from_db()
    assert (wishlist.name, wishlist.items.count(), in_cart(cart.pk)) == ("Kitchen", 1, {})


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": ""}, "#/name"),
        ({"name": "x" * 101}, "#/name"),
        ({"name": 5}, "#/name"),
        ({"is_shared": "yes"}, "#/is_shared"),
        ({"share_key": str(uuid4())}, "#/share_key"),
    ],
)
def test_what_makes_no_list_is_refused(api, customer, token, body, pointer):
    wishlist = make_wishlist(customer)

    answer = api.patch(f"{LISTS}{wishlist.pk}/", body, token=token)

    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]


def test_a_wish_moves_into_the_cart(api, customer, token):
    variant = make_stock(5)
    wishlist, cart = make_wishlist(customer, variant), make_cart(customer)
    body = {"cart_id": str(cart.pk), "quantity": 2}

    moved = api.post(f"{item(wishlist, variant.pk)}move/", body, token=token)
    again = api.post(f"{item(wishlist, variant.pk)}move/", body, token=token)

    assert (moved.status_code, moved.json()["id"]) == (200, str(cart.pk))
    assert in_cart(cart.pk) == {variant.pk: 2}
    assert not wishlist.items.exists()
    assert again.status_code == 404


@pytest.mark.parametrize(
    ("quantity", "status", "code"), [(2, 409, "out_of_stock"), (1000, 422, "invalid")]
)
def test_a_wish_that_the_cart_does_not_take_stays(api, customer, token, quantity, status, code):
    variant = make_stock(1)
    wishlist, cart = make_wishlist(customer, variant), make_cart(customer)
    body = {"cart_id": str(cart.pk), "quantity": quantity}

    refused = api.post(f"{item(wishlist, variant.pk)}move/", body, token=token)

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert wishlist.items.count() == 1
    assert in_cart(cart.pk) == {}


def test_a_wish_does_not_move_into_another_customers_cart(api, customer, token):
    variant = make_stock(1)
    wishlist, cart = make_wishlist(customer, variant), make_cart(make_customer())

    refused = api.post(f"{item(wishlist, variant.pk)}move/", {"cart_id": str(cart.pk)}, token=token)

    assert refused.status_code == 404
    assert wishlist.items.count() == 1


def test_lists_and_wishes_are_bounded(api, customer, token):
    wishlist = make_wishlist(customer)
    WishlistItem.objects.bulk_create(
        WishlistItem(wishlist=wishlist, variant=make_variant()) for _ in range(MAX_ITEMS)
    )
    Wishlist.objects.bulk_create(
        Wishlist(owner=customer, name="More") for _ in range(MAX_LISTS - 1)
    )

    one_more = api.post(LISTS, {"name": "Garden"}, token=token)
    full = api.put(item(wishlist, make_variant().pk), token=token)

    assert (one_more.status_code, one_more.json()["code"]) == (409, "too_many_wishlists")
    assert (full.status_code, full.json()["code"]) == (409, "wishlist_full")
    assert one_more.json()["details"] == {"limit": MAX_LISTS}


@pytest.mark.django_db(transaction=True)
def test_the_last_place_is_given_once(customer):
    Wishlist.objects.bulk_create(
        Wishlist(owner=customer, name="More") for _ in range(MAX_LISTS - 1)
    )

    outcomes = race(lambda: services.create_wishlist(owner_id=customer.pk, name="Last"), times=6)

    assert outcomes.count(TooManyWishlists) == 5
    assert Wishlist.objects.count() == MAX_LISTS


@pytest.mark.django_db(transaction=True)
def test_the_last_wish_fits_once(customer):
    wishlist = make_wishlist(customer)
    product = make_product()
    variants = [
        make_variant(product=product, options={"size": str(n)}) for n in range(MAX_ITEMS + 5)
    ]
    WishlistItem.objects.bulk_create(
        WishlistItem(wishlist=wishlist, variant=each) for each in variants[: MAX_ITEMS - 1]
    )
    left = iter(variants[MAX_ITEMS - 1 :])

    outcomes = race(
        lambda: services.add_item(
            wishlist_id=wishlist.pk,
            owner_id=customer.pk,
            variant_id=next(left).pk,
            at=timezone.now(),
        ),
        times=6,
    )

    assert outcomes.count(WishlistFull) == 5
    assert wishlist.items.count() == MAX_ITEMS


@pytest.mark.parametrize("rows", [1, 3])
def test_reading_takes_the_same_queries_for_one_row_and_for_three(
    api, customer, token, rows, django_assert_num_queries
):
    wishlist = make_wishlist(customer, *(make_variant() for _ in range(rows)))
    for _ in range(rows - 1):
        make_wishlist(customer)

    with django_assert_num_queries(4):  # the list, what is on it, the variants, their stock
        api.get(f"{LISTS}{wishlist.pk}/", token=token)
    with django_assert_num_queries(1):
        assert len(api.get(LISTS, token=token).json()["items"]) == rows


def test_a_closed_account_leaves_no_wishes(customer):
    make_wishlist(customer, make_variant())
    StockAlert.objects.create(customer=customer, variant=make_variant())
    kept = make_wishlist(make_customer())

    assert tasks.forget_customer in events.handlers_of(AccountClosed.name)
    tasks.forget_customer(event_id=str(uuid4()), user_id=str(customer.pk))

    assert list(Wishlist.objects.all()) == [kept]
    assert not StockAlert.objects.exists()


def test_staff_look_at_wishes_and_change_nothing(client, customer):
    wishlist = make_wishlist(customer, make_variant())
    StockAlert.objects.create(customer=customer, variant=make_variant())
    client.force_login(make_staff())

    for page in (
        reverse("admin:wishlists_wishlist_changelist"),
        reverse("admin:wishlists_wishlist_change", args=[wishlist.pk]),
        reverse("admin:wishlists_stockalert_changelist"),
    ):
        assert client.get(page).status_code == 200
    assert client.get(reverse("admin:wishlists_wishlist_add")).status_code == 403
