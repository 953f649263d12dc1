"""The shop in Russian: its refusals, and whether anything is left without a translation."""

import io
import json
import re
from collections.abc import Iterator
from functools import cache
from gettext import GNUTranslations
from pathlib import Path

import pytest
import unfold
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils import translation
from django.utils.translation.template import templatize

from tests.accounts.factories import make_customer, token_of
from tests.client import Api

LAVKA = settings.BASE_DIR / "lavka"
OWN, THEMES = (Path(path) / "ru/LC_MESSAGES/django.po" for path in settings.LOCALE_PATHS)
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}
TOO_LONG = b'{"text": "' + b"a" * 1024 * 1024 + b'"}'


def test_nothing_to_read_is_left_without_russian():
    missing = {message for message in messages_in(LAVKA) if not is_translated(OWN, message)}

    assert missing == set()


def test_the_catalogue_has_nothing_that_nobody_says():
    said = set(messages_in(LAVKA))

    assert [each.id for each in catalog_of(OWN) if each.id and key_of(each) not in said] == []


def test_the_admins_theme_speaks_russian():
    root = Path(unfold.__file__).parent
    own = [path for path in sources(root) if path.relative_to(root).parts[0] != "contrib"]

    with translation.override("ru"):
        missing = {
            text
            for path in own
            for text in texts_in(path)
            if not is_translated(THEMES, text) and translation.gettext(text[1]) == text[1]
        }

    # Unfold's own words for another library's forms, which this admin does not use.
    assert missing == {(None, "Add row")}


@pytest.mark.parametrize("path", [OWN, THEMES], ids=["own", "unfold"])
def test_a_catalogue_is_finished_and_keeps_its_placeholders(path: Path):
    catalog = catalog_of(path)

    faults = {error for each in catalog for error in each.check(catalog)}
    unsure = [each.id for each in catalog if each.id and each.fuzzy]
    strings = [each.string if each.pluralizable else [each.string] for each in catalog if each.id]

    assert (faults, unsure) == (set(), [])
    assert all(all(forms) for forms in strings)


@pytest.mark.parametrize("path", [OWN, THEMES], ids=["own", "unfold"])
def test_what_is_compiled_is_what_is_written(path: Path):
    compiled = io.BytesIO()
    write_mo(compiled, catalog_of(path))

    expected = GNUTranslations(io.BytesIO(compiled.getvalue()))._catalog
    with path.with_suffix(".mo").open("rb") as file:
        found = GNUTranslations(file)._catalog

    assert {**found, "": ""} == {**expected, "": ""}


@pytest.mark.parametrize("path", [OWN, THEMES], ids=["own", "unfold"])
def test_a_catalogue_names_no_line_no_machine_and_no_moment(path: Path):
    text = path.read_text()

    assert "POT-Creation-Date" not in text
    assert re.findall(r"^#: .*(?:/home|/work|:\d).*$", text, re.MULTILINE) == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "title", "detail"),
    [
        ("GET", "/own/", None, 401, "Вход не выполнен", "Нужен действующий токен доступа."),
        ("GET", "/nothing/", None, 404, "Не найдено", "Здесь ничего нет."),
        (
            "DELETE", "/notes/", None, 405,
            "Метод не поддерживается", "Этот адрес не принимает такой метод.",
        ),
        (
            "POST", "/notes/", b"{", 400,
            "Запрос не разобран", "Тело запроса — не правильный JSON.",
        ),
        (
            "POST", "/notes/", TOO_LONG, 413,
            "Слишком большой запрос", "Тело запроса больше, чем принимает этот адрес.",
        ),
    ],
)  # fmt: skip
def test_a_refusal_speaks_russian(api: Api, method, path, body, status, title, detail):
    answer = api.request(method, path, body, accept_language="ru-RU,ru;q=0.9,en;q=0.8")

    problem = answer.json()
    assert (answer.status_code, answer["Content-Language"]) == (status, "ru")
    assert (problem["title"], problem["detail"]) == (title, detail)


