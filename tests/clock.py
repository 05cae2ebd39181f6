"""Time in tests, of which no slow machine may fail one: patience, and a clock that stands still."""

import time

PATIENCE = 120  # seconds for what takes a moment; only a test that fails waits so long


class Clock:
    """What modules see in the place of `time`: it goes on only by the seconds for which somebody sleeps."""

    def __init__(self) -> None:
        self.slept = 0.0
        self._steady, self._wall = time.monotonic(), time.time()

    def sleep(self, seconds: float) -> None:
        """Go on by so many seconds, at once."""
        self.slept += seconds

    def monotonic(self) -> float:
        """Return what the real one said when this was made, and the seconds slept since."""
        return self._steady + self.slept

    perf_counter = monotonic

    def time(self) -> float:
        """Return the seconds since the epoch, in the same way."""
        return self._wall + self.slept
