import datetime
import json
import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from lavka.accounts.models import User
from lavka.catalog.models import Category, Product, ProductImage, Variant
from lavka.demo import goods, paintings, products, shelves, stock
from lavka.demo.gtin import restricted_gtin
from lavka.inventory.models import StockLevel
from lavka.kernel.models import OutboxEvent
from lavka.orders.models import Order
from lavka.reviews.models import Review
from lavka.shipping.selectors import rates_to
from lavka.tax.selectors import rate_on
from tests.inventory.factories import make_warehouse

pytestmark = pytest.mark.django_db


def stocked(path, settings) -> str:
    settings.MEDIA_ROOT = path / "media"
    make_warehouse()
    out = StringIO()
    call_command("demo", logins=path / "logins.json", stdout=out)
    return out.getvalue()


def test_the_demo_has_stock_to_sell_and_rates_to_sell_it_at():
    make_warehouse()
    products.add_products(shelves.ensure_shelves(), at=timezone.now())

    first = stock.count_variants(), stock.add_rates()
    again = stock.count_variants(), stock.add_rates()

    sold_out = sum(len(said.get("sold_out", [])) for said in goods.products())
    assert (first, again) == ((Variant.objects.count(), 17), (0, 0))
    assert StockLevel.objects.filter(on_hand=0).count() == sold_out > 0
    assert Variant.objects.filter(is_in_stock=False).count() == sold_out
    assert rate_on("RU", datetime.date(2025, 12, 31)) == (20, "")
    assert rate_on("RU", datetime.date(2026, 1, 1)) == (22, "")
    assert [rate.name for rate in rates_to("BR")] == ["International parcel"]


def counts() -> list[int]:
    return [
        model.objects.count()
        for model in (Product, Variant, ProductImage, Review, User, Order, OutboxEvent)
    ]


def test_the_demo_stocks_a_shop_once(tmp_path, settings):
    stocked(tmp_path, settings)
    first, logins = counts(), (tmp_path / "logins.json").read_text()
    again = stocked(tmp_path, settings)

    assert again.startswith("Demo shop: 0 of 95 products, 0 pictures and 0 of 300 reviews added")
    assert counts() == first
    assert (tmp_path / "logins.json").read_text() == logins
    assert first[0] == len(goods.products()) == 95
    assert Review.objects.count() == 300
    assert Order.objects.filter(customer__email="customer@example.com").count() == 7
    assert Category.objects.filter(parent=None).count() >= 10
    assert not Product.objects.filter(images=None).exists()
    assert OutboxEvent.objects.filter(name="reviews.review_changed").count() == 300
    assert set(Review.objects.values_list("rating", flat=True)) == {1, 2, 3, 4, 5}


def test_the_logins_work_and_only_the_owner_reads_them(tmp_path, settings, monkeypatch):
    monkeypatch.setattr(goods, "products", list)
    stocked(tmp_path, settings)

    path = tmp_path / "logins.json"
    said = json.loads(path.read_text())
    assert path.stat().st_mode & 0o777 == 0o600
    staff, customer = (User.objects.get(email=said[n]["email"]) for n in ("staff", "customer"))
    assert staff.check_password(said["staff"]["password"])
    assert customer.check_password(said["customer"]["password"])
    assert (staff.is_superuser, customer.is_staff) == (True, False)


def test_a_broken_logins_file_is_told_and_nothing_is_written(tmp_path):
    (tmp_path / "logins.json").write_text("[]")

    with pytest.raises(CommandError, match="is not a logins file"):
        call_command("demo", logins=tmp_path / "logins.json")

    assert counts() == [0, 0, 0, 0, 0, 0, 0]


def test_article_numbers_end_in_their_check_digit():
    assert restricted_gtin(638133393, prefix="400") == "4006381333931"
    assert re.fullmatch(r"20\d{11}", restricted_gtin(7, prefix="20"))


def test_a_product_is_painted_the_same_every_time():
    said = goods.products()[0]

    assert paintings.paint_all(said) == paintings.paint_all(said)
