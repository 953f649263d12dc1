"""Every change of endpoints, and of what is delivered to them."""

from lavka.webhooks.services.deliveries import (
    cancel_pending,
    ping_endpoint,
    purge_deliveries,
    replay_deliveries,
    replay_delivery,
    tell_endpoints,
)
from lavka.webhooks.services.endpoints import (
    create_endpoint,
    delete_endpoint,
    refuse_address,
    require_readable,
    rotate_keys,
    update_endpoint,
)
from lavka.webhooks.services.sending import Claim, claim_deliveries, record_attempt

__all__ = [
    "Claim",
    "cancel_pending",
    "claim_deliveries",
    "create_endpoint",
    "delete_endpoint",
    "ping_endpoint",
    "purge_deliveries",
    "record_attempt",
    "refuse_address",
    "replay_deliveries",
    "replay_delivery",
    "require_readable",
    "rotate_keys",
    "tell_endpoints",
    "update_endpoint",
]
