"""The default engine, on Pillow.

It decodes a JPEG no larger than the result needs, and touches none of Pillow's process-wide switches.
"""

import dataclasses
from collections.abc import Sequence

from PIL import Image
from PIL.ImageFile import ImageFile

from lazyimages.engines import (
    colour,
    complete,
    cost,
    encoding,
    orientation,
    progressive,
    reading,
    resample,
    shrink,
    streamed,
)
from lazyimages.engines.base import Job, Limits, Probe, Rendered
from lazyimages.exceptions import EncoderMissing
from lazyimages.formats import Format
from lazyimages.stopwatch import Stopwatch

_ANIMATED = ("gif", "webp", "png", "avif")
_MOST_PLAYS = 65_535  # GIF and WebP have 16 bits for it
_LONGEST_FRAME = 65_535  # milliseconds; PNG has 16 bits for it


class PillowEngine:
    """An `engines.base.Engine` that reads JPEG, PNG, GIF, WebP, AVIF and TIFF."""

    def probe(self, data: bytes, *, limits: Limits) -> Probe:
        """Return what the header says, without decoding pixels."""
        with reading.domain_errors():
            image, format = reading.open_image(data, limits)
            probe = reading.describe(image, format, len(data))
            if not streamed.is_suited(image, data):
                return probe
            stream = cost.streamed_decode(width=probe.width, height=probe.height, file_bytes=len(data))
            return dataclasses.replace(probe, cost_bytes=stream)

    def cost(self, probe: Probe, jobs: Sequence[Job]) -> int:
        """Return how many bytes of memory `render` will need for these jobs at the most."""
        plans = [job.plan for job in jobs]
        stored = (probe.width, probe.height)  # upright, which makes no difference here
        sizes = [(plan.width, plan.height) for plan in plans]
        is_jpeg = probe.format.name == "jpeg"
        streams_jpeg = is_jpeg and streamed.streams_jpeg(stored, [plan.box for plan in plans], sizes)
        return cost.of_jobs(probe, jobs, streams_jpeg=streams_jpeg)

    def render(self, data: bytes, jobs: Sequence[Job], *, limits: Limits) -> list[Rendered]:
        """Make all the jobs from one decode, in their order."""
        missing = {job.format.name for job in jobs} - self.encoders()
        if missing:
            raise EncoderMissing(f"this Pillow cannot write {', '.join(sorted(missing))}")
        watch = Stopwatch()
        with reading.domain_errors():
            with watch.stage("decode"):
                image, format = reading.open_image(data, limits)
                complete.check(data, format)
                animated = any(keeps_frames(job) for job in jobs) and reading.frames(image) > 1
                if animated:
                    kept, durations = _render_frames(image, jobs, limits, watch)
                else:
                    stills = _render_still(image, data, format, jobs, watch)
                    kept, durations = [[picture] for picture in stills], []
                plays = _plays(image)
            with watch.stage("encode"), reading.encoder_errors():
                made = [
                    encoding.encode(frames, job, durations, plays)
                    for frames, job in zip(kept, jobs, strict=True)
                ]
        return timed(made, watch)

    def encoders(self) -> frozenset[str]:
        """Return the names of the formats that this Pillow can write."""
        return encoding.encoders()


def timed(made: Sequence[Rendered], watch: Stopwatch) -> list[Rendered]:
    """Return the variants of one call with its times."""
    return [dataclasses.replace(rendered, seconds=watch.seconds) for rendered in made]


def keeps_frames(job: Job) -> bool:
    """Tell whether a job wants the frames after the first, in a format that has them."""
    return job.animation == "keep" and job.format.name in _ANIMATED


def _plays(image: ImageFile) -> int:
    """Return how many times an animation is shown; 0 is without end."""
    loop: int | None = image.info.get("loop")
    if image.format == "GIF":  # which says how often it is shown again
        return 1 if loop is None else loop and min(loop + 1, _MOST_PLAYS)
    return min(loop or 0, _MOST_PLAYS)


