"""What clients rely on changes only on purpose."""

from pathlib import Path
from typing import Any

from django.core.management import call_command

from lavka.web.docs import shop_errors
from tests.contract.bounds import FOREIGN, operations, unbounded

ROOT = Path(__file__).resolve().parents[2]
OPENAPI = ROOT / "docs" / "openapi.yaml"
CODES = Path(__file__).with_name("error_codes.txt")


def test_the_committed_schema_is_the_generated_one(tmp_path: Path):
    """Refresh it with `python manage.py spectacular --file docs/openapi.yaml`."""
    generated = tmp_path / "openapi.yaml"

    call_command("spectacular", "--validate", "--fail-on-warn", file=str(generated))

    assert generated.read_text() == OPENAPI.read_text()


def test_error_codes_are_neither_removed_nor_renamed():
    """A new code is added to the file; a code in the file never goes within v1."""
    known = CODES.read_text().split("\n")

    assert sorted(f"{error.code} {error.status}" for error in shop_errors()) == known[:-1]


def test_every_operation_is_described(schema: dict):
    operations = [operation for path in schema["paths"].values() for operation in path.values()]
    ids = [operation["operationId"] for operation in operations]

    assert [each for each in operations if not each.get("summary")] == []
    assert [each["operationId"] for each in operations if len(each["tags"]) != 1] == []
    assert len(ids) == len(set(ids))
    assert [each for each in ids if not each.islower()] == []


def test_every_operation_names_its_refusals(schema: dict):
    silent = [
        (method, path)
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
        if not {"422", "503"} <= operation["responses"].keys()
    ]

    assert silent == []


MONEY = {"MoneyInput", "PositiveMoneyInput", "PriceInput"}


def test_money_is_asked_for_in_one_shape(schema: dict):
    """Only these carry a currency; which one it has to be in, a service says."""
    schemas = schema["components"]["schemas"]
    asked = {name: each.get("properties", {}) for name, each in schemas.items()}
    inputs = {name: each for name, each in asked.items() if name.endswith("Input")}

    carrying = {name for name, each in inputs.items() if "currency" in each}
    amounts = [each["amount"] for name, each in inputs.items() if name in MONEY]

    assert carrying == MONEY
    assert [each["type"] for each in amounts] == ["integer"] * len(MONEY)
    assert all(each["minimum"] >= 0 and each["maximum"] <= 2**53 for each in amounts)


def test_every_part_of_a_body_has_a_bound(schema: dict[str, Any]):
    found = [
        place
        for operation in operations(schema)
        if operation["operationId"] not in FOREIGN
        for media in operation.get("requestBody", {}).get("content", {}).values()
        for place in unbounded(schema, media["schema"], operation["operationId"])
    ]

    assert found == []


def test_every_parameter_has_a_bound(schema: dict[str, Any]):
    found = [
        place
        for operation in operations(schema)
        for parameter in operation.get("parameters", [])
        for place in unbounded(
            schema, parameter["schema"], f"{operation['operationId']} {parameter['name']}"
        )
    ]

    assert found == []
