"""What is measured: a name, the requests, and who takes part. A new scenario is one entry here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from bench.exchange import Client, Request
from bench.ground import PASSWORD
from bench.survey import Survey

PRODUCTS = "/api/v1/products/"
KEYS = 5000
SIGN_INS = 20_000
EVERYBODY = ("lavka", "recipe", "drf", "ninja", "fastapi")


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One kind of request; `requests` are drawn from at random, or sent once each for a write.

    `is_kept`: whether a contender may answer from memory; else every answer is computed.
    `rows_made` counts the rows of a write, `undo` takes them away; both are SQL with the instant
    from which on.
    """

    name: str
    title: str
    requests: Callable[[Survey, Client], Sequence[Request]]
    contenders: Sequence[str]
    is_write: bool = False
    is_kept: bool = False
    rows_made: str = ""
    undo: Sequence[str] = ()


def _pages(survey: Survey, lavka: Client) -> list[Request]:
    return [
        Request(path=f"{PRODUCTS}?cursor={cursor}", numbered_path=f"{PRODUCTS}?page={number}")
        for number, cursor in enumerate(survey.cursors, start=2)
    ] or [Request(path=PRODUCTS)]


def _filtered(survey: Survey, lavka: Client) -> list[Request]:
    chance = _chance()
    return [
        Request(
            path=f"{PRODUCTS}?category={chance.choice(survey.categories)}"
            f"&price_min={chance.choice(survey.prices)}"
            f"&sort={chance.choice(['price', '-price', 'rating'])}"
        )
        for _ in range(KEYS)
    ]


def _searches(survey: Survey, lavka: Client) -> list[Request]:
    """A page of what is found and its facets, as a shop front asks for them, by turns."""
    chance = _chance()
    words = ["+".join(chance.sample(name.split(), 2)) for name in survey.names[:KEYS]]
    return [
        Request(path=f"{path}?q={each}")
        for each in words
        for path in (PRODUCTS, f"{PRODUCTS}facets/")
    ]


def _products(survey: Survey, lavka: Client) -> list[Request]:
    return [Request(path=f"{PRODUCTS}{slug}/") for slug in survey.slugs]


def _hot_page(survey: Survey, lavka: Client) -> list[Request]:
    return [Request(path=PRODUCTS)]


def _unchanged(survey: Survey, lavka: Client) -> list[Request]:
    return [
        Request(path=page.path, headers={"If-None-Match": lavka.send(page).etag})
        for page in _pages(survey, lavka)
    ]


def _profiles(survey: Survey, lavka: Client) -> list[Request]:
    return [
        Request(path="/api/v1/me/", headers=_bearer(survey, user_id))
        for user_id, _ in survey.customers[:KEYS]
    ]


def _sign_ins(survey: Survey, lavka: Client) -> list[Request]:
    """Newcomers register and customers sign in, one after the other."""
    pairs = []
    for number in range(SIGN_INS):
        _, email = survey.customers[number % len(survey.customers)]
        newcomer = {"email": f"bench-{number}@example.com", "password": PASSWORD}
        pairs += [
            _post("/api/v1/auth/register/", newcomer),
            _post("/api/v1/auth/token/", {"email": email, "password": PASSWORD}),
        ]
    return pairs


def _reviews(survey: Survey, lavka: Client) -> list[Request]:
    headers = {user_id: _bearer(survey, user_id) for user_id, _ in survey.unreviewed}
    content = {
        "rating": 4,
        "title": "Holds what it says",
        "text": "A week in the rain, and it is as good as on the first day.",
    }
    return [
        _post(f"{PRODUCTS}{slug}/reviews/", content, headers[user_id])
        for user_id, slug in survey.unreviewed
    ]


def _post(path: str, body: object, headers: dict[str, str] | None = None) -> Request:
    sent = {"Content-Type": "application/json", **(headers or {})}
    return Request(method="POST", path=path, headers=sent, body=body)


def _bearer(survey: Survey, user_id: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {survey.token(user_id)}"}


def _chance() -> Random:
    return Random("bench")  # noqa: S311 - the same keys every time, nothing secret


SCENARIOS = {
    each.name: each
    for each in (
        Scenario(
            name="page",
            title="Catalogue page, 20 products, a random page",
            requests=_pages,
            contenders=(*EVERYBODY, "limit"),
        ),
        Scenario(
            name="filtered",
            title="Filtered and sorted page",
            requests=_filtered,
            contenders=(*EVERYBODY, "limit"),
        ),
        Scenario(
            name="search",
            title="Search with facets",
            requests=_searches,
            contenders=("lavka", "limit"),
        ),
        Scenario(
            name="product",
            title="Product page",
            requests=_products,
            contenders=(*EVERYBODY, "limit"),
        ),
        Scenario(
            name="hot",
            title="Hot page: the same URL",
            requests=_hot_page,
            contenders=EVERYBODY,
            is_kept=True,
        ),
        Scenario(
            name="304",
            title="Not modified: a page that the client has",
            requests=_unchanged,
            contenders=("lavka",),
            is_kept=True,
        ),
        Scenario(
            name="me",
            title="The profile of a token's customer",
            requests=_profiles,
            contenders=EVERYBODY,
        ),
        Scenario(
            name="register",
            title="Register, sign in",
            requests=_sign_ins,
            contenders=("lavka",),
            is_write=True,
            rows_made="SELECT (SELECT count(*) FROM accounts_user WHERE joined_at >= %(since)s)"
            " + (SELECT count(*) FROM accounts_session WHERE created_at >= %(since)s)",
            undo=(
                "DELETE FROM kernel_outboxevent WHERE occurred_at >= %(since)s",
                "DELETE FROM accounts_session WHERE created_at >= %(since)s",
                "DELETE FROM accounts_user WHERE joined_at >= %(since)s",
            ),
        ),
        Scenario(
            name="review",
            title="Write a review",
            requests=_reviews,
            contenders=EVERYBODY,
            is_write=True,
            rows_made="SELECT count(*) FROM reviews_review WHERE created_at >= %(since)s",
            undo=(
                "DELETE FROM kernel_outboxevent WHERE occurred_at >= %(since)s",
                "DELETE FROM reviews_review WHERE created_at >= %(since)s",
            ),
        ),
    )
}
