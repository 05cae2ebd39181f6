"""ThumbHash: a picture in 25 bytes, as a few cosine waves. Pure, without PIL, for pages draw it.

The format is Evan Wallace's (https://evanw.github.io/thumbhash/): the mean colour and the waves across and
down of luminance (L), yellow minus blue (P), red minus green (Q), and of alpha (A) where there is some.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import cos, floor, pi
from operator import add, mul, sub

MOST_BYTES = 25
MOST_SIDE = 100  # of a picture to encode, in pixels: more costs time and shows in no hash

_OPAQUE_WAVES, _ALPHA_WAVES = 7, 5  # of luminance, along the longer side
_SATURATION = 1.25  # the format's decoder makes up for what rounding takes from colours
_NOTHING = 1e-9  # below it a wave is a rounding error, and an even area has none


@dataclass(frozen=True, kw_only=True, slots=True)
class Thumb:
    """What a hash shows: `rgb` holds three bytes a pixel, row by row, without regard to alpha."""

    width: int
    height: int
    rgb: bytes
    has_alpha: bool


@dataclass(frozen=True, slots=True)
class _Header:
    """The constants at the beginning of a hash; waves of luminance across and down are `lx` and `ly`."""

    l_mean: float
    p_mean: float
    q_mean: float
    l_scale: float
    p_scale: float
    q_scale: float
    lx: int
    ly: int
    has_alpha: bool


@dataclass(frozen=True, slots=True)
class _Channel:
    """The mean of a channel, its waves between 0 and 1, and what these were divided by."""

    mean: float
    waves: list[float]
    scale: float


def encode(width: int, height: int, rgba: bytes) -> bytes:
    """Return the hash of a picture: four bytes a pixel, row by row, alpha not premultiplied.

    `ValueError` for a side outside of 1 to 100 pixels, and when the bytes are not that many.
    """
    if not (1 <= width <= MOST_SIDE and 1 <= height <= MOST_SIDE):
        raise ValueError(f"a picture to encode has 1 to {MOST_SIDE} pixels a side, not {width}×{height}")
    if len(rgba) != 4 * width * height:
        raise ValueError(f"{width}×{height} pixels have {4 * width * height} bytes, not {len(rgba)}")
    red, green, blue, alpha = (rgba[channel::4] for channel in range(4))
    has_alpha = alpha.count(255) < len(alpha)
    r, g, b = _over_mean(red, green, blue, alpha) if has_alpha else (red, green, blue)
    both = list(map(add, r, g))
    most, longer = (_ALPHA_WAVES if has_alpha else _OPAQUE_WAVES), max(width, height)
    lx, ly = (max(1, _round(most * side / longer)) for side in (width, height))

    def channel(values: Iterable[float], unit: float, nx: int, ny: int) -> _Channel:
        return _waves(list(values), width, height, nx, ny, unit)

    luminance = channel(map(add, both, b), 765, max(3, lx), max(3, ly))
    yellow_blue = channel(map(sub, both, map(add, b, b)), 510, 3, 3)
    red_green = channel(map(sub, r, g), 255, 3, 3)
    channels = [luminance, yellow_blue, red_green]
    is_landscape = width > height
    first = (
        _round(63 * luminance.mean)
        | _round(31.5 + 31.5 * yellow_blue.mean) << 6
        | _round(31.5 + 31.5 * red_green.mean) << 12
        | _round(31 * luminance.scale) << 18
        | has_alpha << 23
    )
    second = (
        (ly if is_landscape else lx)
        | _round(63 * yellow_blue.scale) << 3
        | _round(63 * red_green.scale) << 9
        | is_landscape << 15
    )
    head = first.to_bytes(3, "little") + second.to_bytes(2, "little")
    if has_alpha:
        opacity = channel(alpha, 255, _ALPHA_WAVES, _ALPHA_WAVES)
        channels.append(opacity)
        head += bytes([_round(15 * opacity.mean) | _round(15 * opacity.scale) << 4])
    halves = [_round(15 * wave) for each in channels for wave in each.waves]
    halves += [0] * (len(halves) % 2)
    return head + bytes(low | high << 4 for low, high in zip(halves[::2], halves[1::2], strict=True))


def decode(hash: bytes, side: int = 8) -> Thumb:
    """Return the picture of a hash, its longer side of `side` pixels; `ValueError` for what is no hash."""
    header = _header(hash)
    longer = max(header.lx, header.ly)
    width, height = (max(1, _round(side * waves / longer)) for waves in (header.lx, header.ly))
    nx, ny = max(3, header.lx), max(3, header.ly)
    halves = [half for byte in hash[6 if header.has_alpha else 5 :] for half in (byte & 15, byte >> 4)]
    colours = len(_pairs(3, 3)) - 1
    end_l = len(_pairs(nx, ny)) - 1
    end_p = end_l + colours
    l_waves = _scaled(halves[:end_l], header.l_scale)
    p_waves = _scaled(halves[end_l:end_p], header.p_scale * _SATURATION)
    q_waves = _scaled(halves[end_p : end_p + colours], header.q_scale * _SATURATION)
    rgb = bytearray()
    for fine, coarse in zip(_basis(nx, ny, width, height), _basis(3, 3, width, height), strict=True):
        luminance = header.l_mean + sum(map(mul, l_waves, fine))
        p = header.p_mean + sum(map(mul, p_waves, coarse))
        q = header.q_mean + sum(map(mul, q_waves, coarse))
        rgb.extend(_rgb(luminance, p, q))
    return Thumb(width=width, height=height, rgb=bytes(rgb), has_alpha=header.has_alpha)


def average(hash: bytes) -> tuple[int, int, int]:
    """Return red, green and blue of a hash's mean colour, 0 to 255; `ValueError` for what is no hash."""
    header = _header(hash)
    red, green, blue = _rgb(header.l_mean, header.p_mean, header.q_mean)
    return red, green, blue


