"""AVIF by Pillow's plugin, without a look at the EXIF.

How the picture is held is a property of its own in this format (`irot` and `imir`, ISO/IEC 23008-12), and the
EXIF may repeat it. But libavif refuses the whole file when the EXIF is broken.
"""

import re
from io import BytesIO

from PIL.AvifImagePlugin import AvifImageFile

# ISO/IEC 14496-12, 8.11.6.2: an item's entry of version 2 or 3: flags, its number, its protection, its type.
_EXIF_ITEM = re.compile(rb"(infe(?:\x02...|\x03.....)....)Exif", re.DOTALL)


class Avif(AvifImageFile):
    """Has no EXIF but the orientation that the format itself gives."""

    def _open(self) -> None:
        # Readers ignore items of a type that they do not know.
        assert self.fp is not None
        self.fp = BytesIO(_EXIF_ITEM.sub(rb"\1none", self.fp.read()))
        super()._open()
