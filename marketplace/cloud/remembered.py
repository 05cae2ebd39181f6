"""A value that is expensive to read, remembered for a moment."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """What `read` returned, read anew once `seconds` have passed; thread-safe. Errors are not remembered."""

    def __init__(self, read: Callable[[], T], *, seconds: float) -> None:
        self._read = read
        self._seconds = seconds
        self._lock = threading.Lock()
        self._value: tuple[float, T] | None = None

    def get(self) -> T:
        """Return the value; raise what `read` raises."""
        with self._lock:
            if self._value is None or time.monotonic() - self._value[0] >= self._seconds:
                self._value = (time.monotonic(), self._read())
            return self._value[1]

    def forget(self) -> None:
        """Read anew at the next `get`."""
        with self._lock:
            self._value = None
