"""How long the stages of one piece of work take."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class Stopwatch:
    """Adds up time by stage. A stage inside of another stops the outer one, so that nothing counts twice."""

    def __init__(self) -> None:
        self._began = self._since = time.perf_counter()
        self._seconds: dict[str, float] = defaultdict(float)
        self._running: list[str] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of the block to a stage."""
        self._turn()
        self._running.append(name)
        try:
            yield
        finally:
            self._turn()
            self._running.pop()

    def add(self, seconds: Mapping[str, float]) -> None:
        """Add times that something else has measured."""
        for name, more in seconds.items():
            self._seconds[name] += more

    @property
    def seconds(self) -> dict[str, float]:
        """The seconds of each stage that there was, in the order of their first."""
        return dict(self._seconds)

    @property
    def total(self) -> float:
        """The seconds since the stopwatch was made."""
        return time.perf_counter() - self._began

    def _turn(self) -> None:
        now = time.perf_counter()
        if self._running:
            self._seconds[self._running[-1]] += now - self._since
        self._since = now
