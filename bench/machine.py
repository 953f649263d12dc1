"""On what it was measured: the machine, and the versions of everything that took part."""

import datetime
import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psutil

from bench.ground import Ground
from lavka.cli.state import PROJECT

PACKAGES = (
    "lavka", "django", "djangorestframework", "adrf", "django-ninja", "fastapi", "sqlalchemy",
    "asyncpg", "psycopg", "pydantic", "gunicorn", "uvicorn", "uvloop",
)  # fmt: skip


def description(ground: Ground, command: str) -> dict[str, object]:
    """Machine, versions, date and command, ready for JSON."""
    with ground.connect() as connection:
        server = connection.execute("SHOW server_version").fetchone()
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    versions |= {
        "python": platform.python_version(),
        "postgresql": str(server[0]) if server else "",
        "commit": _commit(),
    }
    return {
        "machine": machine(),
        "versions": versions,
        "measured_on": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "command": command,
        "products": ground.products,
    }


def machine() -> dict[str, object]:
    """The processor, how many cores of it this process may use, memory, kernel."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1024**3, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "load_before": round(psutil.getloadavg()[0], 2),
    }


def one_line(described: Mapping[str, object]) -> str:
    """The header above the tables."""
    here, versions = described["machine"], described["versions"]
    assert isinstance(here, dict) and isinstance(versions, dict)  # noqa: PT018, S101
    names = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    return (
        f"{here['processor']}, {here['cores']} cores, {here['memory_gb']} GB, {here['system']}, "
        f"load before {here['load_before']}\n{names}\n"
        f"{described['products']:,} products, {described['measured_on']}: {described['command']}"
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _commit() -> str:
    found = subprocess.run(
        ["git", "-C", str(PROJECT), "rev-parse", "--short", "HEAD"],  # noqa: S607
        check=False,
        capture_output=True,
        text=True,
    )
    return found.stdout.strip()
