"""Limits: a bomb is refused by its header, in no time and no memory; what is allowed works."""

import struct
import subprocess
import sys
import time
import tracemalloc
import zlib

import pytest
from PIL import Image

from lazyimages import formats, sizes
from lazyimages.engines.base import Job, Limits
from lazyimages.exceptions import ImageTooLarge
from tests.engine import pictures
from tests.engine.conftest import ENGINES, LIMITS
from tests.engine.pictures import GREY, mean, near


def bombs() -> dict[str, bytes]:
    """Return small files that promise 3,600 megapixels (WebP and GIF: what they can)."""
    png = pictures.png(60000, 60000, zlib.compress(bytes(1000)))
    jpeg = bytearray(pictures.saved(Image.new("RGB", (16, 16)), "JPEG"))
    at = jpeg.find(b"\xff\xc0")
    jpeg[at + 5 : at + 9] = struct.pack(">HH", 60000, 60000)
    gif = bytearray(pictures.saved(Image.new("L", (16, 16)), "GIF"))
    gif[6:10] = struct.pack("<HH", 60000, 60000)
    tiff = pictures.saved(Image.new("L", (16, 16)), "TIFF")
    for tag in (b"\0\1", b"\1\1"):
        tiff = tiff.replace(tag + b"\4\0\1\0\0\0\x10\0\0\0", tag + b"\4\0\1\0\0\0\x60\xea\0\0")
    lossless = bytearray(pictures.saved(Image.new("RGB", (16, 16)), "WEBP", lossless=True))
    bits = int.from_bytes(lossless[21:25], "little") & ~0xFFFFFFF | 16382 | 16382 << 14
    lossless[21:25] = bits.to_bytes(4, "little")
    avif = pictures.saved(Image.new("RGB", (16, 16)), "AVIF")
    avif = avif.replace(
        b"ispe\0\0\0\0" + struct.pack(">II", 16, 16), b"ispe\0\0\0\0" + struct.pack(">II", 16000, 16000)
    )
    return {
        "png": png,
        "jpeg": bytes(jpeg),
        "gif": bytes(gif),
        "tiff": tiff,
        "webp": bytes(lossless),
        "avif": avif,
    }


def first_frames_beyond_the_screen() -> bytes:
    """Return a GIF of 64 × 48 for whose first frame Pillow makes room as soon as it opens the file."""
    pages = [Image.new("P", (64, 48), number) for number in range(2)]
    data = bytearray(pictures.saved(pages[0], "GIF", save_all=True, append_images=pages[1:], disposal=2))
    at = data.index(b"\x2c\0\0\0\0", 13)
    data[at + 5 : at + 9] = struct.pack("<HH", 60_000, 2_500)
    return bytes(data)


