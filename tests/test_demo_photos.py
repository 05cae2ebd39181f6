"""The example marketplace's photos: what the catalogue promises, and what the drawing code delivers."""

import hashlib
import os
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageOps, ImageStat

from marketplace.demo import photos
from marketplace.demo.catalogue import LANDSCAPE, PORTRAIT, RECIPES, SQUARE
from marketplace.demo.photos import DemoPhoto, draw, draw_photos, draw_to

ORIENTATION = 0x0112
CHEAP = ("moon-jar-01", "green-zellige-02")  # one scene in the studio, one flat lay
SMALL = 1 / 8


def recipe(slug):
    return next(r for r in RECIPES if r.slug == slug)


def check_full_size(path: Path, slug: str) -> None:
    want = recipe(slug)
    assert 2_000_000 <= path.stat().st_size <= 6_000_000, slug
    with Image.open(path) as image:
        assert image.format == "JPEG"
        assert 11_900_000 <= image.width * image.height <= 12_300_000
        assert image.getexif()[ORIENTATION] == want.orientation
        swapped = want.orientation in (6, 8)
        assert image.size == (want.size[::-1] if swapped else want.size)


def test_catalogue_has_enough_photos_with_words():
    assert len(RECIPES) >= 24
    assert len({r.slug for r in RECIPES}) == len(RECIPES)
    assert all(r.title and len(r.alt) > 30 for r in RECIPES)


def test_catalogue_mixes_formats():
    sizes = Counter(r.size for r in RECIPES)
    assert set(sizes) == {LANDSCAPE, PORTRAIT, SQUARE}
    assert min(sizes.values()) >= 5


def test_a_quarter_is_stored_turned():
    turned = [r.orientation for r in RECIPES if r.orientation != 1]
    assert 0.25 <= len(turned) / len(RECIPES) <= 0.3
    assert {3, 6, 8} <= set(turned)


def test_some_products_have_several_photos_of_one_kind_and_title():
    subjects = Counter(r.subject for r in RECIPES)
    assert sum(count >= 2 for count in subjects.values()) >= 6
    assert len({(r.subject, r.kind, r.title) for r in RECIPES}) == len(subjects)


@pytest.mark.parametrize("slug", CHEAP)
def test_same_picture_each_time(slug, tmp_path):
    (tmp_path / "again").mkdir()
    first, second = draw_to(slug, tmp_path, SMALL), draw_to(slug, tmp_path / "again", SMALL)
    assert first.read_bytes() == second.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == [f"{slug}.jpg"]


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_turned_pixels_come_upright(orientation, tmp_path):
    upright = draw(recipe(CHEAP[1]), SMALL).crop((0, 0, 300, 200))
    path = tmp_path / "photo.jpg"
    photos.save(upright, path, orientation=orientation, quality=95)
    with Image.open(path) as stored:
        seen = ImageOps.exif_transpose(stored)
    assert seen.size == upright.size
    assert max(ImageStat.Stat(ImageChops.difference(seen, upright)).mean) < 4


def test_filled_cache_draws_nothing(tmp_path, monkeypatch):
    folder = tmp_path / f"v{photos.VERSION}"
    folder.mkdir()
    for r in RECIPES:
        (folder / f"{r.slug}.jpg").write_bytes(b"drawn before")
    monkeypatch.setattr(photos, "ProcessPoolExecutor", None)
    calls = []
    found = draw_photos(tmp_path, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(len(RECIPES), len(RECIPES))]
    assert [p.slug for p in found] == [r.slug for r in RECIPES]
    assert found[0] == DemoPhoto(
        slug="walnut-bowl-01",
        subject="walnut-bowl",
        kind="bowl",
        title=RECIPES[0].title,
        alt=RECIPES[0].alt,
        path=folder / "walnut-bowl-01.jpg",
    )


def test_workers_draw_the_same(tmp_path):
    """Two worker processes give the very pixels that this process gives."""
    pair = [recipe(slug) for slug in CHEAP]
    here = tmp_path / "here"
    here.mkdir()
    list(photos._draw_all(pair, tmp_path, 2, SMALL))
    for slug in CHEAP:
        alone = draw_to(slug, here, SMALL)
        assert (tmp_path / f"{slug}.jpg").read_bytes() == alone.read_bytes()


def test_full_size(tmp_path):
    """The whole set if DEMO_CACHE names a filled cache folder, else one picture."""
    cache = os.environ.get("DEMO_CACHE")
    if not cache:
        check_full_size(draw_to(CHEAP[1], tmp_path), CHEAP[1])
        return
    found = draw_photos(Path(cache))
    for photo in found:
        check_full_size(photo.path, photo.slug)
    assert len({hashlib.sha256(p.path.read_bytes()).hexdigest() for p in found}) == len(found) >= 24
