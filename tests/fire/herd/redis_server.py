"""A Redis that can be killed, stopped and started again on the same port."""

import os
import signal
from pathlib import Path
from typing import Any

import redis

from marketplace.cloud.children import Child, start_child
from marketplace.demo.ports import free_port


class Redis:
    """redis-server on 127.0.0.1, which keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._child: Child | None = None
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self._client: Any = redis.Redis(port=self._port)

    def start(self) -> None:
        options = ["--bind", "127.0.0.1", "--port", str(self._port), "--save", "", "--appendonly", "no"]
        self._child = start_child(
            ["redis-server", *options, "--dir", str(self._folder)], ready="Ready to accept connections"
        )

    def kill(self) -> None:
        """Kill it, and what it knows with it."""
        self.signal(signal.SIGKILL)
        self.stop()

    def stop(self) -> None:
        if self._child is not None and self._child.running:
            self.signal(signal.SIGCONT)
        if self._child is not None:
            self._child.stop()

    def signal(self, number: signal.Signals) -> None:
        assert self._child is not None
        os.kill(self._child.pid, number)

    def leases(self) -> list[bytes]:
        """Name the leases that are held."""
        return list(self._client.scan_iter("*lazyimages:lease:*"))

    def holder(self) -> bytes | None:
        """Return the mark of who holds the one lease."""
        held = self.leases()
        found: bytes | None = self._client.get(held[0]) if held else None
        return found

    def seconds_left(self) -> int:
        """Return when the one lease would be over, if nobody renewed it."""
        left: int = self._client.ttl(self.leases()[0])
        return left

    def drop(self) -> None:
        """Forget the leases, as if they had expired."""
        for name in self.leases():
            self._client.delete(name)

    def keep(self, name: bytes, holder: bytes, seconds: int) -> None:
        """Have a lease be held for so long, also when it is over already."""
        self._client.set(name, holder, ex=seconds)
