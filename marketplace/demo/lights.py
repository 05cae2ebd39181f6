"""How the pictures are lit: where the soft box stands, and what hangs before it."""

from __future__ import annotations

from typing import Any

import numpy as np

from marketplace.demo.curves import Array
from marketplace.demo.lighting import Rig
from marketplace.demo.textures import flat_fbm, ramp

# Light: the soft box by the left, lower and warmer in the evening, from behind, or from the right.
DAY = Rig()
EVENING = Rig(
    key_at=(-52, 34, 18),
    key=(1.0, 0.90, 0.76),
    room=(0.20, 0.21, 0.24),
    fill=(0.22, 0.24, 0.30),
    ground=(0.2, 0.17, 0.15),
)
WINDOW = Rig(
    key_at=(-54, 42, -8), key_half=(18, 24), key=(1.0, 0.985, 0.96), power=2.9, room=(0.40, 0.42, 0.45)
)
RIGHT = Rig(key_at=(42, 50, 16), fill_from=(-0.9, 0.3, 0.4))


def panes(x: Array, y: Array) -> Array:
    """The shadow of a window's bars, soft by the distance."""
    across, down = np.abs((x + 3) % 17 - 8.5), np.abs((y - 4) % 21 - 10.5)
    return 0.3 + 0.7 * ramp(8.1, 6.2, across) * ramp(10.1, 8.0, down)


def foliage(x: Array, y: Array) -> Array:
    """The shadow of a branch at the window: leaves large and small, more of them above."""
    leaves = flat_fbm(0.085 * x + 0.05 * y + 4, 0.085 * y - 0.05 * x, 3, 17)
    return 0.32 + 0.68 * ramp(-0.12, 0.16, leaves + 0.008 * (4 - y))


MORNING = Rig(key_at=(-62, 44, 20), key=(1.0, 0.95, 0.86), power=3.0, room=(0.30, 0.32, 0.36), veil=panes)
SHADE = Rig(
    key_at=(48, 54, 22),
    fill_from=(-0.9, 0.3, 0.4),
    key=(1.0, 0.96, 0.88),
    power=3.1,
    room=(0.31, 0.33, 0.35),
    veil=foliage,
)
SIDE = Rig(key_at=(-66, 34, -14), aim=(0, 0, 0), room=(0.26, 0.28, 0.31), fill=(0.3, 0.33, 0.38))


def mirror_rig(height: float, around: float, swing: float = 0.0, **changes: Any) -> Rig:
    """A soft box where glazed tiles mirror it towards a camera at this height and angle."""
    e, a = np.radians(height), np.radians(around + swing)
    at = 78 * np.array([-np.cos(e) * np.sin(a), np.sin(e), -np.cos(e) * np.cos(a)])
    where = (float(at[0]), float(at[1]), float(at[2]))
    return Rig(key_at=where, aim=(0, 0, 0), key_half=(20, 14), **changes)
