"""What stands behind the goods: a table and a wall, or a sweep of paper."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from marketplace.demo.curves import Array
from marketplace.demo.raymarch import unit
from marketplace.demo.textures import Material


def floor_distance(origin: Array, ray: Array) -> Array:
    """Distance along each ray to the table, infinite above the horizon."""
    return np.where(ray[1] < -1e-4, -origin[1] / np.minimum(ray[1], -1e-4), np.inf).astype(np.float32)


@dataclass(kw_only=True)
class Backdrop:
    """A table (y = 0) that curves up into a wall, both of one material or of two."""

    floor: Material
    wall: Material | None = None
    back: float = 30.0  # where the wall begins to rise, behind the origin
    bend: float = 30.0  # radius of the sweep
    blur: float = 0.35  # blur per centimetre behind the subject, in thousandths of the width

    def meet(self, origin: Array, ray: Array) -> tuple[Array, Array]:
        """Where rays meet the backdrop, and its normal there."""
        t = np.minimum(floor_distance(origin, ray), 1e4)
        floor = origin + t * ray
        bend, start = self.bend, -self.back
        wall = (start - bend - origin[2]) / np.minimum(ray[2], -1e-4)
        # The bend: a quarter of a cylinder whose axis runs along x.
        oy, oz = origin[1] - bend, origin[2] - start
        a = ray[1] ** 2 + ray[2] ** 2
        b = oy * ray[1] + oz * ray[2]
        root = np.sqrt(np.maximum(b * b - a * (oy * oy + oz * oz - bend * bend), 0))
        curve = origin + ((-b + root) / a) * ray
        on_floor = floor[2] > start
        on_wall = ~on_floor & (curve[1] > bend)
        p = np.where(on_floor, floor, np.where(on_wall, origin + wall * ray, curve))
        zero = np.zeros_like(t)
        normal = np.stack([zero, np.clip((bend - p[1]) / bend, 0, 1), np.clip((start - p[2]) / bend, 0, 1)])
        normal[1] = np.where(on_floor, 1, np.where(on_wall, 0, normal[1]))
        normal[2] = np.where(on_floor, 0, np.where(on_wall, 1, normal[2]))
        return p.astype(np.float32), unit(normal)
