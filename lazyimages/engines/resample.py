"""Resizing: Lanczos on the processor's vector units with the extra `fast`, else Pillow's own."""

from PIL import Image

from lazyimages.engines.orientation import Box

try:
    import cykooz_resizer
except ImportError:  # the extra is not installed, or has no wheel for this platform
    cykooz_resizer = None

_VECTOR_MODES = ("L", "RGB", "RGBA", "CMYK")
_REDUCING_GAP = 3.0  # Pillow: "almost indistinguishable from fair resampling"


def resize(source: Image.Image, box: Box, size: tuple[int, int]) -> Image.Image:
    """Return the box of the source, whose edges may lie between pixels, at a size in pixels.

    Half-transparent pixels count by their alpha, so no colour bleeds out of what cannot be seen.
    """
    if cykooz_resizer is None or source.mode not in _VECTOR_MODES:
        return source.resize(size, Image.Resampling.LANCZOS, box, reducing_gap=_REDUCING_GAP)
    return _resize_with_vectors(source, box, size)


def _resize_with_vectors(source: Image.Image, box: Box, size: tuple[int, int]) -> Image.Image:
    left, top, right, bottom = box
    crop = cykooz_resizer.CropBox(left, top, _within(left, right), _within(top, bottom))
    lanczos = cykooz_resizer.ResizeAlg.convolution(cykooz_resizer.FilterType.lanczos3)
    options = cykooz_resizer.ResizeOptions(resize_alg=lanczos, crop_box=crop)
    small = Image.new(source.mode, size)
    # One a call: a resizer keeps buffers, and is not for several threads.
    cykooz_resizer.Resizer().resize_pil(source, small, options)
    return small


def _within(start: float, end: float) -> float:
    """Return the length from start to end; added to start, it never rounds to more than the end."""
    length = end - start
    while start + length > end:
        length -= end * 2**-52
    return length
