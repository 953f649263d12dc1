from concurrent.futures import ThreadPoolExecutor

import pytest
from django.utils import translation
from rest_framework import serializers

from lavka.web.serializers import Input, StrictCharField, StrictIntegerField

TOO_LONG = {
    "en": "Ensure this field has no more than 3 characters.",
    "ru": "Убедитесь, что это значение содержит не более 3 символов.",
}


class Piece(Input):
    word = StrictCharField(max_length=3)


class Order(Input):
    count = StrictIntegerField(min_value=1)
    piece = Piece(required=False)
    pieces = Piece(many=True, required=False)


def told(language: str) -> str:
    with translation.override(language), pytest.raises(serializers.ValidationError) as refused:
        Piece.read({"word": "words"})
    detail = refused.value.detail
    assert isinstance(detail, dict)
    return str(detail["word"][0])


def test_a_refusal_is_told_in_the_language_of_each_request():
    languages = ["en", "ru", "en", "ru"]

    with ThreadPoolExecutor(2) as threads:
        elsewhere = list(threads.map(told, languages))

    assert [told(each) for each in languages] == elsewhere == [TOO_LONG[each] for each in languages]


def test_one_body_leaves_nothing_to_the_next():
    whole = {"count": 2, "piece": {"word": "abc"}, "pieces": [{"word": "a"}, {"word": "b"}]}

    assert Order.read(whole) == whole
    with pytest.raises(serializers.ValidationError) as refused:
        Order.read({"count": 0, "piece": {"word": "abcd"}, "pieces": [{}, {"word": "b"}], "x": 1})
    assert refused.value.get_codes() == {
        "count": ["min_value"],
        "piece": {"word": ["max_length"]},
        "pieces": {0: {"word": ["required"]}},
        "x": ["unknown"],
    }
    assert Order.read({"count": 1}) == {"count": 1}


def test_a_partial_body_leaves_the_whole_one_as_strict_as_it_was():
    assert Piece.read({}, partial=True) == {}
    with pytest.raises(serializers.ValidationError) as refused:
        Piece.read({})
    assert refused.value.get_codes() == {"word": ["required"]}