def _header(hash: bytes) -> _Header:
    if not 6 <= len(hash) <= MOST_BYTES:
        raise ValueError(f"a hash has 6 to {MOST_BYTES} bytes, not {len(hash)}")
    first, second = int.from_bytes(hash[:3], "little"), int.from_bytes(hash[3:5], "little")
    has_alpha, is_landscape, shorter = bool(first >> 23), bool(second >> 15), second & 7
    longer = _ALPHA_WAVES if has_alpha else _OPAQUE_WAVES
    lx, ly = (longer, shorter) if is_landscape else (shorter, longer)
    waves = len(_pairs(max(3, lx), max(3, ly))) - 1 + 2 * (len(_pairs(3, 3)) - 1)
    waves += (len(_pairs(_ALPHA_WAVES, _ALPHA_WAVES)) - 1) * has_alpha
    if not 1 <= shorter <= longer or len(hash) != (6 if has_alpha else 5) + (waves + 1) // 2:
        raise ValueError("the length of the hash is not the one that its header asks for")
    return _Header(
        l_mean=(first & 63) / 63,
        p_mean=(first >> 6 & 63) / 31.5 - 1,
        q_mean=(first >> 12 & 63) / 31.5 - 1,
        l_scale=(first >> 18 & 31) / 31,
        p_scale=(second >> 3 & 63) / 63,
        q_scale=(second >> 9 & 63) / 63,
        lx=lx,
        ly=ly,
        has_alpha=has_alpha,
    )


def _over_mean(
    red: bytes, green: bytes, blue: bytes, alpha: bytes
) -> tuple[Sequence[float], Sequence[float], Sequence[float]]:
    """Lay a picture over its own mean colour, so that what cannot be seen makes no waves."""
    total = sum(alpha)

    def over(channel: bytes) -> list[float]:
        mean = sum(map(mul, channel, alpha)) / total if total else 0.0
        return [mean + (value - mean) * opacity / 255 for value, opacity in zip(channel, alpha, strict=True)]

    return over(red), over(green), over(blue)


def _waves(values: list[float], width: int, height: int, nx: int, ny: int, unit: float) -> _Channel:
    """Return the cosine transform of a channel whose largest value is `unit`, across first and then down."""
    across, down = _cosines(nx, width), _cosines(ny, height)
    rows = [values[start : start + width] for start in range(0, len(values), width)]
    columns = [[sum(map(mul, row, wave)) for row in rows] for wave in across]
    area = width * height * unit
    mean, *waves = (sum(map(mul, columns[cx], down[cy])) / area for cx, cy in _pairs(nx, ny))
    scale = max(map(abs, waves))
    if scale < _NOTHING:
        return _Channel(mean, [0.0] * len(waves), 0.0)
    return _Channel(mean, [0.5 + 0.5 / scale * wave for wave in waves], scale)


@lru_cache(maxsize=64)
def _pairs(nx: int, ny: int) -> list[tuple[int, int]]:
    """Return the waves that a hash holds, across and down, in its order; the first is the mean."""
    return [(cx, cy) for cy in range(ny) for cx in range(nx) if cx * ny < nx * (ny - cy)]


@lru_cache(maxsize=256)
def _cosines(waves: int, pixels: int) -> list[list[float]]:
    return [[cos(pi / pixels * wave * (at + 0.5)) for at in range(pixels)] for wave in range(waves)]


@lru_cache(maxsize=256)
def _basis(nx: int, ny: int, width: int, height: int) -> list[list[float]]:
    """Return for each pixel what each wave but the mean adds to it."""
    across, down = _cosines(nx, width), _cosines(ny, height)
    waves = _pairs(nx, ny)[1:]
    return [
        [2 * across[cx][x] * down[cy][y] for cx, cy in waves] for y in range(height) for x in range(width)
    ]


def _scaled(halves: list[int], scale: float) -> list[float]:
    return [(half / 7.5 - 1) * scale for half in halves]


def _rgb(luminance: float, p: float, q: float) -> tuple[int, int, int]:
    blue = luminance - 2 / 3 * p
    red = (3 * luminance - blue + q) / 2
    return _byte(red), _byte(red - q), _byte(blue)


def _byte(value: float) -> int:
    return int(255 * min(1.0, max(0.0, value)))


def _round(value: float) -> int:
    return floor(value + 0.5)  # half up, as JavaScript's Math.round
