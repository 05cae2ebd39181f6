"""Progressive JPEG: what a decode at one eighth does not need is left out before it. Pure.

At 1/8 a component without subsampling gives one pixel a block, its mean, and the rest of its coefficients,
most of the file, is decoded for nothing. So its AC scans are replaced by one that says "all zero". It must
be there: without it libjpeg-turbo takes the coefficients for unknown and guesses them from the neighbours
("block smoothing"). The pixels come out the same, bit by bit.
"""

import re
import struct
from dataclasses import dataclass, field

_SOF2, _SOS, _EOI, _DHT, _DRI = 0xC2, 0xDA, 0xD9, 0xC4, 0xDD
_OTHER_FRAMES = {*range(0xC0, 0xD0)} - {_SOF2, 0xC4, 0xC8, 0xCC}
# Inside of a scan FF is followed by 00 or a restart marker; anything else ends it (ITU-T T.81, B.1.1).
_SCAN_END = re.compile(rb"\xff(?=[^\x00\xd0-\xd7\xff])")
_LONGEST_RUN = 2**15 - 1  # blocks that one end-of-band code can cover (G.1.2.2)
_RUN_CATEGORIES = 15
_AC_TABLE = 0


@dataclass
class _Component:
    """A component of the frame, and down to which bit each of its AC coefficients is known."""

    number: int
    across: int
    down: int
    known: dict[int, int] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        return all(self.known.get(coefficient) == 0 for coefficient in range(1, 64))


@dataclass
class _Frame:
    width: int
    height: int
    components: list[_Component]

    def gives_one_pixel_a_block(self, component: _Component) -> bool:
        """As jdmaster.c of libjpeg-turbo chooses the scaling of each component."""
        most_across = max(other.across for other in self.components)
        most_down = max(other.down for other in self.components)
        return bool(most_across % (2 * component.across) or most_down % (2 * component.down))

    def blocks(self, component: _Component) -> int:
        """Return how many blocks a scan of this component alone has (T.81, A.2.2)."""
        most_across = max(other.across for other in self.components)
        most_down = max(other.down for other in self.components)
        wide = -(-self.width * component.across // most_across)
        high = -(-self.height * component.down // most_down)
        return (-(-wide // 8)) * (-(-high // 8))


def for_an_eighth(data: bytes) -> bytes:
    """Return a progressive JPEG that decodes to the same pixels at 1/8, faster.

    What cannot be understood, or is not complete, is returned as it is.
    """
    try:
        return _trimmed(data) or data
    except (IndexError, ValueError, struct.error):
        return data


def _trimmed(data: bytes) -> bytes | None:
    kept: list[bytes] = []
    frame: _Frame | None = None
    at = 2
    keep_from = 0
    while True:
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker == _EOI:
            break
        length = int.from_bytes(data[at + 2 : at + 4])
        body = data[at + 4 : at + 2 + length]
        end = at + 2 + length
        if marker in _OTHER_FRAMES:
            return None
        if marker == _SOF2:
            frame = _read_frame(body)
        elif marker == _SOS:
            scan_end = _SCAN_END.search(data, end)
            if scan_end is None or frame is None:
                return None
            end = scan_end.start()
            if _is_not_needed(body, frame):
                kept.append(data[keep_from:at])
                keep_from = end
        at = end
    if frame is None or not kept or not all(component.whole for component in frame.components):
        return None
    kept.append(data[keep_from:at])
    kept.extend(
        _empty_scan(component.number, frame.blocks(component))
        for component in frame.components
        if frame.gives_one_pixel_a_block(component)
    )
    kept.append(bytes((0xFF, _EOI)))
    return b"".join(kept)


def _read_frame(body: bytes) -> _Frame:
    _, height, width, count = struct.unpack_from(">BHHB", body)
    components = []
    for index in range(count):
        number, sampling = body[6 + 3 * index], body[7 + 3 * index]
        components.append(_Component(number=number, across=sampling >> 4, down=sampling & 15))
    return _Frame(width=width, height=height, components=components)


def _is_not_needed(header: bytes, frame: _Frame) -> bool:
    """Note what a scan makes known, and tell whether a decode at 1/8 can do without it."""
    count = header[0]
    first, last, bits = header[1 + 2 * count], header[2 + 2 * count], header[3 + 2 * count]
    if first == 0:
        return False
    (component,) = (component for component in frame.components if component.number == header[1])
    for coefficient in range(first, last + 1):
        component.known[coefficient] = bits & 15
    return frame.gives_one_pixel_a_block(component)


def _empty_scan(component: int, blocks: int) -> bytes:
    """Return a scan with all AC coefficients of all blocks at zero, and the Huffman table that it needs.

    The table gives the run categories EOB0 to EOB14 codes of four bits, in their order.
    """
    restarts_off = struct.pack(">BBHH", 0xFF, _DRI, 4, 0)
    lengths = bytes((0, 0, 0, _RUN_CATEGORIES, *[0] * 12))
    symbols = bytes(category << 4 for category in range(_RUN_CATEGORIES))
    table = struct.pack(">BBHB", 0xFF, _DHT, 19 + len(symbols), 0x10 | _AC_TABLE) + lengths + symbols
    header = struct.pack(">BBHBBBBBB", 0xFF, _SOS, 8, 1, component, _AC_TABLE, 1, 63, 0)
    bits = ""
    while blocks:
        run = min(blocks, _LONGEST_RUN)
        category = run.bit_length() - 1
        bits += f"{category:04b}" + f"{run:b}"[1:]
        blocks -= run
    bits += "1" * (-len(bits) % 8)
    scan = int(bits, 2).to_bytes(len(bits) // 8)
    return restarts_off + table + header + scan.replace(b"\xff", b"\xff\x00")
