"""Staff find orders however postal codes, phones and names are written, here and there."""

from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse

from lavka.orders import selectors
from lavka.orders.models import Order
from tests.accounts.factories import make_staff, token_of
from tests.client import Api
from tests.orders.factories import ADDRESS, make_draft, make_order

pytestmark = pytest.mark.django_db

POSTAL_CODES = {
    "114 55": ["114 55", "11455", "114-55"],
    "00-950": ["00-950", "00950", "00 950", "00–950", "Hopper 00-950"],
    "94105-1234": ["94105-1234", "941051234", "94105", "94105 1234", "94105‑1234"],
    "02139-4307": ["02139-4307", "021394307", "02139"],
    "100-0001": ["100-0001", "1000001", "100−0001", "１００-０００１"],
    "SW1A 1AA": ["SW1A 1AA", "SW1A1AA", "sw1a1aa", "SW1A-1AA", "Hopper sw1a1aa"],
    "K1A 0B1": ["K1A0B1", "k1a 0b1", "K1A-0B1"],
    "1010": ["1010", " 1010 ", "Hopper 1010", "1010 Brno"],
    "LV-1050": ["1050", "LV-1050", "LV1050", "lv 1050"],
    "101": ["101"],
    "01310-100": ["01310100", "01310-100"],
}
OTHER_CODES = [
    "114 56", "00-951", "94105-1235", "100-0002", "SW1A 2AA", "101", "010", "1011", "10",
    "01 0", "0001 9",
]  # fmt: skip
PHONES = {
    "+7 999 123-45-67": [
        "+7 999 123-45-67", "8 (999) 123-45-67", "89991234567", "9991234567", "123-45-67",
        "Hopper 123-45-67", "123‑45‑67 hopper", "+7 (999) 123–45–67", "+7 999 123‐45−67",
        "007 999 1234567", "\u202a+7 999 123-45-67\u202c", "7.999.123.45.67", "Hopper 4567",
    ],
    "8 (999) 123-45-67": ["+7 999 123-45-67", "8 999 123 45 67", "9991234567"],
    "+44 20 7946 0018": [
        "020 7946 0018", "+44 (0)20 7946 0018", "0044 20 7946 0018", "(020) 7946 0018",
        "011 44 20 7946 0018", "7946 0018",
    ],
    "020 7946 0018": ["+44 20 7946 0018", "+44 (0) 20 7946 0018", "00442079460018"],
    "+44 (0)20 7946 0018": ["+44 20 7946 0018", "020 7946 0018", "+44(0)2079460018"],
    "+49 30 123456": ["0049 30 123456", "030 123456", "030/123456", "+49 (0)30 123456"],
    "0049 30 123456": ["+49 30 123456", "030 123456"],
    "030 123456": ["+49 30 123456", "+49 (0) 30 / 123 456"],
    "01 23 45 67 89": ["+33 1 23 45 67 89", "0033123456789", "+33.1.23.45.67.89"],
    "22 12 34 56": ["+47 22 12 34 56", "0047 22123456"],
    "(212) 555-0147": ["+1 212 555 0147", "1-212-555-0147", "212.555.0147"],
}  # fmt: skip
OTHER_PHONES = [
    "+7 999 123-45-68", "8 (999) 123-45-60", "+7 899 123-45-67", "020 7946 0019",
    "+44 20 7946 1018", "0049 30 123457", "+33 2 23 45 67 89", "+47 22 12 34 57", "+1 312 555 0147",
    "0147", "Lovelace 4567 22", "Lovelace 123-45-68",
]  # fmt: skip
NAMES = {
    "Пётр Семёнов": ["Семенов", "семёнов петр", "ПЁТР"],
    "Петр Семенов": ["Семёнов", "пётр"],
    "Jürgen Müller": ["Muller", "MÜLLER jurgen", "Mu\u0308ller", "Müller, Jürgen"],
    "Jurgen Muller": ["Müller", "mu\u0308ller"],
    "Łukasz Wałęsa": ["walesa lukasz"],
    "Søren Weiß": ["soren weiss", "WEISS", "weiß"],
    "Siobhan O’Brien-Nuñez": ["o'brien nunez", "O’BRIEN", "Siobhan O'Brien‑Nuñez"],
    "Γιώργος Παπαδόπουλος": ["ΠΑΠΑΔΟΠΟΥΛΟΣ", "γιωργος παπαδοπουλος"],
}


def found(text: str) -> list[Order]:
    return list(Order.objects.filter(pk__in=selectors.ids_matching(text)))


def made_with(**parts: str) -> Order:
    return make_order(shipping_address=ADDRESS | {"name": "Grace Hopper", "city": "Brno"} | parts)


def spellings(of: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(stored, typed) for stored, all_typed in of.items() for typed in all_typed]


