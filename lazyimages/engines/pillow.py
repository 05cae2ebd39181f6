"""The default engine, on Pillow.

It decodes a JPEG no larger than the result needs, and touches none of Pillow's process-wide switches:
files are opened by their own plugin, so that the limits are those of the call alone.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from PIL import Image, features
from PIL.AvifImagePlugin import AvifImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from lazyimages import formats
from lazyimages.engines import colour, complete, orientation
from lazyimages.engines.base import Job, Limits, Probe, Rendered
from lazyimages.exceptions import (
    CorruptImage,
    EncoderMissing,
    ImageError,
    ImageTooLarge,
    UnsupportedImage,
)
from lazyimages.formats import Format


class _Jpeg(JpegImageFile):
    """Opens without the look for a resolution in the EXIF, which may be broken and is of no use here."""

    def _read_dpi_from_exif(self) -> None:
        pass


_PLUGINS: dict[str, type[ImageFile]] = {
    "jpeg": _Jpeg,  # also MPO and Ultra HDR, whose first picture is a plain JPEG
    "png": PngImageFile,
    "gif": GifImageFile,
    "webp": WebPImageFile,
    "avif": AvifImageFile,
    "tiff": TiffImageFile,
}
_ANIMATED = ("gif", "webp", "png", "avif")
_WITHOUT_ALPHA = ("jpeg",)
# How much larger than the result a reduced decode must be at the least; below, the loss can be seen.
_SHRINKS = ((8, 1.3), (4, 1.3), (2, 1.5))
_REDUCING_GAP = 3.0  # Pillow: "almost indistinguishable from fair resampling"
_PIXEL_BYTES = 4
_MOST_PLAYS = 65_535  # GIF and WebP have 16 bits for it
_LONGEST_FRAME = 65_535  # milliseconds; PNG has 16 bits for it


class PillowEngine:
    """An `engines.base.Engine` that reads JPEG, PNG, GIF, WebP, AVIF and TIFF."""

    def probe(self, data: bytes, *, limits: Limits) -> Probe:
        """Return what the header says, without decoding pixels."""
        with _domain_errors():
            image, format = _open(data, limits)
            width, height = image.size
            if orientation.swaps(orientation.read(image)):
                width, height = height, width
            return Probe(
                format=format,
                width=width,
                height=height,
                frames=_frames(image),
                alpha=image.has_transparency_data,
                cost_bytes=len(data) + width * height * _PIXEL_BYTES,
            )

    def render(self, data: bytes, jobs: Sequence[Job], *, limits: Limits) -> list[Rendered]:
        """Make all the jobs from one decode, in their order."""
        missing = {job.format.name for job in jobs} - self.encoders()
        if missing:
            raise EncoderMissing(f"this Pillow cannot write {', '.join(sorted(missing))}")
        with _domain_errors():
            image, format = _open(data, limits)
            complete.check(data, format)
            animated = any(_keeps_frames(job) for job in jobs) and _frames(image) > 1
            if animated:
                kept, durations = _render_frames(image, jobs, limits)
            else:
                kept, durations = [[picture] for picture in _render_one(image, jobs)], []
            plays = _plays(image)
            return [_encode(frames, job, durations, plays) for frames, job in zip(kept, jobs, strict=True)]

    def encoders(self) -> frozenset[str]:
        """Return the names of the formats that this Pillow can write."""
        return frozenset(
            {"png", "gif"}
            | ({"jpeg"} if features.check("jpg") else set())
            | ({"webp"} if features.check("webp") else set())
            | ({"avif"} if features.check("avif") else set())
        )


@contextmanager
def _domain_errors() -> Iterator[None]:
    try:
        yield
    except ImageError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError, MemoryError) as error:
        raise ImageTooLarge("the image has more pixels than can be decoded") from error
    except Exception as error:  # Pillow's plugins raise errors of every kind for broken files
        raise CorruptImage("the file is damaged and cannot be read as an image") from error


def _open(data: bytes, limits: Limits) -> tuple[ImageFile, Format]:
    """Return the image, its header read and its limits checked, and its format."""
    if len(data) > limits.max_bytes:
        raise ImageTooLarge(f"the file has {len(data):,} bytes; at most {limits.max_bytes:,} are allowed")
    format = formats.sniff(data)
    if format is None or format.name not in _PLUGINS:
        kinds = "JPEG, PNG, WebP, GIF, AVIF or TIFF"
        what = "is no image that we can read" if format is None else f"is {format.name.upper()}"
        raise UnsupportedImage(f"the file {what}; it must be {kinds}")
    image = _PLUGINS[format.name](BytesIO(data))
    width, height = image.size
    if width < 1 or height < 1:
        raise CorruptImage("the image has no pixels")
    # One picture over the limit is refused before its frames are counted, which reads the whole file.
    _check_pixels(image, 1, limits)
    _check_pixels(image, _frames(image), limits)
    return image, format


def _check_pixels(image: ImageFile, frames: int, limits: Limits) -> None:
    width, height = image.size
    if width * height * frames > limits.max_pixels:
        raise ImageTooLarge(
            f"the image has {width} × {height} pixels" + (f" in {frames} frames" if frames > 1 else "") + "; "
            f"at most {limits.max_pixels:,} pixels are allowed in all"
        )


def _frames(image: ImageFile) -> int:
    return 1 if image.format == "TIFF" else getattr(image, "n_frames", 1)


def _keeps_frames(job: Job) -> bool:
    return job.animation == "keep" and job.format.name in _ANIMATED


def _plays(image: ImageFile) -> int:
    """Return how many times an animation is shown; 0 is without end."""
    loop: int | None = image.info.get("loop")
    if image.format == "GIF":  # which says how often it is shown again
        return 1 if loop is None else loop and min(loop + 1, _MOST_PLAYS)
    return min(loop or 0, _MOST_PLAYS)


def _render_one(image: ImageFile, jobs: Sequence[Job]) -> list[Image.Image]:
    """Return one small upright sRGB picture a job, from one decode."""
    turn = orientation.read(image)
    profile = image.info.get("icc_profile")
    boxes = [orientation.stored_box(job.plan.box, turn, *image.size) for job in jobs]
    shrink = _shrink_on_load(image, boxes, jobs, turn)
    image.load()
    source = colour.resizable(image)
    return [
        _finish(_resize(source, box, shrink, _stored_size(job, turn)), profile, turn, job)
        for box, job in zip(boxes, jobs, strict=True)
    ]


def _render_frames(
    image: ImageFile, jobs: Sequence[Job], limits: Limits
) -> tuple[list[list[Image.Image]], list[int]]:
    """Return the pictures of all frames, for each job, and the frames' durations in milliseconds.

    A job that wants one frame has the first alone.
    """
    kept: list[list[Image.Image]] = [[] for _ in jobs]
    durations: list[int] = []
    for number in range(_frames(image)):
        image.seek(number)
        _check_pixels(image, 1, limits)  # the frames of a GIF may be larger than it says that it is
        for index, picture in enumerate(_render_one(image, jobs)):
            if number == 0 or _keeps_frames(jobs[index]):
                kept[index].append(picture)
        durations.append(min(round(image.info.get("duration", 0)), _LONGEST_FRAME))
    return kept, durations


def _shrink_on_load(image: ImageFile, boxes: list[orientation.Box], jobs: Sequence[Job], turn: int) -> int:
    """Ask the JPEG decoder for a smaller picture where the results allow it; return the factor."""
    if not isinstance(image, JpegImageFile):
        return 1
    spare = min(
        min((right - left) / width, (bottom - top) / height)
        for (left, top, right, bottom), (width, height) in (
            (box, _stored_size(job, turn)) for box, job in zip(boxes, jobs, strict=True)
        )
    )
    for factor, least in _SHRINKS:
        if spare / factor >= least:
            width, height = image.size
            image.draft(None, (width // factor, height // factor))
            return factor
    return 1


def _stored_size(job: Job, turn: int) -> tuple[int, int]:
    plan = job.plan
    return (plan.height, plan.width) if orientation.swaps(turn) else (plan.width, plan.height)


def _resize(source: Image.Image, box: orientation.Box, shrink: int, size: tuple[int, int]) -> Image.Image:
    left, top, right, bottom = (edge / shrink for edge in box)
    # The reduced picture is a whole number of pixels, so the last of them may stick out of the original.
    inside = (left, top, min(right, source.width), min(bottom, source.height))
    return source.resize(size, Image.Resampling.LANCZOS, inside, reducing_gap=_REDUCING_GAP)


def _finish(small: Image.Image, profile: bytes | None, turn: int, job: Job) -> Image.Image:
    managed = colour.to_srgb(small, profile)
    if turn in orientation.TRANSPOSE:
        managed = managed.transpose(orientation.TRANSPOSE[turn])
    if job.format.name in _WITHOUT_ALPHA:
        managed = colour.flatten(managed, job.background)
    if job.format.name in ("webp", "avif", "gif"):
        managed = managed.convert("RGBA" if managed.mode in ("LA", "RGBA") else "RGB")
    if job.format.name == "gif" and managed.mode == "RGBA":
        # GIF has no half transparency, and the encoder would make all of it opaque.
        managed.putalpha(managed.getchannel("A").point([0] * 128 + [255] * 128))
    managed.info = {}  # comments, profiles and the like would be written into the variant
    return managed


def _encode(frames: list[Image.Image], job: Job, durations: list[int], plays: int) -> Rendered:
    options: dict[str, Any] = dict(_OPTIONS[job.format.name])
    if job.quality is not None:
        options["quality"] = job.quality
    if len(frames) > 1:
        options |= {"save_all": True, "append_images": frames[1:], "duration": durations, "loop": plays}
        if job.format.name == "gif":
            options |= _gif_options(frames, options.pop("loop"))
    buffer = BytesIO()
    frames[0].save(buffer, job.format.name.upper(), **options)
    return Rendered(data=buffer.getvalue(), width=frames[0].width, height=frames[0].height)


def _gif_options(frames: list[Image.Image], plays: int) -> dict[str, Any]:
    options = {} if plays == 1 else {"loop": plays and plays - 1}
    if any(frame.mode == "RGBA" for frame in frames):
        options["disposal"] = 2  # else what a frame leaves transparent shows the frame before
    return options


_OPTIONS: dict[str, dict[str, Any]] = {
    "jpeg": {"optimize": True},
    "png": {"compress_level": 6},
    "gif": {"optimize": False},
    "webp": {"method": 4},
    "avif": {"speed": 8},
}
