"""Whether a file is all there. Pure.

A decoder may be set, by the project around us, to accept files that end too early, and fills the rest with
grey. So the marks that end a file are looked for here, whatever the decoder says.
"""

import struct
import zlib
from collections.abc import Callable

from lazyimages.exceptions import CorruptImage
from lazyimages.formats import Format

_MARKERS_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_SOS, _EOI = 0xDA, 0xD9
_TIFF_PLACES = {273: 279, 324: 325}  # StripOffsets: StripByteCounts, TileOffsets: TileByteCounts
_TIFF_NUMBERS = {3: "H", 4: "I"}
_PICTURE_BOXES = {b"ftyp", b"meta", b"moov", b"mdat"}


def check(data: bytes, format: Format) -> None:
    """Raise `CorruptImage` unless the file reaches the end that its format demands."""
    ends = _CHECKS.get(format.name)
    try:
        whole = ends is None or ends(data)
    except (IndexError, struct.error):
        whole = False
    if not whole:
        raise CorruptImage("the file ends too early; upload it again from the original")


def _jpeg(data: bytes) -> bool:
    """ITU-T T.81, B.1.1: segments up to a scan; after it, no FF D9 but the end of the image."""
    at = 2
    while True:
        marker = data[at + 1]
        if data[at] != 0xFF or marker in (0x00, 0xFF):
            at += 1  # decoders skip what is between segments, and some cameras pad them
        elif marker == _SOS:
            return data.rfind(bytes((0xFF, _EOI)), at) != -1  # which is at the end, nearly always
        elif marker in _MARKERS_WITHOUT_LENGTH:
            at += 2
        else:
            at += 2 + (data[at + 2] << 8 | data[at + 3])


def _png(data: bytes) -> bool:
    """PNG specification, section 5.3: chunks with a checksum each, the last one IEND."""
    view = memoryview(data)
    at = 8
    while True:
        length = int.from_bytes(view[at : at + 4])
        kind, end = bytes(view[at + 4 : at + 8]), at + 8 + length
        checksum = view[end : end + 4]
        if len(checksum) < 4:
            return False
        # Critical chunks begin with a capital letter; damage elsewhere is no reason to refuse a picture.
        if not kind[0] & 0x20 and zlib.crc32(view[at + 4 : end]) != int.from_bytes(checksum):
            return False
        if kind == b"IEND":
            return True
        at = end + 4


def _gif(data: bytes) -> bool:
    """GIF89a specification, section 27: after the blocks comes a trailer, 3B."""
    at = 13 + _colour_table(data[10])
    while data[at] != 0x3B:
        if data[at] == 0x21:
            at += 2
        elif data[at] == 0x2C:
            at += 11 + _colour_table(data[at + 9])
        else:
            return False
        while data[at]:
            at += 1 + data[at]
        at += 1
    return True


def _colour_table(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _webp(data: bytes) -> bool:
    """WebP container specification: RIFF, the size of all that follows, WEBP."""
    return len(data) >= 8 + int.from_bytes(data[4:8], "little")


def _iso_boxes(data: bytes) -> bool:
    """ISO/IEC 14496-12, section 4.2: boxes, each with its size; 0 means up to the end.

    Phones append what is no box, or a film in one, behind the box with the picture's data.
    """
    at, found = 0, b""
    while at < len(data):
        size, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16])
        if size == 0:
            return True
        if size < 8 or at + size > len(data):
            return kind not in _PICTURE_BOXES and found == b"mdat"
        found = kind if kind in _PICTURE_BOXES else found
        at += size
    return True


def _tiff(data: bytes) -> bool:
    """TIFF 6.0, sections 2 and 3: a directory says where the strips or tiles are, and how long."""
    order = "<" if data[:2] == b"II" else ">"
    (directory,) = struct.unpack_from(f"{order}I", data, 4)
    (entries,) = struct.unpack_from(f"{order}H", data, directory)
    places: dict[int, tuple[int, ...]] = {}
    for at in range(directory + 2, directory + 2 + 12 * entries, 12):
        tag, kind, count, value = struct.unpack_from(f"{order}HHII", data, at)
        if tag in places:
            continue  # readers take the first of a tag; there may be 65,535, and megabytes behind each
        code = _TIFF_NUMBERS.get(kind, "")
        if code and (tag in _TIFF_PLACES or tag in _TIFF_PLACES.values()):
            inside = struct.calcsize(f"{order}{count}{code}") <= 4
            places[tag] = struct.unpack_from(f"{order}{count}{code}", data, at + 8 if inside else value)
    return all(
        start + length <= len(data)
        for starts, lengths in _TIFF_PLACES.items()
        for start, length in zip(places.get(starts, ()), places.get(lengths, ()), strict=False)
    )


_CHECKS: dict[str, Callable[[bytes], bool]] = {
    "jpeg": _jpeg,
    "png": _png,
    "gif": _gif,
    "webp": _webp,
    "avif": _iso_boxes,
    "heic": _iso_boxes,
    "tiff": _tiff,
}
