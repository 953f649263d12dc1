"""Mail servers that misbehave."""

from smtplib import SMTPServerDisconnected
from typing import Any

from django.core.mail.backends.base import BaseEmailBackend


class HangingUp(BaseEmailBackend):
    """Ends the connection in the middle of a mail."""

    def send_messages(self, email_messages: Any) -> int:
        raise SMTPServerDisconnected("Connection unexpectedly closed")
