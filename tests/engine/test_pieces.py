"""Files that would keep a reader busy by something else than pixels: refused before they are opened."""

import struct
import time
import zlib

import pytest
from PIL import Image

from lazyimages import formats, sizes
from lazyimages.engines.base import Job, Limits
from lazyimages.exceptions import ImageTooLarge
from tests.engine import pictures
from tests.engine.conftest import LIMITS
from tests.engine.test_flavours import segment

GREY = Image.new("RGB", (64, 64), (128, 128, 128))
JPEG, PNG = pictures.saved(GREY, "JPEG"), pictures.saved(GREY, "PNG")
GIF_HEAD = b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff"
GIF_FRAME = b"\x2c\0\0\0\0\1\0\1\0\0\x02\x02\x44\x01\0"
JOB = Job(
    plan=sizes.parse("32w").plan(64, 64),
    format=formats.WEBP,
    quality=80,
    background="#ffffff",
    animation="keep",
)
PIECES = (
    "the file is in more than 50,000 pieces, which take too long to read; save it again with another program"
)


def segments(count: int, marker: int = 0xE5) -> bytes:
    return JPEG[:2] + segment(marker, b"") * count + JPEG[2:]


def padded(count: int) -> bytes:
    """Return a JPEG with bytes between two segments that belong to none."""
    return JPEG[:20] + b"\x11" * count + JPEG[20:]


def png_chunks(count: int, kind: bytes = b"abCd") -> bytes:
    at = PNG.index(b"IDAT") - 4
    return PNG[:at] + pictures.chunk(kind, b"") * count + PNG[at:]


def gif_frames(count: int) -> bytes:
    return GIF_HEAD + GIF_FRAME * count + b";"


def gif_comments(count: int) -> bytes:
    return GIF_HEAD + b"\x21\xfe\0" * count + GIF_FRAME + b";"


def gif_comment_in(count: int) -> bytes:
    return GIF_HEAD + b"\x21\xfe" + b"\1a" * count + b"\0" + GIF_FRAME + b";"


def apng(count: int) -> bytes:
    pixels = zlib.compress(b"\0\0\0\0")
    control = struct.Struct(">IIIIIHHBB")
    body = [
        pictures.chunk(b"fcTL", control.pack(0, 1, 1, 0, 0, 1, 10, 0, 0)),
        pictures.chunk(b"IDAT", pixels),
    ]
    for number in range(1, count):
        at = 2 * number - 1
        body.append(pictures.chunk(b"fcTL", control.pack(at, 1, 1, 0, 0, 1, 10, 0, 0)))
        body.append(pictures.chunk(b"fdAT", struct.pack(">I", at + 1) + pixels))
    header = pictures.chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    animation = pictures.chunk(b"acTL", struct.pack(">II", count, 0))
    return b"".join([PNG[:8], header, animation, *body, pictures.chunk(b"IEND", b"")])


def render(engine, data: bytes, limits: Limits = LIMITS) -> Image.Image:
    probe = engine.probe(data, limits=limits)
    plan = sizes.parse("32w").plan(probe.width, probe.height)
    job = Job(plan=plan, format=formats.WEBP, quality=80, background="#ffffff", animation="keep")
    (made,) = engine.render(data, [job], limits=limits)
    return pictures.opened(made.data)


def assert_refused(engine, data: bytes, message: str) -> None:
    """Assert that it is refused, and in less time than it takes to read."""
    assert len(data) < LIMITS.max_bytes
    started = time.process_time()
    for call in (engine.probe, lambda data, limits: engine.render(data, [JOB], limits=limits)):
        with pytest.raises(ImageTooLarge, match=message):
            call(data, limits=LIMITS)
    seconds = time.process_time() - started
    print(f"{len(data):,} bytes: refused twice in {seconds * 1000:.0f} ms")
    assert seconds < 5


@pytest.mark.parametrize(
    "many", [segments, padded, png_chunks, gif_comments, gif_comment_in], ids=lambda many: many.__name__
)
def test_pieces(engine, many):
    """Two million of them would take from seconds to minutes, and up to gigabytes."""
    assert render(engine, many(1000)).size in ((32, 32), (1, 1))
    assert render(engine, many(45_000)).size in ((32, 32), (1, 1))
    assert_refused(engine, many(51_000), PIECES)
    assert_refused(engine, many(2_000_000), PIECES)


def test_pieces_of_other_kinds(engine):
    assert_refused(engine, png_chunks(60_000, b"IDAT"), PIECES)
    assert_refused(engine, segments(60_000, 0xFE), PIECES)
    # Between segments decoders skip what is not one, one byte at a time.
    assert_refused(engine, JPEG[:2] + b"\xff" * 2_000_000 + JPEG[2:], PIECES)
    assert_refused(engine, JPEG[:20] + b"\xff\0" * 1_000_000 + JPEG[20:], PIECES)


def test_large_files_of_full_pieces_are_none_too_many(engine):
    """What 40 MB hold when they are written as programs write them."""
    frame = GIF_FRAME[:11] + (b"\xfe" + bytes(254)) * 90_000 + b"\0"
    data = GIF_HEAD + GIF_FRAME + frame + b";"
    assert engine.probe(data, limits=LIMITS).frames == 2
    assert render(engine, png_chunks(5000, b"IDAT")).size == (32, 32)
    assert render(engine, JPEG[:2] + segment(0xE5, bytes(65_000)) * 600 + JPEG[2:]).size == (32, 32)


@pytest.mark.parametrize("many", [gif_frames, apng], ids=lambda many: many.__name__)
def test_frames(engine, many):
    """Each takes time and memory, also when it is one pixel."""
    message = r"the image has \d\d,\d\d\d frames; at most 10,000 are allowed"
    assert engine.probe(many(10_000), limits=LIMITS).frames == 10_000
    assert render(engine, many(200)).size == (1, 1)
    assert_refused(engine, many(10_001), message)
    assert_refused(engine, many(20_000), message)
    assert_refused(engine, many(200_000), f"{message}|{PIECES}")


def test_fill_bytes_in_a_scan(engine):
    """Before a marker there may be any number of FF; the time to look for one grew with their square."""
    for count in (10, 1_000_000):
        for behind in (b"\0", b"\xd0", b""):
            started = time.process_time()
            try:
                render(engine, JPEG[:-2] + b"\xff" * count + behind + JPEG[-2:])
            except ImageTooLarge:
                pytest.fail("it is not too large")
            print(f"{count:,}: {time.process_time() - started:.3f} s")
            assert time.process_time() - started < 20
