"""How much this process renders at the same time: so many renders, weighted by the memory they need."""

import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from lazyimages.draining import draining
from lazyimages.exceptions import Busy

# What all renders of a process may need together, in bytes. One that needs more has all slots to itself.
MEMORY = 256 * 2**20
_LOOK_SECONDS = 0.2  # how often somebody who waits looks whether the process is to end


class Slots:
    """So many at the same time in this process; the rest wait in the order of their coming."""

    def __init__(self) -> None:
        self._free_all()
        # What other threads hold during a fork, no thread of the child will give back.
        os.register_at_fork(after_in_child=self._free_all)

    def _free_all(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        self._taken = 0

    def full(self, *, of: int) -> bool:
        """Tell whether all `of` slots are taken at this moment."""
        return self._taken >= of

    @contextmanager
    def take(self, weight: int = 1, *, of: int, deadline: float, error: type[Busy] = Busy) -> Iterator[None]:
        """Hold `weight` of `of` slots, all of them when it weighs more.

        `error` when they are not free before `deadline` (of `time.monotonic`, seconds), or when the process
        is to end first. Who comes later does not overtake, so that a heavy one is not starved by a stream of
        light ones.
        """
        weight = min(weight, of)
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            try:
                while self._waiting[0] is not ticket or self._taken + weight > of:
                    left = deadline - time.monotonic()
                    if left <= 0 or draining():
                        raise error(f"all {of} places for renders in this process are taken")
                    self._changed.wait(min(left, _LOOK_SECONDS))
                self._taken += weight
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._taken -= weight
                self._changed.notify_all()


def weight(cost: int, *, of: int) -> int:
    """Return how many of `of` slots a render takes that needs `cost` bytes of memory; at least 1."""
    return max(1, -(-cost * of // MEMORY))
