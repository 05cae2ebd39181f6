"""What a GIF is in, read without a decoder (GIF89a Specification, sections 15 to 27). Pure."""

import struct
from collections.abc import Iterator

_PICTURE, _EXTENSION, _TRAILER = 0x2C, 0x21, 0x3B
_FULL = 128  # bytes of a block; programs fill them up to 254 or 255


def pieces(data: bytes) -> Iterator[tuple[int, bool]]:
    """Yield for each piece where it begins, and whether it is a picture.

    The others are extensions, blocks that are not full, and stray bytes, which readers skip.
    """
    at, end = 13 + _colour_table(data, 10), len(data)
    while at < end and data[at] != _TRAILER:
        yield at, data[at] == _PICTURE
        if data[at] not in (_EXTENSION, _PICTURE):
            at += 1
            continue
        at += 2 if data[at] == _EXTENSION else 11 + _colour_table(data, at + 9)
        while at < end and data[at]:
            if data[at] < _FULL:
                yield at, False
            at += 1 + data[at]
        at += 1


def reach(data: bytes) -> tuple[int, int]:
    """Return how far the pictures reach from the corner of the screen, in pixels: right and down."""
    right = down = 0
    for at, is_picture in pieces(data):
        if is_picture and at + 9 <= len(data):
            x, y, width, height = struct.unpack_from("<4H", data, at + 1)
            right, down = max(right, x + width), max(down, y + height)
    return right, down


def _colour_table(data: bytes, at: int) -> int:
    flags = data[at] if at < len(data) else 0
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
