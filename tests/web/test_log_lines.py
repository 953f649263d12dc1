"""Nothing that comes with a request begins a log line of its own."""

import io
import json
import logging
import re
from importlib import import_module
from logging.config import DictConfigurator
from typing import Any

import pytest

from lavka.web import logging as web_logging
from lavka.web.request_id import RequestIdFilter
from tests.client import Api

FORGED = "2026-11-30 12:00:00,000 INFO lavka.access [-] GET /admin/ 200"
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (INFO|ERROR|WARNING) \S+ \[\S+\] ")
ODD = f"a\n{FORGED}\r\n\x1b[2K\x00\u2028\ud800\u202e\x85"


def capturing(name: str, *, is_json: bool, logger: str) -> tuple[logging.Handler, io.StringIO]:
    """A handler with the formatter `name` of the settings, on a logger; what it writes."""
    maker: Any = DictConfigurator({"version": 1})
    formatters = web_logging.config(is_json=is_json, level="INFO")["formatters"]
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(maker.configure_formatter(formatters[name]))
    handler.addFilter(RequestIdFilter())
    logging.getLogger(logger).addHandler(handler)
    return handler, stream


@pytest.fixture(params=[False, True], ids=["plain", "json"])
def written(request):
    """Lines of requests and of everything else, in either format."""
    import_module("config.asgi")  # it sets the loggers up when it is first imported
    handlers, streams = [], []
    for name, logger in (("access", "lavka.access"), ("lines", "lavka.web.test")):
        handler, stream = capturing(name, is_json=request.param, logger=logger)
        handlers.append((logger, handler))
        streams.append(stream)
    yield lambda: (request.param, [stream.getvalue() for stream in streams])
    for logger, handler in handlers:
        logging.getLogger(logger).removeHandler(handler)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/%0a" + FORGED.replace(" ", "%20") + "/",
        "/api/v1/products/%0d%0aINFO%20forged/",
        "/api/v1/%1b[2K%c2%85%e2%80%a8/",
        "/api/v1/" + "x" * 50_000,
    ],
)
def test_a_path_stays_in_its_line(written, path):
    Api().client.get(path, headers={"User-Agent": "a\tb", "X-Request-ID": "a\tb"})

    is_json, [access, _] = written()
    assert access.count("\n") == 1
    assert len(access) < 10_000
    assert not {"\x1b", "\x85", "\u2028", "\r"} & set(access)
    if is_json:
        assert json.loads(access)["status"] in {404, 414}
    else:
        assert LINE.match(access)


def test_a_message_stays_in_its_line(written):
    logging.getLogger("lavka.web.test").error("odd: %s", ODD)

    is_json, [_, lines] = written()
    assert len(lines.splitlines()) == 1
    assert "\x1b" not in lines
    assert FORGED in (json.loads(lines)["message"] if is_json else lines)


def test_no_line_of_a_trace_looks_like_a_line_of_the_log(written):
    try:
        int(ODD)
    except ValueError as fault:
        fault.args = (ODD,)
        logging.getLogger("lavka.web.test").exception("odd")

    is_json, [_, lines] = written()
    if is_json:
        assert len(lines.splitlines()) == 1
        assert FORGED in json.loads(lines)["exc_info"]
    else:
        first, *trace = lines.splitlines()
        assert LINE.match(first)
        assert trace
        assert all(line.startswith("    ") for line in trace)
        assert any(FORGED in line for line in trace)