def test_an_unread_media_type_is_refused_in_russian(api: Api):
    answer = api.client.generic(
        "POST", "/api/v1/notes/", b"a=b", "text/plain", headers={"Accept-Language": "ru"}
    )

    assert answer.status_code == 415
    assert answer.json()["title"] == "Неподдерживаемый тип данных"
    assert answer.json()["detail"] == "Этот адрес не принимает данные такого типа."


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        ({}, "#/text", "Обязательное поле."),
        (
            {"text": "a" * 11},
            "#/text",
            "Убедитесь, что это значение содержит не более 10 символов.",
        ),
        ({"text": "a", "stars": 6}, "#/stars", "Убедитесь, что это значение меньше либо равно 5."),
        ({"text": "a", "more": 1}, "#/more", "Такого поля нет."),
    ],
)
def test_a_refused_field_says_why_in_russian(api: Api, body, pointer, detail):
    problem = api.post("/notes/", body, accept_language="ru").json()

    assert problem["title"] == "Неверные данные"
    assert problem["detail"] == "Некоторые данные указаны неверно."
    assert [(each["pointer"], each["detail"]) for each in problem["errors"]] == [(pointer, detail)]


def test_a_refused_parameter_says_why_in_russian(api: Api):
    problem = api.get("/products/?price_min=-1", accept_language="ru").json()

    assert [(each["pointer"], each["detail"]) for each in problem["errors"]] == [
        ("?price_min", "Нужно целое число от 0 до 1000000000000000.")
    ]


@pytest.mark.usefixtures("fresh_limits")
def test_a_used_up_allowance_is_told_in_russian(api: Api):
    answers = [api.post("/write/", {}, accept_language="ru") for _ in range(3)]

    assert answers[2].status_code == 429
    assert answers[2].json()["title"] == "Слишком много запросов"
    assert answers[2].json()["detail"].startswith("Вы отправили слишком много запросов.")


@pytest.mark.parametrize("languages", ["en", "en-GB,ru;q=0.5", "de", ""])
def test_everyone_else_is_answered_in_english(api: Api, languages: str):
    answer = api.get("/own/", accept_language=languages)

    assert answer["Content-Language"] == "en"
    assert answer.json()["detail"] == "A valid access token is needed."


@pytest.mark.django_db
def test_one_request_does_not_teach_the_next_its_language(api: Api):
    token = token_of(make_customer())

    russian = api.post("/notes/", {}, token=token, accept_language="ru").json()["title"]
    english = api.post("/notes/", {}, token=token).json()["title"]

    assert (russian, english) == ("Неверные данные", "Invalid input")


@pytest.mark.django_db
def test_the_page_of_the_shop_speaks_russian(api: Api):
    page = api.client.get("/", headers={"Accept-Language": "ru"})

    text = page.content.decode()
    assert '<html lang="ru">' in text
    assert "Средний рейтинг" in text
    assert "Average rating" not in text


def test_the_description_of_the_api_is_in_one_language(api: Api):
    described = [
        api.client.get("/api/schema/", headers={"Accept": "application/json"} | wanted)
        for wanted in ({"Accept-Language": "ru"}, {"Accept-Language": "en"})
    ]

    assert described[0]["Content-Language"] == "en"
    assert json.loads(described[0].content) == json.loads(described[1].content)


def sources(root: Path) -> list[Path]:
    return [path for path in sorted(root.rglob("*")) if path.suffix in {".py", ".html", ".txt"}]


def messages_in(root: Path) -> Iterator[tuple[str | None, str]]:
    for path in sources(root):
        yield from texts_in(path)


def texts_in(path: Path) -> Iterator[tuple[str | None, str]]:
    """What a file says to people, each with its context; of a plural the singular."""
    source = path.read_text()
    if path.suffix != ".py":
        # Python calls among filler, as `makemessages` reads them; indentation means nothing.
        source = templatize(source).replace("\n", " ").strip()
    for _line, found, _comments, context in extract(
        "python", io.BytesIO(source.encode()), KEYWORDS
    ):
        yield context, found if isinstance(found, str) else found[0]


@cache
def catalog_of(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)


def key_of(message) -> tuple[str | None, str]:
    return message.context, message.id[0] if message.pluralizable else message.id


def is_translated(path: Path, message: tuple[str | None, str]) -> bool:
    context, text = message
    found = catalog_of(path).get(text, context)
    return found is not None and all(found.string if found.pluralizable else [found.string])
