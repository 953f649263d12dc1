"""`lavka up`: start everything, say where it is, watch it, stop everything."""

import contextlib
import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable
from types import FrameType

import click
import psycopg

from lavka.cli.leftovers import mark, stop_leftovers
from lavka.cli.plan import Plan, given_variables, make_plan
from lavka.cli.ports import LOOPBACK, require_free
from lavka.cli.state import PROJECT, State, fingerprint
from lavka.cli.supervisor import Supervisor
from lavka.cli.trouble import Trouble, last_lines

READY_SECONDS = 90.0
STOP_SECONDS = 9.0
# So many starts of one child in so many seconds are no accident. The supervisor itself gives up
# only on a child that ends within five seconds, which is less than a slow machine needs to load it.
CRASHES = 6
CRASH_SECONDS = 120


class Stopped(BaseException):
    """Somebody asked for the end, with Ctrl-C or a signal."""


def up(state: State, *, port: int, is_reset: bool) -> None:
    """Run the shop in the foreground until a signal comes. Raises: Trouble."""
    state.open()
    raise_on_signals()
    with contextlib.suppress(Stopped), state.locked():
        if stop_leftovers(state):
            click.echo("Stopped what an earlier start had left running.")
        require_free(LOOPBACK, port)
        if is_reset:
            reset(state)
        state.open_log()
        plan = make_plan(state, port)
        plan.write()
        Run(plan).run()


def reset(state: State) -> None:
    """Forget all data. Raises: Trouble when the data is not here."""
    if "POSTGRES_HOST" in given_variables():
        raise Trouble(
            "--reset deletes the data under .lavka/ only, and POSTGRES_HOST names a server "
            "elsewhere; empty that database yourself, or unset POSTGRES_HOST."
        )
    state.clear()


class Run:
    """One start, from the first server to the last."""

    def __init__(self, plan: Plan) -> None:
        """Take the plan; `run` does the work."""
        self.plan = plan
        self.supervisor = Supervisor(plan)
        self._starts: defaultdict[str, set[int]] = defaultdict(set)

    def run(self) -> None:
        """Start, announce, watch; stop whatever happens."""
        try:
            self.supervisor.start()
            self._wait_for_servers()
            self._prepare()
            # The web server first and alone: it is what somebody waits for.
            self.supervisor.start_app("web")
            self._wait(self._serves, "the shop does not answer")
            self.supervisor.start_app("worker", "beat")
            announce(self.plan)
            while True:
                self._watch()
                time.sleep(1)
        except Stopped:
            click.echo("\nStopping …")
        finally:
            self._stop()
        click.echo("Stopped; the data is kept.")

    def _wait_for_servers(self) -> None:
        for server in self.plan.servers:
            self._wait(server.answers, f"{server.name} does not answer")
        if self.plan.postgres is None:
            require_postgres(self.plan)
        else:
            self._wait(self._has_database, "PostgreSQL does not let a database be made")

    def _has_database(self) -> bool:
        postgres = self.plan.postgres
        try:
            if postgres:
                postgres.ensure_database(self.plan.variables["POSTGRES_DB"])
        except psycopg.OperationalError:
            return False
        return True

    def _prepare(self) -> None:
        """Migrate and the like, unless this very code has done it in this very folder."""
        found, stamp = fingerprint(), self.plan.state.prepared
        if not (self.plan.postgres and stamp.is_file() and stamp.read_text() == found):
            stamp.unlink(missing_ok=True)
            self._run_prepare()
            stamp.write_text(found)

    def _run_prepare(self) -> None:
        environment = {
            **self.plan.variables,
            **mark(self.plan.state),
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }
        with (self.plan.state.log / "prepare.log").open("wb") as errors:
            child = subprocess.Popen(
                [sys.executable, "-m", "lavka.cli.prepare"],
                env=environment,
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        try:
            while child.poll() is None:
                self._watch()
                time.sleep(0.05)
        finally:
            child.kill()
            child.wait()
        if child.returncode:
            reason = last_lines(self.plan.state.log / "prepare.log")
            raise Trouble(f"the shop could not be prepared:{reason}")

    def _serves(self) -> bool:
        return all(answers(self.plan.url + path) for path in ("/readyz", "/"))

    def _wait(self, is_ready: Callable[[], bool], complaint: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not is_ready():
            self._watch()
            if time.monotonic() > deadline:
                raise Trouble(f"{complaint} after {READY_SECONDS:.0f} seconds; see .lavka/log/")
            time.sleep(0.1)

    def _watch(self) -> None:
        """Raises: Trouble when the supervisor has ended, or has given a child up."""
        process = self.supervisor.process
        if process is not None and process.poll() is not None:
            reason = last_lines(self.plan.state.log / "supervisord.err")
            raise Trouble(
                f"the supervisor ended (exit code {process.returncode}), "
                f"so everything was stopped.{reason}"
            )
        for child in self.supervisor.children():
            starts = self._starts[child.name]
            starts.add(child.started_at)
            recent = [each for each in starts if each > max(starts) - CRASH_SECONDS]
            if child.state == "FATAL" or len(recent) > CRASHES:
                raise Trouble(
                    f"{child.name} does not stay up, so everything was stopped. "
                    f"The end of {child.log}:{last_lines(child.log)}"
                )

    def _stop(self) -> None:
        process = self.supervisor.process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
        if process is None or process.returncode != 0:
            stop_leftovers(self.plan.state)


def require_postgres(plan: Plan) -> None:
    """Raises: Trouble when the server that POSTGRES_HOST names lets nobody in."""
    chosen = plan.variables
    host, port = chosen["POSTGRES_HOST"], chosen.get("POSTGRES_PORT", "5432")
    try:
        psycopg.connect(
            host=host,
            port=port,
            user=chosen.get("POSTGRES_USER", "lavka"),
            password=chosen.get("POSTGRES_PASSWORD", ""),
            dbname=chosen.get("POSTGRES_DB", "lavka"),
            connect_timeout=10,
        ).close()
    except psycopg.OperationalError as fault:
        reason = " ".join(str(fault).split())
        raise Trouble(
            f"PostgreSQL at {host}:{port} (POSTGRES_HOST) does not answer: {reason}\n"
            "Without POSTGRES_HOST, in the environment and in .env, the shop brings its own."
        ) from None


def raise_on_signals() -> None:
    """Turn the first SIGINT, SIGTERM or SIGHUP into `Stopped`; further ones change nothing."""

    def ask(number: int, frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in numbers:
        signal.signal(number, ask)


def answers(url: str) -> bool:
    """Whether a page is served: any answer but a server's fault."""
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own address
            return True
    except urllib.error.HTTPError as refusal:
        return refusal.code < 500
    except OSError:
        return False


def announce(plan: Plan) -> None:
    """Print where everything is, and how to log in."""
    click.echo(f"\nThe shop is open.\n\n  Shop page  {plan.url}/")
    click.echo(f"  Swagger    {plan.url}/api/docs/\n  Admin      {plan.url}/admin/\n")
    with contextlib.suppress(OSError, ValueError, KeyError):
        logins = json.loads(plan.state.logins.read_text())
        for who in ("staff", "customer"):
            click.echo(f"  {who:<9}  {logins[who]['email']}  {logins[who]['password']}")
    click.echo(f"\nLogs are in {plan.state.log}. Ctrl-C stops everything.")
