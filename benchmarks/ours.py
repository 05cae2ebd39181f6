"""The engine, called as the resizer calls it: the bytes of an original in, those of variants out.

As a script it makes one variant and prints its peak memory: python -m benchmarks.ours FILE SIZE
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from lazyimages import formats, sizes
from lazyimages.engines.base import Engine, Job, Limits, Rendered
from lazyimages.engines.pillow import PillowEngine

SIZES = ("360x270", "480h", "1280w")
# The same for sharp: width and height of a box to cover.
BOXES: dict[str, tuple[int | None, int | None]] = {
    "360x270": (360, 270),
    "480h": (None, 480),
    "1280w": (1280, None),
}
LIMITS = Limits(max_pixels=100_000_000, max_bytes=200 * 2**20)
QUALITY = {"jpeg": 80, "webp": 80, "avif": 52}


def render(
    data: bytes,
    wanted: Sequence[str],
    format: str = "jpeg",
    *,
    quality: int | None = None,
    effort: str = "fast",
    engine: Engine | None = None,
) -> list[Rendered]:
    """Make the sizes from one decode."""
    engine = engine or PillowEngine()
    probe = engine.probe(data, limits=LIMITS)
    jobs = [
        Job(
            plan=sizes.parse(size).plan(probe.width, probe.height),
            format=formats.BY_NAME[format],
            quality=quality or QUALITY.get(format),
            background="#ffffff",
            animation="keep",
            effort="small" if effort == "small" else "fast",
        )
        for size in wanted
    ]
    return engine.render(data, jobs, limits=LIMITS)


def timed(
    data: bytes,
    wanted: Sequence[str],
    format: str = "jpeg",
    *,
    quality: int | None = None,
    effort: str = "fast",
) -> tuple[float, list[Rendered]]:
    """Return the milliseconds that `render` takes, and what it returns."""
    started = time.perf_counter()
    made = render(data, wanted, format, quality=quality, effort=effort)
    return (time.perf_counter() - started) * 1000, made


def once(file: Path, size: str) -> list[str]:
    """Return the command of a process that makes one variant and prints its peak memory in KiB."""
    return [sys.executable, "-m", "benchmarks.ours", str(file), size]


if __name__ == "__main__":
    render(Path(sys.argv[1]).read_bytes(), [sys.argv[2]])
    # Not getrusage(2), whose figure a process inherits from who started it.
    (peak,) = (
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")
    )
    print(peak.split()[1])
