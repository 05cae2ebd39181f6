"""Decoding small: as good as decoding everything, at the same place, once for all jobs."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from lazyimages import sizes
from lazyimages.engines import jpeg, pillow
from tests.engine import pictures
from tests.engine.conftest import LIMITS

STANDARD = ["360x270", "480h", "1280w"]


@pytest.fixture(scope="module")
def camera() -> tuple[bytes, Image.Image]:
    """A 12-megapixel photo: the file, and all its pixels decoded."""
    data = pictures.saved(pictures.photo(4032, 3024), "JPEG", quality=90)
    return data, pictures.opened(data)


@pytest.mark.parametrize("size", [*STANDARD, "460w", "900w", "1800w"])
def test_as_good_as_a_full_decode(picture, camera, size):
    """Also at sizes a little below 1/8, 1/4 and 1/2, where a decode just large enough would be a loss."""
    data, full = camera
    plan = sizes.parse(size).plan(4032, 3024)
    reference = full.resize((plan.width, plan.height), Image.Resampling.LANCZOS, plan.box)
    assert pictures.psnr(picture(data, size), reference) >= 42


def edge(profile: np.ndarray) -> float:
    """Return where a profile steps from one level to another, in pixels and parts of them."""
    low, high = profile[:3].mean(), profile[-3:].mean()
    return float(((high - profile) / (high - low)).sum())


@pytest.mark.parametrize("focal", [(0, 0), (35, 35), (99, 99)])
@pytest.mark.parametrize("side", [1601, 1607, 1613])
def test_an_edge_lands_where_it_was(picture, side, focal):
    """Decoded at 1/2, 1/4 and 1/8, with sides that these do not divide: not a quarter of a pixel off."""
    for turned in (False, True):
        drawn = np.full((side, side), 40, "uint8")
        drawn[:, side // 3 :] = 210
        data = pictures.saved(Image.fromarray(drawn.T if turned else drawn), "JPEG", quality=95)
        full = pictures.opened(data)
        for size in ("100x100", "200w", "400h", "700w", "120x60" if turned else "60x120"):
            plan = sizes.parse(size).plan(side, side, focal)
            if not plan.box[turned] < side / 3 - 60 < plan.box[2 + turned] - 120:
                continue
            reference = full.resize((plan.width, plan.height), Image.Resampling.LANCZOS, plan.box)
            made = picture(data, size, focal=focal).convert("L")
            places = [
                edge(np.asarray(each, float).mean(axis=1 if turned else 0)) for each in (made, reference)
            ]
            assert abs(places[0] - places[1]) < 0.1, (size, places)


def test_last_column_and_row_are_there(picture):
    """Sides that no power of two divides: the decoder's last pixel is only partly the picture's."""
    drawn = Image.new("RGB", (1609, 1205), pictures.WHITE)
    drawn.paste(pictures.RED, (1601, 0, 1609, 1205))
    drawn.paste(pictures.BLUE, (0, 1197, 1609, 1205))
    made = picture(pictures.saved(drawn, "JPEG", quality=95, subsampling=0), "201w")
    assert pictures.near(made.getpixel((200, 20)), pictures.RED, 40)
    assert pictures.near(made.getpixel((20, made.height - 1)), pictures.BLUE, 40)


def test_one_decode_for_all_jobs(job, camera, monkeypatch):
    loads = []

    class Counting(jpeg.Jpeg):
        def load(self):
            loads.extend([self.size] if self.tile else [])
            return super().load()

    monkeypatch.setattr(jpeg, "Jpeg", Counting)
    data, _ = camera
    made = pillow.PillowEngine().render(data, [job(data, size, "webp") for size in STANDARD], limits=LIMITS)
    assert [(each.width, each.height) for each in made] == [(360, 270), (640, 480), (1280, 960)]
    assert loads == [(2016, 1512)], "one decode, at half the sides, which is 1.575 times the largest job"


@pytest.mark.parametrize("output", ["jpeg", "png", "gif", "webp", "avif"])
def test_same_job_same_bytes(variant, output):
    data = pictures.saved(pictures.photo(400, 300), "JPEG")
    assert variant(data, "200w", output) == variant(data, "200w", output)
    moving = pictures.saved(
        pictures.photo(80, 60), "GIF", save_all=True, append_images=[pictures.photo(80, 60, 90)], duration=50
    )
    assert variant(moving, "40w", output) == variant(moving, "40w", output)


def test_a_job_does_not_depend_on_those_beside_it(engine, job):
    """A variant's bytes depend on original, key and settings alone, also where each can shrink less alone."""
    data = pictures.saved(pictures.photo(2400, 1800), "JPEG")
    small = job(data, "96w", "png")
    (alone,) = engine.render(data, [small], limits=LIMITS)
    beside, _ = engine.render(data, [small, job(data, "1280w", "png")], limits=LIMITS)
    assert pictures.psnr(pictures.opened(alone.data), pictures.opened(beside.data)) > 37


def test_no_jobs_no_variants(engine):
    assert engine.render(pictures.saved(pictures.quadrants(), "PNG"), [], limits=LIMITS) == []


@pytest.mark.parametrize("output", ["jpeg", "webp", "avif"])
def test_quality_counts(variant, output):
    data = pictures.saved(pictures.photo(400, 300), "PNG")
    assert len(variant(data, "400w", output, quality=30)) < 0.6 * len(
        variant(data, "400w", output, quality=90)
    )


@pytest.mark.parametrize("format", ["png", "webp", "avif"])
def test_more_effort_makes_a_smaller_file(engine, job, camera, format):
    data, _ = camera
    fast = job(data, "640w", format)
    small = dataclasses.replace(fast, effort="small")
    one, other = engine.render(data, [fast, small], limits=LIMITS)
    assert len(other.data) < len(one.data)
    seen, seen_small = (pictures.opened(each.data).convert("RGB") for each in (one, other))
    assert pictures.psnr(seen, seen_small) > 33
