"""nginx with the containers' configuration, in front of a Gunicorn with theirs."""

import getpass
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from lavka.cli.ports import LOOPBACK, free_port

PROJECT = Path(__file__).parents[2]


class Process:
    """A program in a group of its own, with its output in a file."""

    def __init__(self, folder: Path, command: list[str], **variables: str) -> None:
        self.output = folder / f"{Path(command[0]).name}.log"
        with self.output.open("ab") as output:
            self.child = subprocess.Popen(
                command,
                cwd=PROJECT,
                env={**os.environ, **variables},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self) -> None:
        """Ask the group to end, and wait."""
        os.killpg(self.child.pid, signal.SIGTERM)
        self.child.wait(20)

    def wait_for(self, url: str) -> None:
        """Wait until something answers there, whatever it says."""
        deadline = time.monotonic() + 30
        while True:
            try:
                httpx.get(url)
            except httpx.TransportError:
                assert self.child.poll() is None, self.output.read_text()
                assert time.monotonic() < deadline, self.output.read_text()
                time.sleep(0.1)
            else:
                return


class Backend:
    """Gunicorn with the product's settings, running `application`."""

    def __init__(
        self,
        folder: Path,
        application: str,
        port: int | None = None,
        *,
        workers: int = 1,
        **variables: str,
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.process = Process(
            folder,
            [
                str(Path(sys.executable).with_name("gunicorn")),
                *("--config", "deploy/gunicorn.conf.py", "--pythonpath", str(PROJECT)),
                application,
            ],
            LAVKA_BIND=f"{LOOPBACK}:{self.port}",
            WEB_CONCURRENCY=str(workers),
            FORWARDED_ALLOW_IPS=LOOPBACK,
            HOME=str(folder),
            **variables,
        )
        self.process.wait_for(f"{self.url}/healthz")


class Front:
    """nginx on a port of its own; its files lie in `static` and `media` under `folder`."""

    def __init__(self, folder: Path, backend_port: int, **variables: str) -> None:
        assert shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin"), (
            "nginx is not installed: apt install nginx"
        )
        self.static, self.media = folder / "static", folder / "media"
        self.port = free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.process = Process(
            folder,
            ["sh", str(PROJECT / "deploy/nginx/entrypoint.sh")],
            PATH=f"{os.environ['PATH']}:/usr/sbin",
            LISTEN=f"{LOOPBACK}:{self.port}",
            NGINX_USER=getpass.getuser(),
            RUN_DIR=str(folder / "run"),
            STATIC_ROOT=str(self.static),
            MEDIA_ROOT=str(self.media),
            BACKEND_HOST=LOOPBACK,
            BACKEND_PORT=str(backend_port),
            **variables,
        )
        self.process.wait_for(f"{self.url}/nginx-health")
