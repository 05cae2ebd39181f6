"""Where the pieces of a file begin and end: chunks, segments, blocks and boxes, as far as they make sense."""

from collections.abc import Callable, Iterator

Span = tuple[int, int]

_MOST = 500


def of(data: bytes) -> list[Span]:
    """Return the pieces of a file in their order; together they are all of it."""
    walk = next((walk for fits, walk in _WALKS if fits(data)), _whole)
    found: list[Span] = []
    for start, end in walk(data):
        end = min(end, len(data))
        if end > start:
            found.append((start, end))
        if len(found) == _MOST:
            break
    last = found[-1][1] if found else 0
    return [*found, (last, len(data))] if last < len(data) else found


def _whole(data: bytes) -> Iterator[Span]:
    yield 0, len(data)


def _jpeg(data: bytes) -> Iterator[Span]:
    yield 0, 2
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if data[at + 1] == 0xDA:  # with the pixels that follow
            end = next(
                (i for i in range(end, len(data) - 1) if data[i] == 0xFF and data[i + 1] not in _PIXELS), -1
            )
        if end <= at:
            return
        yield at, end
        at = end


_PIXELS = {0, *range(0xD0, 0xD8)}


def _png(data: bytes) -> Iterator[Span]:
    yield 0, 8
    at = 8
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4])
        yield at, end
        at = end


def _gif(data: bytes) -> Iterator[Span]:
    at = 13 + (3 << (data[10] & 7) + 1 if len(data) > 10 and data[10] & 0x80 else 0)
    yield 0, at
    while at + 10 < len(data) and data[at] in (0x21, 0x2C):
        end = at + 2
        if data[at] == 0x2C:
            end = at + 11 + (3 << (data[at + 9] & 7) + 1 if data[at + 9] & 0x80 else 0)
        while end < len(data) and data[end]:
            end += 1 + data[end]
        yield at, end + 1
        at = end + 1


def _riff(data: bytes) -> Iterator[Span]:
    yield 0, 12
    at = 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        end = at + 8 + length + length % 2
        yield at, end
        at = end


def _boxes(data: bytes) -> Iterator[Span]:
    """Yield boxes, and of the `meta` box those inside."""
    at = 0
    while at + 8 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        if length < 8:
            return
        end = at + (12 if kind == b"meta" else 8 if kind in (b"iprp", b"ipco") else length)
        yield at, end
        at = end


def _tiff(data: bytes) -> Iterator[Span]:
    """Yield what is before the directory, its entries and the rest."""
    order = "little" if data[:2] == b"II" else "big"
    at = int.from_bytes(data[4:8], order)
    if not 8 <= at < len(data):
        return
    yield 0, at + 2
    for entry in range(int.from_bytes(data[at : at + 2], order)):
        yield at + 2 + 12 * entry, at + 14 + 12 * entry


_WALKS: list[tuple[Callable[[bytes], bool], Callable[[bytes], Iterator[Span]]]] = [
    (lambda data: data[:2] == b"\xff\xd8", _jpeg),
    (lambda data: data[:4] == b"\x89PNG", _png),
    (lambda data: data[:4] == b"GIF8", _gif),
    (lambda data: data[:4] == b"RIFF", _riff),
    (lambda data: data[4:8] == b"ftyp", _boxes),
    (lambda data: data[:4] in (b"II*\0", b"MM\0*"), _tiff),
]
