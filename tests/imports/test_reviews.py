import csv
import re
from collections import Counter, defaultdict
from decimal import ROUND_HALF_UP, Decimal
from io import StringIO
from pathlib import Path
from random import Random

import pytest
from django.core.management import CommandError, call_command

from lavka.accounts.models import User
from lavka.catalog.models import Product
from lavka.imports.reviews import CLOTHING as CLOTHING_COLUMNS
from lavka.kernel.models import OutboxEvent
from lavka.reviews import ratings
from lavka.reviews.models import ProductRating, Review
from tests.catalog.factories import make_product, make_variant
from tests.data.files import made_up, name_of, real_table, rows_of, text_of

pytestmark = pytest.mark.django_db

FOLDER = "womens-clothing-reviews"
CLOTHING = (
    ",Clothing ID,Age,Title,Review Text,Rating,Recommended IND,Positive Feedback Count,"
    "Division Name,Department Name,Class Name\n"
)


def imported(path: Path, **options) -> tuple[int, str, list[tuple[int, str, str]]]:
    """Exit code, summary, and the refusals as line, column and code."""
    out, report, code = StringIO(), path.with_suffix(".refused"), 0
    try:
        call_command("import_reviews", str(path), report=report, stdout=out, **options)
    except SystemExit as leaving:
        code = int(leaving.code)
    rows = list(csv.DictReader(report.read_text().splitlines()))
    return code, out.getvalue(), [(int(r["line"]), r["column"], r["code"]) for r in rows]


def test_reviews_are_saved_by_slug_or_sku_and_announced(tmp_path):
    make_product(slug="mug")
    plate = make_variant(sku="PLATE-1").product
    path = tmp_path / "reviews.csv"
    path.write_text(
        "product,author_email,rating,title,text,created_at\n"
        'mug,Ann@example.com,5,Good,"Two\nlines",2026-01-31T12:00:00Z\n'
        "PLATE-1,ann@example.com,2,,,\n"
    )

    code, summary, refused = imported(path)

    assert (code, refused) == (0, [])
    assert summary.startswith("0 already there, 2 created")
    mug = Review.objects.get(product__slug="mug")
    assert (mug.rating, mug.title, mug.text) == (5, "Good", "Two\nlines")
    assert mug.created_at.isoformat() == "2026-01-31T12:00:00+00:00"
    assert Review.objects.get(product=plate).rating == 2
    assert User.objects.get().email == "ann@example.com"
    assert not User.objects.get().has_usable_password()
    assert OutboxEvent.objects.filter(name="reviews.review_changed").count() == 2


def test_a_second_import_adds_and_announces_nothing(tmp_path):
    make_product(slug="mug")
    path = tmp_path / "reviews.csv"
    path.write_text("product,author_email,rating\nmug,a@example.com,5\nmug,a@example.com,1\n")
    imported(path)
    events = OutboxEvent.objects.count()

    _, summary, _ = imported(path)

    assert summary.startswith("2 already there, 0 created")
    assert Review.objects.get().rating == 5
    assert OutboxEvent.objects.count() == events


def test_bad_rows_are_refused_by_line_and_the_others_saved(tmp_path):
    make_product(slug="mug")
    path = tmp_path / "reviews.csv"
    path.write_text(
        "product,author_email,rating,created_at\n"
        "mug,a@example.com,6,\n"
        "mug,nobody,5,\n"
        "mug,b@example.com,5,yesterday\n"
        "cup,c@example.com,5,\n"
        "mug,d@example.com,4,\n"
    )

    code, _, refused = imported(path)

    assert code == 1
    assert refused == [
        (2, "rating", "bad_rating"),
        (3, "author_email", "bad_email"),
        (4, "created_at", "bad_date"),
        (5, "product", "unknown_product"),
    ]
    assert list(Review.objects.values_list("author__email", "rating")) == [("d@example.com", 4)]


