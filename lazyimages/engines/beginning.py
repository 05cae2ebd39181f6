"""What the beginning of a file says of its picture's upright dimensions. Pure.

Where a format has that at the front, an engine's `probe` finds the same there as in the whole file. The
checks here are about the headers of true files: what is damaged, `probe` refuses.
"""

import struct
from collections.abc import Callable, Iterator

from lazyimages.engines import gif
from lazyimages.formats import Format

_SOS = 0xDA
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_BOX = 8
# TIFF 6.0, section 2: bytes of a value of each type.
_TIFF_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
# WebP container specification, "Extended File Format": both stand behind the pixels, and may turn them.
_WEBP_EXIF, _WEBP_XMP = 0x08, 0x04
_WEBP_HEADER = 30  # bytes, up to the dimensions in each of its three kinds


def readable(data: bytes, format: Format, *, most: int) -> bytes | None:
    """Return what `probe` is to be asked about, in place of a whole file that begins with `data`.

    None when the rest of the file is needed. Readers of WebP and AVIF want to see the end, whatever is in it:
    for them zeros stand for the rest, up to `most` bytes in all.
    """
    read = _READERS.get(format.name)
    try:
        length = read(data) if read else None
    except (IndexError, struct.error):
        return None
    if length is None or length > most:
        return None
    return data.ljust(length, b"\0")


def _jpeg(data: bytes) -> int | None:
    """ITU-T T.81, B.1.1: the frame and all metadata of the first picture stand before its first scan."""
    at = 2
    while True:
        marker = data[at + 1]
        if data[at] != 0xFF or marker in (0x00, 0xFF):
            at += 1
        elif marker == _SOS:
            return len(data) if at + 2 + _number(data, at + 2, 2) <= len(data) else None
        elif marker in _WITHOUT_LENGTH:
            at += 2
        else:
            at += 2 + _number(data, at + 2, 2)


def _png(data: bytes) -> int | None:
    """PNG specification, section 5.6; EXIF behind the pixels is not looked for, but in text it is."""
    at = 8
    while at + _BOX <= len(data):
        kind = data[at + 4 : at + 8]
        if kind == b"IDAT":
            return len(data)
        if kind in (b"tEXt", b"zTXt", b"iTXt") and data.startswith(b"Raw profile type exif", at + 8):
            return None  # Pillow decodes the picture before it looks there
        at += 12 + _number(data, at, 4)
    return None


def _gif(data: bytes) -> int | None:
    """Dimensions are those of the screen, or of the first picture where that reaches further."""
    first = next((at for at, is_picture in gif.pieces(data) if is_picture), None)
    return len(data) if first is not None and first + 10 <= len(data) else None


def _tiff(data: bytes) -> int | None:
    """TIFF 6.0, section 2: the first directory, which may stand at the end, and its values."""
    order = "<" if data[:2] == b"II" else ">"
    (directory,) = struct.unpack_from(f"{order}I", data, 4)
    (entries,) = struct.unpack_from(f"{order}H", data, directory)
    for at in range(directory + 2, directory + 2 + 12 * entries, 12):
        _, kind, count, value = struct.unpack_from(f"{order}HHII", data, at)
        length = count * _TIFF_BYTES.get(kind, 8)
        if length > 4 and value + length > len(data):
            return None
    return len(data)


def _webp(data: bytes) -> int | None:
    if len(data) < _WEBP_HEADER or (data[12:16] == b"VP8X" and data[20] & (_WEBP_EXIF | _WEBP_XMP)):
        return None
    return max(len(data), 8 + int.from_bytes(data[4:8], "little"))


def _heic(data: bytes) -> int | None:
    """ISO/IEC 23008-12: what there is to know of the pictures stands in `meta`."""
    return len(data) if any(kind == b"meta" for kind, _, _ in _whole_boxes(data)) else None


def _avif(data: bytes) -> int | None:
    """As HEIC; but no sequence, whose dimensions are elsewhere, and no XMP, which may turn the picture."""
    found = {kind: data[start:end] for kind, start, end in _whole_boxes(data)}
    if b"meta" not in found or b"mime" in found[b"meta"] or b"avis" in found.get(b"ftyp", b""):
        return None
    return max(len(data), *(end for _, _, end in _boxes(data)))


def _whole_boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    return (box for box in _boxes(data) if box[2] <= len(data))


def _boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind, the start and the end of each box (ISO/IEC 14496-12, section 4.2)."""
    at = 0
    while at + _BOX <= len(data):
        size = _number(data, at, 4)
        if size == 1:
            size = _number(data, at + 8, 8)
        if size < _BOX:  # 0 is one up to the end
            return
        yield data[at + 4 : at + 8], at, at + size
        at += size


def _number(data: bytes, at: int, count: int) -> int:
    if at + count > len(data):
        raise IndexError(at)
    return int.from_bytes(data[at : at + count])


_READERS: dict[str, Callable[[bytes], int | None]] = {
    "jpeg": _jpeg,
    "png": _png,
    "gif": _gif,
    "webp": _webp,
    "avif": _avif,
    "heic": _heic,
    "tiff": _tiff,
}
