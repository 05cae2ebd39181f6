"""How much memory a render needs at the most, in bytes, on top of what the process has. Pure."""

from collections.abc import Sequence

from lazyimages.engines import shrink
from lazyimages.engines.base import Job, Probe

PIXEL_BYTES = 4  # Pillow keeps RGB in four bytes too


def whole_decode(*, width: int, height: int, pixel_bytes: int, file_bytes: int) -> int:
    """Return what decoding all of a file needs, the file included."""
    return file_bytes + width * height * pixel_bytes


def of_jobs(probe: Probe, jobs: Sequence[Job]) -> int:
    """Return what one decode, as small as the jobs allow, and their results need."""
    source = probe.cost_bytes
    if probe.format.name == "jpeg":
        plans = [job.plan for job in jobs]
        factor = shrink.factor([plan.box for plan in plans], [(plan.width, plan.height) for plan in plans])
        whole = probe.width * probe.height * PIXEL_BYTES
        source -= whole - whole // factor**2
    return source + sum(_result(probe, job) for job in jobs)


def _result(probe: Probe, job: Job) -> int:
    frames = probe.frames if job.animation == "keep" else 1
    # Twice: the picture, and what turning, converting or encoding it makes of it.
    return 2 * frames * job.plan.width * job.plan.height * PIXEL_BYTES
