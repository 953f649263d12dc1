"""The running shop keeps to its own description, whoever asks and whatever they send."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.shop import Shop

CONFIG = Path(__file__).with_name("schemathesis.toml")
# Each kind of caller asks what it may; test_authorization asks the rest. Nobody closes the account
# or all its sessions, which would end what the same run still needs.
PATHS = [
    (
        "anonymous",
        "^/api/v1/(products|categories|brands|carts)/"
        "|^/api/v1/auth/(?!logout-all|password/change|email/change|verify-email/resend)",
    ),
    (
        "customer",
        "^/api/v1/(me/.|reviews/|products/.*/reviews/)"
        "|^/api/v1/auth/(password/change|email/change|verify-email/resend)",
    ),
    # In parts, each in the time of a test on a machine that has other things to do.
    ("staff", "^/api/v1/manage/([a-o]|pa)"),
    ("staff", "^/api/v1/manage/pr"),
    ("staff", "^/api/v1/manage/(p[^ar]|[q-z])"),
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Shop(tmp_path_factory.mktemp("shop"), workers=0) as shop:
        yield shop


@pytest.fixture(scope="module")
def tokens(shop: Shop) -> dict[str, str]:
    """A header for each kind of caller."""
    printed = shop.manage("shell", "--no-imports", "-c", "import tests.contract.stock")
    customer, staff = printed.split()[-2:]
    return {
        "anonymous": "X-Anonymous: yes",
        "customer": f"Authorization: Bearer {customer}",
        "staff": f"Authorization: Bearer {staff}",
    }


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("caller", "paths"), PATHS)
def test_the_shop_keeps_to_its_schema(
    shop: Shop, tokens: dict[str, str], caller: str, paths: str, tmp_path: Path
):
    command = [sys.executable, str(Path(sys.executable).with_name("schemathesis"))]
    command += ["--config-file", str(CONFIG), "run", f"{shop.base_url}/api/schema/"]
    command += ["--header", tokens[caller], "--include-path-regex", paths]

    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert finished.returncode == 0, finished.stdout[-20_000:] + finished.stderr + shop.web.tail()
