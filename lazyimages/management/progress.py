"""How far long work is: a bar on a terminal, and a line now and then anywhere else."""

import time
from typing import Any

from django.core.management.base import OutputWrapper
from tqdm import tqdm

_EVERY = 10.0  # seconds between two lines


class Progress:
    """Counts items of work; give it what is done with `add`, and close it in the end.

    `out` is standard error, so that what a command prints can be piped. `total` may be None: not known.
    """

    def __init__(self, out: OutputWrapper, unit: str, *, done: int = 0, quiet: bool = False) -> None:
        self._out, self._unit, self._done, self._quiet = out, unit, done, quiet
        self._bar: Any = None
        self._total: int | None = None
        self._first, self._began, self._said = done, time.monotonic(), time.monotonic()

    def say(self, text: str) -> None:
        """Say what is going on before the first item is done; on a terminal in place of the last."""
        if self._quiet:
            return
        if self._out.isatty():
            self._write(f"\r\x1b[K{text}", ending="")
        elif time.monotonic() - self._said >= _EVERY:
            self._said = time.monotonic()
            self._write(text)

    def add(self, number: int, *, total: int | None) -> None:
        """Say that so many more items are done, of `total` in all."""
        self._done += number
        self._total = total
        if self._quiet:
            return
        if self._out.isatty():
            if self._bar is None:
                self._write("\r\x1b[K", ending="")
                self._bar = tqdm(
                    total=total,
                    initial=self._done - number,
                    unit=f" {self._unit}",
                    file=_Plain(self._out),
                    dynamic_ncols=True,
                    leave=False,
                )
            self._bar.total = total
            self._bar.update(number)
        elif time.monotonic() - self._said >= _EVERY:
            self._said = time.monotonic()
            self._write(self._line())

    def clear(self) -> None:
        """Make room for a line of somebody else's; the bar comes again below it."""
        if self._bar is not None:
            self._bar.clear()
        elif not self._quiet and self._out.isatty():
            self._write("\r\x1b[K", ending="")

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
        elif not self._quiet and self._out.isatty():
            self._write("\r\x1b[K", ending="")

    def _line(self) -> str:
        rate = (self._done - self._first) / max(time.monotonic() - self._began, 0.001)
        if not self._total:
            return f"{self._done:,} {self._unit}, {rate:,.0f} a second"
        left = (self._total - self._done) / rate if rate else 0
        percent = 100 * self._done / self._total
        return (
            f"{self._done:,} of {self._total:,} {self._unit} ({percent:.0f} %), {rate:,.0f} a second, "
            f"{_duration(left)} left"
        )

    def _write(self, text: str, ending: str = "\n") -> None:
        self._out.write(text, style_func=str, ending=ending)
        self._out.flush()


class _Plain:
    """Standard error as tqdm needs it: of Django's own each text is red, and a line."""

    def __init__(self, out: OutputWrapper) -> None:
        self._out = out

    def __getattr__(self, name: str) -> Any:
        return getattr(self._out, name)

    def write(self, text: str) -> None:
        """Write it as it is."""
        self._out.write(text, style_func=str, ending="")


def _duration(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"
