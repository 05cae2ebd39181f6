"""Log lines that come by the thousand: one a second, and the number of the others."""

import threading
import time

_SECONDS = 1.0


class Tally:
    """Counts what happens, and tells now and then how often it did."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._next = 0.0

    def add(self) -> int:
        """Count one more. Return how many there were since the last time that was told, or 0: not yet."""
        with self._lock:
            self._count += 1
            now = time.monotonic()
            if now < self._next:
                return 0
            count, self._count, self._next = self._count, 0, now + _SECONDS
            return count
