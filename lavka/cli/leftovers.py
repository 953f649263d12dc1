"""Processes of a start that was killed: found by a mark in their environment, and stopped."""

import signal
from collections.abc import Iterator

import psutil

from lavka.cli.state import State

MARK = "LAVKA_SUPERVISED_IN"
STOP_SECONDS = 8


def mark(state: State) -> dict[str, str]:
    """The variable that every process of this folder inherits."""
    return {MARK: str(state.root)}


def stop_leftovers(state: State) -> int:
    """Stop what still runs of this folder, its supervisor first; returns how many there were.

    The caller holds the folder's lock, so none of them belongs to a living `lavka`.
    """
    found = list(_marked(state))
    supervisors = [process for process in found if _is_supervisor(process)]
    _signal(supervisors, signal.SIGTERM)
    psutil.wait_procs(supervisors, STOP_SECONDS)
    rest = list(_marked(state))
    for process in rest:
        # PostgreSQL waits for its clients on SIGTERM, and not on SIGINT.
        _signal([process], signal.SIGINT if _name(process) == "postgres" else signal.SIGTERM)
    _, alive = psutil.wait_procs(rest, STOP_SECONDS)
    _signal([*alive, *_marked(state)], signal.SIGKILL)
    psutil.wait_procs(alive, STOP_SECONDS)
    return len(found)


def _marked(state: State) -> Iterator[psutil.Process]:
    here = psutil.Process()
    mine = {here.pid, *(parent.pid for parent in here.parents())}
    for process in psutil.process_iter():
        try:
            if process.pid not in mine and process.environ().get(MARK) == str(state.root):
                yield process
        except psutil.Error:
            continue


def _is_supervisor(process: psutil.Process) -> bool:
    try:
        return any("supervisord" in word for word in process.cmdline()[:2])
    except psutil.Error:
        return False


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.Error:
        return ""


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.Error:
            continue
