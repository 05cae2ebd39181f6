"""Smooth plane curves and tables of the distance to them, which all shapes rest on.

Distances come from a table; normals come from the curve itself, since normals taken from a table show
as contour rings on a glaze.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # float32 nearly everywhere; masks and indices are spelled out
Points = tuple[tuple[float, float], ...]

_CURVE_STEP = 0.06  # arc length between the samples of a curve
_TABLE_CELLS = 420  # along the longer side


def spline(points: Points, ends: str) -> Array:
    """Dense (n, 2) samples of a cubic B-spline: its curvature is continuous, so highlights flow.

    `ends` is "axis" (both ends on x = 0, mirrored there), "open" or "closed".
    """
    p = np.asarray(points, np.float64)
    if ends == "axis":
        p = np.vstack([p[1] * (-1, 1), p, p[-2] * (-1, 1)])
    elif ends == "open":
        p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    else:
        p = np.vstack([p[-1], p, p[0], p[1]])
    u = np.linspace(0, 1, 80, endpoint=False)[:, None]
    weights = ((1 - u) ** 3, 3 * u**3 - 6 * u**2 + 4, -3 * u**3 + 3 * u**2 + 3 * u + 1, u**3)
    spans = [sum(w * p[i + k] for k, w in enumerate(weights)) / 6 for i in range(len(p) - 3)]
    last = (p[-3] + 4 * p[-2] + p[-1])[None] / 6 if ends != "closed" else spans[0][:1]
    return np.vstack([*spans, last])


def _even(samples: Array) -> Array:
    """The same polyline with samples at an even arc length."""
    lengths = np.hypot(*np.diff(samples, axis=0).T)
    arc = np.concatenate([[0], np.cumsum(lengths)])
    at = np.linspace(0, arc[-1], max(16, int(arc[-1] / _CURVE_STEP)))
    return np.stack([np.interp(at, arc, samples[:, k]) for k in (0, 1)], axis=1)


class Curve:
    """One or more plane loops with tables of signed distance and of the nearest arc position."""

    def __init__(self, loops: Sequence[Array], margin: float = 1.0) -> None:
        even = [_even(loop) for loop in loops]
        tangents = [np.gradient(loop, axis=0) for loop in even]
        self.points = np.vstack(even).astype(np.float32)
        tangent = np.vstack([t / np.hypot(t[:, :1], t[:, 1:]) for t in tangents])
        self.tangents = tangent.astype(np.float32)
        self.normals = np.stack([tangent[:, 1], -tangent[:, 0]], axis=1).astype(np.float32)
        self.low = self.points.min(axis=0) - np.float32(margin)
        self.high = self.points.max(axis=0) + np.float32(margin)
        self.cell = float((self.high - self.low).max() / _TABLE_CELLS)
        self._build()

    def _build(self) -> None:
        columns, rows = (int(n) + 2 for n in (self.high - self.low) / self.cell)
        gx = (self.low[0] + self.cell * np.arange(columns)).astype(np.float32)
        gy = (self.low[1] + self.cell * np.arange(rows)).astype(np.float32)
        dx2 = (gx[:, None] - self.points[:, 0]) ** 2
        dy2 = (gy[:, None] - self.points[:, 1]) ** 2
        nearest = np.stack([(dx2 + row).argmin(axis=1) for row in dy2])
        offset = np.stack(
            [gx[None, :] - self.points[nearest, 0], gy[:, None] - self.points[nearest, 1]], axis=-1
        )
        step = _CURVE_STEP
        along = np.clip((offset * self.tangents[nearest]).sum(-1), -step / 2, step / 2)
        side = np.sign((offset * self.normals[nearest]).sum(-1))
        distance = np.sqrt(np.maximum((offset**2).sum(-1) - along**2, 0)) * side
        self.width = columns
        self.distances = np.ascontiguousarray(distance, np.float32).ravel()
        self.arcs = np.ascontiguousarray(nearest + along / step, np.float32).ravel()

    def _locate(self, x: Array, y: Array) -> tuple[NDArray[np.int32], Array, Array, Array, Array]:
        cx = np.clip(x, self.low[0], self.high[0] - self.cell / 2)
        cy = np.clip(y, self.low[1], self.high[1] - self.cell / 2)
        u = (cx - self.low[0]) * (1 / self.cell)
        v = (cy - self.low[1]) * (1 / self.cell)
        iu, iv = u.astype(np.int32), v.astype(np.int32)
        return iv * self.width + iu, u - iu, v - iv, x - cx, y - cy

    def distance(self, x: Array, y: Array) -> Array:
        """Signed distance, negative inside; a lower bound outside the table."""
        index, fu, fv, ox, oy = self._locate(x, y)
        d = _blend(self.distances, index, self.width, fu, fv)
        beyond = ox * ox + oy * oy
        return np.where(beyond > 0, np.sqrt(np.maximum(d, 0) ** 2 + beyond), d)

    def arc(self, x: Array, y: Array) -> Array:
        """Position along the curve of the nearest point, in samples."""
        index, fu, fv, _, _ = self._locate(x, y)
        s = _blend(self.arcs, index, self.width, fu, fv)
        nearest = self.arcs.take(index)
        # Where the nearest point jumps from one stretch to another, blending would invent a third.
        return np.where(np.abs(s - nearest) > 4, nearest, s)

    def along(self, values: Array, s: Array) -> Array:
        """Values given per sample, read at the arc positions s."""
        i = np.clip(s.astype(np.int32), 0, len(values) - 2)
        f = np.clip(s - i, 0, 1)
        return values.take(i) * (1 - f) + values.take(i + 1) * f


def _blend(table: Array, index: NDArray[np.int32], width: int, fu: Array, fv: Array) -> Array:
    top = table.take(index)
    top += (table.take(index + 1) - top) * fu
    index = index + width
    low = table.take(index, mode="clip")
    low += (table.take(index + 1, mode="clip") - low) * fu
    return top + (low - top) * fv
