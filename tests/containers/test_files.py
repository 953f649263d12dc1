"""What compose.yaml, the Dockerfile and .env.example promise."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

PROJECT = Path(__file__).parents[2]
PUBLIC_IMAGES = {"python:3.13-slim", "nginx:stable"}
SERVICES = {
    "backend",
    "postgres",
    "rabbitmq",
    "celery_worker",
    "celery_beat",
    "valkey",
    "nginx",
}


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = yaml.safe_load((PROJECT / "compose.yaml").read_text())[
        "services"
    ]
    return found


def example() -> dict[str, str]:
    lines = (PROJECT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_example_names_exactly_the_promised_settings() -> None:
    assert set(example()) == {
        "DEBUG",
        "SECRET_KEY",
        "POSTGRES_HOST",
        "POSTGRES_PORT",
        "POSTGRES_USER",
        "POSTGRES_PASSWORD",
        "POSTGRES_DB",
        "RABBITMQ_DEFAULT_USER",
        "RABBITMQ_DEFAULT_PASSWORD",
        "RABBITMQ_HOST",
        "RABBITMQ_PORT",
    }


def test_the_examples_secret_is_the_one_that_production_refuses() -> None:
    assert example()["SECRET_KEY"] == settings.EXAMPLE_SECRET_KEY
    assert example()["DEBUG"] == "1"


def test_the_examples_hosts_are_services(services: dict[str, dict[str, object]]) -> None:
    assert {example()["POSTGRES_HOST"], example()["RABBITMQ_HOST"]} <= set(services)


def test_compose_runs_the_promised_services(services: dict[str, dict[str, object]]) -> None:
    assert set(services) == SERVICES
    assert {name: each["image"] for name, each in services.items() if "image" in each} == {
        "postgres": "postgres:18",
        "rabbitmq": "rabbitmq:4",
        "valkey": "valkey/valkey:9",
    }


def test_only_nginx_is_reached_from_outside(services: dict[str, dict[str, object]]) -> None:
    assert [name for name, each in services.items() if "ports" in each] == ["nginx"]
    assert services["nginx"]["ports"] == ["${LAVKA_HTTP_PORT:-127.0.0.1:80}:80"]


def test_the_shop_is_told_where_it_is_reached(services: dict[str, dict[str, Any]]) -> None:
    for name in ("backend", "celery_worker", "celery_beat"):
        environment = services[name]["environment"]
        assert environment["LAVKA_HTTP_PORT"] == "${LAVKA_HTTP_PORT:-127.0.0.1:80}"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_restarts_stops_in_time_and_keeps_its_log_small(
    services: dict[str, dict[str, object]], name: str
) -> None:
    service = services[name]

    assert service["restart"] == "unless-stopped"
    assert service["logging"] == {
        "driver": "json-file",
        "options": {"max-size": "10m", "max-file": "5"},
    }
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert name == "celery_beat" or "healthcheck" in service


def test_the_images_are_made_of_public_ones_and_run_without_root() -> None:
    dockerfile = (PROJECT / "Dockerfile").read_text()
    stages = dict(re.findall(r"^FROM (\S+) AS (\w+)$", dockerfile, re.MULTILINE)[::-1])
    backend = dockerfile.split("AS backend")[1].split("\nFROM ")[0]

    assert set(stages) == PUBLIC_IMAGES
    assert "USER lavka" in backend
    assert not re.search(r"\b(uv|pip|apt-get)\b(?!\.)", backend)


def test_the_build_sees_only_what_is_named() -> None:
    rules = (PROJECT / ".dockerignore").read_text().splitlines()

    assert rules[1] == "*"
    assert not [rule for rule in rules if rule.startswith("!.")]
