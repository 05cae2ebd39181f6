"""HEIC, with the extra `heic`: as phones write it, also turned, deep, with alpha, cut or with more behind."""

import struct
import subprocess
import sys
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from lazyimages import formats
from lazyimages.engines import pillow, reading
from lazyimages.engines.base import Limits
from lazyimages.exceptions import CorruptImage, ImageError, ImageTooLarge, UnsupportedImage
from tests.engine import pictures, profiles
from tests.engine.conftest import LIMITS
from tests.engine.pictures import GREY, RED, mean, near
from tests.engine.test_colour import WIDE, managed, patches
from tests.engine.test_metadata import LATITUDE, SECRETS, exif, structure
from tests.engine.test_orientation import STORED

pillow_heif = pytest.importorskip("pillow_heif")
OUTPUTS = ["jpeg", "png", "gif", "webp", "avif"]


def heic(picture: Image.Image, *more: Image.Image, **options: object) -> bytes:
    """Return a HEIC file of one or more pictures, the first of them its primary one."""
    file = pillow_heif.from_pillow(picture)
    for other in more:
        file.add_from_pillow(other)
    buffer = BytesIO()
    file.save(buffer, **{"quality": 90, "primary_index": 0, **options})
    return buffer.getvalue()


QUADRANTS = heic(pictures.quadrants())


@pytest.mark.parametrize("output", OUTPUTS)
def test_into_every_format(engine, picture, output):
    probe = engine.probe(QUADRANTS, limits=LIMITS)
    assert (probe.format, probe.width, probe.height) == (formats.HEIC, 240, 160)
    assert (probe.frames, probe.alpha) == (1, False)
    assert probe.cost_bytes >= len(QUADRANTS) + 240 * 160 * 4
    made = picture(QUADRANTS, "60w", output)
    assert made.size == (60, 40)
    pictures.assert_quadrants(made, 16)


@pytest.mark.parametrize("turn", range(1, 9))
def test_upright_once(engine, picture, turn):
    """It says twice how it is held, by HEIF's rotation and by EXIF; turned by both it would lie again."""
    upright = pictures.quadrants()
    stored = upright if STORED[turn] is None else upright.transpose(STORED[turn])
    said = Image.Exif()
    said[0x0112] = turn
    data = heic(stored, exif=said.tobytes())
    assert (b"irot" in data or b"imir" in data) is (turn > 1)
    probe = engine.probe(data, limits=LIMITS)
    assert (probe.width, probe.height) == (240, 160)
    pictures.assert_quadrants(picture(data, "60w"))
    pictures.assert_quadrants(picture(data, "120x80", focal=(50, 50)))


@pytest.mark.parametrize("name", ["display-p3", "adobe-rgb"])
def test_colours_are_those_of_the_profile(picture, name):
    drawn = pictures.chart()
    data = heic(_with_profile(drawn, WIDE[name]), quality=-1, chroma=444, matrix_coefficients=0)
    reference = patches(managed(drawn, WIDE[name]))
    assert pictures.delta_e(patches(picture(data, "160w")), reference).max() <= 2


def _with_profile(picture: Image.Image, profile: bytes) -> Image.Image:
    copy = picture.copy()
    copy.info["icc_profile"] = profile
    return copy


def test_a_broken_profile_is_ignored(picture):
    data = heic(_with_profile(pictures.quadrants(), b"no profile"))
    assert b"no profile" in data
    pictures.assert_quadrants(picture(data, "60w"))


def test_ten_bits(picture):
    """HDR photos have 10 bits a channel; the steps stay where they are."""
    ramp = np.broadcast_to(np.linspace(0, 65535, 256)[None, :, None], (64, 256, 3)).astype("<u2")
    file = pillow_heif.from_bytes("RGB;16", (256, 64), ramp.tobytes())
    buffer = BytesIO()
    file.save(buffer, quality=-1, chroma=444, matrix_coefficients=0)
    assert pillow_heif.open_heif(buffer.getvalue(), convert_hdr_to_8bit=False).info["bit_depth"] == 10
    made = np.asarray(picture(buffer.getvalue(), "128w").convert("L"), int)[16]
    assert abs(made - np.linspace(1, 254, 128)).max() <= 3


def test_alpha(engine, picture):
    drawn = Image.new("RGBA", (200, 100), (*RED, 255))
    drawn.paste((0, 0, 0, 0), (100, 0, 200, 100))
    data = heic(drawn)
    assert engine.probe(data, limits=LIMITS).alpha
    made = picture(data, "60w", "webp")
    assert near(mean(made, (0.05, 0.1, 0.4, 0.9)), (*RED, 255), 8)
    assert mean(made, (0.6, 0.1, 0.95, 0.9))[3] <= 2
    flat = picture(data, "60w", "jpeg", background="#808080")
    assert near(mean(flat, (0.6, 0.1, 0.95, 0.9)), GREY, 8)


def test_grey(picture):
    made = picture(heic(Image.linear_gradient("L")), "64w")
    assert near(mean(made.convert("RGB"), (0, 0.45, 1, 0.55)), GREY, 4)


def test_the_primary_picture_of_several(engine, picture):
    """Bursts have several; one is what phones show."""
    other = Image.new("RGB", (300, 300), GREY)
    for data in (heic(pictures.quadrants(), other), heic(other, pictures.quadrants(), primary_index=1)):
        probe = engine.probe(data, limits=LIMITS)
        assert (probe.frames, probe.width, probe.height) == (1, 240, 160)
        pictures.assert_quadrants(picture(data, "60w"))
        assert getattr(picture(data, "60w", "webp"), "n_frames", 1) == 1


