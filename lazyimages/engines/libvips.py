"""libvips by the extra `vips`: reads a picture from its first line to its last and makes it small on the way.

So a picture is never whole in memory, unless its format leaves no choice. A call takes one thread, by a
mark on the picture and not by libvips' own setting, which is the process's. libvips also remembers
operations, with their buffers, about 100 MB of them; it is made to forget them after each call, also those of
other code in this process, which costs them nothing but time. How many it may remember is left as it was. Its
warnings go to stderr, by GLib, and not to Python's logging.
"""

import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from PIL import Image

from lazyimages.engines import shrink
from lazyimages.engines.orientation import Box

# How much larger than a result its source must be where its box has edges between pixels, which libvips
# cannot cut out: the rest is resampled from there.
_LEFTOVER = 2.0
_GAP = 3.0  # averaging is for pictures more than so many times larger than the result; Lanczos does the rest
_MODES = {1: "L", 2: "La", 3: "RGB", 4: "RGBa"}
_PLAIN_MODES = {"La": "LA", "RGBa": "RGBA"}

_forgetting = threading.Lock()


class LibvipsError(Exception):
    """libvips is not there, cannot read a file, or finds it damaged."""


def installed() -> bool:
    """Tell whether libvips can be used."""
    return _library() is not None


@cache
def _library() -> Any | None:
    """Return pyvips, imported when it is first needed: it takes as long as all the rest of this package."""
    try:
        import pyvips
    except (ImportError, OSError):  # OSError: pyvips is there, and libvips, the shared library, is not
        return None
    # pyvips hands libvips' warnings to Python's logging in the very threads that libvips works with. Garbage
    # that Python collects there may be what the thread is holding, and once the process was aborted.
    pyvips._remove_log_handler()
    return pyvips


@contextmanager
def _errors() -> Iterator[Any]:
    """Yield pyvips; raise `LibvipsError` for its errors, and when it is not there."""
    pyvips = _library()
    if pyvips is None:
        raise LibvipsError("libvips is not installed")
    try:
        yield pyvips
    except pyvips.Error as error:
        raise LibvipsError(str(error)) from error


def opened(loader: str, data: bytes, **options: Any) -> Any:
    """Return the `pyvips.Image` of a file, its header read; raise `LibvipsError` when that cannot be.

    `loader` and `options` are those of libvips' operations, as in "pngload".
    """
    with _errors() as pyvips:
        source = pyvips.Source.new_from_memory(data)
        image = getattr(pyvips.Image, f"{loader}_source")(source, access="sequential", **options).copy()
        image.set_type(pyvips.GValue.gint_type, "concurrency", 1)
    return image


def opened_jpeg(data: bytes, size: tuple[int, int], factor: int, *, fail_on: str) -> Any:
    """Return the `pyvips.Image` of a JPEG of a size in pixels at 1/factor; raise as `opened`."""
    image = opened("jpegload", data, shrink=factor, fail_on=fail_on)
    wanted = -(-size[0] // factor), -(-size[1] // factor)
    if wanted == (image.width, image.height):
        return image
    with _errors():
        # libvips cuts off a last pixel that is only partly the picture's.
        return image.embed(0, 0, *wanted, extend="copy")


def reduced(
    image: Any, boxes: Sequence[Box], sizes: Sequence[tuple[int, int]]
) -> tuple[Image.Image, list[Box]]:
    """Return a picture of what the boxes show, little larger than the sizes need, and the boxes in it.

    Half-transparent pixels count by their alpha. Raise `LibvipsError` when the pixels cannot be read.
    """
    left, top, right, bottom = _outline(image, boxes)
    width, height = right - left, bottom - top
    outline: Box = left, top, right, bottom
    if list(boxes) == [outline]:
        size = sizes[0]
    else:
        shrinking = max(1.0, shrink.spare(boxes, sizes) / _LEFTOVER)
        size = max(1, round(width / shrinking)), max(1, round(height / shrinking))
    with _errors():
        if (width, height) != (image.width, image.height):
            image = image.crop(left, top, width, height)
        if image.hasalpha():
            image = image.premultiply().cast("uchar")
        image = image.resize(size[0] / width, vscale=size[1] / height, kernel="lanczos3", gap=_GAP)
    small = decoded(image)
    across, down = small.width / width, small.height / height
    # What is computed may be a little more than the last pixel's edge.
    return small, [
        (
            (box[0] - left) * across,
            (box[1] - top) * down,
            min((box[2] - left) * across, small.width),
            min((box[3] - top) * down, small.height),
        )
        for box in boxes
    ]


def decoded(image: Any) -> Image.Image:
    """Return all of an image, which has its colours multiplied by its alpha if it has one."""
    mode = _MODES[image.bands]
    with _errors() as pyvips:
        try:
            pixels = image.write_to_memory()
        finally:
            _forget(pyvips)
    picture = Image.frombuffer(mode, (image.width, image.height), pixels, "raw", mode, 0, 1)
    return picture.convert(_PLAIN_MODES[mode]) if mode in _PLAIN_MODES else picture


def encoded(picture: Image.Image, saver: str, **options: Any) -> bytes:
    """Return the file of a grey or RGB picture, or one with alpha; raise `LibvipsError` without encoder."""
    bands = len(picture.getbands())
    with _errors() as pyvips:
        try:
            image = pyvips.Image.new_from_memory(picture.tobytes(), *picture.size, bands, "uchar")
            image = image.copy(interpretation="b-w" if bands < 3 else "srgb")
            image.set_type(pyvips.GValue.gint_type, "concurrency", 1)
            file: bytes = getattr(image, f"{saver}_buffer")(keep="none", **options)
        finally:
            _forget(pyvips)
    return file


def _outline(image: Any, boxes: Sequence[Box]) -> tuple[int, int, int, int]:
    """Return the smallest box of whole pixels around all the boxes."""
    left, top, right, bottom = zip(*boxes, strict=True)
    return (
        math.floor(min(left)),
        math.floor(min(top)),
        min(math.ceil(max(right)), image.width),
        min(math.ceil(max(bottom)), image.height),
    )


def _forget(pyvips: Any) -> None:
    with _forgetting:
        most = pyvips.cache_get_max()
        pyvips.cache_set_max(0)
        pyvips.cache_set_max(most)
