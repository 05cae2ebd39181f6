"""How many pieces a file is in: segments, chunks and blocks. Pure.

Readers take them one by one, and keep what they do not know. So a file of millions of empty ones would keep a
process busy for a minute, and fill its memory, at a size that no limit on pixels or bytes forbids.
"""

import re
import struct
from collections.abc import Callable, Iterator

from lazyimages.engines import gif
from lazyimages.exceptions import ImageTooLarge
from lazyimages.formats import Format

MOST = 50_000  # a photo has a few dozen; 40 MB of PNG in the usual chunks are 5,000

_SOS = 0xDA
_MARKER = re.compile(rb"\xff[^\x00\xff]")
_APP1 = 0xE1
# Pillow joins EXIF that is in several, copying what it has each time. One segment is what the format allows.
_EXIF_SEGMENT = 1_000
# Pillow takes these for markers alone, and reads on right behind them.
_WITHOUT_LENGTH = {0x01, 0xC8, *range(0xD0, 0xDA), *range(0xF0, 0xFE)}
_TIFF_PLACES = (273, 324)  # StripOffsets, TileOffsets


def check(data: bytes, format: Format) -> None:
    """Raise `ImageTooLarge` when a file is in more than `MOST` pieces."""
    pieces = _PIECES.get(format.name)
    if pieces is None:
        return
    count = 0
    for more in pieces(data):
        count += more
        if count > MOST:
            raise ImageTooLarge(
                f"the file is in more than {MOST:,} pieces, which take too long to read; "
                "save it again with another program"
            )


def _jpeg(data: bytes) -> Iterator[int]:
    """Yield for each segment before the first scan 1, and one for each byte between it and the one before;
    for EXIF more.
    """
    at = 2
    while (found := _MARKER.search(data, at)) is not None:
        yield 1 + found.start() - at
        marker, at = data[found.start() + 1], found.end()
        if marker == _SOS:
            return
        if marker == _APP1 and data.startswith(b"Exif\0", at + 2):
            yield _EXIF_SEGMENT
        if marker not in _WITHOUT_LENGTH:
            at += int.from_bytes(data[at : at + 2])


def _png(data: bytes) -> Iterator[int]:
    at = 8
    while at < len(data) and data[at + 4 : at + 8] != b"IEND":  # nobody reads what is behind it
        yield 1
        at += 12 + int.from_bytes(data[at : at + 4])


def _gif(data: bytes) -> Iterator[int]:
    return (1 for _ in gif.pieces(data))


def _tiff(data: bytes) -> Iterator[int]:
    """Yield how many strips or tiles the first directory has, each of which becomes an object in Python."""
    order = "<" if data[:2] == b"II" else ">"
    try:
        (directory,) = struct.unpack_from(f"{order}I", data, 4)
        (entries,) = struct.unpack_from(f"{order}H", data, directory)
        for at in range(directory + 2, directory + 2 + 12 * entries, 12):
            tag, _, count = struct.unpack_from(f"{order}HHI", data, at)
            if tag in _TIFF_PLACES:
                yield count
    except struct.error:
        return  # it ends too early, which others say


_PIECES: dict[str, Callable[[bytes], Iterator[int]]] = {
    "jpeg": _jpeg,
    "png": _png,
    "gif": _gif,
    "tiff": _tiff,
}