def _render_still(
    image: ImageFile, data: bytes, format: Format, jobs: Sequence[Job], watch: Stopwatch
) -> list[Image.Image]:
    """Return one small upright sRGB picture a job, from a decode that is no larger than they need."""
    turn = orientation.read(image)
    boxes = [orientation.stored_box(job.plan.box, turn, *image.size) for job in jobs]
    sizes = [stored_size(job, turn) for job in jobs]
    alone = streamed.better_alone(image, boxes, sizes)
    if alone is not None:
        (large,) = _render_still(image, data, format, [jobs[alone]], watch)
        others = [*jobs[:alone], *jobs[alone + 1 :]]
        small = _render_still(reading.reopen(data, format), data, format, others, watch)
        return [*small[:alone], large, *small[alone:]]
    decoded = streamed.decode(image, data, boxes, sizes)
    if decoded is not None:
        with watch.stage("resize"):
            return finished(*decoded, jobs, turn, image.info.get("icc_profile"))
    factor = 1
    if image.format == "JPEG":
        factor = shrink.factor(boxes, sizes)
        if factor == 8 and reading.is_progressive(image):
            image = reading.reopen(progressive.for_an_eighth(data), format)
        image.draft(None, (image.width // factor, image.height // factor))
    return _small_ones(image, jobs, turn, factor, boxes, watch)


def _render_frames(
    image: ImageFile, jobs: Sequence[Job], limits: Limits, watch: Stopwatch
) -> tuple[list[list[Image.Image]], list[int]]:
    """Return the pictures of all frames, for each job, and the frames' durations in milliseconds.

    A job that wants one frame has the first alone.
    """
    kept: list[list[Image.Image]] = [[] for _ in jobs]
    durations: list[int] = []
    for number in range(reading.frames(image)):
        image.seek(number)
        reading.check_pixels(image.size, 1, limits)
        turn = orientation.read(image)
        boxes = [orientation.stored_box(job.plan.box, turn, *image.size) for job in jobs]
        for index, picture in enumerate(_small_ones(image, jobs, turn, 1, boxes, watch)):
            if number == 0 or keeps_frames(jobs[index]):
                kept[index].append(picture)
        durations.append(min(round(image.info.get("duration", 0)), _LONGEST_FRAME))
    return kept, durations


def _small_ones(
    image: ImageFile,
    jobs: Sequence[Job],
    turn: int,
    factor: int,
    boxes: Sequence[orientation.Box],
    watch: Stopwatch,
) -> list[Image.Image]:
    profile = image.info.get("icc_profile")
    image.load()
    with watch.stage("resize"):
        source = colour.resizable(image)
        decoded_boxes = [shrink.shrunk(box, factor, source.size) for box in boxes]
        decoded_at = factor if image.format == "JPEG" else None
        return finished(source, decoded_boxes, jobs, turn, profile, decoded_at=decoded_at)


def finished(
    source: Image.Image,
    boxes: Sequence[orientation.Box],
    jobs: Sequence[Job],
    turn: int,
    profile: bytes | None,
    *,
    decoded_at: int | None = None,
) -> list[Image.Image]:
    """Return what the boxes of a decoded picture show: one small upright sRGB picture a job.

    `decoded_at` as in `resample.resize_all`.
    """
    wanted = [(box, stored_size(job, turn)) for box, job in zip(boxes, jobs, strict=True)]
    return [
        encoding.holdable(orientation.upright(colour.to_srgb(small, profile), turn), job)
        for small, job in zip(resample.resize_all(source, wanted, decoded_at=decoded_at), jobs, strict=True)
    ]


def stored_size(job: Job, turn: int) -> tuple[int, int]:
    """Return width and height of a job's result as long as it lies as it is stored."""
    plan = job.plan
    return (plan.height, plan.width) if orientation.swaps(turn) else (plan.width, plan.height)
