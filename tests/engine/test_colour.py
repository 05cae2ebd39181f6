"""Colour management: what a profile says is honoured, then the profile is dropped."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.engine import pictures
from tests.engine.pictures import DISPLAY_P3, mean, near

P3 = pictures.matrix_profile(DISPLAY_P3, 2.2)
CMYK_PROFILES = [
    Path("/usr/share/color/icc/ghostscript/default_cmyk.icc"),
    Path("/usr/share/color/icc/colord/FOGRA39L_coated.icc"),
    Path("/System/Library/ColorSync/Profiles/Generic CMYK Profile.icc"),
]


def expected(colour: tuple[int, ...], primaries=DISPLAY_P3, gamma: float = 2.2) -> tuple[int, ...]:
    """Return in sRGB what a colour in a matrix profile looks like, by arithmetic (IEC 61966-2-1)."""
    xyz = np.array(primaries).T @ (np.array(colour) / 255) ** gamma
    to_linear = np.linalg.inv(
        np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])
    )
    linear = (to_linear @ xyz).clip(0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return tuple(round(255 * value) for value in encoded)


@pytest.mark.parametrize("output", ["jpeg", "png", "webp", "avif"])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_display_p3_becomes_srgb(picture, format, output):
    inside = (180, 120, 90)
    data = pictures.saved(Image.new("RGB", (300, 200), inside), format, icc_profile=P3, quality=98)
    made = picture(data, "60w", output)
    assert near(mean(made), expected(inside), 5)
    assert not near(mean(made), inside, 5), "the test would not notice a profile that is ignored"
    assert "icc_profile" not in made.info


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
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    data = pictures.saved(pictures.quadrants(), "JPEG", icc_profile=lab, quality=95)
    pictures.assert_quadrants(picture(data, "60w"))


def test_cmyk_profile(picture):
    found = [path for path in CMYK_PROFILES if path.exists()]
    if not found:
        pytest.skip("no CMYK profile on this system, and none can be made without a table of inks")
    profile = found[0].read_bytes()
    inks = Image.new("CMYK", (300, 200), (255, 0, 0, 0))
    transform = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(str(found[0])), ImageCms.createProfile("sRGB"), "CMYK", "RGB", 1, 0x2000
    )
    wanted = ImageCms.applyTransform(inks, transform).getpixel((0, 0))
    made = picture(pictures.saved(inks, "JPEG", icc_profile=profile, quality=95), "60w")
    assert near(mean(made), wanted, 8)
    assert not near(mean(made), (0, 255, 255), 20)