def test_an_unknown_header_is_refused_whole(tmp_path):
    path = tmp_path / "reviews.csv"
    path.write_text("name,stars\nmug,5\n")

    with pytest.raises(CommandError, match="no review file") as error:
        call_command("import_reviews", str(path))

    assert error.value.returncode == 2


def test_the_clothing_reviews_are_known_by_their_header(tmp_path):
    path = tmp_path / "reviews.csv"
    path.write_text(
        CLOTHING + '0,767,33,,"Silky, comfortable",4,1,0,Initmates,Intimate,Intimates\n'
        "1,1080,34,,Love it,5,1,4,General,Dresses,Dresses\n"
        "2,1080,60,Flaws,Hopes,3,0,0,General,Dresses,Dresses\n"
    )

    code, _, refused = imported(path, create_products=True)

    assert (code, refused) == (0, [])
    assert set(Product.objects.values_list("slug", "name", "category__name")) == {
        ("clothing-767", "Intimates 767", "Intimates"),
        ("clothing-1080", "Dresses 1080", "Dresses"),
    }
    ratings = Review.objects.filter(product__slug="clothing-1080").values_list("rating", flat=True)
    assert Counter(ratings) == {5: 1, 3: 1}


def test_a_shop_that_approves_reviews_holds_imported_ones(tmp_path, settings):
    settings.LAVKA = settings.LAVKA | {"REVIEWS_NEED_APPROVAL": True}
    make_product(slug="mug")
    path = tmp_path / "reviews.csv"
    path.write_text("product,author_email,rating\nmug,a@example.com,5\n")

    imported(path)
    count_announced()

    assert Review.objects.get().status == Review.Status.PENDING
    assert not ProductRating.objects.filter(count__gt=0).exists()


def test_a_dry_run_counts_across_batches_and_writes_nothing(tmp_path):
    path = tmp_path / "reviews.csv"
    rows = [f"new,a{n % 600}@example.com,5\n" for n in range(1200)]
    path.write_text("product,author_email,rating\n" + "".join(rows) + "new,nobody,5\n")

    code, summary, refused = imported(path, dry_run=True, create_products=True)

    assert (code, refused) == (1, [(1202, "author_email", "bad_email")])
    assert summary.startswith("600 already there, 600 created")
    for model in (Review, User, Product, OutboxEvent):
        assert not model.objects.exists()


def test_ratings_counted_from_imported_reviews_equal_a_count_of_the_file(tmp_path, say_input):
    real = real_table(FOLDER, CLOTHING_COLUMNS)
    path = tmp_path / "clothing.csv"
    if real is None:
        say_input(made_up(FOLDER))
        generated(path)
    else:
        say_input(name_of(real))
        path.symlink_to(real)

    code, _, refused = imported(path, create_products=True)
    _, again, _ = imported(path, create_products=True)
    # By events as they come, which is what workers do; a large file by the bulk way.
    if Review.objects.count() <= 2000:
        count_announced()
    else:
        ratings.rebuild_ratings()

    expected = counted_by_hand(path, {line for line, _, _ in refused})
    assert sum(stars.total() for stars in expected.values()) == Review.objects.count() > 0
    assert ratings_in_the_shop() == expected
    assert ", 0 created" in again
    assert code == bool(refused)
    oracle = real and real_table(FOLDER, ["clothing_id", "rating_sum"])
    if oracle:
        say_input(f"compared with {name_of(oracle)}")
        compare(oracle, expected)


def count_announced() -> None:
    """What a worker does with the outbox."""
    for event in OutboxEvent.objects.filter(name="reviews.review_changed"):
        ratings.count_review(
            review_id=event.payload["review_id"], product_id=event.payload["product_id"]
        )


