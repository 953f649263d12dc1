"""One relay, as it runs in a worker, alone in its process: `python -m bench.relaying`."""

import django

import config

if __name__ == "__main__":
    assert config.celery_app  # noqa: S101 - makes Celery's tasks know their broker
    django.setup()
    from lavka.kernel.relay import Relay

    Relay().run()
