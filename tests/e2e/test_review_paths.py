"""A review changed by the API, in the admin or in a shell: each updates the rating."""

import re
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.rabbitmq import RabbitMQ
from tests.e2e.shop import Shop
from tests.e2e.test_ratings_replay import bearer, stock

SLUG = "garment-7"
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def shop(rabbitmq: RabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("review-paths")
    with Shop(folder, broker=rabbitmq.variables, workers=1) as running:
        yield running


@pytest.fixture
def reviewed(shop: Shop) -> Iterator[str]:
    """The id of a review with one star, counted."""
    if not shop.query("SELECT 1 FROM catalog_product"):
        stock(shop, ["7"], 1)
    ((author,),) = shop.query("SELECT id FROM accounts_user WHERE NOT is_staff")
    answer = httpx.post(
        f"{shop.base_url}/api/v1/products/{SLUG}/reviews/",
        json={"rating": 1, "title": "Torn", "text": "At the first wash."},
        headers=bearer(author),
    )
    assert answer.status_code == 201, answer.text
    wait_for(shop, count=1, average=1.0)
    yield answer.json()["id"]
    shop.manage(
        "shell", "-c", "from lavka.reviews.models import Review; Review.objects.all().delete()"
    )
    wait_for(shop, count=0, average=None)


def wait_for(shop: Shop, *, count: int, average: float | None) -> None:
    """Return when the API shows this rating; fails if it does not within 20 seconds."""
    deadline = time.monotonic() + 20
    expected = {"count": count, "average": average}
    while (found := rating_of(shop)) != expected:
        assert time.monotonic() < deadline, f"{found}\n{shop.workers[0].tail()}"
        time.sleep(0.1)


def rating_of(shop: Shop) -> dict[str, object]:
    found = httpx.get(f"{shop.base_url}/api/v1/products/{SLUG}/rating/").json()
    return {"count": found["count"], "average": found["average"]}


def test_a_review_changed_by_the_api_updates_the_rating(shop: Shop, reviewed: str):
    ((author,),) = shop.query("SELECT author_id FROM reviews_review")

    httpx.patch(
        f"{shop.base_url}/api/v1/reviews/{reviewed}/", json={"rating": 5}, headers=bearer(author)
    )

    wait_for(shop, count=1, average=5.0)


def test_a_review_changed_in_a_shell_updates_the_rating(shop: Shop, reviewed: str):
    shop.manage(
        "shell",
        "-c",
        "from lavka.reviews.models import Review\n"
        f"review = Review.objects.get(pk='{reviewed}'); review.rating = 4; review.save()",
    )

    wait_for(shop, count=1, average=4.0)


def test_a_review_changed_in_the_admin_updates_the_rating(
    shop: Shop, reviewed: str, admin: httpx.Client
):
    saved = submit(admin, f"/admin/reviews/review/{reviewed}/change/", rating="3")

    assert saved.status_code == 302, saved.text
    wait_for(shop, count=1, average=3.0)


def test_a_review_hidden_in_the_admins_list_leaves_the_rating(
    shop: Shop, reviewed: str, admin: httpx.Client
):
    submit(admin, "/admin/reviews/review/", action="hide", _selected_action=reviewed)

    wait_for(shop, count=0, average=None)


def test_a_review_deleted_in_the_admin_leaves_the_rating(
    shop: Shop, reviewed: str, admin: httpx.Client
):
    deleted = submit(admin, f"/admin/reviews/review/{reviewed}/delete/", post="yes")

    assert deleted.status_code == 302, deleted.text
    wait_for(shop, count=0, average=None)


@pytest.fixture
def admin(shop: Shop) -> Iterator[httpx.Client]:
    """A browser in which a superuser has signed in."""
    shop.manage(
        "shell",
        "-c",
        "from lavka.accounts.models import User\n"
        "User.objects.filter(email='chief@example.com').exists() or "
        f"User.objects.create_superuser('chief@example.com', '{PASSWORD}')",
    )
    headers = {"Referer": shop.base_url}
    with httpx.Client(base_url=shop.base_url, headers=headers, timeout=30) as client:
        entered = submit(client, "/admin/login/", username="chief@example.com", password=PASSWORD)
        assert entered.status_code == 302, entered.text
        yield client


def submit(admin: httpx.Client, path: str, **changes: str) -> httpx.Response:
    """Open a page and send its form with some fields changed, as a browser does."""
    page = admin.get(path).text
    return admin.post(path, data=_form(page) | changes)


def _form(page: str) -> dict[str, str]:
    """What the page's inputs, selects and text areas hold."""
    values = {}
    for tag in re.findall(r"<input[^>]*>", page):
        name, value = _attribute(tag, "name"), _attribute(tag, "value")
        if name and _attribute(tag, "type") not in {"submit", "checkbox", "radio"}:
            values[name] = value
    for attributes, options in re.findall(r"<select([^>]*)>(.*?)</select>", page, re.DOTALL):
        chosen = re.search(r'<option[^>]*value="([^"]*)"[^>]*\sselected', options)
        values[_attribute(attributes, "name")] = chosen.group(1) if chosen else ""
    for attributes, text in re.findall(r"<textarea([^>]*)>(.*?)</textarea>", page, re.DOTALL):
        values[_attribute(attributes, "name")] = text.strip()
    values.pop("", None)
    return values


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\s{name}="([^"]*)"', tag)
    return found.group(1) if found else ""
