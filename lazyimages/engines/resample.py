"""Resizing: Lanczos on the processor's vector units with the extra `fast`, else Pillow's own."""

from collections.abc import Sequence

from PIL import Image

from lazyimages.engines.orientation import Box

try:
    import cykooz_resizer
except ImportError:  # the extra is not installed, or has no wheel for this platform
    cykooz_resizer = None

_VECTOR_MODES = ("L", "RGB", "RGBA", "CMYK")
_REDUCING_GAP = 3.0  # Pillow: "almost indistinguishable from fair resampling"
_KEPT_PIXELS = 4_000_000  # of a resizer's buffer, four bytes each; larger ones are given back
_STEP = 2.0  # how much larger than a result another must be at the least to be its source

Size = tuple[int, int]

_idle: list["cykooz_resizer.Resizer"] = []


def resize_all(source: Image.Image, wanted: Sequence[tuple[Box, Size]]) -> list[Image.Image]:
    """Return a picture for each box of the source and size in pixels, in their order.

    A small one is made from a larger one where that is at least twice its size and shows all of it.
    """
    made: dict[int, Image.Image] = {}
    for index in sorted(range(len(wanted)), key=lambda index: -wanted[index][1][0] * wanted[index][1][1]):
        box, size = wanted[index]
        for larger in reversed(made):
            inside = _box_inside(*wanted[larger], box, size)
            if inside is not None:
                made[index] = resize(made[larger], inside, size)
                break
        else:
            made[index] = resize(source, box, size)
    return [made[index] for index in range(len(wanted))]


def _box_inside(outer: Box, outer_size: Size, box: Box, size: Size) -> Box | None:
    """Return where a box lies in the picture that was made of another; None if it must not be its source."""
    left, top, right, bottom = outer
    if box[0] < left or box[1] < top or box[2] > right or box[3] > bottom:
        return None
    across, down = outer_size[0] / (right - left), outer_size[1] / (bottom - top)
    inside = (
        (box[0] - left) * across,
        (box[1] - top) * down,
        min((box[2] - left) * across, outer_size[0]),
        min((box[3] - top) * down, outer_size[1]),
    )
    enough = inside[2] - inside[0] >= _STEP * size[0] and inside[3] - inside[1] >= _STEP * size[1]
    return inside if enough else None


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
