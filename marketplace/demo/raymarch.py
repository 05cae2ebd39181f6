"""Shapes of handmade things, as distance fields that a ray can march through.

Every shape rests on a smooth plane curve: lathe work turns it round an axis, boards extrude it,
handles sweep a tube along it.

Points and directions are float32 arrays of shape (3, n); lengths are centimetres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import numpy as np

from marketplace.demo.curves import Array, Curve, Points, spline


def dot(a: Array, b: Array) -> Array:
    """Dot product of (3, n) vectors, spelled out because BLAS may differ from thread to thread."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def unit(v: Array) -> Array:
    """The vectors at length one."""
    return v / np.sqrt(np.maximum(dot(v, v), 1e-20))


class Shape(Protocol):
    """What the renderer asks of a shape, in the shape's own coordinates."""

    centre: tuple[float, float, float]
    radius: float

    def distance(self, p: Array) -> Array: ...

    def normal(self, p: Array) -> Array: ...


class Turned:
    """A profile turned round the y axis: bowls, vases, plates, mugs, candles."""

    def __init__(self, profile: Points) -> None:
        self.curve = Curve([spline(profile, "axis")])
        pts = self.curve.points
        middle = float(pts[:, 1].min() + pts[:, 1].max()) / 2
        self.centre = (0.0, middle, 0.0)
        self.radius = float(np.hypot(pts[:, 0], pts[:, 1] - middle).max()) + 0.02
        self.rim = int(pts[:, 1].argmax())

    def distance(self, p: Array) -> Array:
        return self.curve.distance(np.sqrt(p[0] * p[0] + p[2] * p[2]), p[1])

    def arc(self, p: Array) -> Array:
        """Position along the profile, in samples; beyond `rim` lies the inside."""
        return self.curve.arc(np.sqrt(p[0] * p[0] + p[2] * p[2]), p[1])

    def normal(self, p: Array) -> Array:
        s = self.arc(p)
        flat = self.curve.along(np.ascontiguousarray(self.curve.normals[:, 0]), s)
        up = self.curve.along(np.ascontiguousarray(self.curve.normals[:, 1]), s)
        r = np.sqrt(np.maximum(p[0] * p[0] + p[2] * p[2], 1e-12))
        return unit(np.stack([flat * p[0] / r, up, flat * p[2] / r]))


class Slab:
    """An outline (with holes) in the xz plane, given thickness and a rounded edge: boards."""

    def __init__(self, outline: Points, holes: Sequence[Points], thickness: float, edge: float) -> None:
        self.curve = Curve([spline(loop, "closed") for loop in (outline, *holes)])
        self.half, self.edge = thickness / 2, edge
        pts = self.curve.points
        x, z = (pts.min(axis=0) + pts.max(axis=0)) / 2
        self.centre = (float(x), self.half, float(z))
        self.radius = float(np.hypot(pts[:, 0] - x, pts[:, 1] - z).max()) + self.half

    def _sides(self, p: Array) -> tuple[Array, Array]:
        flat = self.curve.distance(p[0], p[2]) + self.edge
        return flat, np.abs(p[1] - self.half) - self.half + self.edge

    def distance(self, p: Array) -> Array:
        a, b = self._sides(p)
        corner = np.sqrt(np.maximum(a, 0) ** 2 + np.maximum(b, 0) ** 2)
        return np.minimum(np.maximum(a, b), 0) + corner - self.edge

    def normal(self, p: Array) -> Array:
        a, b = self._sides(p)
        s = self.curve.arc(p[0], p[2])
        flat, up = np.maximum(a, 1e-5), np.maximum(b, 1e-5)
        nx = self.curve.along(np.ascontiguousarray(self.curve.normals[:, 0]), s)
        nz = self.curve.along(np.ascontiguousarray(self.curve.normals[:, 1]), s)
        return unit(np.stack([nx * flat, np.sign(p[1] - self.half) * up, nz * flat]))


class Handle:
    """A strap swept along an open curve in the xy plane, flaring where it meets the pot."""

    def __init__(self, path: Points, thickness: float, breadth: float, flare: float) -> None:
        self.curve = Curve([spline(path, "open")], margin=1.6)
        pts = self.curve.points
        self.breadth = breadth
        u = np.linspace(-1, 1, len(pts), dtype=np.float32)
        self.girth = (thickness * (1 + flare * u**6)).astype(np.float32)
        x, y = (pts.min(axis=0) + pts.max(axis=0)) / 2
        self.centre = (float(x), float(y), 0.0)
        self.radius = float(np.hypot(pts[:, 0] - x, pts[:, 1] - y).max()) + thickness * breadth * 2

    def _offset(self, p: Array) -> tuple[Array, Array, Array, Array]:
        s = self.curve.arc(p[0], p[1])
        dx = p[0] - self.curve.along(np.ascontiguousarray(self.curve.points[:, 0]), s)
        dy = p[1] - self.curve.along(np.ascontiguousarray(self.curve.points[:, 1]), s)
        return dx, dy, p[2] / self.breadth, self.curve.along(self.girth, s)

    def distance(self, p: Array) -> Array:
        dx, dy, dz, girth = self._offset(p)
        return (np.sqrt(dx * dx + dy * dy + dz * dz) - girth) * 0.9

    def normal(self, p: Array) -> Array:
        dx, dy, dz, _ = self._offset(p)
        return unit(np.stack([dx, dy, dz / self.breadth]))


