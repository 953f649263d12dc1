"""The `lavka` command: starts a shop, stocks it, and manages it, running or not."""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from types import FrameType

import click

from lavka.cli.embedded import running
from lavka.cli.plan import make_plan
from lavka.cli.state import PROJECT, InUse, State, here
from lavka.cli.trouble import Trouble

# With these given, as in a container, a command needs no server and no state of this machine.
GIVEN_ELSEWHERE = {"SECRET_KEY", "POSTGRES_HOST", "VALKEY_URL"}
AS_THEY_ARE = {"ignore_unknown_options": True, "help_option_names": []}


@click.group()
def main() -> None:
    """The shop on this machine."""


@main.command()
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8000,
    envvar="PORT",
    show_default=True,
    help="Where the shop listens; the variable PORT does the same.",
)
@click.option("--reset", is_flag=True, help="Delete all data first.")
def up(port: int, reset: bool) -> None:
    """Start the shop with all its servers, until Ctrl-C."""
    from lavka.cli.up import up as run_up  # needs the extra `embedded`

    run_up(here(), port=port, is_reset=reset)


def _passes_to(command: str) -> click.Command:
    """A command that is the Django command of nearly the same name."""

    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def run(arguments: tuple[str, ...]) -> None:
        sys.exit(manage(here(), command, *arguments, needs_tables=True))

    named = click.command(
        command.replace("_", "-"),
        context_settings=AS_THEY_ARE,
        help=f"The Django command `{command}`; `--help` shows its options.",
    )
    return named(run)


DUTIES = (
    *("demo", "seed", "import_products", "import_reviews"),
    *("clean_pictures", "listing", "reconcile", "events"),
)
for name in DUTIES:
    main.add_command(_passes_to(name))


@main.command("manage", context_settings=AS_THEY_ARE)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def manage_command(arguments: tuple[str, ...]) -> None:
    """Any Django command: `lavka manage shell`."""
    sys.exit(manage(here(), *arguments))


@main.command("bench", context_settings=AS_THEY_ARE)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench_command(arguments: tuple[str, ...]) -> None:
    """Measure this shop beside others; `--help` shows how. Needs wrk and a clone."""
    if not (PROJECT / "bench").is_dir():
        raise Trouble("the benchmark is not installed with the shop: run it in a clone.")
    os.environ["PYTHONPATH"] = str(PROJECT)
    os.execv(sys.executable, [sys.executable, "-m", "bench", *arguments])  # noqa: S606


def manage(state: State, *arguments: str, needs_tables: bool = False) -> int:
    """Run a Django command, with the embedded servers up for its duration; its exit code.

    With `needs_tables`, a database of this machine is migrated before.
    """
    if {name for name, value in os.environ.items() if value} >= GIVEN_ELSEWHERE:
        return _run_django(arguments, dict(os.environ))
    from lavka.cli.up import Stopped, raise_on_signals  # needs the extra `embedded`

    raise_on_signals()
    try:
        return _manage_here(state, arguments, needs_tables=needs_tables)
    except Stopped:
        return 130


def _manage_here(state: State, arguments: tuple[str, ...], *, needs_tables: bool) -> int:
    from lavka.cli.leftovers import mark, stop_leftovers

    state.open()
    with ExitStack() as stack:
        try:
            stack.enter_context(state.locked())
        except InUse:
            # The servers run, and `server.env` tells Django where.
            return _run_django(arguments, {**os.environ, "LAVKA_STATE": str(state.root)})
        stop_leftovers(state)
        state.open_log()
        plan = make_plan(state)
        plan.write()
        environment = {**plan.variables, **mark(state)}
        stack.enter_context(running(plan.servers, state.log, environment))
        if plan.postgres:
            plan.postgres.ensure_database(plan.variables["POSTGRES_DB"])
            # No first start has made the tables, or an update has brought new ones.
            migrate = ("migrate", "--verbosity=0", "--no-input")
            if needs_tables and (failed := _run_django(migrate, environment)):
                return failed
        return _run_django(arguments, environment)


def _run_django(arguments: tuple[str, ...], environment: dict[str, str]) -> int:
    # In the folder where the person is: an argument may be a file there.
    child = subprocess.Popen(
        [sys.executable, str(PROJECT / "manage.py"), *arguments], env=environment
    )

    def pass_on(number: int, frame: FrameType | None) -> None:
        # A Ctrl-C at the terminal reaches the child by itself; a shell goes on after one.
        if number != signal.SIGINT:
            child.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    return child.wait()