def test_tiles_of_a_grid(picture):
    """As iPhones store every photo."""
    data = heic(pictures.quadrants(480, 320), tile_size=128)
    assert b"grid" in data
    pictures.assert_quadrants(picture(data, "60w"))


@pytest.mark.parametrize("output", OUTPUTS)
def test_nothing_that_it_tells_is_left(variant, output):
    drawn = _with_profile(pictures.photo(120, 90), profiles.matrix(profiles.DISPLAY_P3))
    data = heic(drawn, exif=exif().tobytes(), xmp=b"<x:xmpmeta>SECRET-XMP</x:xmpmeta>", thumbnails=[32])
    assert [secret in data for secret in SECRETS[:4]] == [True, True, False, True]
    assert any(place in data for place in LATITUDE)
    made = variant(data, "60w", output)
    assert not [secret for secret in SECRETS if secret in made]
    assert structure(made) == []


@pytest.mark.parametrize(
    "tail",
    [b"\0" * 7, b"\0" * 64, b"\r\n", b"MotionPhoto_Data" * 9, struct.pack(">I4s", 5000, b"mpvd") + b"film"],
    ids=["zeros", "more-zeros", "newline", "film", "film-in-a-cut-box"],
)
def test_what_follows_the_end(picture, tail):
    """Phones append films. The picture is all there."""
    pictures.assert_quadrants(picture(QUADRANTS + tail, "60w"))


def test_cut_short_is_corrupt(engine, job, truncated_allowed):
    wanted = job(QUADRANTS, "60w")
    for cut in (*range(1, 60), *range(60, len(QUADRANTS), 40)):
        with pytest.raises(ImageError):
            engine.render(QUADRANTS[:-cut], [wanted], limits=LIMITS)
    with pytest.raises(CorruptImage, match="ends too early"):
        engine.render(QUADRANTS[:-9], [wanted], limits=LIMITS)


def test_damage_is_a_picture_or_an_error_by_name(engine, job, truncated_allowed):
    noise = np.random.default_rng(4)
    wanted = job(QUADRANTS, "60w")
    for _ in range(150):
        data = bytearray(QUADRANTS)
        for at in noise.integers(8, len(data), 2):
            data[at] = noise.integers(256)
        answers = []
        for _ in range(2):
            try:
                (made,) = engine.render(bytes(data), [wanted], limits=LIMITS)
                answers.append(made.data)
            except ImageError as error:
                answers.append((type(error), str(error)))
        assert answers[0] == answers[1], "the same bytes, the same answer"


def test_a_header_that_lies_about_the_size(engine, job):
    said, lie = (b"ispe\0\0\0\0" + struct.pack(">II", *size) for size in ((240, 160), (24, 16)))
    assert said in QUADRANTS
    with pytest.raises(CorruptImage):
        engine.render(QUADRANTS.replace(said, lie), [job(QUADRANTS, "20w")], limits=LIMITS)


def test_limits(engine, job):
    wanted = [job(QUADRANTS, "20w")]
    exactly = Limits(max_pixels=240 * 160, max_bytes=len(QUADRANTS))
    assert engine.render(QUADRANTS, wanted, limits=exactly)
    for tighter in (
        Limits(max_pixels=240 * 160 - 1, max_bytes=10**6),
        Limits(max_pixels=10**6, max_bytes=len(QUADRANTS) - 1),
    ):
        with pytest.raises(ImageTooLarge):
            engine.render(QUADRANTS, wanted, limits=tighter)
    said, much = (b"ispe\0\0\0\0" + struct.pack(">II", *size) for size in ((240, 160), (30_000, 30_000)))
    with pytest.raises(ImageError):
        engine.probe(QUADRANTS.replace(said, much), limits=LIMITS)


def test_without_the_package_the_seller_is_told_what_to_bring(monkeypatch, caplog):
    """And who runs the site, in the log, what to install."""
    monkeypatch.delitem(reading._PLUGINS, "heic")
    engine = pillow.PillowEngine()
    message = "the file is HEIC; it must be JPEG, PNG, WebP, GIF, AVIF or TIFF"
    for call in (engine.probe, lambda data, limits: engine.render(data, [], limits=limits)):
        with pytest.raises(UnsupportedImage) as refused:
            call(QUADRANTS, limits=LIMITS)
        assert str(refused.value) == message
    assert "pip install 'django-lazyimages[heic]'" in caplog.text


def test_the_package_may_be_absent():
    """Its absence is no error, and its presence leaves Pillow's registry as it was."""
    program = """
import sys
if sys.argv[1] == "absent":
    sys.modules["pillow_heif"] = None
from PIL import Image
Image.init()
before = list(Image.OPEN), dict(Image.SAVE), dict(Image.EXTENSION)
from lazyimages.engines import reading
print("heic" in reading._PLUGINS, before == (list(Image.OPEN), dict(Image.SAVE), dict(Image.EXTENSION)))
"""
    for word, answer in (("absent", "False True"), ("present", "True True")):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program, word], capture_output=True, text=True, check=False
        )
        assert done.stdout.strip() == answer, done.stderr
