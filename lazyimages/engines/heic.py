"""HEIC by the extra `heic`, read without a word to Pillow's registry.

pillow-heif's own plugin fills what it cannot decode with black where a host project lets Pillow accept
truncated files; this one does not.
"""

from typing import Any

import pillow_heif
from PIL import Image
from PIL.ImageFile import ImageFile

from lazyimages.exceptions import CorruptImage


class HeicImageFile(ImageFile):
    """The primary picture of a file, upright: decoders apply HEIF's rotation, which its EXIF only repeats."""

    format = "HEIC"
    format_description = "HEVC in the High Efficiency Image File Format"

    def _open(self) -> None:
        file = pillow_heif.open_heif(self.fp, convert_hdr_to_8bit=True)
        self._picture = file[file.primary_index]
        self._size, self._mode = self._picture.size, self._picture.mode
        profile = self._picture.info.get("icc_profile")
        self.info = {"icc_profile": profile} if profile else {}
        self.tile = []

    def load(self) -> Any:
        """Decode; the header's size is held to."""
        if self._im is None:
            decoded = self._picture.to_pillow()
            if (decoded.size, decoded.mode) != (self.size, self.mode):
                raise CorruptImage("the image is not as large as its header says")
            self.im = decoded.im
            del self._picture  # and with it the second copy of the pixels
        return Image.Image.load(self)
