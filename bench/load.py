"""The load: wrk with 100 connections and keys from a file."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.exchange import Request
from lavka.cli.trouble import Trouble

SCRIPT = Path(__file__).with_name("load.lua")
UNIT_SEPARATOR = "\x1f"
MARK = "RESULT "
# So patient that a slow contender is slow and not failing.
TIMEOUT_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What wrk saw; `errors` are answers of 400 and above, and broken or silent connections."""

    requests: int
    seconds: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    errors: int

    @property
    def rps(self) -> float:
        """Good answers per second."""
        return max(0, self.requests - self.errors) / self.seconds


def require_wrk() -> str:
    """The path of wrk. Raises: Trouble where it is not installed."""
    found = shutil.which("wrk")
    if found is None:
        raise Trouble(
            "the benchmark needs wrk, and this machine has none: apt-get install wrk "
            "(macOS: brew install wrk)."
        )
    return found


def write_requests(requests: Sequence[Request], file: Path) -> None:
    """Write requests as `load.lua` reads them."""
    lines = []
    for each in requests:
        headers = UNIT_SEPARATOR.join(f"{name}: {value}" for name, value in each.headers.items())
        body = "" if each.body is None else json.dumps(each.body)
        lines.append(f"{each.method}\t{each.path}\t{headers}\t{body}\n")
    file.write_text("".join(lines))


def run_load(
    url: str, file: Path, *, seconds: float, connections: int, is_once: bool = False
) -> Outcome:
    """Load `url` with the file's requests: at random, or in turn where each may be sent once."""
    threads = max(1, min(connections, (os.cpu_count() or 1) // 4))
    finished = subprocess.run(
        [
            require_wrk(),
            f"-t{threads}",
            f"-c{connections}",
            f"-d{seconds:g}s",
            f"--timeout={TIMEOUT_SECONDS}s",
            "--latency",
            f"--script={SCRIPT}",
            url,
            "--",
            str(file),
            "once" if is_once else "random",
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    if finished.returncode:
        raise Trouble(f"wrk failed: {finished.stderr.strip() or finished.stdout.strip()}")
    return parse(finished.stdout)


def parse(output: str) -> Outcome:
    """Read the line that `load.lua` prints. Raises: Trouble when there is none."""
    lines = [line for line in output.splitlines() if line.startswith(MARK)]
    if not lines:
        raise Trouble(f"wrk said nothing that can be read: {output.strip()[-300:]}")
    said = json.loads(lines[-1].removeprefix(MARK))
    return Outcome(
        requests=said["requests"],
        seconds=said["seconds"],
        p50_ms=said["p50_ms"],
        p95_ms=said["p95_ms"],
        p99_ms=said["p99_ms"],
        errors=sum(said[kind] for kind in ("status", "connect", "read", "write", "timeout")),
    )
