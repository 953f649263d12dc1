"""The running shop keeps to its own description, whoever asks and whatever they send."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.shop import Shop

CONFIG = Path(__file__).with_name("schemathesis.toml")
# Every operation as every role, with a request or two, so that each check sees what a role is
# answered. Nobody can end what the run still needs: the tokens have no session that could be ended,
# and the password that closes an account is not in the schema.
ROLES = ["anonymous", "customer", "clerk", "superuser", "key"]
# Thoroughly, with every boundary, as a role that may; in parts, each in the time of a test on a
# machine that has other things to do.
OWN_ACCOUNT = "auth/(logout-all|password/change|email/change|verify-email/resend)"
PATHS = [
    (
        "anonymous",
        "^/api/v1/(?!manage/|me/|carts/.*}|orders/|reviews/|stock-alerts/|wishlists/($|.*_id)"
        f"|{OWN_ACCOUNT})",
    ),
    (
        "customer",
        f"^/api/v1/((me|carts|orders|reviews|wishlists|stock-alerts|products/[^/]*/reviews)/"
        f"|{OWN_ACCOUNT})",
    ),
    ("superuser", "^/api/v1/manage/([a-o]|pa)"),
    ("superuser", "^/api/v1/manage/pr"),
    ("superuser", "^/api/v1/manage/(p[^ar]|[q-z])"),
]
# For a longer search than a test has time for: how many requests, and which.
EXAMPLES, SEED = os.environ.get("SCHEMA_EXAMPLES"), os.environ.get("SCHEMA_SEED")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Shop(tmp_path_factory.mktemp("shop"), workers=0) as shop:
        yield shop


@pytest.fixture(scope="module")
def stock(shop: Shop) -> dict[str, Any]:
    """A token for each role, and ids of what is there."""
    printed = shop.manage("shell", "--no-imports", "-c", "import tests.contract.stock")
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def config(stock: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration, which puts ids of what is there into every other path."""
    tables = [
        f"[dictionaries.{name}]\nvalues = {json.dumps(values)}\n"
        f'[parameters."path.{name}"]\ndictionary = "{name}"\nprobability = 0.5\n'
        for name, values in stock["ids"].items()
    ]
    written = tmp_path_factory.mktemp("schemathesis") / CONFIG.name
    written.write_text(CONFIG.read_text() + "\n".join(["", *tables]))
    return written


class Asker:
    """Somebody of a role who has schemathesis ask the shop."""

    def __init__(self, shop: Shop, config: Path, stock: dict[str, Any], folder: Path) -> None:
        self.shop, self.config, self.folder = shop, config, folder
        self.tokens: dict[str, str] = stock["tokens"]

    def ask(self, role: str, *options: str) -> None:
        command = [sys.executable, str(Path(sys.executable).with_name("schemathesis"))]
        command += ["--config-file", str(self.config), "run", f"{self.shop.base_url}/api/schema/"]
        command += ["--header", self._header(role), *options]
        command += ["--seed", SEED] if SEED else []
        command += ["--max-examples", EXAMPLES] if EXAMPLES else []

        finished = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, check=False
        )

        said = finished.stdout[-20_000:] + finished.stderr + self.shop.web.tail()
        assert finished.returncode == 0, said
        self.require_admitted(role)

    def require_admitted(self, role: str) -> None:
        """Look whether the role still is what it was: all that was asked has been asked as it."""
        path = {"anonymous": "/products/", "key": "/manage/products/"}.get(role, "/me/")
        name, _, value = self._header(role).partition(": ")
        answer = httpx.get(f"{self.shop.base_url}/api/v1{path}", headers={name: value}, timeout=60)
        assert answer.status_code == 200, answer.text

    def _header(self, role: str) -> str:
        token = self.tokens.get(role)
        return f"Authorization: Bearer {token}" if token else "X-Anonymous: yes"


@pytest.fixture
def asker(shop: Shop, config: Path, stock: dict[str, Any], tmp_path: Path) -> Asker:
    return Asker(shop, config, stock, tmp_path)


@pytest.mark.parametrize("role", ROLES)
def test_every_operation_keeps_to_its_schema_for_every_role(asker: Asker, role: str):
    asker.ask(role, *([] if EXAMPLES else ["--phases", "examples,fuzzing", "--max-examples", "1"]))


@pytest.mark.parametrize(("role", "paths"), PATHS)
def test_the_shop_keeps_to_its_schema(asker: Asker, role: str, paths: str):
    asker.ask(role, "--include-path-regex", paths)
