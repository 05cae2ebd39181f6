"""What must hold for any file whatever, in the process that decodes it."""

import os
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import GifImagePlugin, Image, ImageFile, PngImagePlugin

from lazyimages import current, formats, sizes, uploads
from lazyimages.engines.base import Job, Probe
from lazyimages.exceptions import ImageError
from tests.engine import pictures

_MOST_PIXELS = 1_000_000  # of a result; the encoders are not what is tried here
MEMORY = 64 * 2**20  # bytes that a file may take beyond what the engine said
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")

Spec = dict[str, Any]


class Broken(AssertionError):
    """A file for which something does not hold."""


def run(data: bytes, specs: list[Spec]) -> dict[str, Any]:
    """Return how a file fared, `{"outcome": "rendered", ...}`, with a `failure` when something is broken."""
    switches, before = _switches(), _memory()
    started = time.process_time()
    report: dict[str, Any] = {"probe": None}
    try:
        cost = _attempt(data, specs, report)
        report["seconds"] = time.process_time() - started
        report["memory"] = _memory("VmHWM") - before
        if report["memory"] > cost + MEMORY:
            raise Broken(f"took {report['memory']:,} bytes, where {cost:,} were announced")
        if _switches() != switches:
            raise Broken(f"switches of the process were changed: {switches} to {_switches()}")
    except Exception:  # which is what fuzzing looks for
        report["failure"] = traceback.format_exc()
    return report


def _attempt(data: bytes, specs: list[Spec], report: dict[str, Any]) -> int:
    """Take the file through everything, and return the memory that the engine announced."""
    engine, limits = current.engine(), current.limits()
    extras = [name for name in ("cykooz_resizer", "pyvips") if sys.modules.get(name)]
    report |= {"engine": type(engine).__name__, "extras": extras}
    exec(os.environ.get("LAZYIMAGES_FUZZ_BREAK", ""))  # by which the tests see that a failure is told
    try:
        probe = engine.probe(data, limits=limits)
    except ImageError as error:
        report["outcome"] = _refusal(error)
        try:
            engine.render(data, [_job(spec, 96, 72) for spec in specs], limits=limits)
        except ImageError as again:
            _refusal(again)
            return 0
        raise Broken("render took what probe refused") from error
    report["probe"] = [probe.format.name, probe.width, probe.height, probe.frames, probe.alpha]
    _check_probe(probe)
    jobs = [_job(spec, probe.width, probe.height) for spec in specs]
    cost = engine.cost(probe, jobs)
    report["uploaded"] = _upload(data)
    try:
        made = engine.render(data, jobs, limits=limits)
    except ImageError as error:
        report["outcome"] = _refusal(error)
        return max(cost, probe.cost_bytes)
    if len(made) != len(jobs):
        raise Broken(f"{len(made)} results of {len(jobs)} jobs")
    for job, one in zip(jobs, made, strict=True):
        wanted = job.plan.width, job.plan.height
        picture = pictures.opened(one.data)
        if not wanted == (one.width, one.height) == picture.size:
            raise Broken(f"{wanted} was planned, {one.width, one.height} said, {picture.size} made")
        if picture.format != job.format.name.upper():
            raise Broken(f"{picture.format} was made in place of {job.format.name}")
    report["outcome"] = "rendered"
    return max(cost, probe.cost_bytes)


def _upload(data: bytes) -> bool:
    try:
        uploads.inspect(SimpleUploadedFile("photo.jpg", data), "photo.jpg")
    except ImageError as error:
        _refusal(error)
        return False
    return True


def _refusal(error: ImageError) -> str:
    if not str(error):
        raise Broken("the message is for the person who uploaded the file") from error
    return type(error).__name__


def _check_probe(probe: Probe) -> None:
    most = current.limits().max_pixels
    if not (probe.width >= 1 and probe.height >= 1 and probe.frames >= 1):
        raise Broken(f"no pixels in {probe}")
    if probe.width * probe.height * probe.frames > most:
        raise Broken(f"more than {most:,} pixels in {probe}")


def _job(spec: Spec, width: int, height: int) -> Job:
    plan = sizes.parse(spec["size"]).plan(width, height, tuple(spec["focal"]))
    if plan.width * plan.height > _MOST_PIXELS:
        plan = sizes.parse("64w").plan(width, height)
    format = formats.BY_NAME[spec["format"]]
    quality = 80 if spec["format"] in ("jpeg", "webp", "avif") else None
    return Job(plan=plan, format=format, quality=quality, background="#ffffff", animation=spec["animation"])


def _switches() -> tuple[object, ...]:
    """Return what belongs to the process, and no engine may change."""
    vips = sys.modules.get("pyvips")
    return (
        ImageFile.LOAD_TRUNCATED_IMAGES,
        ImageFile.MAXBLOCK,
        Image.MAX_IMAGE_PIXELS,
        PngImagePlugin.MAX_TEXT_CHUNK,
        PngImagePlugin.MAX_TEXT_MEMORY,
        GifImagePlugin.LOADING_STRATEGY,
        len(warnings.filters),
        vips and vips.cache_get_max(),
        Path.cwd(),
    )


def _memory(field: str = "VmRSS") -> int:
    """Return the process's memory in bytes, or its peak since this was last asked for the memory."""
    if field == "VmRSS":
        _CLEAR.write_text("5")
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    return 0
