"""Candle flames, painted over the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from marketplace.demo.camera import Camera
from marketplace.demo.curves import Array
from marketplace.demo.textures import ramp


@dataclass(kw_only=True)
class Flame:
    """A candle flame: where its wick is, and its height."""

    at: tuple[float, float, float]
    tall: float = 3.0


def burn(picture: Array, flame: Flame, camera: Camera) -> Array:
    """Paint a flame and its glow over the picture."""
    _, height, width = picture.shape
    x0, y0 = camera.project(flame.at, width, height)
    unit_length = width / camera.span
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    u, v = (x - x0) / unit_length, (y0 - y) / unit_length / flame.tall
    body = np.clip(v, 0, 1)
    half = 0.44 * flame.tall / 3 * np.sqrt(body) * (1 - body) ** 0.75 * 1.9 + 0.01
    inside = ramp(1.0, 0.45, np.abs(u) / half) * ramp(-0.02, 0.08, v) * ramp(1.0, 0.8, v)
    core = inside * (0.35 + 0.65 * ramp(0.1, 0.4, v))
    glow = np.exp(-np.sqrt(u * u + ((v - 0.45) * flame.tall) ** 2 + 0.1) * 0.75)
    warm = np.array([1.0, 0.62, 0.24], np.float32)[:, None, None]
    bright = np.array([9.0, 6.0, 2.6], np.float32)[:, None, None]
    return picture * (1 - 0.8 * inside) + bright * core + warm * (0.42 * glow)
