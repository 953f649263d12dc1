"""The lines of the security log: whole, in plain ASCII, and of what has truly happened."""

import io
import json
import logging
import logging.config
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from lavka.kernel import security_log
from lavka.kernel.actors import Actor
from lavka.kernel.security_log import Object, Outcome, SecurityEvent
from lavka.tax import services as tax
from lavka.web.logging import config

pytestmark = pytest.mark.django_db

Commit = Callable[..., Any]


def test_what_was_rolled_back_is_not_logged_as_done(
    lines: Callable[[], list[dict[str, Any]]], django_capture_on_commit_callbacks: Commit
):
    def undone() -> None:
        with transaction.atomic():
            make_tax_rate_by_service()
            raise RuntimeError

    with django_capture_on_commit_callbacks(execute=True), pytest.raises(RuntimeError):
        undone()

    assert lines() == []


def make_tax_rate_by_service() -> None:
    tax.create_rate(country="DE", percent=Decimal(19), valid_from=timezone.now().date())


def test_no_value_forges_a_line_or_outgrows_it(
    lines: Callable[[], list[dict[str, Any]]], django_capture_on_commit_callbacks: Commit
):
    forged = 'x"}\n{"logger": "lavka.security", "event": "sign_in", "\x1b[2J\u2028\u202e\r'
    with django_capture_on_commit_callbacks(execute=True):
        security_log.record(
            SecurityEvent.RIGHTS_CHANGED,
            Object("user", 1, forged),
            actor=Actor.system(forged),
            names=[forged] * (security_log.MAX_ITEMS + 1),
            long="a" * 10_000,
        )

    (found,) = lines()
    assert found["object"]["name"] == forged
    assert len(found["details"]["names"]) == security_log.MAX_ITEMS
    assert len(found["details"]["long"]) == security_log.MAX_TEXT


def test_its_lines_are_plain_ascii_and_whole():
    record = logging.LogRecord("lavka.security", logging.INFO, "", 0, "", (), None)
    record.security = {"event": "x\ny\u2028\x1b", "name": "я"}

    line = security_log.SecurityLine().format(record)

    assert line.isascii()
    assert line.isprintable()


@pytest.mark.parametrize("is_json", [True, False])
def test_it_is_written_whatever_the_level_and_form_of_the_rest(is_json: bool, settings: Any):
    stream = io.StringIO()
    configured = config(is_json=is_json, level="CRITICAL")
    logging.config.dictConfig(configured)
    try:
        (handler,) = security_log.logger.handlers
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(stream)
        security_log.record(SecurityEvent.SIGN_IN, outcome=Outcome.FAILURE)
    finally:
        logging.config.dictConfig(settings.LOGGING)

    assert json.loads(stream.getvalue())["event"] == "sign_in"
