"""Colour management: what a profile says is honoured, then the profile is dropped."""

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageCms

from tests.engine import pictures, profiles
from tests.engine.pictures import mean, near
from tests.engine.profiles import ADOBE_RGB, DISPLAY_P3, PROPHOTO

P3 = profiles.matrix(DISPLAY_P3)
WIDE = {
    "display-p3": profiles.matrix(DISPLAY_P3, None, version=4),
    "adobe-rgb": profiles.matrix(ADOBE_RGB, 2.2),
    "prophoto": profiles.matrix(PROPHOTO, 1.8),
}
LANCZOS = Image.Resampling.LANCZOS


def expected(colour: tuple[int, ...], primaries=DISPLAY_P3, gamma: float = 2.2) -> tuple[int, ...]:
    """Return in sRGB what a colour in a matrix profile looks like, by arithmetic (IEC 61966-2-1)."""
    xyz = np.array(primaries).T @ (np.array(colour) / 255) ** gamma
    to_linear = np.linalg.inv(
        np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])
    )
    linear = (to_linear @ xyz).clip(0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return tuple(round(255 * value) for value in encoded)


def managed(picture: Image.Image, profile: bytes) -> Image.Image:
    """Return a picture in sRGB as littleCMS converts it, every pixel of it."""
    transform = ImageCms.buildTransform(
        profiles.opened(profile),
        ImageCms.createProfile("sRGB"),
        picture.mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    return ImageCms.applyTransform(picture, transform)


def patches(picture: Image.Image, columns: int = 8, rows: int = 6) -> Image.Image:
    """Return the colours of `chart()`, a pixel a patch, without the patches' edges."""
    wide, high = picture.width / columns, picture.height / rows
    colours = Image.new(picture.mode, (columns, rows))
    for x in range(columns):
        for y in range(rows):
            inside = (x + 0.3) / columns, (y + 0.3) / rows, (x + 0.7) / columns, (y + 0.7) / rows
            assert min(wide, high) >= 10, "an edge rings for three pixels"
            colours.putpixel((x, y), mean(picture, inside))
    return colours


@pytest.mark.parametrize("output", ["jpeg", "png", "webp", "avif"])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_display_p3_becomes_srgb(picture, format, output):
    inside = (180, 120, 90)
    data = pictures.saved(Image.new("RGB", (300, 200), inside), format, icc_profile=P3, quality=98)
    made = picture(data, "60w", output)
    assert near(mean(made), expected(inside), 5)
    assert not near(mean(made), inside, 5), "the test would not notice a profile that is ignored"
    assert "icc_profile" not in made.info


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("name", WIDE)
def test_colours_are_those_of_littlecms(picture, name, format):
    """Patches from all over the cube: also those that sRGB cannot show end where littleCMS puts them."""
    data = pictures.saved(
        pictures.chart(),
        format,
        icc_profile=WIDE[name],
        **({"quality": 97, "subsampling": 0} if format == "JPEG" else {}),
    )
    drawn = pictures.opened(data)
    reference = patches(managed(drawn, WIDE[name]))
    made = patches(picture(data, "160w"))
    assert pictures.delta_e(made, reference).max() <= 2
    assert pictures.delta_e(patches(drawn), reference).max() > 8, "the profile makes a difference"


@pytest.mark.parametrize("size", ["360x270", "480h", "1280w"])
@pytest.mark.parametrize("name", WIDE)
def test_photo_is_as_if_converted_before_it_was_resized(picture, name, size):
    """Ours is converted when it is small, which is faster; nobody shall see that."""
    data = pictures.saved(pictures.photo(1600, 1200, 8), "JPEG", quality=92, icc_profile=WIDE[name])
    made = picture(data, size)
    reference = managed(pictures.opened(data), WIDE[name]).resize(made.size, LANCZOS)
    difference = pictures.delta_e(made, reference)
    assert difference.mean() <= 0.8


def test_alpha_survives_the_profile(picture):
    data = pictures.saved(Image.new("RGBA", (300, 200), (180, 120, 90, 77)), "PNG", icc_profile=P3)
    assert near(mean(picture(data, "60w")), (*expected((180, 120, 90)), 77), 3)


def test_palette_through_the_profile(picture):
    drawn = Image.new("P", (300, 200), 0)
    drawn.putpalette([180, 120, 90])
    assert near(
        mean(picture(pictures.saved(drawn, "PNG", icc_profile=P3), "60w")), expected((180, 120, 90)), 3
    )


def test_srgb_profile_changes_nothing(picture):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = pictures.saved(pictures.quadrants(), "PNG", icc_profile=srgb)
    pictures.assert_quadrants(picture(data, "60w"), 2)


@pytest.mark.parametrize(
    "profile",
    [b"", b"no profile", P3[:100], P3[:-200], bytes(500), P3[:128] + b"\xff" * 300],
    ids=["empty", "text", "cut-in-header", "cut-in-tags", "zeros", "wild-tags"],
)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.filterwarnings("error")
def test_broken_profile_is_ignored(picture, format, profile):
    data = pictures.saved(pictures.quadrants(), format, icc_profile=profile, quality=95)
    pictures.assert_quadrants(picture(data, "60w"))


def test_profile_for_another_colour_space_is_ignored(picture):
    """An RGB profile in a grey or CMYK file, as careless programs leave it."""
    grey = pictures.saved(Image.new("L", (300, 200), 99), "JPEG", icc_profile=P3, quality=95)
    assert near(mean(picture(grey, "60w")), (99, 99, 99), 2)
    inks = pictures.saved(Image.new("CMYK", (300, 200), (255, 0, 0, 0)), "JPEG", icc_profile=P3, quality=95)
    assert near(mean(picture(inks, "60w")), (0, 255, 255), 4)
    for other in (
        ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
        profiles.cmyk(),
        profiles.grey(1.0),
    ):
        data = pictures.saved(pictures.quadrants(), "JPEG", icc_profile=other, quality=95)
        pictures.assert_quadrants(picture(data, "60w"))


@pytest.mark.parametrize("output", ["jpeg", "png", "webp"])
@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
def test_grey_profile(picture, mode, output):
    """Of gamma 1.0, which is far from what screens have: 99 in it is 167 in sRGB."""
    profile = profiles.grey(1.0)
    drawn = Image.new("L", (300, 200), 99)
    if mode == "LA":
        drawn.putalpha(255)
    if mode == "I;16":
        drawn = Image.fromarray(np.full((200, 300), 99 * 257, "uint16"))
    made = picture(pictures.saved(drawn, "PNG", icc_profile=profile), "60w", output)
    wanted = managed(Image.new("L", (1, 1), 99), profile).getpixel((0, 0))
    assert near(wanted, (167, 167, 167), 1)
    assert near(mean(made.convert("RGB")), wanted, 3)


def test_grey_jpeg_with_a_profile(picture):
    profile = profiles.grey(1.8)
    data = pictures.saved(pictures.photo(800, 600).convert("L"), "JPEG", icc_profile=profile, quality=95)
    made = picture(data, "200w")
    reference = managed(pictures.opened(data), profile).resize((200, 150), LANCZOS)
    assert np.percentile(pictures.delta_e(made, reference), 99) <= 2


INKS = [(255, 0, 0, 0), (0, 255, 0, 0), (0, 0, 255, 0), (0, 0, 0, 255), (0, 0, 0, 0), (200, 40, 90, 30)]


def inks() -> Image.Image:
    """Draw a stripe of each of `INKS`."""
    drawn = Image.new("CMYK", (480, 120))
    for number, ink in enumerate(INKS):
        drawn.paste(ink, (number * 80, 0, number * 80 + 80, 120))
    return drawn


def stripes(picture: Image.Image) -> list[tuple[int, ...]]:
    """Return the colours of the stripes."""
    return [
        mean(picture.convert("RGB"), ((number + 0.3) / 6, 0.2, (number + 0.7) / 6, 0.8))
        for number in range(6)
    ]


def adobe(data: bytes, transform: int) -> bytes:
    """Return a JPEG whose Adobe marker says another colour transform (T.872, 6.5.3): 0 CMYK, 2 YCCK."""
    at = data.index(b"\xff\xee\0\x0eAdobe") + 15
    return data[:at] + bytes([transform]) + data[at + 1 :]


def cmyk_file(kind: str, **options: object) -> bytes:
    """Return `inks()` as a JPEG: as Adobe's programs do, in CMYK or YCCK, or plain, without their marker."""
    drawn, options = inks(), {"quality": 97, **options}
    if kind == "adobe":
        return adobe(pictures.saved(drawn, "JPEG", **options), 0)
    if kind == "plain":
        data = pictures.saved(ImageChops.invert(drawn), "JPEG", **options)
        at = data.index(b"\xff\xee\0\x0eAdobe")
        return data[:at] + data[at + 16 :]
    # YCCK is the YCbCr of 255 - C, 255 - M, 255 - Y as stored, which are inverted; Pillow inverts all four.
    c, m, y, k = drawn.split()
    ycc = Image.merge("RGB", (c, m, y)).convert("YCbCr")
    stored = Image.merge("CMYK", (*(ImageChops.invert(band) for band in ycc.split()), k))
    return adobe(pictures.saved(stored, "JPEG", **options), 2)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("kind", ["adobe", "ycck", "plain"])
def test_cmyk_without_a_profile(picture, kind, progressive):
    """The inks as filters, one after the other: no more can be known without a profile."""
    made = stripes(picture(cmyk_file(kind, progressive=progressive), "120w"))
    for found, (c, m, y, k) in zip(made, INKS, strict=True):
        assert near(found, tuple((255 - ink) * (255 - k) // 255 for ink in (c, m, y)), 8), found


@pytest.mark.parametrize("output", ["jpeg", "png", "webp", "avif"])
@pytest.mark.parametrize("kind", ["adobe", "ycck", "plain"])
def test_cmyk_profile(picture, kind, output):
    """As littleCMS sees the inks through the profile's table."""
    profile = profiles.cmyk()
    wanted = [managed(Image.new("CMYK", (1, 1), ink), profile).getpixel((0, 0)) for ink in INKS]
    assert not near(wanted[0], (0, 255, 255), 40), "printed cyan is not the screen's"
    found = stripes(picture(cmyk_file(kind, icc_profile=profile), "120w", output))
    colours, reference = (Image.new("RGB", (6, 1)) for _ in range(2))
    colours.putdata(found)
    reference.putdata(wanted)
    assert pictures.delta_e(colours, reference).max() <= (2 if output == "png" else 6)


def test_cmyk_tiff_with_a_profile(picture):
    profile = profiles.cmyk()
    wanted = [managed(Image.new("CMYK", (1, 1), ink), profile).getpixel((0, 0)) for ink in INKS]
    found = stripes(picture(pictures.saved(inks(), "TIFF", icc_profile=profile), "120w"))
    assert all(near(a, b, 2) for a, b in zip(found, wanted, strict=True)), (found, wanted)
