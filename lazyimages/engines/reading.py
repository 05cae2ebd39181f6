"""Opening a file: which plugin reads it, what its header says, and whether it is within the limits.

Files are opened by their own plugin, never by `Image.open`, so that the limits are those of the call alone
and none of Pillow's process-wide switches matters.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO

from PIL import Image
from PIL.ImageFile import ImageFile

from lazyimages import formats
from lazyimages.engines import cost, gif, orientation, pieces, scans
from lazyimages.engines.base import Limits, Probe
from lazyimages.exceptions import (
    CannotEncode,
    CorruptImage,
    ImageError,
    ImageTooLarge,
    LazyImagesError,
    UnsupportedImage,
)
from lazyimages.formats import Format

logger = logging.getLogger("lazyimages")

# A frame of one pixel takes its time and memory too, and pixels are what the limit of the call counts.
_MOST_FRAMES = 10_000
# Pixels by which the later frames of a GIF may be larger than the first: slots are weighted by that one.
_BEYOND = 4_000_000

# What decoding takes by mode, where it is not 4: with what `colour.resizable` makes of it. 16-bit pictures go
# by way of 32 bits.
_PIXEL_BYTES = {"L": 1, "1": 2, "P": 5, "I;16": 11}
_MORE_PIXEL_BYTES = {
    "progressive": 6,  # it is whole in memory before its first pixel: 3 components of 16 bits
    "animated": 8,  # the decoder keeps the frame before, and what is to be shown after
    "webp": 11,  # measured: libwebp's planes, its RGB, and two copies on the way to Pillow's
    "heic": 6,  # the decoder's planes and its RGB, beside Pillow's
}

# Module and class, imported when the first such file comes: a process that has just started needs but one.
_PLUGINS = {
    # Also MPO and Ultra HDR, whose first picture is a plain JPEG.
    "jpeg": ("lazyimages.engines.jpeg", "Jpeg"),
    "png": ("PIL.PngImagePlugin", "PngImageFile"),
    "gif": ("PIL.GifImagePlugin", "GifImageFile"),
    "webp": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "avif": ("lazyimages.engines.avif", "Avif"),
    "tiff": ("lazyimages.engines.tiff", "Tiff"),
}
if find_spec("pillow_heif") is not None:  # the extra may have no wheel for this platform
    _PLUGINS["heic"] = ("lazyimages.engines.heic", "HeicImageFile")


def open_image(data: bytes, limits: Limits) -> tuple[ImageFile, Format]:
    """Return the image, its header read and its limits checked, and its format."""
    if len(data) > limits.max_bytes:
        raise ImageTooLarge(f"the file has {len(data):,} bytes; at most {limits.max_bytes:,} are allowed")
    format = formats.sniff(data)
    if format is None or format.name not in _PLUGINS:
        raise _unsupported(format)
    pieces.check(data, format)
    if format is formats.JPEG:
        scans.check(data)
    # Pillow makes room for a GIF's first picture as soon as the file is opened.
    reach = gif.reach(data) if format is formats.GIF else (0, 0)
    check_pixels(reach, 1, limits)
    image = reopen(data, format)
    width, height = image.size
    if width < 1 or height < 1:
        raise CorruptImage("the image has no pixels")
    if image.format == "PNG" and image.mode == "P" and image.palette is None:
        raise CorruptImage("the image has no palette")
    # One picture over the limit is refused before its frames are counted, which reads the whole file.
    check_pixels(image.size, 1, limits)
    count = frames(image)
    if count > _MOST_FRAMES:
        raise ImageTooLarge(f"the image has {count:,} frames; at most {_MOST_FRAMES:,} are allowed")
    check_pixels(image.size, count, limits)
    if _area(reach) > _area(image.size) + _BEYOND:
        raise ImageTooLarge("a frame of the animation is much larger than the animation says that it is")
    return image, format


def reopen(data: bytes, format: Format) -> ImageFile:
    """Return the image of bytes that were checked before."""
    module, name = _PLUGINS[format.name]
    image: ImageFile = getattr(import_module(module), name)(BytesIO(data))
    return image


def describe(image: ImageFile, format: Format, file_bytes: int) -> Probe:
    """Return what the header of an open image says, and what decoding it by Pillow needs."""
    width, height = image.size
    if orientation.swaps(orientation.read(image)):
        width, height = height, width
    return Probe(
        format=format,
        width=width,
        height=height,
        frames=frames(image),
        alpha=image.has_transparency_data,
        cost_bytes=cost.whole_decode(
            width=width, height=height, pixel_bytes=_pixel_bytes(image), file_bytes=file_bytes
        ),
    )


def _pixel_bytes(image: ImageFile) -> int:
    plain = _PIXEL_BYTES.get(image.mode, cost.PIXEL_BYTES)
    kinds = {
        "progressive": is_progressive(image),
        "animated": frames(image) > 1,
        "webp": image.format == "WEBP",
        "heic": image.format == "HEIC",
    }
    return plain + sum(_MORE_PIXEL_BYTES[kind] for kind, is_so in kinds.items() if is_so)


def frames(image: ImageFile) -> int:
    """Return how many pictures follow each other in time; the pages of a TIFF do not."""
    return 1 if image.format == "TIFF" else getattr(image, "n_frames", 1)


def is_progressive(image: ImageFile) -> bool:
    """Tell whether this is a progressive JPEG."""
    return image.format == "JPEG" and "progressive" in image.info


def _unsupported(format: Format | None) -> UnsupportedImage:
    """Return the refusal; it says what to bring, and the log, to who runs the site, what to install."""
    if format is not None:
        logger.warning(
            "extra not installed: a file in %s was refused; pip install 'django-lazyimages[heic]'",
            format.name.upper(),
        )
    kinds = (
        "JPEG, PNG, WebP, GIF, AVIF, HEIC or TIFF"
        if "heic" in _PLUGINS
        else "JPEG, PNG, WebP, GIF, AVIF or TIFF"
    )
    what = "is no image that we can read" if format is None else f"is {format.name.upper()}"
    return UnsupportedImage(f"the file {what}; it must be {kinds}")


def check_pixels(size: tuple[int, int], frames: int, limits: Limits) -> None:
    """Raise `ImageTooLarge` when so many frames of a size are over the limit."""
    width, height = size
    if width * height * frames > limits.max_pixels:
        raise ImageTooLarge(
            f"the image has {width} × {height} pixels" + (f" in {frames} frames" if frames > 1 else "") + "; "
            f"at most {limits.max_pixels:,} pixels are allowed in all"
        )


def _area(size: tuple[int, int]) -> int:
    return size[0] * size[1]


@contextmanager
def encoder_errors() -> Iterator[None]:
    """Turn whatever an encoder raises into `CannotEncode`: nothing is wrong with the original."""
    try:
        yield
    except LazyImagesError:
        raise
    except Exception as error:  # memory, or a format's limits
        raise CannotEncode("the picture cannot be written in this format and size") from error


@contextmanager
def domain_errors() -> Iterator[None]:
    """Turn whatever a decoder raises into an `ImageError`."""
    try:
        yield
    except ImageError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError, MemoryError) as error:
        raise ImageTooLarge("the image has more pixels than can be decoded") from error
    except Exception as error:  # Pillow's plugins raise errors of every kind for broken files
        raise CorruptImage("the file is damaged and cannot be read as an image") from error
