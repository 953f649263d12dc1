import re

import pytest
import yaml
from django.urls import Resolver404, get_resolver

from lavka.cli.state import PROJECT
from lavka.web import routes

SAMPLES = {"uuid": "019a0000-0000-7000-8000-000000000001", "integer": "7"}


def paths() -> list[str]:
    """Every path of the schema, its parameters filled in, and some that nobody serves."""
    schema = yaml.safe_load((PROJECT / "docs/openapi.yaml").read_text())
    found = []
    for template, operations in schema["paths"].items():
        parameters = {
            each["name"]: each["schema"]
            for operation in operations.values()
            for each in operation.get("parameters", [])
            if each["in"] == "path"
        }
        fill = {
            name: SAMPLES.get(kind.get("format") or kind["type"], "red-shoe")
            for name, kind in parameters.items()
        }
        found.append(re.sub(r"\{(\w+)\}", lambda name, fill=fill: fill[name[1]], template))
    return found


@pytest.mark.parametrize("path", paths())
def test_a_path_has_the_view_that_django_finds(path):
    ours, djangos = routes.resolve(path), get_resolver().resolve(path)

    assert ours.func is djangos.func
    assert (ours.args, ours.kwargs, ours.route, ours.url_name) == (
        djangos.args,
        djangos.kwargs,
        djangos.route,
        djangos.url_name,
    )


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/",
        "/api/v1/products/a/b/c/d/",
        "/api/v1/nothing/",
        "/api/v1/orders/7/",
        "/api/v1/<x>/",
    ],
)
def test_what_no_view_serves_is_for_the_view_of_unknown_paths(path):
    assert routes.resolve(path).route == "api/<path:rest>"


def test_outside_of_the_api_nothing_is_found_that_django_does_not_find():
    with pytest.raises(Resolver404):
        routes.resolve("/products/")
    assert routes.resolve("/healthz").route == "healthz"


def test_only_the_routes_of_the_first_word_are_tried():
    shelf = routes._shelves("config.urls")["products"]

    assert {each.pattern._route.split("/")[2] for each in shelf.url_patterns} == {"products"}
