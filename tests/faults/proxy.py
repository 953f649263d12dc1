"""The cable between the shop and its broker, which can be cut without anybody being told."""

import socket
import threading
from contextlib import suppress

from lavka.cli.ports import LOOPBACK

BLOCK = 65536
POLL_SECONDS = 0.05


class Cable:
    """Carries bytes between a port of its own and `target`.

    While it is `cut` nothing moves in either direction and nobody is told: connections stay open
    and new ones are never answered, as when a network drops packets. What was sent meanwhile
    arrives afterwards, unless its connection was given up.
    """

    def __init__(self, target: int) -> None:
        """Listen; carry nothing before `start`."""
        self.target = target
        self.door = socket.create_server((LOOPBACK, 0))
        self.door.settimeout(POLL_SECONDS)
        self.port: int = self.door.getsockname()[1]
        self.cut = threading.Event()
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._let_in, name="cable")

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        self.stopping.set()
        self.thread.join(10)
        self.door.close()

    def _let_in(self) -> None:
        while not self.stopping.is_set():
            self._wait_while_cut()
            with suppress(TimeoutError):
                near, _ = self.door.accept()
                self._join(near)

    def _join(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection((LOOPBACK, self.target), 5)
        except OSError:
            near.close()
            return
        for end in (near, far):
            end.settimeout(None)
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with source, suppress(OSError):
            try:
                while block := source.recv(BLOCK):
                    self._wait_while_cut()
                    sink.sendall(block)
            finally:
                # Also when the other end was reset: whoever is killed tells its peers.
                self._wait_while_cut()
                sink.shutdown(socket.SHUT_RDWR)

    def _wait_while_cut(self) -> None:
        while self.cut.is_set() and not self.stopping.is_set():
            self.stopping.wait(POLL_SECONDS)
