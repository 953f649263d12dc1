"""In which queue a task waits, and how often Celery's beat starts it."""

from datetime import timedelta

ROUTES = {
    "listing.*": {"queue": "lavka.listing"},
    "notifications.*": {"queue": "lavka.mail"},
    "webhooks.*": {"queue": "lavka.webhooks"},
    "catalog.make_thumbnails": {"queue": "lavka.media"},
    "catalog.remove_files": {"queue": "lavka.media"},
    "imports.*": {"queue": "lavka.imports"},
}
SCHEDULE = {
    "reconcile-ratings": {
        "task": "reviews.reconcile_ratings",
        "schedule": timedelta(hours=24),
    },
    "reconcile-stock": {"task": "inventory.reconcile", "schedule": timedelta(hours=24)},
    "release-expired-stock": {
        "task": "inventory.release_expired",
        "schedule": timedelta(seconds=10),
    },
    "forget-expired-carts": {
        "task": "carts.forget_expired",
        "schedule": timedelta(hours=1),
    },
    "purge-ended-sessions": {
        "task": "web.purge_ended_sessions",
        "schedule": timedelta(hours=1),
    },
    "purge-idempotency": {"task": "web.purge_idempotency", "schedule": timedelta(hours=1)},
    "refresh-stale-listing": {
        "task": "listing.refresh_stale",
        "schedule": timedelta(minutes=1),
    },
    "recount-words": {"task": "listing.recount_words", "schedule": timedelta(hours=1)},
    "reconcile-listing": {"task": "listing.reconcile", "schedule": timedelta(hours=24)},
    "make-partitions": {"task": "kernel.make_partitions", "schedule": timedelta(hours=6)},
    "purge-outbox": {"task": "kernel.purge_outbox", "schedule": timedelta(hours=6)},
    "tend-dead-letters": {
        "task": "kernel.tend_dead_letters",
        "schedule": timedelta(seconds=30),
    },
    "purge-sessions": {"task": "accounts.purge_sessions", "schedule": timedelta(hours=24)},
    "sweep-checkouts": {"task": "checkout.sweep", "schedule": timedelta(seconds=30)},
    "cancel-unpaid-orders": {
        "task": "checkout.cancel_unpaid",
        "schedule": timedelta(minutes=1),
    },
    "purge-checkouts": {"task": "checkout.purge", "schedule": timedelta(hours=1)},
    "sweep-refunds": {"task": "checkout.sweep_refunds", "schedule": timedelta(seconds=30)},
    "sweep-payments": {"task": "payments.sweep", "schedule": timedelta(seconds=30)},
    "purge-payment-webhooks": {"task": "payments.purge_webhooks", "schedule": timedelta(hours=24)},
    "reconcile-money": {"task": "payments.reconcile", "schedule": timedelta(hours=24)},
    "deliver-webhooks": {"task": "webhooks.deliver_due", "schedule": timedelta(seconds=5)},
    "purge-webhooks": {"task": "webhooks.purge_deliveries", "schedule": timedelta(hours=24)},
    "purge-sent-mail": {"task": "notifications.purge_sent_mail", "schedule": timedelta(hours=24)},
}
