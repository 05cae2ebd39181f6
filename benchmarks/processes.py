"""Fresh processes that make one variant: their peak memory, and the time from start to end."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import originals, ours, sharp
from benchmarks.peers import say
from benchmarks.tables import interleaved, markdown, medians

ROUNDS = 5
COLD_ROUNDS = 15
SIZE = "1280w"

KINDS: dict[str, Callable[[int], Path]] = {
    "JPEG": originals.baseline,
    "progressive JPEG": originals.progressive,
    "PNG": originals.png,
    "WebP": originals.webp,
}


def run() -> str:
    """Return the tables, as Markdown."""
    return "\n\n".join((_memory(), _cold()))


def _memory() -> str:
    rows = []
    for kind, original in KINDS.items():
        for megapixels in (12, 24, 48):
            say(f"Peak memory, {kind} {megapixels} MP")
            path = original(megapixels)
            mine, other, _ = medians(
                interleaved(
                    lambda path=path: _peak(ours.once(path, SIZE)),  # type: ignore[misc]
                    lambda path=path: _peak(sharp.once(path, SIZE, quality=80)),  # type: ignore[misc]
                    ROUNDS,
                )
            )
            row = (f"{kind} {megapixels} MP", f"{mine:.0f}", f"{other:.0f}", f"{mine / other:.2f}")
            rows.append(row)
    return markdown((f"peak RSS of a process, {SIZE}", "ours, MiB", "sharp, MiB", "ours / sharp"), rows)


def _cold() -> str:
    rows = []
    path = originals.baseline(12)
    for size in ours.SIZES:
        say(f"Cold process, {size}")
        mine, other, _ = medians(
            interleaved(
                lambda size=size: _time(ours.once(path, size)),  # type: ignore[misc]
                lambda size=size: _time(sharp.once(path, size, quality=80)),  # type: ignore[misc]
                COLD_ROUNDS,
            )
        )
        rows.append((f"12 MP, {size}", f"{mine:.0f}", f"{other:.0f}", f"{mine / other:.2f}"))
    return markdown(("cold process to its first variant", "ours, ms", "sharp, ms", "ours / sharp"), rows)


def _peak(command: list[str]) -> float:
    """Return the peak resident memory of a command that prints it in KiB, in MiB."""
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=originals.ROOT, timeout=120
    )
    return int(done.stdout) / 1024


def _time(command: list[str]) -> float:
    """Return the milliseconds from a command's start to its end."""
    # The modules of either side are compiled once, not by every process.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, cwd=originals.ROOT, env=environment, timeout=120)
    return (time.perf_counter() - started) * 1000
