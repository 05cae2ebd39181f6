"""Leases in a shared cache: so that machines do not make the same variant at the same moment.

A lease only saves work. Correctness never depends on it: a cache that fails is logged and ignored, and one
that does not answer keeps nobody waiting for longer than three seconds.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, TypeVar

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache

from lazyimages import conf

# Other machines wait so long for one that has died. Whole seconds, as caches count them; a second less
# would be none at all in Memcached, which rounds down.
LEASE_SECONDS = 2
_RENEWALS = 4  # in the time of a lease
_POLL_FIRST, _POLL_MOST = 0.001, 0.02  # seconds
_FINISHED_SECONDS = 60
_ANSWER_SECONDS = 3.0  # clients of caches wait for 5 seconds, or for ever
# LocMem is one a process, and `add` of the file and database caches lets several callers win.
_ATOMIC = ("django.core.cache.backends.redis", "django.core.cache.backends.memcached", "django_redis.cache")

logger = logging.getLogger("lazyimages")

T = TypeVar("T")

_Call = tuple[float, Future[Any], Callable[[BaseCache], Any]]  # when it was asked for; its answer; what to do


class Lease:
    """A lease on one name; without a cache that machines can share it is granted to everybody.

    `host` tells machines apart. Of one machine only one process asks at a time.
    """

    def __init__(self, name: str, host: str) -> None:
        self._host = f"{host}:"
        self._name = f"lazyimages:lease:{name}"
        self._mark = f"lazyimages:finished:{name}"
        self._token = f"{self._host}{os.urandom(8).hex()}"
        self._held = False
        self._over = threading.Event()
        self.refused = False  # whether another machine had it until the end of waiting

    @contextmanager
    def hold(self, deadline: float, *, give_up: Callable[[], bool] = lambda: False) -> Iterator[bool]:
        """Hold the lease, or go on without it at `deadline` (of `time.monotonic`, seconds), or at `give_up`.

        Yields whether another holder has finished the thing lately, so that it is worth a look.
        """
        if shared_cache() is None:
            yield False
            return
        self._held = self._acquire(deadline, give_up)
        if self._held:
            threading.Thread(target=self._renew, name="lazyimages-lease", daemon=True).start()
        try:
            yield _cache.ask(lambda cache: cache.get(self._mark)) is not None
        finally:
            self.release()

    def finished(self) -> None:
        """Say that the thing is there, to whoever holds the lease next; this gives it up."""
        if shared_cache() is not None:
            _cache.ask(lambda cache: cache.set(self._mark, 1, _FINISHED_SECONDS))
        self.release()

    def release(self) -> None:
        """Give up the lease, if it is held."""
        self._over.set()
        if self._held:
            self._held = False
            _cache.ask(lambda cache: cache.get(self._name) == self._token and cache.delete(self._name))

    def _acquire(self, deadline: float, give_up: Callable[[], bool]) -> bool:
        pause = _POLL_FIRST
        while (taken := _cache.ask(self._take)) is False:
            if time.monotonic() >= deadline or give_up():
                self.refused = True
                return False
            time.sleep(pause)
            pause = min(pause * 2, _POLL_MOST)
        return bool(taken)

    def _take(self, cache: BaseCache) -> bool | None:
        """Tell whether the lease is ours now; None when the cache seems to hide that it does not answer."""
        if cache.add(self._name, self._token, LEASE_SECONDS):
            return True
        holder = cache.get(self._name)
        if holder is None:  # given up just now, or nobody is there
            return cache.add(self._name, self._token, LEASE_SECONDS) or None
        if not str(holder).startswith(self._host):
            return False
        # Whoever held it on this machine has been killed, or we would not be asking.
        cache.set(self._name, self._token, LEASE_SECONDS)
        return True

    def _renew(self) -> None:
        while not self._over.wait(LEASE_SECONDS / _RENEWALS):
            _cache.ask(lambda cache: cache.touch(self._name, LEASE_SECONDS))


def shared_cache() -> BaseCache | None:
    """Return the cache that CACHE names if machines can share it and its `add` is atomic, else None."""
    try:
        cache = caches[conf.settings().cache]
    except Exception as error:  # its client may not be installed
        _skipped(error)
        return None
    atomic = any(cls.__module__.startswith(_ATOMIC) for cls in type(cache).__mro__)
    return cache if atomic else None


class _Asking:
    """The one thread of this process that talks with the cache.

    Whoever needs an answer waits for it no longer than `_ANSWER_SECONDS`, and not at all while an earlier
    call is overdue: a cache that hangs would otherwise hold up every request that makes something.
    """

    def __init__(self) -> None:
        self._begin()
        os.register_at_fork(after_in_child=self._begin)  # a child has no thread but the one that forked

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._calls: SimpleQueue[_Call] | None = None
        self._since: float | None = None  # when the call was asked for that is going on

    def ask(self, call: Callable[[BaseCache], T]) -> T | None:
        """Return what `call` returns, given the cache; None when that fails, or takes too long."""
        now, since = time.monotonic(), self._since
        if since is not None and now - since >= _ANSWER_SECONDS:
            _skipped(TimeoutError())
            return None
        answer: Future[T] = Future()
        self._queue().put((now, answer, call))
        try:
            return answer.result(_ANSWER_SECONDS)
        except Exception as error:  # every cache client raises errors of its own
            answer.cancel()
            _skipped(error)
            return None

    def _queue(self) -> "SimpleQueue[_Call]":
        with self._lock:
            if self._calls is None:
                self._calls = SimpleQueue()
                # A daemon, for a process has to end also when its cache hangs.
                threading.Thread(
                    target=self._run, args=[self._calls], name="lazyimages-cache", daemon=True
                ).start()
            return self._calls

    def _run(self, calls: "SimpleQueue[_Call]") -> None:
        while True:
            asked, answer, call = calls.get()
            if not answer.set_running_or_notify_cancel():
                continue
            self._since = asked
            try:
                # Clients of caches are one a thread, hence not the one of who asks.
                cache = shared_cache()
                answer.set_result(None if cache is None else call(cache))
            except Exception as error:
                answer.set_exception(error)
            finally:
                self._since = None


_cache = _Asking()


def _skipped(error: Exception) -> None:
    logger.warning("lease skipped error=%s", type(error).__name__)
