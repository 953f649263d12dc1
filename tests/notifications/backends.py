"""Mail servers that misbehave."""

from contextlib import suppress
from smtplib import SMTPServerDisconnected
from typing import Any

from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.locmem import EmailBackend
from django.db import OperationalError, connection


class HangingUp(BaseEmailBackend):
    """Ends the connection in the middle of a mail."""

    def send_messages(self, email_messages: Any) -> int:
        raise SMTPServerDisconnected("Connection unexpectedly closed")


class Babbling(BaseEmailBackend):
    """Answers with what the library for its protocol cannot read."""

    def send_messages(self, email_messages: Any) -> int:
        raise ValueError("Incorrect padding")


class LosingTheDatabase(EmailBackend):
    """Takes the mail, and by then the sender's connection to PostgreSQL is cut."""

    def send_messages(self, messages: Any) -> int:
        sent: int = super().send_messages(messages)
        with suppress(OperationalError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return sent
