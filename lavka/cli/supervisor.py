"""supervisord under `lavka up`: its configuration, and what it says of its children."""

import os
import secrets
import shlex
import subprocess
import sys
import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from xml.parsers.expat import ExpatError

from lavka.cli.embedded import write_secret
from lavka.cli.leftovers import mark
from lavka.cli.plan import Plan
from lavka.cli.ports import LOOPBACK, free_port
from lavka.cli.state import PROJECT
from lavka.cli.trouble import Trouble, last_lines

# The web server and the workers stop side by side, then the servers they use: 5 + 3 seconds.
APP_STOP_SECONDS = 5
SERVER_STOP_SECONDS = 3
# A supervisor that dies may have said half of what it was asked.
FAULTS = (OSError, HTTPException, ExpatError, xmlrpc.client.Error)


@dataclass(frozen=True)
class Child:
    """How one process is shown by supervisord."""

    name: str
    state: str
    log: Path
    started_at: int


class Supervisor:
    """One supervisord with its children; `servers` start with it, `app` on demand."""

    def __init__(self, plan: Plan) -> None:
        """Choose its address and password; `start` writes them down and starts it."""
        self.plan = plan
        self.port = free_port()
        self.password = secrets.token_urlsafe(24)
        self.process: subprocess.Popen[bytes] | None = None
        address = f"http://lavka:{self.password}@{LOOPBACK}:{self.port}/RPC2"
        self._proxy = xmlrpc.client.ServerProxy(address, allow_none=True)

    def start(self) -> None:
        """Start supervisord and with it the embedded servers."""
        write_secret(self.plan.state.supervisord, self._configuration())
        with (self.plan.state.log / "supervisord.err").open("wb") as output:
            self.process = subprocess.Popen(
                [*script("supervisord"), "-c", str(self.plan.state.supervisord)],
                env={**self.plan.variables, **mark(self.plan.state)},
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # A Ctrl-C at the terminal must reach `lavka up` alone, which stops in order.
                start_new_session=True,
            )

    def start_app(self, *names: str) -> None:
        """Start web, worker or beat; returns at once. Raises: Trouble."""
        for name in names:
            try:
                self._proxy.supervisor.startProcess(f"app:{name}", False)
            except FAULTS as fault:
                log = self.plan.state.log / "supervisord.log"
                raise Trouble(
                    f"{name} could not be started: {fault}; so everything was stopped. "
                    f"The end of {log}:{last_lines(log)}"
                ) from fault

    def children(self) -> list[Child]:
        """Every child and its state; empty while supervisord does not answer, or not to the end."""
        try:
            answer = self._proxy.supervisor.getAllProcessInfo()
        except FAULTS:
            return []
        assert isinstance(answer, list)  # noqa: S101 - what the protocol promises, for the types
        return [
            Child(
                str(each["name"]),
                str(each["statename"]),
                Path(str(each["logfile"])),
                int(each["start"]),
            )
            for each in answer
        ]

    def _configuration(self) -> str:
        state = self.plan.state
        settings = str(PROJECT / "deploy" / "gunicorn.conf.py")
        web = _Program("web", [*script("gunicorn"), "-c", settings, "config.asgi:application"])
        celery = [*script("celery"), "-A", "config"]
        # SIGQUIT gives tasks three seconds to end, and hands back those that do not.
        worker = _Program("worker", [*celery, "worker", "-c", "2", "-l", "INFO"], "QUIT")
        beat = _Program("beat", [*celery, "beat", "--pidfile=", "-l", "INFO"])
        servers = [
            _Program(
                each.name,
                each.command(),
                each.stop_signal.name.removeprefix("SIG"),
                account=each.account(),
                folder=each.folder,
            )
            for each in self.plan.servers
        ]
        general = {
            "nodaemon": "true",
            "silent": "true",
            "logfile": state.log / "supervisord.log",
            "pidfile": state.root / "supervisord.pid",
            "identifier": "lavka",
            **({"user": "root"} if os.geteuid() == 0 else {}),
        }
        door = {"port": f"{LOOPBACK}:{self.port}", "username": "lavka", "password": self.password}
        factory = "supervisor.rpcinterface:make_main_rpcinterface"
        return "\n".join(
            [
                _section("supervisord", general),
                _section("inet_http_server", door),
                _section("rpcinterface:supervisor", {"supervisor.rpcinterface_factory": factory}),
                _section(
                    "supervisorctl",
                    {**door, "port": None, "serverurl": f"http://{LOOPBACK}:{self.port}"},
                ),
                _group("app", [web, worker, beat], state.log, 200, is_app=True),
                _group("servers", servers, state.log, 100, is_app=False),
            ]
        )


@dataclass(frozen=True)
class _Program:
    name: str
    command: Sequence[str]
    stop_signal: str = "TERM"
    account: str | None = None
    folder: Path = PROJECT


def _group(name: str, programs: list[_Program], log: Path, priority: int, *, is_app: bool) -> str:
    if not programs:
        return ""
    sections = [
        _section(
            f"program:{each.name}",
            {
                "command": shlex.join(each.command),
                "directory": each.folder,
                # Here and nowhere else: what is only for the machine of who develops a shop.
                "environment": 'LAVKA_UP="1"' if is_app else None,
                "user": each.account,
                "autostart": str(not is_app).lower(),
                "autorestart": "true",
                # Five seconds, so that an application that dies while it loads counts as failed.
                "startsecs": 5 if is_app else 1,
                "startretries": 4 if is_app else 8,
                "stopsignal": each.stop_signal,
                "stopwaitsecs": APP_STOP_SECONDS if is_app else SERVER_STOP_SECONDS,
                "killasgroup": "true",
                "redirect_stderr": "true",
                "stdout_logfile": log / f"{each.name}.log",
                "stdout_logfile_maxbytes": "10MB",
                "stdout_logfile_backups": 2,
            },
        )
        for each in programs
    ]
    members = ",".join(each.name for each in programs)
    sections.append(_section(f"group:{name}", {"programs": members, "priority": priority}))
    return "\n".join(sections)


def _section(title: str, values: Mapping[str, object]) -> str:
    lines = (
        f"{name}={str(value).replace('%', '%%')}\n"
        for name, value in values.items()
        if value is not None
    )
    return f"[{title}]\n{''.join(lines)}"


def script(name: str) -> list[str]:
    """A program of this virtual environment, run by its Python: a shebang has a length limit."""
    return [sys.executable, str(Path(sys.executable).with_name(name))]
