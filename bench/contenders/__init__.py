"""The contenders: how each is started, how it numbers pages, what it takes part in."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from lavka.cli.ports import LOOPBACK
from lavka.cli.state import PROJECT


class Pages(StrEnum):
    """How a client asks for another page."""

    BY_CURSOR = "cursor"
    BY_NUMBER = "number"


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One way to serve the shop; `command` may name `{port}` and `{workers}`.

    `application` is its last word; `uncached` is the same without answers kept in memory.
    """

    name: str
    title: str
    command: tuple[str, ...]
    application: str
    uncached: str = ""
    pages: Pages = Pages.BY_NUMBER
    variables: Mapping[str, str] = field(default_factory=dict)

    def command_line(self, *, port: int, workers: int) -> list[str]:
        """The program and its arguments."""
        return [
            sys.executable,
            "-m",
            *(word.format(port=port, workers=workers) for word in self.command),
            self.application,
        ]

    def without_cache(self) -> "Contender":
        """The same, computing every answer."""
        return replace(self, application=self.uncached or self.application)

    def environment(self, *, port: int, workers: int) -> dict[str, str]:
        """What it needs beside the servers' variables."""
        own = {
            name: value.format(port=port, workers=workers) for name, value in self.variables.items()
        }
        return {"PYTHONPATH": str(PROJECT), **own}


GUNICORN = ("gunicorn", "--bind", f"{LOOPBACK}:{{port}}", "--workers", "{workers}")
UVICORN = (
    "uvicorn", "--host", LOOPBACK, "--port", "{port}", "--workers", "{workers}",
    "--no-access-log", "--log-level", "warning",
)  # fmt: skip


def _django(urls: str) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "bench.contenders.django_settings",
        "BENCH_URLS": f"bench.contenders.{urls}",
    }


LAVKA = Contender(
    name="lavka",
    title="Lavka",
    command=(
        "gunicorn",
        "--config",
        str(PROJECT / "deploy" / "gunicorn.conf.py"),
    ),
    application="config.asgi:application",
    uncached="bench.contenders.uncached:application",
    pages=Pages.BY_CURSOR,
    variables={
        "LAVKA_BIND": f"{LOOPBACK}:{{port}}",
        "WEB_CONCURRENCY": "{workers}",
        "LAVKA_THROTTLES": "off",
        # No contender logs its requests.
        "LAVKA_LOG_LEVEL": "WARNING",
    },
)
CONTENDERS = {
    each.name: each
    for each in (
        LAVKA,
        Contender(
            name="recipe",
            title="adrf, ModelSerializer",
            command=(*GUNICORN, "--worker-class", "uvicorn_worker.UvicornWorker"),
            application="bench.contenders.asgi:application",
            variables=_django("recipe"),
        ),
        Contender(
            name="drf",
            title="DRF under WSGI",
            command=(*GUNICORN, "--worker-class", "gthread", "--threads", "4"),
            application="bench.contenders.wsgi:application",
            variables=_django("drf"),
        ),
        Contender(
            name="ninja",
            title="django-ninja",
            command=(*GUNICORN, "--worker-class", "gthread", "--threads", "4"),
            application="bench.contenders.wsgi:application",
            variables=_django("django_ninja"),
        ),
        Contender(
            name="fastapi",
            title="FastAPI, SQLAlchemy",
            command=UVICORN,
            application="bench.contenders.fastapi_app:app",
        ),
        Contender(
            name="limit",
            title="The limit: asyncpg",
            command=UVICORN,
            application="bench.contenders.limit:application",
            pages=Pages.BY_CURSOR,
        ),
    )
}
