"""What a product type allows."""

import datetime
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lavka.catalog.rules import (
    MAX_NUMBER,
    AttributeRule,
    VariantValues,
    check_variants,
    check_window,
    checked_attributes,
    choice_code_from,
    slug_from,
)
from lavka.kernel.errors import Invalid
from lavka.kernel.money import Money
from lavka.web import json

CHOICES = ("s", "m", "l")
RULES = [
    AttributeRule(code=kind, kind=kind, choices=CHOICES if kind.startswith("choice") else ())
    for kind in ("text", "number", "boolean", "date", "choice", "choices")
]
SIZE = AttributeRule(code="size", kind="choice", choices=CHOICES, is_option=True)
COLOR = AttributeRule(code="color", kind="choice", choices=("red",), is_option=True)

any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def refusals(call) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        call()
    return [(error.pointer, error.code) for error in refused.value.errors]


@given(st.dictionaries(st.sampled_from([rule.code for rule in RULES]), any_json))
def test_whatever_comes_is_stored_or_refused_where_it_stands(values):
    refused, kept = set(), {}
    try:
        kept = checked_attributes(RULES, values)
    except Invalid as refusal:
        refused = {error.pointer.removeprefix("#/attributes/") for error in refusal.errors}

    assert refused | kept.keys() <= values.keys()
    assert json.loads(json.dumps(kept)) == kept


@given(st.dictionaries(st.sampled_from([rule.code for rule in RULES]), any_json))
def test_what_is_stored_is_accepted_again_unchanged(values):
    try:
        kept = checked_attributes(RULES, values)
    except Invalid:
        return
    assert checked_attributes(RULES, kept) == kept


@given(st.floats(-MAX_NUMBER, MAX_NUMBER) | st.integers(-MAX_NUMBER, MAX_NUMBER))
def test_a_number_keeps_its_value(number):
    assert checked_attributes(RULES, {"number": number}) == {"number": number}


@given(st.dates())
def test_a_date_keeps_its_day(day: datetime.date):
    assert checked_attributes(RULES, {"date": day.isoformat()}) == {"date": day.isoformat()}


@given(st.permutations(CHOICES), st.integers(1, 3))
def test_several_choices_are_kept_in_the_staffs_order(codes, count):
    chosen = codes[:count]

    kept = checked_attributes(RULES, {"choices": chosen})

    assert kept == {"choices": [code for code in CHOICES if code in chosen]}


@pytest.mark.parametrize(
    ("code", "value", "refusal"),
    [
        ("text", 5, "invalid"),
        ("text", "a\x00b", "invalid"),
        ("text", "x" * 1001, "too_long"),
        ("number", "5", "invalid"),
        ("number", True, "invalid"),
        ("number", math.nan, "invalid"),
        ("number", math.inf, "invalid"),
        ("number", 2**53, "out_of_range"),
        ("boolean", 1, "invalid"),
        ("date", "20260131", "invalid"),
        ("date", "2026-02-30", "invalid"),
        ("date", "2026-01-31T00:00:00", "invalid"),
        ("choice", "xl", "unknown_choice"),
        ("choice", ["s"], "unknown_choice"),
        ("choices", "s", "invalid"),
        ("choices", ["s", "xl"], "unknown_choice"),
        ("choices", ["s", "s"], "duplicate"),
        ("choices", [["s"]], "unknown_choice"),
    ],
)
def test_a_value_of_another_kind_is_refused(code, value, refusal):
    assert refusals(lambda: checked_attributes(RULES, {code: value})) == [
        (f"#/attributes/{code}", refusal)
    ]


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_an_empty_value_is_no_value(empty):
    required = AttributeRule(code="text", kind="text", is_required=True)

    assert checked_attributes(RULES, {"text": empty}) == {}
    assert refusals(lambda: checked_attributes([required], {"text": empty})) == [
        ("#/attributes/text", "required")
    ]


def test_an_unknown_attribute_and_an_option_are_no_attributes():
    assert refusals(lambda: checked_attributes([SIZE], {"size": "s", "a/b~c": 1})) == [
        ("#/attributes/size", "unknown"),
        ("#/attributes/a~1b~0c", "unknown"),
    ]


def variant(sku: str = "A", **values) -> VariantValues:
    return VariantValues(**{"sku": sku, "price": Money(100, "USD"), "options": {}} | values)


def test_a_type_without_options_has_one_variant():
    check_variants([], [variant()], currency="USD")

    both = [variant("A"), variant("B")]
    assert refusals(lambda: check_variants([], both, currency="USD")) == [
        ("#/variants/1/options", "duplicate")
    ]


def test_options_in_another_order_are_the_same_options():
    first = variant("A", options={"size": "s", "color": "red"})
    second = variant("B", options={"color": "red", "size": "s"})

    assert refusals(lambda: check_variants([SIZE, COLOR], [first, second], currency="USD")) == [
        ("#/variants/1/options", "duplicate")
    ]


def test_everything_wrong_is_told_at_once():
    wrong = variant(
        " ",
        price=Money(-1, "EUR"),
        compare_at_price=Money(-2, "USD"),
        gtin="1",
        weight_grams=-1,
        options={"size": "xl", "shape": "round"},
    )

    assert refusals(lambda: check_variants([SIZE, COLOR], [wrong], currency="USD")) == [
        ("#/variants/0/options/shape", "unknown"),
        ("#/variants/0/options/size", "unknown_choice"),
        ("#/variants/0/options/color", "required"),
        ("#/variants/0/sku", "invalid"),
        ("#/variants/0/gtin", "invalid"),
        ("#/variants/0/weight_grams", "out_of_range"),
        ("#/variants/0/price/currency", "currency_mismatch"),
        ("#/variants/0/price/amount", "out_of_range"),
        ("#/variants/0/compare_at_price/amount", "out_of_range"),
        ("#/variants/0/compare_at_price", "below_price"),
    ]


def test_a_product_has_no_more_than_250_variants():
    many = [variant(str(n)) for n in range(251)]

    assert refusals(lambda: check_variants([], many, currency="USD")) == [
        ("#/variants", "too_many")
    ]


def test_a_window_opens_before_it_closes():
    noon = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)

    check_window(None, noon)
    check_window(noon, None)
    check_window(noon, noon + datetime.timedelta(seconds=1))
    assert refusals(lambda: check_window(noon, noon)) == [("#/unpublish_at", "not_later")]


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Чайник со свистком", "chaynik-so-svistkom"),
        ("Щётка для обуви", "shchetka-dlya-obuvi"),
        ("Ömer & Söhne", "omer-sohne"),
        ("茶壶", "chahu"),
        ("  A  B  ", "a-b"),
        ("★", ""),
    ],
)
def test_a_name_in_any_script_has_a_slug(name, slug):
    assert slug_from(name) == slug


@given(st.text())
def test_a_slug_is_short_and_plain(name):
    slug = slug_from(name)

    assert len(slug) <= 200
    assert slug == slug.lower()
    assert all(each.isascii() and (each.isalnum() or each in "-_") for each in slug)


@pytest.mark.parametrize(
    ("label", "code"), [("Sea blue", "sea-blue"), ("1/2", "1-2"), ("12", "12"), ("Синий", "siniy")]
)
def test_a_label_has_a_code(label, code):
    assert choice_code_from(label) == code
