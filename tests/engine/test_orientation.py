"""EXIF orientation: what the camera held sideways comes out upright, and is cropped where it should."""

import struct

import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin

from lazyimages import sizes
from tests.engine import pictures
from tests.engine.conftest import LIMITS
from tests.engine.pictures import BLUE, GREEN, RED, YELLOW

# How the upright picture is stored for each orientation: the inverse of what makes it upright.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
FORMATS = {
    "JPEG": {"quality": 95},
    "PNG": {},
    "WEBP": {"lossless": True},
    "TIFF": {},
    "AVIF": {"quality": 90},
}


def stored(upright: Image.Image, orientation: int, format: str) -> bytes:
    """Return the file that a camera held this way would have written."""
    turn = STORED[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    return pictures.saved(
        upright if turn is None else upright.transpose(turn), format, exif=exif, **FORMATS[format]
    )


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", FORMATS)
def test_upright_in_every_format(engine, picture, format, orientation):
    data = stored(pictures.quadrants(240, 160), orientation, format)
    probe = engine.probe(data, limits=LIMITS)
    assert (probe.width, probe.height) == (240, 160)
    made = picture(data, "60w")
    assert made.size == (60, 40)
    pictures.assert_quadrants(made)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_shrink_on_load_is_turned_too(picture, orientation):
    made = picture(stored(pictures.quadrants(1203, 805), orientation, "JPEG"), "100w")
    assert made.size == (100, 67)
    pictures.assert_quadrants(made)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize(
    ("focal", "colour"), [((10, 10), RED), ((90, 10), GREEN), ((10, 90), BLUE), ((90, 90), YELLOW)]
)
def test_focal_point_is_that_of_the_upright_picture(picture, format, orientation, focal, colour):
    """A narrow crop keeps one half, then a flat one the other: each must be the upright picture's."""
    data = stored(pictures.quadrants(400, 300), orientation, format)
    column, row = picture(data, "40x60", focal=focal), picture(data, "80x20", focal=focal)
    left, top = focal[0] < 50, focal[1] < 50
    assert pictures.near(pictures.mean(column, (0.1, 0.05, 0.8, 0.4)), RED if left else GREEN, 12)
    assert pictures.near(pictures.mean(column, (0.1, 0.6, 0.8, 0.95)), BLUE if left else YELLOW, 12)
    assert pictures.near(pictures.mean(row, (0.05, 0.1, 0.4, 0.9)), RED if top else BLUE, 12)
    assert pictures.near(pictures.mean(row, (0.6, 0.1, 0.95, 0.9)), GREEN if top else YELLOW, 12)
    square = picture(data, "30x30", focal=focal)
    corner = (0.1 if left else 0.75, 0.1 if top else 0.75)
    assert pictures.near(pictures.mean(square, (*corner, corner[0] + 0.15, corner[1] + 0.15)), colour, 12)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("size", ["90x70", "60h", "150w"])
def test_the_same_to_the_pixel_however_stored(picture, format, orientation, size):
    """The crop box in stored coordinates is the upright one's image, fractions included."""
    data = stored(pictures.photo(211, 157), orientation, format)
    upright = ImageOps.exif_transpose(pictures.opened(data))
    assert upright.size == (211, 157)
    plan = sizes.parse(size).plan(211, 157, (30, 80))
    expected = upright.resize((plan.width, plan.height), Image.Resampling.LANCZOS, plan.box)
    made = picture(data, size, focal=(30, 80))
    assert made.size == expected.size
    assert pictures.psnr(made, expected) > 45


@pytest.mark.parametrize("value", [0, 9, 77, 65535])
def test_a_senseless_orientation_is_none(picture, value):
    exif = Image.Exif()
    exif[0x0112] = value
    pictures.assert_quadrants(picture(pictures.saved(pictures.quadrants(), "JPEG", exif=exif), "60w"))


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0",
        b"Exif\0\0II*\0",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0garbage" * 9,
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff",
    ],
    ids=["empty", "no-offset", "far-offset", "garbage", "many-entries"],
)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("dpi", [None, (72, 72)])
@pytest.mark.filterwarnings("error")
def test_broken_exif_is_no_reason_to_refuse(picture, format, exif, dpi):
    options = {"dpi": dpi} if dpi and format in ("JPEG", "PNG") else {}
    data = pictures.saved(pictures.quadrants(), format, exif=b"Exif\0\0" + exif, quality=95, **options)
    if format == "JPEG" and not dpi:
        # Without JFIF, where Pillow finds the resolution, it looks for it in the EXIF while it opens.
        assert data[2:6] == b"\xff\xe0\0\x10"
        data = data[:2] + data[20:]
    pictures.assert_quadrants(picture(data, "60w"))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
@pytest.mark.parametrize("pointer", [4, 100, 10**6], ids=["into-the-header", "into-the-pixels", "far"])
def test_broken_exif_in_tiff(engine, picture, compression, pointer):
    """EXIF and GPS are directories of their own, and an editor may have moved them without saying so."""
    plain = pictures.saved(pictures.quadrants().transpose(STORED[6]), "TIFF", compression=compression)
    (start,) = struct.unpack_from("<I", plain, 4)
    (count,) = struct.unpack_from("<H", plain, start)
    entries = [plain[start + 2 + 12 * number : start + 14 + 12 * number] for number in range(count)]
    entries.append(struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0))
    entries += [struct.pack("<HHII", tag, 4, 1, pointer) for tag in (0x8769, 0x8825)]
    entries.sort(key=lambda entry: struct.unpack("<H", entry[:2]))
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    padding = bytes(len(plain) % 2)
    data = plain[:4] + struct.pack("<I", len(plain + padding)) + plain[8:] + padding + directory
    assert engine.probe(data, limits=LIMITS).width == 240
    pictures.assert_quadrants(picture(data, "60w"))


@pytest.mark.filterwarnings("error")
def test_broken_exif_in_avif(engine, picture):
    """How it is held is said outside of the EXIF, which may have any damage."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "camera"
    data = pictures.saved(pictures.quadrants().transpose(STORED[6]), "AVIF", exif=exif, quality=90)
    start = data.index(b"MM\0*")
    noise = np.random.default_rng(1)
    for _ in range(50):
        broken = bytearray(data)
        for at in noise.integers(start, start + 30, 8):
            broken[at] = noise.integers(256)
        assert engine.probe(bytes(broken), limits=LIMITS).width == 240
        pictures.assert_quadrants(picture(bytes(broken), "60w"))


def test_exif_behind_the_pixels_is_not_looked_for(engine, picture):
    """Reading it would mean to decode everything for the header; planned and made agree all the same."""
    exif = Image.Exif()
    exif[0x0112] = 6
    plain = pictures.saved(pictures.quadrants(), "PNG")
    behind = plain[:-12] + pictures.chunk(b"eXIf", exif.tobytes()[6:]) + plain[-12:]
    assert PngImagePlugin.PngImageFile is type(pictures.opened(behind))
    assert engine.probe(behind, limits=LIMITS).width == 240
    pictures.assert_quadrants(picture(behind, "60w"))
