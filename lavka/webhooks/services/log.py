"""What the security log is told of endpoints."""

from typing import Any

from lavka.kernel import security_log
from lavka.kernel.security_log import Object, SecurityEvent
from lavka.webhooks.models import Endpoint


def log_endpoint(event: SecurityEvent, endpoint: Endpoint, **details: Any) -> None:
    """Log what was done to an endpoint."""
    security_log.record(event, Object("webhook_endpoint", endpoint.pk, endpoint.name), **details)
