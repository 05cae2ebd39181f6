"""Quality before encoding: as after a full decode and Lanczos, and without what is not in the picture."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from lazyimages import sizes
from tests.engine import pictures
from tests.engine.conftest import LIMITS

LANCZOS = Image.Resampling.LANCZOS
WHITELIST = ["360x270", "480h", "1280w"]
JPEG = {"quality": 92}


def detailed(width: int, height: int) -> Image.Image:
    """Draw what a camera sees in focus: structure of every size, less of it the finer it is."""
    chance = np.random.default_rng(3)
    pixels = np.full((height, width, 3), 120.0)
    for step in (2, 4, 8, 16, 32, 64, 128, 256):
        coarse = chance.normal(0, 3.5 * step**0.45, (height // step + 2, width // step + 2, 3)).clip(-90, 90)
        shifted = Image.fromarray((coarse + 128).clip(0, 255).astype("uint8"), "RGB")
        pixels += np.asarray(shifted.resize((width, height), Image.Resampling.BICUBIC), float) - 128
    sharp = Image.fromarray(pixels.clip(0, 255).astype("uint8"), "RGB")
    return sharp.filter(ImageFilter.GaussianBlur(1))  # a lens, and colours from a Bayer pattern


def file_of(drawn: Image.Image, kind: str) -> bytes:
    """Return a drawing as a file."""
    options = {
        "jpeg": JPEG,
        "progressive": {**JPEG, "progressive": True},
        "grey": JPEG,
        "webp": {"quality": 92, "method": 0},
        "png": {"compress_level": 1},
    }[kind]
    drawn = drawn.convert("L") if kind == "grey" else drawn
    return pictures.saved(drawn, kind.upper() if kind in ("png", "webp") else "JPEG", **options)


@pytest.fixture(scope="module", params=["jpeg", "progressive", "webp", "png"])
def camera(request: pytest.FixtureRequest) -> tuple[bytes, Image.Image]:
    """A photo, of 12 megapixels where they are decoded smaller: the file, and all its pixels."""
    size = (4032, 3024) if request.param in ("jpeg", "progressive") else (2016, 1512)
    data = file_of(detailed(*size), request.param)
    return data, pictures.opened(data)


@pytest.mark.parametrize("size", [*WHITELIST, "460w", "200w", "720x540"])
def test_structure_is_that_of_a_full_decode(picture, camera, size):
    data, full = camera
    plan = sizes.parse(size).plan(*full.size)
    reference = full.resize((plan.width, plan.height), LANCZOS, plan.box)
    assert pictures.ssim(picture(data, size), reference) >= 0.99


def test_alone_and_beside_others(engine, job, camera):
    """One decode for all sizes is as large as the largest needs; the small ones may hardly show it."""
    data, _ = camera
    jobs = [job(data, size) for size in WHITELIST]
    together = engine.render(data, jobs, limits=LIMITS)
    assert engine.render(data, jobs, limits=LIMITS) == together
    for wanted, beside in zip(jobs, together, strict=True):
        (alone,) = engine.render(data, [wanted], limits=LIMITS)
        assert engine.render(data, [wanted], limits=LIMITS) == [alone]
        assert pictures.ssim(pictures.opened(alone.data), pictures.opened(beside.data)) >= 0.998


SIDE = 2016


@pytest.fixture(scope="module")
def plate() -> Image.Image:
    """Draw rings, finer and finer up to one pixel each, half the side away from the centre: a zone plate."""
    at = np.arange(SIDE) - SIDE / 2 + 0.5
    squares = at[:, None] ** 2 + at[None, :] ** 2
    return Image.fromarray((127.5 + 120 * np.cos(np.pi * squares / SIDE)).round().astype("uint8"))


def rings(side: int) -> np.ndarray:
    """Return for each pixel of a plate made smaller how fine the rings were there; 1 is a pixel each."""
    at = (np.arange(side) - side / 2 + 0.5) / (side / 2)
    return np.sqrt(at[:, None] ** 2 + at[None, :] ** 2)


@pytest.mark.parametrize("kind", ["grey", "progressive", "png", "webp"])
@pytest.mark.parametrize("side", [180, 320, 640])
def test_rings_too_fine_become_grey_not_other_rings(picture, plate, kind, side):
    """At the ratios that the whitelist has with 12 megapixels: 1/11.2, 1/6.3 and 1/3.15.

    Lanczos leaves nothing of them. A decoder that shrinks on load looks at eight pixels at a time and may
    leave a fifth of the contrast. What takes every second pixel leaves all of it.
    """
    data = file_of(plate, kind)
    reference = np.asarray(pictures.opened(data).convert("L").resize((side, side), LANCZOS), float)
    made = np.asarray(picture(data, f"{side}w").convert("L"), float)
    fineness, finest = rings(side), side / SIDE

    def strength(pixels: np.ndarray, low: float, high: float) -> float:
        there = (fineness > low) & (fineness < high)
        return float(np.sqrt(((pixels[there] - 127.5) ** 2).mean()))

    assert strength(reference, 0.1 * finest, 0.6 * finest) > 75, "rings that are coarse enough are there"
    assert strength(made - reference + 127.5, 0, 0.6 * finest) < 9
    contrast = 120 / np.sqrt(2)
    for low in np.arange(1.4 * finest, 1, 0.1):
        left = strength(reference, low, low + 0.1)
        assert strength(made, low, low + 0.1) <= left + contrast / 5, low
