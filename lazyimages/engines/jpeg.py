"""JPEG by Pillow's plugin, but never with a rest in grey.

libjpeg paints what is missing of a picture grey and warns, and Pillow does not pass the warning on. A file
that ends too early shows it by having no end marker, unless a program that repaired it has appended one.
"""

import re
import struct
from io import BytesIO
from typing import Any

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from lazyimages.exceptions import CorruptImage

_SOS, _DRI = 0xDA, 0xDD
_BETWEEN_SCANS = {0xC4, 0xDB, 0xDD, 0xFE, *range(0xE0, 0xF0)}
# Inside of a scan FF is followed by 00 or a restart marker; others may have more of FF before (T.81, B.1.1).
# These are no part of the pattern: of a long run that is not followed by a marker it would try every part.
_SCAN_END = re.compile(rb"\xff(?=[^\x00\xd0-\xd7\xff])")
_FILL = {127, 128}  # what blocks without coefficients decode to; inks are inverted
_NOISE = bytes((at * at * 13 + at * 167) % 255 for at in range(512))  # never FF, which begins a marker


class Jpeg(JpegImageFile):
    """Refuses a picture with missing pixels, and knows when inks are inverted.

    It opens without the look for a resolution in the EXIF, which may be broken and is of no use here.
    """

    def _open(self) -> None:
        super()._open()
        if self.mode == "CMYK" and "adobe" not in self.info:
            # Adobe's programs store inks inverted, and say who they are. Pillow takes all files for theirs.
            self.tile = [tile._replace(args=("CMYK", "")) for tile in self.tile]

    def _read_dpi_from_exif(self) -> None:
        pass

    def load(self) -> Any:
        """Decode, once; raise `CorruptImage` when data for the last pixels are missing."""
        file, pending = self.fp, bool(self.tile)
        loaded = super().load()
        if pending and isinstance(file, BytesIO) and ends_in_fill(self):
            raise_if_unfinished(file.getvalue())
        return loaded


def ends_in_fill(picture: Image.Image) -> bool:
    """Tell whether the last pixel is as those that are missing, or made of them."""
    pixel = picture.getpixel((picture.width - 1, picture.height - 1))
    return set(pixel if isinstance(pixel, tuple) else (pixel,)) <= _FILL


def raise_if_unfinished(data: bytes) -> None:
    """Raise `CorruptImage` when a JPEG's last scan is shorter than its picture needs.

    Decoders skip what follows a scan's last block. So noise behind it changes nothing in a whole picture,
    and is taken for the missing blocks in one that is not. Two decodes at 1/8 tell.
    """
    at = _end_of_scans(data)
    if at is None:
        return
    # A scan with restart markers goes on after one alone.
    restarts = b"".join(bytes((0xFF, 0xD0 + number)) + _NOISE[:60] for number in range(8))
    noise = _NOISE + (restarts if _restarts(data[:at]) else b"")
    if _eighth(data).tobytes() != _eighth(data[:at] + noise + data[at:]).tobytes():
        raise CorruptImage("the file ends too early; upload it again from the original")


def _end_of_scans(data: bytes) -> int | None:
    """Return where the data of the last scan end; None when that cannot be told."""
    at, end = 2, None
    try:
        while True:
            marker = data[at + 1]
            if data[at] != 0xFF or marker in (0x00, 0xFF):
                at += 1
            elif marker == _SOS:
                scan = at + 2 + int.from_bytes(data[at + 2 : at + 4])
                found = _SCAN_END.search(data, scan)
                if found is None:
                    return None
                at = found.start()
                end = scan + len(data[scan:at].rstrip(b"\xff"))
            elif end is not None and marker not in _BETWEEN_SCANS:
                return end
            else:
                at += 2 + int.from_bytes(data[at + 2 : at + 4])
    except IndexError:
        return end


def _restarts(header: bytes) -> bool:
    at = header.find(struct.pack(">BBH", 0xFF, _DRI, 4))
    return at != -1 and header[at + 4 : at + 6] != b"\0\0"


def _eighth(data: bytes) -> Image.Image:
    image = JpegImageFile(BytesIO(data))
    image.draft(None, (max(1, image.width // 8), max(1, image.height // 8)))
    image.load()
    return image
