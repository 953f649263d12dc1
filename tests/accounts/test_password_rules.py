"""A password is something that can be seen, typed and hashed."""

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from lavka.accounts import tokens
from lavka.accounts.models import User
from tests.accounts.factories import PASSWORD, make_customer, make_staff, token_of

BLANK = {
    "spaces": " " * 8,
    "odd spaces": "\u00a0\u2003\u3000\u2009" * 3,
    "zero width": "\u200b\u200c\u200d\u2060\ufeff" * 2,
    "fillers": "\u3164\u2800\uffa0\u115f" * 3,
    "directions": "\u202e\u2066" * 5,
    "soft hyphens": "\u00ad" * 9,
}
ODD = {
    **{name: (text, "password_blank") for name, text in BLANK.items()},
    "tabs": ("\t" * 9, "password_control_characters"),
    "NUL inside": ("correct\x00horse", "password_control_characters"),
    "a newline": ("correct horse\n", "password_control_characters"),
    "C1": ("correct\x85horse", "password_control_characters"),
    "one letter": ("       x", "password_too_short"),
    "letters far apart": ("a    b    c", "password_too_short"),
    "short": ("q7#", "password_too_short"),
}


@pytest.mark.parametrize("name", ODD)
def test_a_password_that_cannot_be_seen_is_refused(name):
    password, code = ODD[name]

    with pytest.raises(ValidationError) as refused:
        validate_password(password)

    assert [
        each.code for each in refused.value.error_list if each.code != "password_too_common"
    ] == [code]


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery", "пароль с пробелами", "密码密码密码密码一二",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 семья и дом",
        " leading and trailing ", "e\u0301te\u0301 a\u0300 Paris", "x" * 100 + "q7#" + "y" * 153,
    ],
)  # fmt: skip
def test_whatever_people_type_is_good(password):
    validate_password(password)


def test_a_password_is_bounded():
    with pytest.raises(ValidationError) as refused:
        validate_password("qw7#" * 65)

    assert [each.code for each in refused.value.error_list] == ["password_too_long"]


OWN = {"SHOP_NAME": "Ада & Ко Чайники", "SHOP_URL": "https://www.brightkettles.co.uk"}


@pytest.mark.parametrize(
    "password",
    [
        "Lavka2026!", "LAVKA-shop-1", "ＡＤＭＩＮ１２３４", "пароль-Лавка", "Administrator1",
        "shop staff 7", "brightkettles1", "Чайники2026", "Password#2026",
    ],
)  # fmt: skip
def test_a_password_of_the_shops_own_words_is_refused(settings, password):
    settings.LAVKA = settings.LAVKA | OWN

    with pytest.raises(ValidationError) as refused:
        validate_password(password)

    assert "password_guessable" in {each.code for each in refused.value.error_list}


@pytest.mark.parametrize(
    "password",
    [
        "Lavka correct horse",
        "my shop by the sea wall",
        "ada-and-co-uk-www",
        "kettles of bright red",
    ],
)
def test_such_words_may_stand_in_a_password_that_holds_without_them(settings, password):
    settings.LAVKA = settings.LAVKA | OWN

    validate_password(password)


@pytest.mark.django_db
def test_every_way_to_set_a_password_refuses_the_shops_words(api, client, settings):
    settings.LAVKA = settings.LAVKA | OWN
    user, password = make_customer(), "Brightkettles7"
    answers = [
        api.post("/auth/register/", {"email": "new@example.com", "password": password}),
        api.post("/auth/password/reset/", {"token": tokens.reset_of(user), "password": password}),
        api.post(
            "/auth/password/change/",
            {"current_password": PASSWORD, "new_password": password},
            token=token_of(user),
        ),
    ]
    client.force_login(make_staff())
    page = client.post(
        f"/admin/accounts/user/{user.pk}/password/",
        {"password1": password, "password2": password, "usable_password": "true"},
    )

    codes = [[each["code"] for each in answer.json()["errors"]] for answer in answers]
    assert codes == [["password_guessable"]] * 3
    assert page.status_code == 200
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_a_password_is_kept_by_argon2id():
    algorithm, kept = make_password(PASSWORD).split("$", 1)

    assert algorithm == "argon2"
    assert kept.startswith("argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.django_db
@pytest.mark.parametrize("password", [BLANK["spaces"], BLANK["zero width"]])
def test_no_way_to_set_a_password_takes_a_blank_one(api, client, password):
    user = make_customer()
    forms = [
        api.post("/auth/register/", {"email": "new@example.com", "password": password}),
        api.post("/auth/password/reset/", {"token": tokens.reset_of(user), "password": password}),
        api.post(
            "/auth/password/change/",
            {"current_password": PASSWORD, "new_password": password},
            token=token_of(user),
        ),
    ]
    client.force_login(make_staff())
    page = client.post(
        f"/admin/accounts/user/{user.pk}/password/",
        {"password1": password, "password2": password, "usable_password": "true"},
    )

    assert [each.status_code for each in forms] == [422] * 3
    assert {error["code"] for each in forms for error in each.json()["errors"]} == {
        "password_blank"
    }
    assert page.status_code == 200
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert not User.objects.filter(email="new@example.com").exists()
