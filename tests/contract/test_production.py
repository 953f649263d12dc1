"""What production mode demands before it starts."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A management command in production mode, with nothing but the tests' servers from here."""
    production = {name: value for name, value in os.environ.items() if name not in LOCAL}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env=production | {"DEBUG": "0", "POSTGRES_DB": "postgres"} | variables,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


LOCAL = {"LAVKA_HTTPS", "EMAIL_URL", "LAVKA_PAYMENT_METHODS", "SECRET_KEY", "LAVKA_STATE"}


def test_the_deploy_check_finds_nothing(tmp_path: Path):
    checked = manage(
        "check", "--deploy", "--fail-level", "DEBUG",
        SECRET_KEY=secrets.token_urlsafe(50), LAVKA_STATE=str(tmp_path), STATIC_ROOT=str(tmp_path),
        LAVKA_SELLER_NAME="Kettles Ltd", LAVKA_SELLER_ADDRESS="1 Market Street; London",
        LAVKA_SELLER_VAT_NUMBER="GB123456789",
    )  # fmt: skip

    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout == "System check identified no issues (0 silenced).\n"


@pytest.mark.parametrize("key", ["", "change-me-before-you-set-DEBUG-to-0"])
def test_without_a_secret_of_its_own_it_refuses_in_one_sentence(tmp_path: Path, key: str):
    checked = manage("check", SECRET_KEY=key, LAVKA_STATE=str(tmp_path))

    assert checked.returncode == 1
    assert checked.stderr == (
        "SECRET_KEY is not set. With DEBUG=0 the shop needs a secret of its own: put 50 random"
        " characters into SECRET_KEY, in .env or in the environment.\n"
    )
