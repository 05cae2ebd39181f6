"""Resizing: Lanczos on the processor's vector units with the extra `fast`, else Pillow's own."""

from collections.abc import Sequence

from PIL import Image

from lazyimages.engines import shrink
from lazyimages.engines.orientation import Box

try:
    import cykooz_resizer
except ImportError:  # the extra is not installed, or has no wheel for this platform
    cykooz_resizer = None

_VECTOR_MODES = ("L", "RGB", "RGBA", "CMYK")
_REDUCING_GAP = 3.0  # Pillow: "almost indistinguishable from fair resampling"
_KEPT_PIXELS = 4_000_000  # of a resizer's buffer, four bytes each; larger ones are given back

Size = tuple[int, int]

_idle: list["cykooz_resizer.Resizer"] = []


def resize_all(
    source: Image.Image, wanted: Sequence[tuple[Box, Size]], *, decoded_at: int | None = None
) -> list[Image.Image]:
    """Return a picture for each box of the source and size in pixels, in their order.

    `decoded_at` says that the source is a JPEG, decoded at 1/decoded_at. Then each size is made from as
    small a picture as if it were the only one, so that it looks the same alone and beside others.
    """
    levels = {1: source}
    small = []
    for box, size in wanted:
        times = 1 if decoded_at is None else shrink.factor([box], [size], decoded_at=decoded_at)
        level = _halved(levels, times)
        small.append(resize(level, shrink.shrunk(box, times, level.size), size))
    return small


def _halved(levels: dict[int, Image.Image], times: int) -> Image.Image:
    """Return the picture made so many times smaller, a power of two, and keep it for others."""
    if times not in levels:
        levels[times] = _halved(levels, times // 2).reduce(2)
    return levels[times]


def resize(source: Image.Image, box: Box, size: Size) -> Image.Image:
    """Return the box of the source, whose edges may lie between pixels, at a size in pixels.

    Half-transparent pixels count by their alpha, so no colour bleeds out of what cannot be seen.
    """
    if cykooz_resizer is None or source.mode not in _VECTOR_MODES:
        return source.resize(size, Image.Resampling.LANCZOS, box, reducing_gap=_REDUCING_GAP)
    return _resize_with_vectors(source, box, size)


def _resize_with_vectors(source: Image.Image, box: Box, size: Size) -> Image.Image:
    left, top, right, bottom = box
    crop = cykooz_resizer.CropBox(left, top, _within(left, right), _within(top, bottom))
    lanczos = cykooz_resizer.ResizeAlg.convolution(cykooz_resizer.FilterType.lanczos3)
    options = cykooz_resizer.ResizeOptions(resize_alg=lanczos, crop_box=crop)
    small = Image.new(source.mode, size, None)
    try:
        # A resizer is for one thread at a time. Its buffer is worth keeping: the pages of a new one cost as
        # much time as the work.
        resizer = _idle.pop()
    except IndexError:
        resizer = cykooz_resizer.Resizer()
    resizer.resize_pil(source, small, options)
    if size[0] * source.height <= _KEPT_PIXELS:
        _idle.append(resizer)
    return small


def _within(start: float, end: float) -> float:
    """Return the length from start to end; added to start, it never rounds to more than the end."""
    length = end - start
    while start + length > end:
        length -= end * 2**-52
    return length
