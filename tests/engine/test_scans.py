"""JPEGs of very many scans: a small file that would keep a decoder busy for long is refused at once."""

import io
import re
import struct
import time

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client
from PIL import Image

from lazyimages import formats, sizes
from lazyimages.engines import progressive, scans
from lazyimages.engines.base import Job
from lazyimages.exceptions import CorruptImage, ImageTooLarge
from tests.conftest import upload
from tests.engine import pictures
from tests.engine.conftest import LIMITS
from tests.engine.test_flavours import segment, ultra_hdr
from tests.test_uploads import PhotoForm

END = b"\xff\xd9"
MESSAGE = "the JPEG is stored in more than 100 scans, which takes too long to decode; save it again"
PIECES = {  # what stands before and after the scans that are added
    "progressive": {"progressive": True},
    "progressive-grey": {"progressive": True, "mode": "L"},
    "restarts": {"progressive": True, "restart_marker_rows": 1},
}


def photo(side: int = 64, mode: str = "RGB", **options: object) -> bytes:
    return pictures.saved(pictures.photo(side, side).convert(mode), "JPEG", quality=90, **options)


def count(data: bytes) -> int:
    """Count the scans of a file that has them nowhere but where they belong."""
    return data.count(b"\xff\xda")


def with_scans(data: bytes, wanted: int, *, empty: int = 1) -> bytes:
    """Return a progressive JPEG with more scans, all of them valid, that change no pixel.

    Each says once more that the AC coefficients of one component are zero: a few bytes, by which a decoder
    goes over all of its blocks.
    """
    frame = progressive._read_frame(data[data.index(b"\xff\xc2") + 4 :])
    (component,) = (each for each in frame.components if each.number == empty)
    scan = progressive._empty_scan(component.number, frame.blocks(component))
    at = scans._SCAN_END.search(data, data.index(b"\xff\xda") + 14).start()  # the end of the first
    restarts = re.search(rb"\xff\xdd\x00\x04..", data[:at], re.DOTALL)
    after = restarts[0] if restarts else b""
    return data[:at] + scan * (wanted - count(data)) + after + data[at:]


def sequential(side: int, rounds: int) -> bytes:
    """Return a JPEG in colour, not progressive: each of three components in a scan of its own, repeatedly."""
    planes = [photo(side, "L", restart_marker_rows=0) for _ in range(3)]
    start = planes[0].index(b"\xff\xda")
    pixels = planes[0][start + 10 : -2]
    head = planes[0][:start]
    at = head.index(b"\xff\xc0")
    frame = struct.pack(">BHHB", 8, side, side, 3) + bytes((1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0))
    head = head[:at] + segment(0xC0, frame) + head[at + 2 + int.from_bytes(head[at + 2 : at + 4]) :]
    one = b"".join(segment(0xDA, bytes((1, number, 0, 0, 63, 0))) + pixels for number in (1, 2, 3))
    return head + one * rounds + END


JOB = Job(
    plan=sizes.parse("32w").plan(64, 64),
    format=formats.PNG,
    quality=None,
    background="#ffffff",
    animation="keep",
)


def assert_refused(engine: object, data: bytes) -> None:
    for call in (engine.probe, lambda data, limits: engine.render(data, [JOB], limits=limits)):
        with pytest.raises(ImageTooLarge, match=MESSAGE):
            call(data, limits=LIMITS)


@pytest.mark.parametrize("kind", PIECES)
def test_a_hundred_scans_and_no_more(engine, picture, kind):
    data = photo(**PIECES[kind])
    expected = pictures.opened(data)
    full = with_scans(data, 100)
    assert count(full) == 100
    for size in ("64w", "8w"):
        assert picture(full, size).convert("RGB").tobytes() == picture(data, size).convert("RGB").tobytes()
    assert pictures.opened(full).tobytes() == expected.tobytes(), "a valid file, and the same picture"
    assert_refused(engine, with_scans(data, 101))
    assert_refused(engine, with_scans(data, 1000))


def test_scans_of_a_file_that_is_not_progressive(engine, picture):
    full = sequential(64, 33)
    assert count(full) == 99
    assert picture(full, "64w").size == (64, 64)
    assert_refused(engine, sequential(64, 34))


