"""What is known of a supervisor that answers badly."""

import socketserver
import threading
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest

from lavka.cli.plan import Plan, make_plan
from lavka.cli.ports import LOOPBACK, free_port
from lavka.cli.state import State
from lavka.cli.supervisor import Supervisor
from lavka.cli.trouble import Trouble

HALF = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<methodResponse><params><par"


class _Dying(socketserver.StreamRequestHandler):
    """Begins an answer, and is gone."""

    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass
        self.wfile.write(HALF)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    state = State(tmp_path / "state")
    state.open()
    return make_plan(state, free_port())


@pytest.fixture
def dying(plan: Plan) -> Iterator[Supervisor]:
    supervisor = Supervisor(plan)
    with socketserver.ThreadingTCPServer((LOOPBACK, supervisor.port), _Dying) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield supervisor
        server.shutdown()


def test_the_shops_own_processes_alone_know_that_they_run_under_up(plan: Plan) -> None:
    """No other command's do: `server.env` and the environment of a command beside them say none."""
    settings = ConfigParser(interpolation=None)
    settings.read_string(Supervisor(plan)._configuration())

    plan.write()

    told = {name for name, section in settings.items() if "environment" in section}
    assert told == {"program:web", "program:worker", "program:beat"}
    assert {settings[name]["environment"] for name in told} == {'LAVKA_UP="1"'}
    assert "LAVKA_UP" not in {**plan.variables, **plan.state.variables()}


def test_half_an_answer_names_no_children(dying: Supervisor) -> None:
    assert dying.children() == []


def test_what_cannot_be_started_is_said_in_a_sentence(dying: Supervisor) -> None:
    with pytest.raises(Trouble, match="web could not be started: "):
        dying.start_app("web")


def test_a_supervisor_that_is_gone_names_no_children(plan: Plan) -> None:
    assert Supervisor(plan).children() == []
