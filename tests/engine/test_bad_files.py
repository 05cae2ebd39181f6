"""Whatever the bytes: a whole picture, or an error with a name. Never another exception, never half grey."""

from io import BytesIO

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from lazyimages import formats, sizes
from lazyimages.engines.base import Job
from lazyimages.exceptions import ImageError, UnsupportedImage
from tests.engine import pictures
from tests.engine.conftest import LIMITS
from tests.engine.test_heic import heic

# Pillow warns of what it finds in damaged TIFFs and EXIF.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL", "ignore::DeprecationWarning:PIL")

MAGIC = {
    "jpeg": b"\xff\xd8\xff",
    "png": b"\x89PNG\r\n\x1a\n",
    "gif": b"GIF89a",
    "webp": b"RIFF\x40\x02\0\0WEBPVP8 ",
    "avif": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf",
    "tiff": b"II*\0",
    "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
}


def _files() -> dict[str, bytes]:
    picture, second = pictures.photo(96, 72), pictures.photo(96, 72, 60)
    moving = {"save_all": True, "append_images": [second], "duration": 80}
    alpha = pictures.quadrants(96, 72).convert("RGBA")
    alpha.putalpha(pictures.photo(96, 72).convert("L"))
    return {
        "jpeg": pictures.saved(picture, "JPEG", exif=_exif()),
        "progressive": pictures.saved(picture, "JPEG", progressive=True),
        "restarts": pictures.saved(picture, "JPEG", restart_marker_rows=1),
        "cmyk": pictures.saved(picture.convert("CMYK"), "JPEG"),
        "png": pictures.saved(picture, "PNG"),
        "palette": pictures.saved(picture.convert("P"), "PNG"),
        "apng": pictures.saved(picture, "PNG", **moving),
        "gif": pictures.saved(picture, "GIF"),
        "moving-gif": pictures.saved(picture, "GIF", **moving),
        "webp": pictures.saved(picture, "WEBP"),
        "lossless-webp": pictures.saved(alpha, "WEBP", lossless=True),
        "moving-webp": pictures.saved(picture, "WEBP", **moving),
        "avif": pictures.saved(picture, "AVIF", speed=10),
        "alpha-avif": pictures.saved(alpha, "AVIF", speed=10),
        "tiff": pictures.saved(picture, "TIFF"),
        "lzw": pictures.saved(picture, "TIFF", compression="tiff_lzw"),
        "deflate": pictures.saved(picture, "TIFF", compression="tiff_adobe_deflate"),
        "heic": heic(picture),
    }


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "camera"
    return exif


FILES = _files()


def attempt(engine, data: bytes, output: str = "png", animation: str = "keep") -> Image.Image | None:
    """Return a file's picture, or None when it is refused by name; anything else is the test's failure."""
    try:
        probe = engine.probe(data, limits=LIMITS)
    except ImageError:
        probe = None
    plan = sizes.parse("32w").plan(probe.width if probe else 96, probe.height if probe else 72)
    job = Job(
        plan=plan, format=formats.BY_NAME[output], quality=None, background="#ffffff", animation=animation
    )
    try:
        (rendered,) = engine.render(data, [job], limits=LIMITS)
    except ImageError as error:
        return None if str(error) else pytest.fail("the message is for the person who uploaded the file")
    assert probe is not None, "render took what probe refused"
    assert (rendered.width, rendered.height) == (plan.width, plan.height)
    return pictures.opened(rendered.data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"hello",
        b"<!doctype html><img src=x>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
    ],
    ids=["empty", "zero", "text", "html", "svg", "pdf"],
)
def test_no_image_at_all(engine, data):
    for call in (engine.probe, lambda data, limits: engine.render(data, [], limits=limits)):
        with pytest.raises(UnsupportedImage, match="is no image that we can read; it must be JPEG, PNG"):
            call(data, limits=LIMITS)


@pytest.mark.parametrize("format", ["BMP", "ICO", "PPM", "TGA", "PCX", "EPS", "JPEG2000", "DDS", "IM"])
def test_formats_outside_of_the_list(engine, format):
    with pytest.raises(UnsupportedImage):
        engine.probe(pictures.saved(pictures.quadrants(64, 64), format), limits=LIMITS)


@pytest.mark.parametrize("name", FILES)
def test_the_files_are_good(engine, name):
    assert attempt(engine, FILES[name]) is not None


@pytest.mark.parametrize("format", MAGIC)
def test_magic_bytes_and_then_noise(engine, truncated_allowed, format):
    noise = np.random.default_rng(3)
    for length in (0, 1, 2, 5, 17, 64, 500, 4000):
        for _ in range(6):
            data = MAGIC[format] + noise.bytes(length)
            for call in (engine.probe, lambda data, limits: engine.render(data, [], limits=limits)):
                with pytest.raises(ImageError):
                    call(data, limits=LIMITS)


