"""Damage, by Hypothesis: bits, bytes and lengths, pieces of a file and of two files."""

import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from tests.fuzz import chunks, corpus

_EXTREME = [0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
_LONGEST = 4096  # bytes of a piece that is put in
Draw = Callable[[st.SearchStrategy[Any]], Any]


@st.composite
def damaged(draw: Draw, names: Sequence[str]) -> tuple[str, bytes]:
    """Draw the name of a seed and what one to five kinds of damage make of it."""
    name = draw(st.sampled_from(names))
    data = corpus.seeds()[name]
    for _ in range(draw(st.integers(1, 5))):
        data = draw(st.sampled_from(_KINDS))(draw, data)
    if draw(st.integers(0, 9)):  # else most files are refused by their first bytes
        data = corpus.seeds()[name][:12] + data[12:]
    # Decoders look at what is behind a checksum or a length only when that is right.
    return name, mended(data) if draw(st.booleans()) else data


def mended(data: bytes) -> bytes:
    """Return a PNG with the checksums of its chunks, or a RIFF with its length, made right."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        parts = [data[start:end] for start, end in chunks.of(data)]
        return parts[0] + b"".join(
            part[:-4] + struct.pack(">I", zlib.crc32(part[4:-4])) if len(part) >= 12 else part
            for part in parts[1:]
        )
    if data[:4] == b"RIFF":
        return data[:4] + struct.pack("<I", max(0, len(data) - 8)) + data[8:]
    return data


def _place(draw: Draw, data: bytes) -> int:
    """Draw an offset: anywhere, near the beginning, or at the beginning of a piece."""
    ends = [start for start, _ in chunks.of(data)] or [0]
    near = st.builds(lambda start, more: start + more, st.sampled_from(ends), st.integers(0, 16))
    anywhere = st.integers(0, max(0, len(data) - 1))
    return min(max(0, len(data) - 1), draw(st.one_of(anywhere, st.integers(0, 200), near)))


def _span(draw: Draw, data: bytes) -> tuple[int, int]:
    start = _place(draw, data)
    return start, min(len(data), start + draw(st.one_of(st.integers(1, 32), st.integers(1, _LONGEST))))


def _flip_a_bit(draw: Draw, data: bytes) -> bytes:
    at = _place(draw, data)
    return _put(data, at, bytes((data[at] ^ 1 << draw(st.integers(0, 7)),))) if data else data


def _set_bytes(draw: Draw, data: bytes) -> bytes:
    return _put(data, _place(draw, data), draw(st.binary(min_size=1, max_size=8)))


def _set_a_number(draw: Draw, data: bytes) -> bytes:
    """Overwrite with an extreme number, as lengths, offsets, counts and sizes are written."""
    number = draw(st.sampled_from(_EXTREME))
    layout = draw(st.sampled_from([">H", "<H", ">I", "<I", "B", ">Q"]))
    width = struct.calcsize(layout)
    return _put(data, _place(draw, data), struct.pack(layout, number & (1 << 8 * width) - 1))


def _cut(draw: Draw, data: bytes) -> bytes:
    return data[: _place(draw, data)]


def _drop(draw: Draw, data: bytes) -> bytes:
    start, end = _span(draw, data)
    return data[:start] + data[end:]


def _double(draw: Draw, data: bytes) -> bytes:
    start, end = _span(draw, data)
    return data[:end] + data[start:end] * draw(st.integers(1, 20)) + data[end:]


def _insert(draw: Draw, data: bytes) -> bytes:
    at = _place(draw, data)
    fill = draw(
        st.sampled_from([b"\0", b"\xff", b"\xff\xd9", b"\xff\xd0", b"\x21\xfe\x01", b"\0\0\0\x08free"])
    )
    piece = draw(st.one_of(st.binary(max_size=32), st.integers(1, 200).map(lambda count: fill * count)))
    return data[:at] + piece + data[at:]


def _splice(draw: Draw, data: bytes) -> bytes:
    """Go on with a piece of another file."""
    other = corpus.seeds()[draw(st.sampled_from(sorted(corpus.seeds())))]
    start, end = _span(draw, other)
    at = _place(draw, data)
    behind = draw(st.sampled_from([data[at:], b"", data[min(len(data), at + end - start) :]]))
    return data[:at] + (other[start:end] if behind else other[start:]) + behind


def _move_a_piece(draw: Draw, data: bytes) -> bytes:
    """Swap, drop or double whole pieces, such as chunks, segments and boxes."""
    parts = [data[start:end] for start, end in chunks.of(data)]
    if len(parts) < 3:
        return data
    one, other = (draw(st.integers(1, len(parts) - 1)) for _ in range(2))
    match draw(st.sampled_from(["swap", "drop", "double", "many"])):
        case "swap":
            parts[one], parts[other] = parts[other], parts[one]
        case "drop":
            del parts[one]
        case "double":
            parts.insert(other, parts[one])
        case "many":
            parts[other:other] = [parts[one][:_LONGEST]] * draw(st.integers(2, 120))
    return b"".join(parts)


_KINDS: list[Callable[[Draw, bytes], bytes]] = [
    _flip_a_bit,
    _set_bytes,
    _set_a_number,
    _set_a_number,
    _cut,
    _drop,
    _double,
    _insert,
    _splice,
    _move_a_piece,
    _move_a_piece,
]


def _put(data: bytes, at: int, piece: bytes) -> bytes:
    return data[:at] + piece + data[at + len(piece) :]
