"""An engine on libvips: it decodes and encodes stills, and Pillow does what libvips is not right at.

libvips decodes JPEG, and large PNG and WebP; it writes JPEG, WebP and AVIF. Profiles and orientation are for
the small picture, by the same code as in the default engine. Animations, inks, palettes, small PNG and WebP
and the other formats go to the default engine, and so does a JPEG that libvips complains of: Pillow has the
last word on whether it is damaged. PNG is written by Pillow, since libvips puts a resolution into each.
"""

from collections.abc import Sequence
from typing import Any

from PIL import Image
from PIL.ImageFile import ImageFile

from lazyimages.engines import (
    complete,
    encoding,
    jpeg,
    libvips,
    orientation,
    pillow,
    progressive,
    reading,
    shrink,
    streamed,
)
from lazyimages.engines.base import Job, Limits, Probe, Rendered
from lazyimages.engines.libvips import LibvipsError
from lazyimages.engines.orientation import Box
from lazyimages.stopwatch import Stopwatch

_SAVERS: dict[str, tuple[str, dict[str, Any]]] = {
    "jpeg": ("jpegsave", {"optimize_coding": True, "subsample_mode": "on"}),
    "webp": ("webpsave", {}),
    "avif": ("heifsave", {"compression": "av1"}),
}
_BY_EFFORT: dict[str, dict[str, dict[str, Any]]] = {
    "fast": {"webp": {"effort": 4}, "avif": {"effort": 0}},
    "small": {"webp": {"effort": 6}, "avif": {"effort": 3}},
}


class VipsEngine:
    """An `engines.base.Engine` that reads and writes what `PillowEngine` does; needs the extra `vips`."""

    def __init__(self) -> None:
        if not libvips.installed():
            raise ImportError('VipsEngine needs libvips: pip install "django-lazyimages[vips]"')
        self._pillow = pillow.PillowEngine()

    def probe(self, data: bytes, *, limits: Limits) -> Probe:
        """Return what the header says, without decoding pixels."""
        return self._pillow.probe(data, limits=limits)

    def cost(self, probe: Probe, jobs: Sequence[Job]) -> int:
        """Return how many bytes of memory `render` will need for these jobs at the most."""
        return self._pillow.cost(probe, jobs)

    def encoders(self) -> frozenset[str]:
        """Return the names of the formats that this engine can write."""
        return self._pillow.encoders()

    def render(self, data: bytes, jobs: Sequence[Job], *, limits: Limits) -> list[Rendered]:
        """Make all the jobs from one decode, in their order."""
        watch = Stopwatch()
        with reading.domain_errors():
            with watch.stage("decode"):
                image, format = reading.open_image(data, limits)
                complete.check(data, format)
                turn = orientation.read(image)
                boxes = [orientation.stored_box(job.plan.box, turn, *image.size) for job in jobs]
                sizes = [pillow.stored_size(job, turn) for job in jobs]
                profile, decoded_at = image.info.get("icc_profile"), None
                decoded = streamed.decode(image, data, boxes, sizes)
                if decoded is None and image.format == "JPEG" and jobs:
                    decoded_at = shrink.factor(boxes, sizes)
                    decoded = _decode_jpeg(image, data, boxes, decoded_at)
            if decoded is not None:
                with watch.stage("resize"):
                    pictures = pillow.finished(*decoded, jobs, turn, profile, decoded_at=decoded_at)
                with watch.stage("encode"), reading.encoder_errors():
                    made = [_encode(picture, job) for picture, job in zip(pictures, jobs, strict=True)]
                return pillow.timed(made, watch)
        return self._pillow.render(data, jobs, limits=limits)


def _decode_jpeg(
    image: ImageFile, data: bytes, boxes: Sequence[Box], factor: int
) -> tuple[Image.Image, list[Box]] | None:
    """Return the picture decoded at 1/factor, and the boxes in it; None when it is for Pillow."""
    if image.mode not in ("L", "RGB"):
        return None
    if factor == 8 and reading.is_progressive(image):
        data = progressive.for_an_eighth(data)
    try:
        # "warning": libjpeg paints what is missing of a picture grey, and does no more than warn.
        source = libvips.opened_jpeg(data, image.size, factor, fail_on="warning")
        if source.bands != len(image.getbands()):
            return None
        picture = libvips.decoded(source)
    except LibvipsError:
        return None
    if jpeg.ends_in_fill(picture):  # libvips does not pass on what libjpeg says of the last lines
        jpeg.raise_if_unfinished(data)
    return picture, [shrink.shrunk(box, factor, picture.size) for box in boxes]


def _encode(picture: Image.Image, job: Job) -> Rendered:
    name = job.format.name
    if name in _SAVERS:
        saver, options = _SAVERS[name]
        options = options | _BY_EFFORT[job.effort].get(name, {})
        if job.quality is not None:
            options["Q"] = job.quality
        try:
            data = libvips.encoded(picture, saver, **options)
        except LibvipsError:  # this libvips was built without the encoder, or is too old for the options
            pass
        else:
            return Rendered(data=data, width=picture.width, height=picture.height)
    return encoding.encode([picture], job, [], 0)
