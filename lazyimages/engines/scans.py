"""How many scans a JPEG has. Pure.

A scan of a few bytes can go over all of a picture, and a decoder takes each of them. So some kilobytes with
thousands of scans would keep it busy for a minute, at a size that no limit on pixels or bytes forbids.
"""

import re
from itertools import islice

from lazyimages.exceptions import ImageTooLarge

MOST = 100  # a progressive photo has about ten

_SOS, _EOI = 0xDA, 0xD9
_START = re.compile(rb"\xff\xda")
_WITHOUT_LENGTH = {*range(0xC0), 0xD8}  # decoders go on right behind these, or give up
# Inside of a scan FF is followed by 00 or a restart marker; anything else ends it (ITU-T T.81, B.1.1).
_SCAN_END = re.compile(rb"\xff(?=[^\x00\xd0-\xd7\xff])")


def check(data: bytes) -> None:
    """Raise `ImageTooLarge` when the first picture of a JPEG has more than `MOST` scans."""
    # Pixels never hold these two bytes, and metadata do by chance or for their thumbnails. So nearly every
    # file is done with here, in a millisecond for four megabytes.
    one_too_many = next(islice(_START.finditer(data), MOST, None), None)
    if one_too_many is not None and _has_more(data):
        raise ImageTooLarge(
            f"the JPEG is stored in more than {MOST} scans, which takes too long to decode; "
            "save it again with another program"
        )


def _has_more(data: bytes) -> bool:
    at, scans = 2, 0
    while (found := _SCAN_END.search(data, at)) is not None:
        at = found.start()
        marker = data[at + 1]
        if marker == _EOI:
            return False
        if marker in _WITHOUT_LENGTH:
            at += 2
            continue
        scans += marker == _SOS
        if scans > MOST:
            return True
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return False
