"""The shop's processes on real brokers."""

from pathlib import Path

import httpx

from tests.e2e.rabbitmq import RabbitMQ
from tests.e2e.shop import Shop


def test_it_serves_on_rabbitmq_and_a_killed_worker_starts_again(
    tmp_path: Path, rabbitmq: RabbitMQ
) -> None:
    with Shop(tmp_path, broker=rabbitmq.variables, workers=2) as shop:
        assert httpx.get(f"{shop.base_url}/healthz").json() == {"status": "ok"}
        shop.workers[0].kill()
        shop.workers[0].start()
        shop.wait_until_ready()


def test_it_serves_without_rabbitmq(tmp_path: Path) -> None:
    with Shop(tmp_path, has_beat=True) as shop:
        assert shop.answers()