@pytest.mark.parametrize("name", FILES)
def test_cut_short_is_corrupt(engine, truncated_allowed, name):
    """At 60 places: never a picture whose rest is grey, whatever the host lets Pillow do."""
    data = FILES[name]
    for cut in sorted(
        {*range(1, 40, 3), *range(40, len(data), max(1, len(data) // 45)), *range(len(data) - 4, len(data))}
    ):
        assert attempt(engine, data[:cut], "jpeg") is None, f"{cut} of {len(data)} bytes"


@pytest.mark.parametrize("name", ["jpeg", "progressive", "png", "gif", "webp", "avif", "tiff", "heic"])
@pytest.mark.parametrize("tail", [b"\0" * 7, b"\r\n", b"<!-- trailing -->"])
def test_what_follows_the_end(engine, name, tail):
    """Phones and editors append things; a picture that is all there is not refused for it."""
    assert attempt(engine, FILES[name] + tail) is not None


def test_padding_between_jpeg_segments(engine):
    """Decoders skip what is no marker; some cameras pad their segments."""
    data = FILES["jpeg"]
    length = int.from_bytes(data[4:6])
    for padding in (b"\0\0", b"\x12\x34\x56", b"\xff\xff\xff", b"\0\xff\0"):
        padded = data[: 4 + length] + padding + data[4 + length :]
        assert attempt(engine, padded) is not None
        assert attempt(engine, padded[:-200]) is None


def test_jpeg_cut_inside_but_with_its_thumbnail(engine, truncated_allowed):
    """The thumbnail's end marker is not the picture's."""
    thumbnail = pictures.saved(Image.new("RGB", (32, 24)), "JPEG")
    assert thumbnail.endswith(b"\xff\xd9")
    data = pictures.saved(
        pictures.photo(96, 72), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + thumbnail
    )
    assert attempt(engine, data) is not None
    assert attempt(engine, data[:-300]) is None


def test_png_with_a_bad_checksum(engine, truncated_allowed):
    data = bytearray(FILES["png"])
    data[data.find(b"IDAT") + 40] ^= 1
    assert attempt(engine, bytes(data)) is None


def test_png_whose_damage_is_beside_the_picture(engine, truncated_allowed):
    extra = bytearray(pictures.chunk(b"tEXt", b"Comment\0hello"))
    extra[-1] ^= 1
    data = FILES["png"]
    assert attempt(engine, data[:33] + pictures.chunk(b"tIME", bytes(7)) + data[33:]) is not None
    attempt(engine, data[:33] + bytes(extra) + data[33:])


@pytest.mark.parametrize("name", FILES)
def test_the_same_bytes_give_the_same_answer(engine, job, name):
    """A picture to the byte, or the same error in the same words, however often it is asked."""
    data, noise = FILES[name], np.random.default_rng(2)
    wanted = [job(data, "32w")]

    def answer(damaged: bytes) -> object:
        try:
            return engine.render(damaged, wanted, limits=LIMITS)[0].data
        except ImageError as error:
            return type(error), str(error)

    for number in range(40):
        damaged = bytearray(data)
        for at in noise.integers(0, len(data), number % 4):
            damaged[at] = noise.integers(256)
        damaged = bytes(damaged[: len(data) if number % 3 else int(noise.integers(1, len(data)))])
        assert answer(damaged) == answer(damaged)


@pytest.mark.parametrize("name", FILES)
def test_flipped_bytes(engine, name):
    """A picture or an error by name, for any damage; hypothesis chooses where and what."""

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(
        st.lists(
            st.tuples(st.integers(0, len(FILES[name]) - 1), st.integers(0, 255)), min_size=1, max_size=6
        ),
        st.sampled_from(["jpeg", "png", "webp", "gif"]),
    )
    def check(changes, output):
        data = bytearray(FILES[name])
        for at, value in changes:
            data[at] = value
        attempt(engine, bytes(data), output)

    check()


@pytest.mark.parametrize("name", FILES)
def test_flipped_bytes_in_the_header(engine, truncated_allowed, name):
    noise = np.random.default_rng(11)
    for _ in range(80):
        data = bytearray(FILES[name])
        for at in noise.integers(4, min(len(data), 260), 3):
            data[at] = noise.integers(256)
        attempt(engine, bytes(data), "png", "first")


@pytest.mark.parametrize("name", FILES)
def test_spliced_files(engine, name):
    """Pieces doubled, dropped and swapped, as broken transfers leave them."""
    noise = np.random.default_rng(5)
    data = FILES[name]
    for _ in range(25):
        a, b, c = sorted(noise.integers(3, len(data), 3))
        for spliced in (
            data[:a] + data[b:],
            data[:b] + data[a:],
            data[:a] + data[b:c] + data[a:b] + data[c:],
        ):
            attempt(engine, spliced)


def test_the_bytes_are_not_changed(engine):
    for data in FILES.values():
        copy = BytesIO(data).getvalue()
        attempt(engine, data)
        assert data == copy
