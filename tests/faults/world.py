"""A shop with a database, a broker and a Valkey of its own, all of which may be broken."""

import contextlib
import json
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from lavka.cli import embedded
from lavka.cli.embedded import Postgres, Server, Valkey
from lavka.cli.ports import LOOPBACK, free_port
from tests.e2e.rabbitmq import RabbitMQ
from tests.e2e.shop import Shop
from tests.faults.clock import VARIABLE
from tests.faults.load import Goods, Load
from tests.faults.proxy import Cable
from tests.faults.receiver import Receiver

# As a shop has them, but for the size of the volume that its database lies on.
VOLUME_MEGABYTES = 256
# As many loads as there are faults, and more than they write reviews.
SHELVES, REVIEWERS_PER_SECOND = 30, 15


class Running:
    """A server that may be stopped and started."""

    def __init__(self, server: Server, log: Path) -> None:
        """Start nothing yet."""
        self.server, self.log = server, log
        self.child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.server.initialise()
        self.child = embedded.start(self.server, self.log)
        embedded.wait_for(self.server, self.child, self.log / f"{self.server.name}.log")

    def stop(self, with_signal: signal.Signals | None = None) -> None:
        if self.child is not None:
            embedded.stop(self.child, with_signal or self.server.stop_signal, patience=20)
            self.child = None


class Volume:
    """A small disk in memory, if root is here to mount it; else a folder that nobody can fill."""

    def __init__(self, folder: Path) -> None:
        """Mount it."""
        self.folder, self.filler = folder, folder / "filler"
        self.is_mounted = os.geteuid() == 0
        folder.mkdir()
        if self.is_mounted:
            size = f"size={VOLUME_MEGABYTES}m,mode=755"
            subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], check=True)

    def fill(self) -> None:
        """Leave not one block free."""
        assert self.is_mounted, "only root can mount a disk that is small enough to fill"
        with self.filler.open("ab") as filler, contextlib.suppress(OSError):
            while True:
                os.write(filler.fileno(), bytes(65536))

    def clear(self) -> None:
        self.filler.unlink(missing_ok=True)

    def close(self) -> None:
        if self.is_mounted:
            subprocess.run(["umount", self.folder], check=True)


class World:
    """`with World(folder, rabbitmq) as world:`, then break what it has while `world.load()` runs.

    The shop reaches the broker through `cable`; its tables lie on `volume`.
    """

    def __init__(self, folder: Path, broker: RabbitMQ, seconds: float) -> None:
        """Choose folders and ports for faults of this length; start nothing yet."""
        self.folder, self.broker, self.seconds = folder, broker, seconds
        folder.chmod(0o711)
        postgres = Postgres(folder / "postgres", free_port(), "lavka", "for-tests")
        valkey = Valkey(folder / "valkey", free_port(), "for-tests")
        self.postgres, self.valkey = Running(postgres, folder), Running(valkey, folder)
        self.cable, self.receiver = Cable(broker.port), Receiver()
        self.clock = folder / "clock"
        self.set_clock_back(0)
        self.shop = Shop(
            folder / "shop",
            broker={**broker.variables, "RABBITMQ_PORT": str(self.cable.port)},
            workers=2,
            has_beat=True,
            settings={
                "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
                VARIABLE: str(self.clock),
                "POSTGRES_HOST": LOOPBACK,
                "POSTGRES_PORT": str(postgres.port),
                "POSTGRES_USER": postgres.user,
                "POSTGRES_PASSWORD": postgres.password,
                "VALKEY_URL": valkey.url,
                "LAVKA_THROTTLES": "on",
                "LAVKA_WEBHOOKS_ALLOW_PRIVATE": "on",
            },
        )
        for worker in self.shop.workers:
            worker.command[3] = "tests.faults.failing"
        self._stack = contextlib.ExitStack()
        self._goods: list[Goods] = []

    def __enter__(self) -> "World":
        with contextlib.ExitStack() as stack:
            for each in (self.postgres, self.valkey):
                each.start()
                stack.callback(each.stop)
            self.volume = Volume(self.folder / "volume")
            stack.callback(self.volume.close)
            stack.callback(self.postgres.stop)
            self._put_databases_on(self.volume.folder / "tables")
            for part in (self.cable, self.receiver):
                part.start()
                stack.callback(part.stop)
            stack.enter_context(self.shop)
            self._stock()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _put_databases_on(self, tables: Path) -> None:
        tables.mkdir(mode=0o700)
        owner = pwd.getpwnam(self.postgres.server.account() or pwd.getpwuid(os.getuid()).pw_name)
        os.chown(tables, owner.pw_uid, owner.pw_gid)
        with self.shop.connect("postgres") as connection:
            connection.execute(f"CREATE TABLESPACE small LOCATION '{tables}'")  # type: ignore[arg-type]
            connection.execute("ALTER DATABASE template1 SET TABLESPACE small")

    def _stock(self) -> None:
        self.receiver.secret = self.run(f"print_endpoint({self.receiver.url!r})")
        customers = round(REVIEWERS_PER_SECOND * (60 + 2 * self.seconds))
        printed = self.run(f"print_goods(shelves={SHELVES}, customers={customers})")
        self._goods = [Goods(**shelf) for shelf in json.loads(printed)]
        self.wait_until(lambda: all(self._is_shown(each) for each in self._goods))

    def _is_shown(self, goods: Goods) -> bool:
        return httpx.get(f"{self.shop.base_url}/api/v1/products/{goods.slug}/").is_success

    def run(self, call: str) -> str:
        """Run something of `stocking` in the shop."""
        code = f"from tests.faults.stocking import *\n{call}"
        return self.shop.manage("shell", "-v", "0", "-c", code)

    def wait_until(self, true: Callable[[], object], patience_seconds: float = 90) -> None:
        """Return when it is."""
        deadline = time.monotonic() + patience_seconds
        while not true():
            assert time.monotonic() < deadline, self.shop.workers[0].tail()
            time.sleep(0.1)

    def set_clock_back(self, seconds: float) -> None:
        """Set the clock of the shop's own processes back, by so much from what is right."""
        new = self.clock.with_suffix(".new")
        new.write_text(str(seconds))
        new.rename(self.clock)

    def restart_workers(self) -> None:
        """kill -9 of all their processes, and start them."""
        for worker in self.shop.workers:
            worker.restart()

    def wait_for_workers(self) -> None:
        """Return when every worker has said that it is ready."""
        workers = self.shop.workers
        self.wait_until(lambda: all(" ready." in each.output() for each in workers))

    @contextlib.contextmanager
    def load(self) -> Iterator[Load]:
        """A steady load before, during and for some time after what the block breaks and mends."""
        with Load(self.shop.base_url, self._goods.pop()) as load:
            load.wait_for_orders(3)
            yield load
            load.wait_for_orders(3, patience_seconds=180)
            time.sleep(self.seconds / 4)
