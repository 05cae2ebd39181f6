"""Large PNG and WebP stills by libvips, where it is installed: small at once, and never whole in memory.

WebP is made small by its own decoder, a little less sharp the nearer it comes to the result.
"""

import math
from collections.abc import Sequence

from PIL import Image
from PIL.ImageFile import ImageFile

from lazyimages.engines import libvips, reading, shrink
from lazyimages.engines.libvips import LibvipsError
from lazyimages.engines.orientation import Box
from lazyimages.exceptions import CorruptImage

# Bytes of the decoded picture. Below, starting libvips costs more time than it saves.
_LEAST_BYTES = {"PNG": 3_000_000, "WEBP": 24_000_000}
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
    if not (libvips.INSTALLED and boxes and _suits(image, data)):
        return None
    loader, options = "pngload", {}
    if image.format == "WEBP":
        loader, options = "webpload", {"scale": _webp_scale(shrink.spare(boxes, sizes))}
    try:
        source = libvips.opened(loader, data, fail_on="error", **options)
    except LibvipsError:
        return None
    if source.bands != len(image.getbands()) or source.format != "uchar":
        return None
    (wide, high), (width, height) = (source.width, source.height), image.size
    scaled = [
        (left * wide / width, top * high / height, right * wide / width, bottom * high / height)
        for left, top, right, bottom in boxes
    ]
    try:
        return libvips.reduced(source, scaled, sizes)
    except LibvipsError as error:
        raise CorruptImage("the file is damaged and cannot be read as an image") from error


def _suits(image: ImageFile, data: bytes) -> bool:
    """Tell whether libvips reads the very same pixels as Pillow, and in less time."""
    size = image.width * image.height * len(image.getbands())
    if size < _LEAST_BYTES.get(image.format or "", math.inf) or reading.frames(image) > 1:
        return False
    if image.format == "PNG":
        eight_bits = image.tile[0].args == image.mode
        # An interlaced one is whole in memory anyhow.
        return (
            eight_bits and image.mode in _PNG_MODES and not {"transparency", "interlace"} & image.info.keys()
        )
    # With alpha, libvips is the slower one, and libwebp lets the colour of what cannot be seen bleed.
    return image.mode == "RGB" and not _is_animation(data)


def _is_animation(data: bytes) -> bool:
    """WebP container specification, "Extended File Format": a flag, also where there is but one frame."""
    return data[12:16] == b"VP8X" and bool(data[20] & 0x02)


def _webp_scale(spare: float) -> float:
    return next((leftover / spare for least, leftover in _WEBP_LEFTOVERS if spare >= least), 1.0)
