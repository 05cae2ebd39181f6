"""What a picture looks like before it has come: a CSS background from the text in the row. Pure."""

import base64
import binascii
import struct
import zlib
from functools import lru_cache

from lazyimages import thumbhash
from lazyimages.sizes import CENTRE
from lazyimages.thumbhash import Thumb

MOST_CHARACTERS = 36  # of the text: a hash in base64


def text(width: int, height: int, rgba: bytes) -> str:
    """Return what a row holds for a picture; arguments and errors are those of `thumbhash.encode`."""
    return base64.b64encode(thumbhash.encode(width, height, rgba)).decode()


def background(text: str, focal: tuple[int, int] = CENTRE) -> str:
    """Return the value of the CSS property `background` that a row's text stands for.

    The focal point, in percent, is where both the colour waves and the picture are cut about. Empty for an
    empty, damaged or foreign text, and for a picture with transparency, which it would shine through.
    """
    start = _start(text)
    return f"{start} {focal[0]}% {focal[1]}%/cover no-repeat" if start else ""


@lru_cache(maxsize=4096)  # many pages show the same photos
def _start(text: str) -> str:
    try:
        hash = base64.b64decode(text, validate=True)
        thumb = thumbhash.decode(hash)
    except (binascii.Error, TypeError, ValueError):
        return ""
    if thumb.has_alpha:
        return ""
    colour = "#{:02x}{:02x}{:02x}".format(*thumbhash.average(hash))
    return f"{colour} url(data:image/png;base64,{base64.b64encode(_png(thumb)).decode()})"


def _png(thumb: Thumb) -> bytes:
    """Return a picture as a PNG (W3C: PNG, third edition) of 8-bit RGB, in at most `_MOST_BYTES`.

    Steps of 4 between colours are not seen in a blur; strong colours may take larger ones.
    """
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", thumb.width, thumb.height, 8, 2, 0, 0, 0))
    png = b""
    for kept in (0xFC, 0xF8, 0xF0, 0xE0):
        # Differences of neighbours hardly repeat themselves, and to look for repetitions makes it longer.
        deflate = zlib.compressobj(9, strategy=zlib.Z_HUFFMAN_ONLY)
        data = _chunk(b"IDAT", deflate.compress(_filtered(thumb, kept)) + deflate.flush())
        png = b"\x89PNG\r\n\x1a\n" + header + data + _chunk(b"IEND", b"")
        if len(png) <= _MOST_BYTES:
            break
    return png


_MOST_BYTES = 213  # 284 characters in base64, so that the whole value has less than 350


def _filtered(thumb: Thumb, kept: int) -> bytes:
    """Return the rows with the filter Paeth (PNG, 9.4); of each byte, the bits `kept` alone."""
    stride = 3 * thumb.width
    values = bytes(value & kept for value in thumb.rgb)
    lines, above = bytearray(), bytes(3 + stride)
    for start in range(0, len(values), stride):
        row = bytes(3) + values[start : start + stride]  # left of the first pixel all is 0
        lines.append(4)
        for now, left, up, corner in zip(row[3:], row, above[3:], above, strict=False):
            over_left, over_up = abs(up - corner), abs(left - corner)
            over_corner = abs(left + up - 2 * corner)
            if over_left <= over_up and over_left <= over_corner:
                guess = left
            else:
                guess = up if over_up <= over_corner else corner
            lines.append((now - guess) & 255)
        above = row
    return bytes(lines)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