def generated(path: Path) -> Path:
    """300 reviews of 23 garments, in the shape of the public set."""
    chance = Random(7)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, CLOTHING.rstrip().split(","), restval="")
        writer.writeheader()
        writer.writerows(
            {
                "": number,
                "Clothing ID": 1000 + chance.randrange(23),
                "Age": chance.randrange(18, 99),
                "Title": chance.choice(["", "Love it", 'The "best", ever']),
                "Review Text": chance.choice(["", "Fits\nwell", "Too small, sadly"]),
                "Rating": chance.choices([1, 2, 3, 4, 5], [1, 2, 3, 5, 13])[0],
                "Class Name": chance.choice(["Dresses", "Knits", ""]),
            }
            for number in range(300)
        )
    return path


def counted_by_hand(path: Path, refused: set[int]) -> dict[str, Counter[int]]:
    """Stars by product, read with nothing of the shop; `refused` are lines that do not count."""
    stars: dict[str, Counter[int]] = defaultdict(Counter)
    rows = csv.reader(text_of(path).splitlines(keepends=True))
    header, line = next(rows), rows.line_num + 1
    for row in rows:
        said = dict(zip(header, row, strict=True))
        if line not in refused:
            stars[str(int(said["Clothing ID"]))][int(said["Rating"])] += 1
        line = rows.line_num + 1
    return dict(stars)


def ratings_in_the_shop() -> dict[str, Counter[int]]:
    found = {}
    for rating in ProductRating.objects.select_related("product"):
        stars = Counter({n: getattr(rating, f"stars_{n}") for n in range(1, 6)})
        found[rating.product.slug.removeprefix("clothing-")] = +stars
        assert rating.count == stars.total()
        exact = Decimal(sum(n * times for n, times in stars.items())) / stars.total()
        assert rating.average == exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return found


def compare(path: Path, stars: dict[str, Counter[int]]) -> None:
    """The shop's numbers against a table of ratings by product, as far as it says them."""
    rows = [{tidy(name): value for name, value in row.items()} for row in rows_of(path)]
    assert {column(row, "clothing", "product", "id") for row in rows} == stars.keys()
    for row in rows:
        own = stars[column(row, "clothing", "product", "id")]
        if said := column(row, "count", "reviews", "ratings", "n"):
            assert int(float(said)) == own.total()
        if said := column(row, "average", "mean", "avg"):
            exact = Decimal(sum(n * times for n, times in own.items())) / own.total()
            digits = Decimal(1).scaleb(-len(said.partition(".")[2]))
            assert abs(Decimal(said) - exact) <= digits / 2 + Decimal("1e-9")
        for n in range(1, 6):
            if said := column(row, f"stars{n}", f"star{n}", f"{n}stars", f"{n}star", f"rating{n}"):
                assert int(float(said)) == own[n]


def tidy(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def column(row: dict[str, str], *names: str) -> str:
    """The value of the first column called like one of these, exactly or else in part."""
    for name in names:
        for each, value in row.items():
            if each == name:
                return value
    for name in names:
        for each, value in row.items():
            if len(name) > 2 and name in each and not re.search(r"[1-5]", each):
                return value
    return ""


def test_a_table_of_ratings_is_compared_whatever_its_columns_are_called(tmp_path):
    stars = {"7": Counter({5: 2, 4: 1}), "8": Counter({1: 1})}
    heads = [
        ("Clothing ID,Count,Average,Stars 1,Stars 2,Stars 3,Stars 4,Stars 5"),
        ("product_id,review_count,mean_rating,1_star,2_star,3_star,4_star,5_star"),
        ("clothing_id,n,avg,rating_1,rating_2,rating_3,rating_4,rating_5"),
    ]
    for head in heads:
        path = tmp_path / "ratings.csv"
        path.write_text(f"{head}\n7,3,4.6667,0,0,0,1,2\n8,1,1.0,1,0,0,0,0\n")
        compare(path, stars)

        for wrong in ("7,4,4.6667,0,0,0,1,2", "7,3,4.66,0,0,0,1,2", "7,3,4.6667,0,0,1,1,2"):
            path.write_text(f"{head}\n{wrong}\n8,1,1.0,1,0,0,0,0\n")
            with pytest.raises(AssertionError):
                compare(path, stars)