turned = lru_cache(maxsize=32)(Turned)


@dataclass(frozen=True, kw_only=True, eq=False)
class Placed:
    """A shape standing somewhere: turned by yaw about y, then leaned by pitch about x (radians)."""

    shape: Shape
    at: tuple[float, float, float] = (0.0, 0.0, 0.0)
    yaw: float = 0.0
    pitch: float = 0.0
    axes: Array = field(init=False)

    def __post_init__(self) -> None:
        cy, sy, cp, sp = np.cos(self.yaw), np.sin(self.yaw), np.cos(self.pitch), np.sin(self.pitch)
        rows = [[cy, 0, sy], [sp * sy, cp, -sp * cy], [-cp * sy, sp, cp * cy]]
        object.__setattr__(self, "axes", np.array(rows, np.float32))

    def turn_in(self, v: Array) -> Array:
        """World directions in the shape's coordinates."""
        m = self.axes
        return np.stack([m[0, k] * v[0] + m[1, k] * v[1] + m[2, k] * v[2] for k in range(3)])

    def turn_out(self, v: Array) -> Array:
        """The shape's directions in world coordinates."""
        m = self.axes
        return np.stack([m[k, 0] * v[0] + m[k, 1] * v[1] + m[k, 2] * v[2] for k in range(3)])

    def place_in(self, p: Array) -> Array:
        """World points in the shape's coordinates."""
        return self.turn_in(p - np.array(self.at, np.float32)[:, None])

    def place_out(self, p: Array) -> Array:
        """The shape's points in world coordinates."""
        return self.turn_out(p) + np.array(self.at, np.float32)[:, None]

    def span(self, origin: Array, ray: Array) -> tuple[Array, Array]:
        """Where local rays enter and leave the bounding sphere (enter > leave: they miss)."""
        oc = origin - np.array(self.shape.centre, np.float32)[:, None]
        b = dot(oc, ray)
        root = b * b - dot(oc, oc) + self.shape.radius**2
        half = np.sqrt(np.maximum(root, 0))
        return np.maximum(-b - half, 0), np.where(root > 0, -b + half, -1)


def march(item: Placed, origin: Array, ray: Array, steps: int = 90) -> Array:
    """Distance along each world ray to the item, infinite where it misses."""
    o, d = item.place_in(origin), item.turn_in(ray)
    near, far = item.span(o, d)
    result = np.full(d.shape[1], np.inf, np.float32)
    live = np.flatnonzero(far > near)
    t, o, d, far = near[live], np.broadcast_to(o, d.shape)[:, live], d[:, live], far[live]
    for _ in range(steps):
        if not live.size:
            break
        gap = item.shape.distance(o + t * d)
        t = t + gap
        hit = np.abs(gap) < 0.0015
        result[live[hit]] = t[hit]
        keep = ~hit & (t < far)
        live, t, o, d, far = live[keep], t[keep], o[:, keep], d[:, keep], far[keep]
    return result


def openness(items: Sequence[Placed], p: Array, ray: Array, reach: float, spread: float, steps: int) -> Array:
    """How much of a cone (tangent `spread`) round each ray stays free of the items, 0 to 1."""
    free = np.ones(p.shape[1], np.float32)
    for item in items:
        o, d = item.place_in(p), item.turn_in(ray)
        oc = np.array(item.shape.centre, np.float32)[:, None] - o
        along, size = dot(oc, d), item.shape.radius
        off = np.sqrt(np.maximum(dot(oc, oc) - along * along, 0))
        # The cone may brush past a thing that its axis misses, hence the wider sphere.
        wide = size + spread * np.maximum(along, 0)
        live = np.flatnonzero((off < wide) & (along > -size) & (along - size < reach) & (free > 0.01))
        t = np.maximum(along - wide, 0.03)[live]
        end = np.minimum(along + size, reach)[live]
        o, d, low = o[:, live], d[:, live], np.ones(live.size, np.float32)
        for _ in range(steps):
            if not live.size:
                break
            gap = item.shape.distance(o + t * d)
            low = np.minimum(low, gap / (spread * t))
            t = t + np.maximum(gap, 0.03)
            done = (low < 0.01) | (t > end)
            free[live[done]] *= _ease(low[done])
            keep = ~done
            live, t, end, low, o, d = live[keep], t[keep], end[keep], low[keep], o[:, keep], d[:, keep]
        free[live] *= _ease(low)
    return free


def _ease(x: Array) -> Array:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
