"""Large stills by libvips, where it is installed: small at once, and never whole in memory.

WebP is made small by its own decoder, a little less sharp the nearer it comes to the result.
"""

from collections.abc import Sequence
from typing import Any

from PIL import Image
from PIL.ImageFile import ImageFile

from lazyimages.engines import jpeg, libvips, reading, shrink
from lazyimages.engines.libvips import LibvipsError
from lazyimages.engines.orientation import Box
from lazyimages.exceptions import CorruptImage

# Bytes of the decoded picture. Below, libvips costs more time than it saves. A JPEG takes as long from here
# on, and much less memory; from the second figure on it takes less time too, enough for a decode of its own.
_LEAST_JPEG_BYTES = 20_000_000
_LEAST_LONE_JPEG_BYTES = 32_000_000
_LEAST_PNG_BYTES = 3_000_000
_LEAST_WEBP_BYTES = 24_000_000
_PIXEL_BYTES = 4
_PNG_MODES = ("L", "LA", "RGB", "RGBA")
# Let libwebp shrink a picture that is at least so many times larger than the result, down to so many times.
_WEBP_LEFTOVERS = ((5.0, 2.5), (3.0, 1.8))


def decode(
    image: ImageFile, data: bytes, boxes: Sequence[Box], sizes: Sequence[tuple[int, int]]
) -> tuple[Image.Image, list[Box]] | None:
    """Return a picture of what the boxes show, little larger than the sizes need, and the boxes in it.

    `image` is the file opened by Pillow and not loaded yet. The picture is as Pillow would decode it, before
    its profile and orientation. None: leave it to Pillow. Raise `CorruptImage` for damaged pixels.
    """
    opening = _OPENINGS.get(image.format or "")
    try:
        source = opening(image, data, boxes, sizes) if opening and boxes else None
    except LibvipsError:
        return None
    if source is None or source.bands != len(image.getbands()) or source.format != "uchar":
        return None
    across, down = source.width / image.width, source.height / image.height
    scaled = [
        (left * across, top * down, right * across, bottom * down) for left, top, right, bottom in boxes
    ]
    try:
        picture, inside = libvips.reduced(source, scaled, sizes)
    except LibvipsError as error:
        raise CorruptImage("the file is damaged and cannot be read as an image") from error
    if image.format == "JPEG" and jpeg.ends_in_fill(picture):
        jpeg.raise_if_unfinished(data)
    return picture, inside


def is_suited(image: ImageFile, data: bytes) -> bool:
    """Tell whether a PNG or WebP, open and not loaded yet, will be streamed, whatever is made of it."""
    suits = {"PNG": _suits_png, "WEBP": _suits_webp}.get(image.format or "")
    return suits is not None and suits(image, data) and libvips.installed()


def streams_jpeg(stored: tuple[int, int], boxes: Sequence[Box], sizes: Sequence[tuple[int, int]]) -> bool:
    """Tell whether a JPEG in colour or grey, of a stored size in pixels, will be streamed for these jobs."""
    return _suits_jpeg(stored, boxes, sizes) and libvips.installed()


def better_alone(image: ImageFile, boxes: Sequence[Box], sizes: Sequence[tuple[int, int]]) -> int | None:
    """Return which of several jobs is the only one that needs a large decode of a JPEG, if one is.

    Streamed by itself, and the others made from a smaller decode, all take less time and less memory.
    """
    if image.format != "JPEG" or len(boxes) < 2:
        return None
    factors = [shrink.factor([box], [size]) for box, size in zip(boxes, sizes, strict=True)]
    factor = min(factors)
    least = factors.index(factor)
    suits = (
        factors.count(factor) == 1
        and image.width * image.height * _PIXEL_BYTES >= _LEAST_LONE_JPEG_BYTES * factor**2
        and streams_jpeg(image.size, [boxes[least]], [sizes[least]])
    )
    return least if suits else None


def _open_jpeg(
    image: ImageFile, data: bytes, boxes: Sequence[Box], sizes: Sequence[tuple[int, int]]
) -> Any | None:
    """Open what is large also at the size at which it is decoded, for one job that shows all of it.

    The last pixel tells whether the file ends too early. Several jobs need too large a picture in common.
    """
    if image.mode not in ("L", "RGB") or not _suits_jpeg(image.size, boxes, sizes):
        return None
    return libvips.opened_jpeg(data, image.size, shrink.factor(boxes, sizes), fail_on="error")


def _suits_jpeg(stored: tuple[int, int], boxes: Sequence[Box], sizes: Sequence[tuple[int, int]]) -> bool:
    width, height = stored
    return (
        len(boxes) == 1
        and boxes[0][2] - boxes[0][0] >= width
        and boxes[0][3] - boxes[0][1] >= height
        and width * height * _PIXEL_BYTES >= _LEAST_JPEG_BYTES * shrink.factor(boxes, sizes) ** 2
    )


def _open_png(
    image: ImageFile, data: bytes, boxes: Sequence[Box], sizes: Sequence[tuple[int, int]]
) -> Any | None:
    return libvips.opened("pngload", data, fail_on="error") if _suits_png(image, data) else None


def _open_webp(
    image: ImageFile, data: bytes, boxes: Sequence[Box], sizes: Sequence[tuple[int, int]]
) -> Any | None:
    if not _suits_webp(image, data):
        return None
    spare = shrink.spare(boxes, sizes)
    scale = next((leftover / spare for least, leftover in _WEBP_LEFTOVERS if spare >= least), 1.0)
    return libvips.opened("webpload", data, scale=scale, fail_on="error")


def _suits_png(image: ImageFile, data: bytes) -> bool:
    """Take what is of eight bits and plain, but no animation; an interlaced one is whole in memory anyhow."""
    return bool(
        image.width * image.height * len(image.getbands()) >= _LEAST_PNG_BYTES
        and reading.frames(image) == 1
        and image.mode in _PNG_MODES
        and image.tile[0].args == image.mode
        and not {"transparency", "interlace"} & image.info.keys()
    )


def _suits_webp(image: ImageFile, data: bytes) -> bool:
    """Take what has no alpha, with which libvips is slower, and libwebp lets hidden colours bleed."""
    return (
        image.width * image.height * 3 >= _LEAST_WEBP_BYTES
        and reading.frames(image) == 1
        and image.mode == "RGB"
        and not _is_animation(data)
    )


def _is_animation(data: bytes) -> bool:
    """WebP container specification, "Extended File Format": a flag, also where there is but one frame."""
    return data[12:16] == b"VP8X" and bool(data[20] & 0x02)


_OPENINGS = {"JPEG": _open_jpeg, "PNG": _open_png, "WEBP": _open_webp}
