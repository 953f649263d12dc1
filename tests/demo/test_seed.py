from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, F

from lavka.accounts.models import User
from lavka.catalog.models import Product, Variant
from lavka.kernel.models import OutboxEvent
from lavka.reviews import ratings
from lavka.reviews.models import HelpfulVote, ProductRating, Review
from tests.accounts.factories import make_customer
from tests.catalog.factories import make_product

pytestmark = pytest.mark.django_db


def seeded(products: int, reviews: int, **options) -> str:
    out = StringIO()
    call_command("seed", products=products, reviews=reviews, stdout=out, **options)
    return out.getvalue()


def rows() -> list[list[dict]]:
    volatile = {"brand_id", "category_id", "product_type_id"}
    return [
        [
            {k: v for k, v in row.items() if k not in volatile}
            for row in model.objects.order_by("pk").values()
        ]
        for model in (Product, Variant, Review, HelpfulVote, User)
    ]


def test_a_seed_has_exactly_what_was_asked_for_and_its_ratings_are_right():
    seeded(200, 700)

    assert (Product.objects.count(), Review.objects.count()) == (200, 700)
    sizes = Product.objects.annotate(size=Count("variants")).values_list("size", flat=True)
    assert (min(sizes), max(sizes)) == (1, 6)
    assert sum(ProductRating.objects.values_list("count", flat=True)) == 700
    voted = Review.objects.annotate(votes_cast=Count("votes"))
    assert not voted.exclude(helpful=F("votes_cast")).exists()
    assert not OutboxEvent.objects.exists()
    assert ratings._miscounted_reviews() == []
    assert not any(user.has_usable_password() for user in User.objects.all())


def test_the_same_numbers_give_the_same_rows():
    seeded(60, 200)
    first = rows()

    seeded(60, 200, replace=True)

    assert rows() == first


def test_a_second_seed_adds_nothing():
    seeded(20, 30)

    assert "nothing was added" in seeded(20, 30)
    with pytest.raises(CommandError, match="20 seeded products with 30 reviews already"):
        seeded(21, 30)
    assert Product.objects.count() == 20


def test_replacing_a_seed_leaves_the_shop_own_rows():
    own, customer = make_product(), make_customer()
    seeded(20, 30)
    Review.objects.create(product=Product.objects.exclude(pk=own.pk)[0], author=customer, rating=1)

    seeded(10, 0, replace=True)

    assert Product.objects.count() == 11
    assert Product.objects.filter(pk=own.pk).exists()
    assert User.objects.filter(pk=customer.pk).exists()
    assert not Review.objects.exists()


def test_a_password_for_load_tests_fits_every_seeded_customer():
    seeded(5, 5, password="for the load test")

    assert User.objects.order_by("id").last().check_password("for the load test")