BOMBS = bombs() | {"gif-frame": first_frames_beyond_the_screen()}
JOB = Job(
    plan=sizes.parse("360x270").plan(60000, 60000),
    format=formats.JPEG,
    quality=80,
    background="#ffffff",
    animation="keep",
)


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("host", ["stock", "no-limit"])
@pytest.mark.filterwarnings("error")
def test_bomb_is_refused_by_its_header(engine, monkeypatch, name, host):
    if host == "no-limit":
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert len(BOMBS[name]) < 5000
    tracemalloc.start()
    started = time.process_time()
    for call in (engine.probe, lambda data, limits: engine.render(data, [JOB], limits=limits)):
        with pytest.raises(ImageTooLarge):
            call(BOMBS[name], limits=LIMITS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.process_time() - started < 1
    assert peak < 2 * 2**20


@pytest.mark.parametrize("path", ENGINES)
def test_bombs_take_no_memory(path):
    """Measured by the kernel, which also sees what Pillow's C code takes."""
    program = f"""
import re, sys
from django.utils.module_loading import import_string
from tests.engine.test_limits import BOMBS, JOB, LIMITS, ImageTooLarge
engine = import_string({path!r})()
def most():  # in KiB; ru_maxrss begins with that of the process that started this one
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
before = most()
for name, data in BOMBS.items():
    for call in (engine.probe, lambda data, limits: engine.render(data, [JOB], limits=limits)):
        try:
            call(data, limits=LIMITS)
        except ImageTooLarge:
            continue
        sys.exit("not refused: " + name)
print(most() - before)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 50 * 1024, "KiB"


def test_messages_say_what_is_allowed(engine):
    with pytest.raises(ImageTooLarge, match=r"60000 × 60000 pixels; at most 100,000,000 pixels are allowed"):
        engine.probe(BOMBS["png"], limits=LIMITS)
    with pytest.raises(ImageTooLarge, match=r"the file has 2,000 bytes; at most 1,999 are allowed"):
        engine.probe(bytes(2000), limits=Limits(max_pixels=10, max_bytes=1999))


def test_limits_are_inclusive(engine):
    data = pictures.saved(Image.new("L", (100, 70)), "PNG")
    assert engine.probe(data, limits=Limits(max_pixels=7000, max_bytes=len(data))).width == 100
    for limits in (
        Limits(max_pixels=6999, max_bytes=len(data)),
        Limits(max_pixels=7000, max_bytes=len(data) - 1),
    ):
        with pytest.raises(ImageTooLarge):
            engine.probe(data, limits=limits)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("format", ["jpeg", "png", "tiff"])
def test_ninety_five_megapixels(engine, job, format):
    """Below our limit, and above the one at which Pillow warns of a bomb."""
    if format == "tiff":
        data = pictures.saved(Image.new("L", (11875, 8000), 128), "TIFF", compression="tiff_lzw")
    elif format == "jpeg":
        data = pictures.saved(Image.new("L", (11875, 8000), 128), "JPEG")
    else:
        row = zlib.compressobj(1)
        line = b"\0" + b"\x80" * 11875
        packed = b"".join([*(row.compress(line * 100) for _ in range(80)), row.flush()])
        data = pictures.png(11875, 8000, packed, colour=0)
    assert Image.MAX_IMAGE_PIXELS < 11875 * 8000
    probe = engine.probe(data, limits=LIMITS)
    assert (probe.width, probe.height) == (11875, 8000)
    (made,) = engine.render(data, [job(data, "360x270", "webp")], limits=LIMITS)
    assert near(mean(pictures.opened(made.data)), GREY, 2)


def test_probe_tells_the_memory(engine):
    """What the views use to decide how many renders may run: at least the decoded pixels."""
    data = pictures.saved(Image.new("RGB", (1000, 500)), "PNG")
    assert engine.probe(data, limits=LIMITS).cost_bytes >= 1000 * 500 * 4


@pytest.mark.parametrize(
    ("mode", "alpha"), [("RGB", False), ("RGBA", True), ("L", False), ("LA", True), ("P", False)]
)
def test_probe_tells_alpha(engine, mode, alpha):
    assert engine.probe(pictures.saved(Image.new(mode, (9, 9)), "PNG"), limits=LIMITS).alpha is alpha


def test_probe_tells_the_format(engine):
    for name in ("jpeg", "png", "gif", "webp", "avif", "tiff"):
        data = pictures.saved(pictures.quadrants(40, 30), name.upper())
        probe = engine.probe(data, limits=LIMITS)
        assert (probe.format, probe.width, probe.height, probe.frames) == (formats.BY_NAME[name], 40, 30, 1)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("progressive", [False, True], ids=["baseline", "progressive"])
def test_cost_follows_the_decode(engine, job, mode, progressive):
    """A JPEG takes less memory the smaller it is decoded, and never none."""
    data = pictures.saved(Image.new(mode, (4000, 3000)), "JPEG", progressive=progressive)
    probe = engine.probe(data, limits=LIMITS)
    small, large = (engine.cost(probe, [job(data, size, "jpeg")]) for size in ("200w", "4000w"))
    assert len(data) < small < large / 2 or progressive
    assert small < large


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_no_jobs(engine, format):
    data = pictures.saved(pictures.quadrants(40, 30), format)
    assert engine.render(data, [], limits=LIMITS) == []
    assert engine.cost(engine.probe(data, limits=LIMITS), []) > 0
