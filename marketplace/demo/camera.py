"""The camera: rays through the pixels, and developing linear light into a JPEG.

Scenes are rendered at about half the resolution and enlarged, as the colour filter of a real sensor does;
the sensor's noise is added at full resolution.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from marketplace.demo.curves import Array
from marketplace.demo.raymarch import unit

# How the stored pixels are turned so that a viewer that honours the EXIF tag turns them back.
_STORED_TURN = {
    1: None,
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}
_ORIENTATION_TAG = 0x0112
_BAND = 128  # rows developed at a time


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A long lens: `span` is the picture's width in centimetres at the target."""

    target: tuple[float, float, float] = (0.0, 4.0, 0.0)
    span: float = 40.0
    height: float = 28.0  # degrees above the table
    around: float = 0.0  # degrees about the vertical
    away: float = 110.0

    def frame(self) -> tuple[Array, Array, Array, Array]:
        """Position and the unit vectors forward, right and up."""
        e, a = np.radians(self.height), np.radians(self.around)
        back = np.array((np.cos(e) * np.sin(a), np.sin(e), np.cos(e) * np.cos(a)), np.float32)
        right = np.array((np.cos(a), 0, -np.sin(a)), np.float32)
        position = np.array(self.target, np.float32) + back * np.float32(self.away)
        return position, -back, right, np.cross(back, right)

    def rays(self, x: Array, y: Array, width: int, height: int) -> tuple[Array, Array]:
        """Origin (3, 1) and unit rays (3, n) through points of a width by height picture."""
        position, forward, right, up = (v[:, None] for v in self.frame())
        scale = self.span / (width * self.away)
        ray = forward + right * ((x - width / 2) * scale) - up * ((y - height / 2) * scale)
        return position, unit(ray.astype(np.float32))

    def project(self, point: tuple[float, float, float], width: int, height: int) -> tuple[float, float]:
        """Where a point falls in the picture."""
        position, forward, right, up = self.frame()
        to = np.array(point, np.float32) - position
        depth, a, b = (float((to * v).sum()) for v in (forward, right, up))
        scale = width * self.away / (self.span * depth)
        return width / 2 + a * scale, height / 2 - b * scale


def resize(plane: Array, width: int, height: int, how: Image.Resampling = Image.Resampling.BICUBIC) -> Array:
    """One plane of floats at another size."""
    image = Image.fromarray(np.ascontiguousarray(plane, np.float32))
    return np.asarray(image.resize((width, height), how))


def soften(planes: Array, factor: float) -> Array:
    """The picture blurred over about `factor` pixels: made smaller, then larger."""
    _, height, width = planes.shape
    w, h = max(2, round(width / factor)), max(2, round(height / factor))
    return np.stack([resize(resize(c, w, h), width, height) for c in planes])


def _curve(light: Array, exposure: float) -> Array:
    """Film-like response, then the sRGB transfer function: 0..1 as displayed."""
    x = np.maximum(light * exposure, 0)
    x = x + 0.12 * (x.mean(axis=0) - x)  # the curve below lifts saturation
    x = x * (1.9 * x + 0.35) / (x * (1.8 * x + 0.95) + 0.30)
    x = np.clip(x, 0, 1)
    return np.where(x < 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-6) ** (1 / 2.4) - 0.055)


def _vignette(planes: Array) -> Array:
    _, height, width = planes.shape
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * (height / width)
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    return planes * (1 - 0.10 * (x * x + y * y))


def _bloom(planes: Array) -> Array:
    """Bright highlights spill a little, as in a lens."""
    size = max(planes.shape[1:])
    return planes + 0.025 * (soften(np.minimum(planes, 6), size / 60) - planes)


def _grain(rng: np.random.Generator, height: int, width: int) -> Array:
    """Noise of unit strength with the slight blur that demosaicing gives it."""
    n = rng.standard_normal((height + 2, width + 2), dtype=np.float32)
    n = n[1:-1] * 0.62 + (n[:-2] + n[2:]) * 0.26
    return n[:, 1:-1] * 0.85 + (n[:, :-2] + n[:, 2:]) * 0.34


def develop(light: Array, width: int, height: int, *, seed: int, exposure: float, iso: float) -> Image.Image:
    """An upright photo from linear light of any lower resolution."""
    planes = [Image.fromarray(c) for c in _curve(_vignette(_bloom(light)), exposure) * np.float32(255)]
    scale = light.shape[1] / height
    rng = np.random.Generator(np.random.SFC64(seed))
    photo = np.empty((height, width, 3), np.uint8)
    # In bands, so that the full-size floats stay in the processor's cache.
    for top in range(0, height, _BAND):
        bottom = min(height, top + _BAND)
        box = (0, top * scale, light.shape[2], bottom * scale)
        band = [
            np.asarray(p.resize((width, bottom - top), Image.Resampling.LANCZOS, box=box)) for p in planes
        ]
        photo[top:bottom] = _noisy(band, rng, iso)
    return Image.fromarray(photo)


def _noisy(band: list[Array], rng: np.random.Generator, iso: float) -> NDArray[np.uint8]:
    """Displayed values 0..255 with the sensor's noise: fine in brightness, coarser in colour."""
    height, width = band[0].shape
    tone = np.clip(band[1], 0, 255) * np.float32(1 / 255)
    # Shot noise: strongest in the darker middle tones, which the transfer function lifts.
    luma = _grain(rng, height, width) * (iso * (0.35 + 0.95 * np.sqrt(tone * (1.12 - tone))))
    result = np.empty((height, width, 3), np.uint8)
    for k, plane in enumerate(band):
        chroma = _grain(rng, height // 2 + 1, width // 2 + 1).repeat(2, axis=0).repeat(2, axis=1)
        result[..., k] = np.clip(plane + luma + chroma[:height, :width] * (0.5 * iso) + 0.5, 0, 255)
    return result


def save(photo: Image.Image, path: Path, *, orientation: int, quality: int) -> None:
    """Write the JPEG in one go: other processes see either nothing or the whole file."""
    turn = _STORED_TURN[orientation]
    stored = photo if turn is None else photo.transpose(turn)
    exif = Image.Exif()
    exif[_ORIENTATION_TAG] = orientation
    # Named for the process, as two may be filling one folder.
    part = path.with_name(f".{path.stem}-{os.getpid()}.part")
    try:
        stored.save(part, "JPEG", quality=quality, subsampling="4:2:0", exif=exif)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def pixel_grid(width: int, top: int, bottom: int) -> tuple[Array, Array]:
    """Centres of the pixels of some rows, flattened."""
    y, x = np.mgrid[top:bottom, 0:width].astype(np.float32) + np.float32(0.5)
    return x.ravel(), y.ravel()