def test_a_small_file_that_keeps_a_decoder_busy(engine):
    """16 megapixels in some kilobytes, well within the limits of pixels and bytes."""
    drawn = pictures.saved(Image.new("RGB", (4000, 4000), (90, 120, 60)), "JPEG", progressive=True)
    started = time.process_time()
    assert Image.open(io.BytesIO(with_scans(drawn, 100))).resize((64, 64)).size == (64, 64)
    decoded = time.process_time() - started
    data = with_scans(drawn, 2000)
    assert len(data) < 1_000_000
    started = time.process_time()
    assert_refused(engine, data)
    refused = time.process_time() - started
    print(
        f"{len(data):,} bytes: refused twice in {refused * 1000:.1f} ms; 100 scans: {decoded:.2f} s to decode"
    )
    assert refused < 1


def test_what_is_no_scan_is_not_counted(engine, picture):
    """Metadata hold thumbnails, and a second picture may follow; a decoder reads neither."""
    thumbnail = photo(16, progressive=True)
    many = b"\xff\xda" * 200
    exif = b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + thumbnail * 12 + many
    data = photo(progressive=True)
    for marker in (0xE1, 0xE5, 0xFE):
        held = data[:2] + segment(marker, exif) + data[2:]
        assert count(held) > 300
        assert picture(held, "64w").tobytes() == picture(data, "64w").tobytes()
        full = with_scans(data, 100)
        assert picture(full[:2] + segment(marker, exif) + full[2:], "64w").size == (64, 64)
    between = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)
    between = data[:between].rindex(b"\xff\xc4")  # behind a scan, before the tables of the next
    held = data[:between] + segment(0xFE, exif) + data[between:]
    assert picture(held, "64w").tobytes() == picture(data, "64w").tobytes()
    for behind in (many, with_scans(data, 3000)):
        assert picture(data + behind, "64w").tobytes() == picture(data, "64w").tobytes()
    gain_map = with_scans(photo(mode="L", progressive=True), 150)
    assert picture(ultra_hdr(data, gain_map), "64w").tobytes() == picture(data, "64w").tobytes()
    assert_refused(engine, ultra_hdr(with_scans(data, 101), gain_map))


def test_scans_cannot_be_hidden(engine):
    """In every place where a decoder looks for the next marker, what stands before it does not matter."""
    data = with_scans(photo(progressive=True), 150)
    first = data.index(b"\xff\xda")
    head, rest = data[:first], data[first:]
    assert_refused(engine, head + rest.replace(b"\xff\xda", b"\xff\xff\xff\xda"))
    assert_refused(engine, head + b"\0\x12\xff\0\xff\xd0" + rest)
    assert_refused(engine, head[:2] + segment(0xE3, END) + head[2:] + rest)
    # A marker that is none, with what would be a length: a decoder that looks for a restart skips two bytes.
    second = data.index(b"\xff\xda", first + 2)
    assert_refused(engine, data[:second] + b"\xff\x02\xff\xff" + data[second:])


def test_damaged_files_of_about_a_hundred_scans(engine):
    """Damage beside the limit: too many scans, or a damaged file, or a picture."""
    data = photo(progressive=True)
    noise = np.random.default_rng(6)
    for _ in range(200):
        damaged = bytearray(with_scans(data, int(noise.integers(90, 112))))
        for at in noise.integers(2, len(damaged) - 2, int(noise.integers(0, 3))):
            damaged[at] = noise.integers(256)
        try:
            engine.render(bytes(damaged), [JOB], limits=LIMITS)
        except ImageTooLarge:
            assert count(bytes(damaged)) > 100
        except CorruptImage:
            pass


def test_it_costs_next_to_nothing():
    """Of 12 megapixels: counted in seconds of processor time, and printed."""
    data = pictures.saved(Image.effect_noise((4000, 3000), 30), "JPEG", quality=80)
    times = []
    for _ in range(5):
        started = time.process_time()
        scans.check(data)
        times.append(time.process_time() - started)
    print(f"{len(data):,} bytes: {min(times) * 1000:.2f} ms")
    assert min(times) < 0.1


def test_the_resizer_says_422_and_a_form_says_why():
    data = with_scans(photo(progressive=True), 101)
    storages["default"].save("a/b.jpg", ContentFile(data))
    assert Client().get("/images/v/a/360x270/b.jpg").status_code == 422
    form = PhotoForm(files={"image": upload(data)})
    assert form.errors["image"] == [f"The {MESSAGE[4:]} with another program."]
