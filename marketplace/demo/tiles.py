"""Glazed tiles as patterns for a flat lay."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from marketplace.demo.curves import Array
from marketplace.demo.flatlay import Pattern
from marketplace.demo.textures import (
    Colour,
    Surface,
    column,
    flat_fbm,
    flat_noise,
    mix,
    per_cell,
    ramp,
    specks,
)

# For each point, the distance to its tile's edge and the tile's two numbers.
Layout = Callable[[Array, Array], tuple[Array, Array, Array]]


def squares(size: float) -> Layout:
    """Square tiles in straight rows."""

    def layout(x: Array, z: Array) -> tuple[Array, Array, Array]:
        i, j = np.floor(x / size), np.floor(z / size)
        a, b = np.abs(x / size - i - 0.5), np.abs(z / size - j - 0.5)
        return (0.5 - np.maximum(a, b)) * size, i, j

    return layout


def hexagons(size: float) -> Layout:
    """Hexagons, `size` across the flats."""
    tall = size * 3**0.5

    def layout(x: Array, z: Array) -> tuple[Array, Array, Array]:
        i0, j0 = np.round(x / size), np.round(z / tall)
        ax, az = x - i0 * size, z - j0 * tall
        i1, j1 = np.floor(x / size), np.floor(z / tall)
        bx, bz = x - (i1 + 0.5) * size, z - (j1 + 0.5) * tall
        first = ax * ax + az * az < bx * bx + bz * bz
        u, v = np.abs(np.where(first, ax, bx)), np.abs(np.where(first, az, bz))
        edge = size / 2 - np.maximum(u, 0.5 * u + v * (3**0.5 / 2))
        return edge, np.where(first, i0, i1 + 31), np.where(first, j0, j1 + 17)

    return layout


def herringbone(width: float, ratio: int) -> Layout:
    """Bricks `ratio` times as long as they are wide, laid in a zigzag."""

    def layout(x: Array, z: Array) -> tuple[Array, Array, Array]:
        x, z = (x + z) * 0.70710678 / width, (z - x) * 0.70710678 / width
        i, j = np.floor(x), np.floor(z)
        m = np.mod(i - j, 2 * ratio)
        lying = m < ratio
        u = np.where(lying, m + x - i, 2 * ratio - 1 - m + z - j)
        v = np.where(lying, z - j, x - i)
        edge = np.minimum(np.minimum(u, ratio - u), np.minimum(v, 1 - v)) * width
        return edge, np.where(lying, i - m, i), np.where(lying, j, j - (2 * ratio - 1 - m) + 29)

    return layout


def tiles(
    layout: Layout,
    colours: tuple[Colour, ...],
    *,
    grout: Colour,
    body: Colour,
    gap: float = 0.13,
    waver: float = 0.05,
    lean: float = 0.03,
    chips: float = 1.0,
    mottle: float = 0.25,
) -> Pattern:
    """Hand-cut glazed tiles: uneven edges and faces, each leaning its own way, no two the same tone."""

    def pattern(x: Array, z: Array) -> Surface:
        edge, i, j = layout(x, z)
        edge = edge - gap / 2 - waver * (0.6 + flat_noise(x * 0.9 + i * 5.1, z * 0.9 + j * 3.7, 11))
        pick = (per_cell(i, j, 12) * 0.5 + 0.5) * (len(colours) - 1)
        tone = column(colours[0]) + np.zeros((3, x.size), np.float32)
        for k in range(1, len(colours)):
            tone = mix(tone, column(colours[k]), np.clip(pick - (k - 1), 0, 1))
        cloud = flat_fbm(x * 0.45 + i * 7.7, z * 0.45 + j * 4.3, 4, 13)
        pool = ramp(0.9, 0.0, edge)
        tone = tone * (1 + 0.22 * per_cell(i, j, 14) + mottle * 1.6 * cloud - 0.22 * pool)
        # The cutter's hammer leaves the glaze thin, or the body bare, along some edges.
        chip = chips * ramp(0.25, 0.75, flat_noise(x * 2.1 + i, z * 2.1 - j, 15)) * 0.24
        bare = ramp(0.05, -0.02, edge - chip * ramp(0.2, 0.7, flat_noise(x * 7, z * 7, 16) * 0.5 + 0.5))
        thin = ramp(0.16, 0.0, edge) * (1 - bare)
        tone = mix(tone, tone * 0.5 + column(body) * 0.5, 0.45 * thin)
        pinholes = specks(x * 2.9, z * 2.9, x * 0 + 0.5, 0.10)
        tone = mix(tone * (1 - 0.5 * pinholes), column(body), bare)
        joint = ramp(0.02, -0.03, edge)
        sand = 1 + 0.14 * flat_noise(x * 14, z * 14, 19) + 0.1 * flat_noise(x * 5, z * 5, 20)
        sunk = 1 - 0.5 * ramp(-0.10, 0.02, edge)
        albedo = mix(tone, column(grout) * sand * sunk, joint)
        bump = _bump(layout, x, z, i, j, lean)
        flat = (1 - joint) * (1 - bare)
        return Surface(
            albedo=np.maximum(albedo, 0.002),
            gloss=1.1 * flat + 0.05,
            rough=0.05 * flat + 0.5 * (1 - flat),
            bump=bump * flat,
        )

    return pattern


def _bump(layout: Layout, x: Array, z: Array, i: Array, j: Array, lean: float) -> Array:
    """Slopes of the tile's face: its lean, its waves, and the bevel along the edge."""
    step = 0.05

    def face(u: Array, v: Array) -> Array:
        # The bevel rises over the last two millimetres.
        edge = np.clip(layout(u, v)[0], 0, 0.24) / 0.24
        waves = flat_noise(u * 0.55 + i * 3.3, v * 0.55 + j * 6.1, 21) + 0.15 * flat_noise(
            u * 1.9, v * 1.9, 22
        )
        return 0.05 * waves + 0.11 * edge * (2 - edge)

    here = face(x, z)
    bx = lean * per_cell(i, j, 23) - (face(x + step, z) - here) / step
    bz = lean * per_cell(i, j, 24) - (face(x, z + step) - here) / step
    return np.stack([bx, np.zeros_like(bx), bz])
