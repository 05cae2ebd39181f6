"""Flat lays: tiles and cloth photographed from above, shaded as fine relief on a plane.

What is taller than a thread or a bevel (folds, hems, layers) is a height map whose slope and
shadows are worked out once on a coarse grid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from marketplace.demo.camera import Camera, pixel_grid, resize
from marketplace.demo.curves import Array
from marketplace.demo.lighting import Rig
from marketplace.demo.raymarch import unit
from marketplace.demo.textures import Surface, lookup, ramp

_BATCH = 65536
_GRID = 640

Heights = Callable[[Array, Array], Array]
Pattern = Callable[[Array, Array], Surface]


@dataclass(kw_only=True)
class FlatLay:
    """A pattern on the table plane, with an optional height map in centimetres."""

    pattern: Pattern
    camera: Camera
    heights: Heights | None = None
    reach: float = 40.0  # half the side of the height map
    drag: float = 0.6  # how far slopes pull the pattern along
    rig: Rig = field(default_factory=Rig)

    def render(self, width: int, height: int) -> Array:
        """Linear light, (3, height, width)."""
        relief = None if self.heights is None else _Relief(self.heights, self.reach, self.rig)
        picture = np.empty((3, height * width), np.float32)
        rows = max(1, _BATCH // width)
        for top in range(0, height, rows):
            bottom = min(height, top + rows)
            part = slice(top * width, bottom * width)
            origin, ray = self.camera.rays(*pixel_grid(width, top, bottom), width, height)
            picture[:, part] = self._light(origin, ray, relief)
        return picture.reshape(3, height, width)

    def _light(self, origin: Array, ray: Array, relief: _Relief | None) -> Array:
        p = origin - ray * (origin[1] / ray[1])
        normal = np.zeros_like(p)
        normal[1] = 1
        lit, air = np.ones_like(p[0]), np.ones_like(p[0])
        x, z = p[0], p[2]
        if relief is not None:
            sx, sz, lit, air, tall = relief.at(x, z)
            normal = unit(np.stack([-sx, normal[1], -sz]))
            # Parallax of the height, and the cloth that a slope takes up.
            x = x + tall * ray[0] / ray[1] + self.drag * sx
            z = z + tall * ray[2] / ray[1] + self.drag * sz
        surface = self.pattern(x, z)
        key, room = self.rig.bake([], p, normal)
        return self.rig.shade(p, ray, normal, surface, key * lit * self.rig.passed(p), room * air)


class _Relief:
    """A height map with its slopes, the shadows of the key light and the closeness of walls."""

    def __init__(self, heights: Heights, reach: float, rig: Rig) -> None:
        line = np.linspace(-reach, reach, _GRID, dtype=np.float32)
        x, z = np.meshgrid(line, line)
        self.reach, self.step = reach, 2 * reach / (_GRID - 1)
        tall = heights(x.ravel(), z.ravel()).reshape(_GRID, _GRID).astype(np.float32)
        sz, sx = np.gradient(tall, self.step)
        self.maps = [m.ravel() for m in (sx, sz, self._lit(tall, rig), self._air(tall), tall)]

    def _lit(self, tall: Array, rig: Rig) -> Array:
        """Share of the soft box seen: the horizon towards it, found by shifting the map."""
        east, up, south = (k - a for k, a in zip(rig.key_at, rig.aim, strict=True))
        across = float(np.hypot(east, south))
        ground, dx, dz = up / across, east / across, south / across
        lit = np.ones_like(tall)
        soft = 0.38
        for k in range(1, 40):
            far = 0.5 * k**1.3
            shifted = _shift(tall, dx * far, dz * far)
            rise = (shifted - tall) / (far * self.step)
            lit = np.minimum(lit, ramp(ground + soft, ground - soft, rise))
        return lit

    def _air(self, tall: Array) -> Array:
        """Room light left in hollows: how far the surface lies below its surroundings."""
        air = np.ones_like(tall)
        for size, depth in ((12, 0.35), (40, 0.9)):
            small = resize(resize(tall, _GRID // size, _GRID // size), _GRID, _GRID)
            air *= 1 - 0.55 * ramp(0.0, depth, small - tall)
        return air

    def at(self, x: Array, z: Array) -> list[Array]:
        """Slopes, light, air and height at points of the plane."""
        u, v = ((c + self.reach) / self.step for c in (x, z))
        return [lookup(m, u, v, _GRID, _GRID) for m in self.maps]


def _shift(grid: Array, dx: float, dz: float) -> Array:
    """The grid read dx, dz cells further on."""
    rows, columns = np.meshgrid(np.arange(_GRID), np.arange(_GRID), indexing="ij")
    u, v = (columns + dx).astype(np.float32), (rows + dz).astype(np.float32)
    return lookup(grid.ravel(), u.ravel(), v.ravel(), _GRID, _GRID).reshape(grid.shape)