def test_a_postal_code_is_found_however_it_is_written():
    orders = {code: made_with(postal_code=code, phone="") for code in POSTAL_CODES}

    missed = [(s, t) for s, t in spellings(POSTAL_CODES) if orders[s] not in found(t)]

    assert missed == []


def test_another_postal_code_is_not_found():
    for code in ("114 55", "00-950", "94105-1234", "100-0001", "SW1A 1AA", "1010"):
        made_with(postal_code=code, phone="")

    assert [text for text in OTHER_CODES if found(text)] == []


def test_a_phone_is_found_however_it_is_written():
    orders = {phone: made_with(phone=phone, postal_code="") for phone in PHONES}

    missed = [(s, t) for s, t in spellings(PHONES) if orders[s] not in found(t)]

    assert missed == []


def test_another_phone_is_not_found():
    for phone in PHONES:
        made_with(phone=phone, postal_code="")

    assert {text: found(text) for text in OTHER_PHONES} == {text: [] for text in OTHER_PHONES}


@pytest.mark.parametrize("part", ["name", "city"])
def test_names_and_cities_are_found_with_accents_and_without(part: str):
    orders = {name: made_with(**{part: name}) for name in NAMES}

    missed = [(s, t) for s, t in spellings(NAMES) if orders[s] not in found(t)]

    assert missed == []
    assert found("Мюллер") == found("Семёнович") == []


def test_a_postal_code_and_a_phone_are_found_together():
    order = made_with(postal_code="190000", phone="+7 (812) 555-01-47")
    made_with(postal_code="190000", phone="+7 (812) 555-01-48")

    for text in ("Hopper 190000 8125550147", "190000 8125550147"):
        assert found(text) == [order], text
    assert found("Hopper 190001 8125550147") == []


def test_a_postal_code_is_found_with_its_country():
    order = made_with(country="SE", postal_code="114 55")
    made_with(country="FI", postal_code="114 56")

    for text in ("SE-114 55", "se-11455", "S-114 55", "Brno SE 114 55"):
        assert found(text) == [order], text
    assert found("FI-11455") == []


def test_the_billing_address_is_found_as_well():
    order = make_order(
        billing_address=ADDRESS
        | {"name": "Zoë", "postal_code": "1010", "phone": "+49 (0)30 123456"},
    )

    for text in ("zoe", "1010", "+49 30 123456"):
        assert found(text) == [order], text


def test_after_a_number_sign_stands_nothing_but_a_number():
    in_vienna, first = made_with(postal_code="1010"), made_with()
    Order.objects.filter(pk=first.pk).update(number=1010)

    assert {order.pk for order in found("1010")} == {in_vienna.pk, first.pk}
    for text in ("#1010", "№ 1010", "# 1010"):
        assert [order.pk for order in found(text)] == [first.pk], text


def test_drafts_are_found_by_their_whole_address_only():
    draft = make_draft(
        email="anna-maria@navy.example",
        shipping_address=ADDRESS | {"name": "Annä", "postal_code": "1010"},
    )

    assert [order.pk for order in found("Anna-Maria@navy.example")] == [draft.pk]
    for text in ("anna", "1010", "navy.example"):
        assert found(text) == [], text


NOTHING = [
    "-", "--- ---", "(", ")", "+", "()", "(0)", "( 0 )", "#", "№", "# №", "/", ",", "–", "\u200b",
    "\u202a", "%", "_", "\\", "\\%", "'", '"', "%%", "[", "\\d", ".*", "?", "*", "🫖", "🫖 🫖", "²",
    "٣", "१०१०", "0" * 200, "9" * 200, "1 " * 100, "x" * 200, "( " * 100,
    "ё" * 200, "ﷺ" * 200, "\ud7ff",
]  # fmt: skip


def test_signs_find_nothing():
    made_with(name="Grace", phone="+7 999 123-45-67", postal_code="SW1A 1AA")

    assert {text: found(text) for text in NOTHING} == {text: [] for text in NOTHING}


def test_signs_break_neither_the_api_nor_the_page(api: Api, client: Client):
    made_with(postal_code="SW1A 1AA")
    token = token_of(make_staff())
    client.force_login(make_staff(email="page@example.com"))
    page = reverse("admin:orders_order_changelist")

    for text in ("#", "(", "\\%", "🫖"):
        answer = api.get(f"/manage/orders/?q={quote(text)}", token=token)
        assert (answer.status_code, answer.json()["items"]) == (200, []), text
        assert list(client.get(page, {"q": text}).context["cl"].queryset) == [], text
    assert api.get("/manage/orders/?q=grace%00", token=token).status_code == 422
    assert client.get(page, {"q": "\0"}).status_code == 200
