"""How much memory a render needs at the most, in bytes, on top of what the process has. Pure."""

from collections.abc import Sequence

from lazyimages.engines import shrink
from lazyimages.engines.base import Job, Probe

PIXEL_BYTES = 4  # Pillow keeps RGB in four bytes too

# What libvips takes to read a picture line by line, measured up to 48 megapixels and for several results.
_STREAM_BYTES = 25 * 2**20
_STREAM_PIXEL_BYTES = 1.5


def whole_decode(*, width: int, height: int, pixel_bytes: int, file_bytes: int) -> int:
    """Return what decoding all of a file needs, the file included."""
    return file_bytes + width * height * pixel_bytes


def streamed_decode(*, width: int, height: int, file_bytes: int) -> int:
    """Return what decoding a file line by line needs, the file included."""
    return file_bytes + _stream(width * height)


def of_jobs(probe: Probe, jobs: Sequence[Job], *, streams_jpeg: bool = False) -> int:
    """Return what one decode, as small as the jobs allow, and their results need."""
    source = probe.cost_bytes
    if probe.format.name == "jpeg":
        plans = [job.plan for job in jobs]
        factor = shrink.factor([plan.box for plan in plans], [(plan.width, plan.height) for plan in plans])
        pixels = probe.width * probe.height
        whole = min(pixels * PIXEL_BYTES, source)  # grey takes less
        source -= whole
        source += _stream(pixels // factor**2) if streams_jpeg else whole // factor**2
    return source + sum(_result(probe, job) for job in jobs)


def _stream(pixels: int) -> int:
    return _STREAM_BYTES + round(pixels * _STREAM_PIXEL_BYTES)


def _result(probe: Probe, job: Job) -> int:
    frames = probe.frames if job.animation == "keep" else 1
    # Twice: the picture, and what turning, converting or encoding it makes of it.
    return 2 * frames * job.plan.width * job.plan.height * PIXEL_BYTES
