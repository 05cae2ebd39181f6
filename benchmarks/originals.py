"""The originals that are measured: drawn once, of the kinds that shops get."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image

from benchmarks.peers import CACHE, say
from marketplace.demo.photos import draw_photos
from tests.engine import profiles

ROOT = Path(__file__).resolve().parents[1]
FOLDER = CACHE / "originals"
PHOTOS = CACHE.parent / "photos"
SLUG = "walnut-bowl-01"

# Pixels of the stored picture, by megapixels.
SIDES = {3: (2016, 1512), 12: (4032, 3024), 24: (6000, 4000), 48: (8064, 6048)}
_NOISE = 3.0  # of a sensor, in levels of 255; without it an enlarged photo would compress too well
_QUALITY = 88


def baseline(megapixels: int) -> Path:
    """Return a landscape JPEG, baseline, 4:2:0."""
    return _drawn(f"baseline-{megapixels}.jpg", lambda path: _jpeg(path, _photo(megapixels)))


def portrait() -> Path:
    """Return a JPEG of 12 megapixels, stored upright."""
    return _drawn("portrait-12.jpg", lambda path: _jpeg(path, _turned(_photo(12))))


def phone() -> Path:
    """Return a JPEG of 12 megapixels as phones make them: Display P3, and turned by EXIF orientation 6."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    profile = profiles.matrix(profiles.DISPLAY_P3, gamma=None, version=4)
    return _drawn("phone-12.jpg", lambda path: _jpeg(path, _photo(12), exif=exif, icc_profile=profile))


def progressive(megapixels: int = 12) -> Path:
    """Return a progressive JPEG."""
    name = f"progressive-{megapixels}.jpg"
    return _drawn(name, lambda path: _jpeg(path, _photo(megapixels), progressive=True))


def png(megapixels: int) -> Path:
    """Return a PNG, 8 bits, RGB."""
    return _drawn(f"plain-{megapixels}.png", lambda path: _photo(megapixels).save(path, "PNG"))


def webp(megapixels: int) -> Path:
    """Return a lossy WebP."""
    return _drawn(
        f"plain-{megapixels}.webp", lambda path: _photo(megapixels).save(path, "WEBP", quality=_QUALITY)
    )


def demo_photos() -> list[Path]:
    """Return the photos of the example shop."""
    return [photo.path for photo in draw_photos(PHOTOS)]


def _drawn(name: str, draw: Callable[[Path], None]) -> Path:
    path = FOLDER / name
    if not path.exists():
        say(f"Drawing {name}")
        FOLDER.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"unfinished-{name}")
        draw(unfinished)
        unfinished.replace(path)
    return path


def _photo(megapixels: int) -> Image.Image:
    source = next(path for path in demo_photos() if path.stem == SLUG)
    with Image.open(source) as image:
        picture = image.convert("RGB").resize(SIDES[megapixels], Image.Resampling.BICUBIC)
    levels = np.asarray(picture).astype(np.float32)
    noise = np.random.default_rng(1).normal(0, _NOISE, levels.shape[:2]).astype(np.float32)
    return Image.fromarray((levels + noise[..., np.newaxis]).clip(0, 255).astype(np.uint8))


def _turned(picture: Image.Image) -> Image.Image:
    return picture.transpose(Image.Transpose.ROTATE_90)


def _jpeg(path: Path, picture: Image.Image, **options: Any) -> None:
    picture.save(path, "JPEG", quality=_QUALITY, subsampling="4:2:0", **options)
