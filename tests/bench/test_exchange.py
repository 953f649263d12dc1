import pytest

from bench.exchange import Answer, difference

CARD = {
    "slug": "cup",
    "price": {"amount": 990, "currency": "USD"},
    "rating": {"average": 5.0, "count": 1},
    "in_stock": True,
    "images": [{"url": "/media/a.webp"}],
}


def page(*cards: object, **more: object) -> Answer:
    return Answer(200, {"items": list(cards), **more})


def test_the_same_body_passes():
    assert difference(Answer(200, CARD), Answer(200, CARD)) == ""


def test_how_the_next_page_is_named_and_counted_does_not_matter():
    assert difference(page(CARD, next="WyI1"), page(CARD, count=20, next="?page=2")) == ""


def test_a_whole_number_is_the_same_number_as_json():
    found = CARD | {"rating": {"average": 5, "count": 1}}

    assert difference(Answer(200, CARD), Answer(200, found)) == ""


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"price": {"amount": 991, "currency": "USD"}}, "/price/amount: 991 instead of 990"),
        ({"in_stock": 1}, "/in_stock: 1 instead of True"),
        ({"rating": {"average": "5.00", "count": 1}}, "/rating/average: '5.00' instead of 5.0"),
        ({"images": []}, "/images: 0 instead of 1 entries"),
        ({"colour": "red"}, "/: fields ['colour'] on one side only"),
        ({"rating": None}, "/rating: None instead of {'average': 5.0, 'count': 1}"),
    ],
)
def test_a_wrong_body_is_refused(change, says):
    assert difference(Answer(200, CARD), Answer(200, CARD | change)) == says


def test_a_page_without_its_last_card_is_refused():
    assert difference(page(CARD, CARD), page(CARD)) == "/items: 1 instead of 2 entries"


def test_another_order_is_refused():
    other = CARD | {"slug": "bowl"}

    said = difference(page(CARD, other), page(other, CARD))

    assert said == "/items/0/slug: 'bowl' instead of 'cup'"


def test_another_status_is_refused():
    assert difference(Answer(304, None), Answer(200, CARD)) == "status 200 instead of 304"
