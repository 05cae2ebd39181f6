"""How much smaller than it is stored an original may be decoded."""

from collections.abc import Sequence

from lazyimages.engines.orientation import Box

# How much larger than the result a reduced decode must be at the least; below, the loss can be seen.
_SHRINKS = ((8, 1.3), (4, 1.3), (2, 1.5))


def factor(boxes: Sequence[Box], sizes: Sequence[tuple[int, int]], *, decoded_at: int = 1) -> int:
    """Return 1, 2, 4 or 8: how often smaller than stored is enough to make each size from its box.

    Of a picture that was decoded at 1/decoded_at, return how often smaller than that.
    """
    times = spare(boxes, sizes) * decoded_at
    whole = next((factor for factor, least in _SHRINKS if times / factor >= least), 1)
    return max(1, whole // decoded_at)


def spare(boxes: Sequence[Box], sizes: Sequence[tuple[int, int]]) -> float:
    """Return how many times larger than its size each box is at the least; 1 without any."""
    return min(
        (
            min((right - left) / width, (bottom - top) / height)
            for (left, top, right, bottom), (width, height) in zip(boxes, sizes, strict=True)
        ),
        default=1.0,
    )


def shrunk(box: Box, factor: int, size: tuple[int, int]) -> Box:
    """Return where a box lies in a picture that was decoded at 1/factor and has `size` in pixels."""
    left, top, right, bottom = (edge / factor for edge in box)
    # The reduced picture is a whole number of pixels, so the last of them may stick out of the original.
    return left, top, min(right, size[0]), min(bottom, size[1])
