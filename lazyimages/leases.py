"""Leases in a shared cache: so that machines do not make the same variant at the same moment.

A lease only saves work. Correctness never depends on it, and a cache that fails is logged and ignored.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache

from lazyimages import conf

LEASE_SECONDS = 10
_POLL_FIRST, _POLL_MOST = 0.001, 0.02  # seconds
_FINISHED_SECONDS = 60
# LocMem is one a process, and `add` of the file and database caches lets several callers win.
_ATOMIC = ("django.core.cache.backends.redis", "django.core.cache.backends.memcached", "django_redis.cache")

logger = logging.getLogger("lazyimages")


class Lease:
    """A lease on one name; without a cache that machines can share it is granted to everybody.

    `host` tells machines apart. Of one machine only one process asks at a time.
    """

    def __init__(self, name: str, host: str) -> None:
        self._host = f"{host}:"
        self._name = f"lazyimages:lease:{name}"
        self._mark = f"lazyimages:finished:{name}"

    @contextmanager
    def hold(self, deadline: float) -> Iterator[bool]:
        """Hold the lease, or go on without it at `deadline` (of `time.monotonic`, seconds).

        Yields whether another holder has finished the thing lately, so that it is worth a look.
        """
        cache = shared_cache()
        if cache is None:
            yield False
            return
        token = f"{self._host}{os.urandom(8).hex()}"
        held = bool(_quietly(lambda: self._acquire(cache, token, deadline)))
        try:
            with _renewed(lambda: _quietly(lambda: cache.touch(self._name, LEASE_SECONDS)), held):
                yield _quietly(lambda: cache.get(self._mark)) is not None
        finally:
            if held:
                _quietly(lambda: cache.get(self._name) == token and cache.delete(self._name))

    def finished(self) -> None:
        """Say that the thing is there, to whoever holds the lease next."""
        cache = shared_cache()
        if cache is not None:
            _quietly(lambda: cache.set(self._mark, 1, _FINISHED_SECONDS))

    def _acquire(self, cache: BaseCache, token: str, deadline: float) -> bool:
        pause = _POLL_FIRST
        while not cache.add(self._name, token, LEASE_SECONDS):
            if str(cache.get(self._name)).startswith(self._host):
                # Whoever held it on this machine has been killed, or we would not be asking.
                cache.set(self._name, token, LEASE_SECONDS)
                return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(pause)
            pause = min(pause * 2, _POLL_MOST)
        return True


def shared_cache() -> BaseCache | None:
    """Return the cache that CACHE names if machines can share it and its `add` is atomic, else None."""
    cache = _quietly(lambda: caches[conf.settings().cache])  # its client may not be installed
    atomic = any(cls.__module__.startswith(_ATOMIC) for cls in type(cache).__mro__)
    return cast(BaseCache, cache) if atomic else None


@contextmanager
def _renewed(renew: Callable[[], object], held: bool) -> Iterator[None]:
    """Call `renew` every third of a lease while the body runs."""
    done = threading.Event()

    def run() -> None:
        while not done.wait(LEASE_SECONDS / 3):
            renew()

    if held:
        threading.Thread(target=run, name="lazyimages-lease", daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _quietly(call: Callable[[], object]) -> object:
    try:
        return call()
    except Exception as error:  # every cache client raises errors of its own
        logger.warning("lease skipped error=%s", type(error).__name__)
        return None
