"""Sizes: their text in URLs, and the geometry they stand for. Pure, exact integer arithmetic."""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from lazyimages.exceptions import InvalidSize

_NUMBER = "[1-9][0-9]{0,3}"
_GRAMMAR = re.compile(rf"(?P<w>{_NUMBER})x(?P<h>{_NUMBER})|(?P<only_w>{_NUMBER})w|(?P<only_h>{_NUMBER})h")

CENTRE = (50, 50)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What to cut out of an original, and how large the result is.

    `box` is (left, top, right, bottom) in pixels of the original after EXIF orientation, fractions
    allowed; `width` and `height` are the variant's, whole pixels, at least 1, never more than the box's
    (rounded).
    """

    box: tuple[float, float, float, float]
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Size:
    """A size as a URL asks for it: both numbers for `WxH`, one of them for `Ww` and `Hh`. In pixels."""

    width: int | None
    height: int | None

    def __str__(self) -> str:
        if self.height is None:
            return f"{self.width}w"
        if self.width is None:
            return f"{self.height}h"
        return f"{self.width}x{self.height}"

    def output(self, width: int, height: int) -> tuple[int, int]:
        """Return width and height of `plan(width, height)`, which is all that pages need, in less time."""
        if self.height is None or self.width is None:
            plan = self.plan(width, height)
            return plan.width, plan.height
        if width >= self.width and height >= self.height:
            return self.width, self.height
        if width * self.height <= height * self.width:
            return width, _round(self.height * width, self.width)
        return _round(self.width * height, self.height), height

    def has_proportions_of(self, other: "Size") -> bool:
        """Tell whether two sizes give variants of the same proportions, but for whole pixels.

        `Ww` and `Hh` keep those of the original, whatever they are, and `WxH` has its own.
        """
        if self.width and self.height and other.width and other.height:
            # Each side is rounded by half a pixel at most.
            sides = self.width + self.height + other.width + other.height
            return 2 * abs(self.width * other.height - other.width * self.height) <= sides
        return None in (self.width, self.height) and None in (other.width, other.height)

    def plan(self, width: int, height: int, focal: tuple[int, int] = CENTRE) -> Plan:
        """Return the crop box and output dimensions for an original of width × height pixels.

        `width` and `height` are taken after EXIF orientation; `focal` is the point to keep, in percent
        from the left and the top. Nothing is enlarged: an original too small to fill `WxH` gives the
        largest rectangle of those proportions.
        """
        if width < 1 or height < 1:
            raise ValueError(f"an image has at least one pixel a side, not {width}×{height}")
        if self.height is None:
            assert self.width is not None
            out = min(self.width, width)
            return _whole(width, height, out, _round(height * out, width))
        if self.width is None:
            out = min(self.height, height)
            return _whole(width, height, _round(width * out, height), out)
        return _cover(width, height, self.width, self.height, focal)


@lru_cache(maxsize=1024)
def parse(text: str) -> Size:
    """Return the `Size` that a text stands for; `InvalidSize` unless it is canonical."""
    match = _GRAMMAR.fullmatch(text)
    if match is None:
        raise InvalidSize(
            f"{text!r} is not a size: write 360x270 (cropped), 1280w (by width) or 480h (by height), "
            "with numbers from 1 to 9999 and no leading zeros"
        )
    width = match["w"] or match["only_w"]
    height = match["h"] or match["only_h"]
    return Size(int(width) if width else None, int(height) if height else None)


def is_size(text: str) -> bool:
    """Tell whether a text is in the size grammar."""
    return _GRAMMAR.fullmatch(text) is not None


def _round(numerator: int, denominator: int) -> int:
    """Divide whole numbers, rounding half up, never below 1."""
    return max(1, (2 * numerator + denominator) // (2 * denominator))


def _whole(width: int, height: int, out_width: int, out_height: int) -> Plan:
    return Plan(box=(0.0, 0.0, float(width), float(height)), width=out_width, height=out_height)


@lru_cache(maxsize=1024)  # fractions are slow, and most photos of a shop share a few dimensions
def _cover(width: int, height: int, target_w: int, target_h: int, focal: tuple[int, int]) -> Plan:
    # The largest rectangle of the target's proportions is scale × target; scale below 1 means that the
    # original is too small, and then the pixels are cut out as they are rather than resampled.
    scale = min(Fraction(width, target_w), Fraction(height, target_h))
    if scale < 1:
        out_w = _round(target_w * scale.numerator, scale.denominator)
        out_h = _round(target_h * scale.numerator, scale.denominator)
        box_w, box_h = Fraction(out_w), Fraction(out_h)
        left = Fraction(_offset(width, box_w, focal[0]).__floor__())
        top = Fraction(_offset(height, box_h, focal[1]).__floor__())
    else:
        out_w, out_h = target_w, target_h
        box_w, box_h = target_w * scale, target_h * scale
        left, top = _offset(width, box_w, focal[0]), _offset(height, box_h, focal[1])
    box = (float(left), float(top), float(left + box_w), float(top + box_h))
    return Plan(box=box, width=out_w, height=out_h)


def _offset(side: int, box: Fraction, percent: int) -> Fraction:
    """Return where a box begins so that its middle is as near to the focal point as the side allows."""
    return min(max(Fraction(side * percent, 100) - box / 2, Fraction(0)), side - box)
