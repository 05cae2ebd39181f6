"""Files that are small, and take long: within the limits on bytes and pixels, and refused all the same."""

import struct
import time
from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image

from tests.conftest import jpeg, upload
from tests.engine import pictures
from tests.host.models import Photo
from tests.security.bombs import TINY
from tests.security.conftest import get, key_of, saved
from tests.security.test_uploads import PhotoForm

pytestmark = pytest.mark.django_db

HANG = 30  # seconds of processor; it is milliseconds where it is refused in time, and minutes where it is not


def with_scans(count: int) -> bytes:
    """Return a progressive JPEG with so many scans, all but the first ones alike: they refine nothing."""
    data = saved(pictures.photo(64, 48), "JPEG", progressive=True)
    starts = [at for at in range(len(data) - 1) if data[at : at + 2] == b"\xff\xda"]
    last, end = starts[-1], len(data) - 2
    return data[:last] + data[last:end] * (count - len(starts) + 1) + data[end:]


def gif_of_points(count: int) -> bytes:
    """Return a GIF of so many frames of one pixel."""
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    return head + (b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00") * count + b"\x3b"


def webp_of_points(count: int) -> bytes:
    """Return a WebP of so many frames of one pixel: 13 MB of them took two minutes."""
    picture = saved(Image.new("RGB", (1, 1)), "WEBP", lossless=True)[12:]
    frame = bytes(12) + b"\x0a\0\0\0" + picture
    frames = (b"ANMF" + struct.pack("<I", len(frame)) + frame + bytes(len(frame) & 1)) * count
    body = b"WEBPVP8X\x0a\0\0\0\x02\0\0\0" + bytes(6) + b"ANIM\x06\0\0\0" + bytes(6) + frames
    return b"RIFF" + struct.pack("<I", len(body)) + body


def exif_in_pieces(first: int, rest: int) -> bytes:
    """Return a JPEG whose EXIF is in large segments and then in tiny ones: 20 MB took two minutes to open."""
    data = saved(TINY, "JPEG")

    def segment(body: bytes) -> bytes:
        return b"\xff\xe1" + struct.pack(">H", 8 + len(body)) + b"Exif\0\0" + body

    return data[:2] + segment(bytes(65000)) * first + segment(b"a") * rest + data[2:]


def tiff(entries: list[tuple[int, int, int, int]], tail: bytes) -> bytes:
    """Return a TIFF with one directory; values are offsets into what follows it."""
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + body + bytes(4) + tail


def tiff_of_one_tag(count: int, size: int) -> bytes:
    """Return a grey TIFF of 16 × 16 that says thousands of times that its strips are so many megabytes."""
    start = 8 + 2 + 12 * (count + 9) + 4
    tags = [(256, 4, 1, 16), (257, 4, 1, 16), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    tags += [(273, 4, 1, start), (277, 3, 1, 1), (278, 4, 1, 16), (279, 4, 1, 256)]
    return tiff([*tags, *[(273, 4, size // 4, start)] * count], bytes(256 + size))


def tiff_of_strips(count: int) -> bytes:
    """Return a TIFF one pixel wide with a strip for each of its rows: two million took 10 s and 700 MB."""
    start = 8 + 2 + 12 * 9 + 4
    tags = [(256, 4, 1, 1), (257, 4, 1, count), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    tags += [(273, 4, count, start), (277, 3, 1, 1), (278, 4, 1, 1), (279, 4, count, start + 4 * count)]
    return tiff(tags, struct.pack("<I", 8) * count + struct.pack("<I", 1) * count)


def refused(data: bytes, store: Callable[..., str]) -> str:
    """Assert 422 over HTTP and an error in a form, both for little; return what the form says."""
    started = time.process_time()
    assert get(key_of(store(data))).status_code == 422
    form = PhotoForm(files={"image": upload(data)})
    assert list(form.errors) == ["image"]
    assert not Photo.objects.exists()
    assert time.process_time() - started < HANG
    return str(form.errors["image"][0])


def test_more_than_a_hundred_scans(store: Callable[..., str]) -> None:
    for count in (101, 5000):
        assert "100" in refused(with_scans(count), store)


def test_a_hundred_scans(store: Callable[..., str]) -> None:
    """What is allowed is a right picture."""
    data = with_scans(100)
    response = get(key_of(store(data), "96x96"))
    assert response.status_code == 200
    assert PhotoForm(files={"image": upload(data)}).is_valid()
    with Image.open(BytesIO(response.content)) as made:
        assert made.size == (48, 48)


@pytest.mark.parametrize("draw", [gif_of_points, webp_of_points], ids=["GIF", "WebP"])
def test_thousands_of_tiny_frames(draw: Callable[[int], bytes], store: Callable[..., str]) -> None:
    assert "frames" in refused(draw(20_000), store)


def test_millions_of_tiny_pieces(store: Callable[..., str]) -> None:
    """Segments, chunks, blocks and filling, which readers go through one by one."""
    picture, png = jpeg(40, 30), saved(TINY, "PNG")
    refused(picture[:2] + b"\xff\xfe\0\2" * 2_000_000 + picture[2:], store)
    refused(picture[:2] + b"\xff\xe1\0\2" + bytes(5_000_000) + picture[2:], store)
    refused(png[:33] + pictures.chunk(b"abCd", b"") * 1_000_000 + png[33:], store)


def test_exif_in_thousands_of_segments(store: Callable[..., str]) -> None:
    refused(exif_in_pieces(80, 20_000), store)


def test_a_tag_that_is_there_thousands_of_times(store: Callable[..., str]) -> None:
    """The first counts, as for every reader; 65,535 of them would take half an hour."""
    data = tiff_of_one_tag(3_000, 8 * 2**20)
    started = time.process_time()
    response = get(key_of(store(data)))
    assert time.process_time() - started < HANG / 3
    assert response.status_code in (200, 415, 422)


def test_a_strip_for_each_row(store: Callable[..., str]) -> None:
    refused(tiff_of_strips(300_000), store)
