"""Scenes: things standing on a table or a paper sweep in the studio, rendered to linear light."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from marketplace.demo.backdrop import Backdrop, floor_distance
from marketplace.demo.camera import Camera, pixel_grid, soften
from marketplace.demo.curves import Array
from marketplace.demo.flame import Flame, burn
from marketplace.demo.lighting import Rig
from marketplace.demo.raymarch import Placed, Slab, Turned, dot, march, unit
from marketplace.demo.textures import Material, column, lookup, mix, ramp

_BATCH = 65536  # rays at a time: the arrays then stay in the processor's cache
_FLOOR_HALF = 34.0  # the baked part of the floor, from the origin
_SUBPIXELS = ((-0.375, -0.125), (0.125, -0.375), (0.375, 0.125), (-0.125, 0.375), (0.0, 0.0))


@dataclass(kw_only=True)
class Thing:
    """A placed shape and what it is made of; `bounce` is the light its own walls throw back."""

    placed: Placed
    material: Material
    bounce: tuple[float, float, float] = (0.2, 0.17, 0.14)


@dataclass(kw_only=True)
class Studio:
    """Everything in one picture."""

    things: list[Thing]
    backdrop: Backdrop
    camera: Camera
    rig: Rig = field(default_factory=Rig)
    flames: list[Flame] = field(default_factory=list)

    def render(self, width: int, height: int) -> Array:
        """Linear light, (3, height, width)."""
        return _Render(self, width, height).picture()


class _Render:
    """One rendering: the baked light, then backdrop, things, edges and flames."""

    def __init__(self, studio: Studio, width: int, height: int) -> None:
        self.studio, self.width, self.height = studio, width, height
        self.items = [thing.placed for thing in studio.things]
        # Coarse grids do, as baked light is smooth; the more things, the smaller each is in the picture.
        self.texels = int(np.clip(max(width, height) / 9, 40, 192) * len(self.items) ** -0.35) + 1
        self.floor_texels = int(np.clip(max(width, height) / 7, 40, 288))
        self.floor_key, self.floor_room = self._bake_floor()
        self.walls = [self._bake_wall(thing) for thing in studio.things]

    def picture(self) -> Array:
        back = self._blurred(*self._backdrop())
        colour, alpha = self._foreground()
        picture = back * (1 - alpha) + colour
        for flame in self.studio.flames:
            picture = burn(picture, flame, self.studio.camera)
        return picture

    # Light on the floor and on the things, worked out once on coarse grids.

    def _bake_floor(self) -> tuple[Array, Array]:
        """Shares of key and room light that reach the floor, on a square grid."""
        n = self.floor_texels
        line = np.linspace(-_FLOOR_HALF, _FLOOR_HALF, n, dtype=np.float32)
        p = np.stack([np.tile(line, n), np.zeros(n * n, np.float32), np.repeat(line, n)])
        up = np.zeros_like(p)
        up[1] = 1
        rig = self.studio.rig
        bounce = column(self.studio.things[0].bounce)
        shaded = rig.bake(self.items, p, up, bounce)
        free = rig.bake([], p, up)
        edge = np.maximum(np.abs(p[0]), np.abs(p[2])) / _FLOOR_HALF
        fade = ramp(1.0, 0.8, edge)
        key = mix(np.ones_like(fade), shaded[0] / np.maximum(free[0], 1e-4), fade)
        room = mix(np.ones_like(p), shaded[1] / np.maximum(free[1], 1e-4), fade)
        return _evened(key, n), np.stack([_evened(c, n) for c in room])

    def _bake_wall(self, thing: Thing) -> tuple[Array, Array] | None:
        """Irradiance over a turned thing's wall: along its profile, and round it."""
        shape = thing.placed.shape
        if not isinstance(shape, Turned):
            return None
        count, n = len(shape.curve.points), self.texels
        turn = np.linspace(-np.pi, np.pi, n + 1, dtype=np.float32)
        s = np.linspace(0, count - 1, n, dtype=np.float32)
        s, turn = np.repeat(s, n + 1), np.tile(turn, n)
        cos, sin = np.cos(turn), np.sin(turn)
        at, normal = (
            [shape.curve.along(np.ascontiguousarray(v[:, k]), s) for k in (0, 1)]
            for v in (shape.curve.points, shape.curve.normals)
        )
        p = thing.placed.place_out(np.stack([at[0] * cos, at[1], at[0] * sin]))
        normal_out = thing.placed.turn_out(np.stack([normal[0] * cos, normal[1], normal[0] * sin]))
        return self.studio.rig.bake(self.items, p, normal_out, column(thing.bounce))

    def _wall_light(self, index: int, p: Array, local: Array, normal: Array) -> tuple[Array, Array]:
        baked, thing = self.walls[index], self.studio.things[index]
        if baked is None:
            return self._direct_light(thing, p, normal)
        shape = thing.placed.shape
        assert isinstance(shape, Turned)
        n = self.texels
        v = shape.arc(local) * ((n - 1) / (len(shape.curve.points) - 1))
        u = (np.arctan2(local[2], local[0]) + np.float32(np.pi)) * (n / (2 * np.pi))
        return lookup(baked[0], u, v, n + 1, n), np.stack([lookup(c, u, v, n + 1, n) for c in baked[1]])

    def _direct_light(self, thing: Thing, p: Array, normal: Array) -> tuple[Array, Array]:
        """Irradiance worked out for each point, for what cannot be baked."""
        others = [item for item in self.items if item is not thing.placed]
        # Nothing of a board rises above its flat top, which is nearly all that is seen of it.
        top = (normal[1] > 0.98) if isinstance(thing.placed.shape, Slab) else np.zeros(p.shape[1], bool)
        key, room = np.empty_like(p[0]), np.empty_like(p)
        for items, part in ((others, np.flatnonzero(top)), (self.items, np.flatnonzero(~top))):
            key[part], room[:, part] = self.studio.rig.bake(
                items, p[:, part], normal[:, part], column(thing.bounce), spots=5
            )
        return key, room

    # The backdrop, without the things, so that its blur never smears them.

    def _backdrop(self) -> tuple[Array, Array]:
        """Light and depth behind the subject of the whole backdrop."""
        colour = np.empty((3, self.height * self.width), np.float32)
        depth = np.empty(self.height * self.width, np.float32)
        rows = max(1, _BATCH // self.width)
        for top in range(0, self.height, rows):
            bottom = min(self.height, top + rows)
            part = slice(top * self.width, bottom * self.width)
            origin, ray = self.studio.camera.rays(
                *pixel_grid(self.width, top, bottom), self.width, self.height
            )
            colour[:, part], depth[part] = self._sweep(origin, ray)
        return colour.reshape(3, self.height, self.width), depth.reshape(self.height, self.width)

    def _sweep(self, origin: Array, ray: Array) -> tuple[Array, Array]:
        p, normal = self.studio.backdrop.meet(origin, ray)
        rig, backdrop = self.studio.rig, self.studio.backdrop
        surface = backdrop.floor(p)
        if backdrop.wall is not None:
            other = backdrop.wall(p)
            surface.albedo = mix(surface.albedo, other.albedo, ramp(0.35, 0.15, normal[1]))
        key, room = self._floor_light(p, normal)
        colour = rig.shade(p, ray, normal, surface, key, room)
        return colour, np.maximum(0, dot(p - origin, ray) - self.studio.camera.away)

    def _floor_light(self, p: Array, normal: Array) -> tuple[Array, Array]:
        rig = self.studio.rig
        centre, facing, _, _ = (v[:, None] for v in rig.box())
        to = centre - p
        far2 = dot(to, to)
        ray = to / np.sqrt(far2)
        reference = float(np.sum((np.array(rig.key_at) - np.array(rig.aim)) ** 2))
        slope = np.maximum(dot(ray, normal), 0) * np.maximum(-dot(ray, facing), 0)
        # A soft box's edge falls off gently and the room evens it out.
        key = rig.power * slope * (reference / far2) ** 0.8
        room = rig.surroundings(unit(normal + np.array([[0.0], [0.15], [0.25]], np.float32)))
        n = self.floor_texels
        scale = (n - 1) / (2 * _FLOOR_HALF)
        u, v = (p[0] + _FLOOR_HALF) * scale, (p[2] + _FLOOR_HALF) * scale
        flat = ramp(0.97, 1.0, normal[1])
        key = key * mix(np.ones_like(flat), lookup(self.floor_key, u, v, n, n), flat)
        shade = np.stack([lookup(c, u, v, n, n) for c in self.floor_room])
        key = key * rig.passed(p)
        return key, room * mix(np.ones_like(flat), shade, flat)

    def _blurred(self, colour: Array, depth: Array) -> Array:
        """The backdrop out of focus by its distance behind the subject."""
        radius = depth * (self.studio.backdrop.blur * max(self.width, self.height) / 1000)
        # What lies behind is higher up in the picture: the rows below the last soft one stay sharp.
        soft_rows = np.flatnonzero(radius.max(axis=1) > 0.5)
        end = int(soft_rows[-1]) + 1 if soft_rows.size else 0
        if not end:
            return colour
        level = np.clip(np.log2(np.maximum(radius[:end], 0.5)) + 1, 0, 4)
        part = blurred = colour[:, :end]
        for k in range(1, 1 + int(np.ceil(level.max()))):
            blurred = soften(blurred, 2.0**k)
            part = part + (blurred - part) * np.clip(level - (k - 1), 0, 1)
        return np.concatenate([part, colour[:, end:]], axis=1)

    # The things themselves.

    def _foreground(self) -> tuple[Array, Array]:
        """Light of the things, already weighted by their coverage, and that coverage."""
        count = self.height * self.width
        colour, alpha = np.zeros((3, count), np.float32), np.zeros(count, np.float32)
        marks = np.zeros((4, count), np.float32)  # normal and thing, to find the edges
        for pixels in self._covered():
            x, y = (pixels % self.width) + 0.5, (pixels // self.width) + 0.5
            colour[:, pixels], alpha[pixels], marks[:, pixels] = self._shoot(
                x.astype(np.float32), y.astype(np.float32)
            )
        edges = _edges(marks.reshape(4, self.height, self.width))
        for start in range(0, edges.size, _BATCH):
            pixels = edges[start : start + _BATCH]
            colour[:, pixels], alpha[pixels] = self._supersample(pixels)
        return colour.reshape(3, self.height, self.width), alpha.reshape(1, self.height, self.width)

    def _covered(self) -> Iterator[NDArray[np.int64]]:
        """Batches of the pixels whose rays pass near a thing."""
        near = []
        rows = max(1, _BATCH // self.width)
        for top in range(0, self.height, rows):
            bottom = min(self.height, top + rows)
            origin, ray = self.studio.camera.rays(
                *pixel_grid(self.width, top, bottom), self.width, self.height
            )
            hit = np.zeros(ray.shape[1], bool)
            for item in self.items:
                enter, leave = item.span(item.place_in(origin), item.turn_in(ray))
                hit |= leave > enter
            near.append(np.flatnonzero(hit) + top * self.width)
        pixels = np.concatenate(near)
        for start in range(0, pixels.size, _BATCH):
            yield pixels[start : start + _BATCH]

    def _shoot(self, x: Array, y: Array) -> tuple[Array, Array, Array]:
        """Colour, coverage and edge marks of single rays."""
        origin, ray = self.studio.camera.rays(x, y, self.width, self.height)
        ahead = floor_distance(origin, ray)
        nearest, owner = ahead, np.full(ray.shape[1], -1)
        for index, item in enumerate(self.items):
            t = march(item, origin, ray)
            owner = np.where(t < nearest, index, owner)
            nearest = np.minimum(t, nearest)
        colour, marks = np.zeros_like(ray), np.zeros((4, ray.shape[1]), np.float32)
        for index, thing in enumerate(self.studio.things):
            mine = np.flatnonzero(owner == index)
            if not mine.size:
                continue
            p = origin + nearest[mine] * ray[:, mine]
            local = thing.placed.place_in(p)
            flat = thing.placed.shape.normal(local)
            normal = thing.placed.turn_out(flat)
            key, room = self._wall_light(index, p, local, normal)
            key = key * self.studio.rig.passed(p)
            surface = thing.material(local)
            if surface.bump is not None:
                surface.bump = thing.placed.turn_out(surface.bump)
            colour[:, mine] = self.studio.rig.shade(p, ray[:, mine], normal, surface, key, room)
            marks[:3, mine], marks[3, mine] = normal, index + 1
        return colour, (owner >= 0).astype(np.float32), marks

    def _supersample(self, pixels: NDArray[np.int64]) -> tuple[Array, Array]:
        colour, alpha = np.zeros((3, pixels.size), np.float32), np.zeros(pixels.size, np.float32)
        x, y = (pixels % self.width) + 0.5, (pixels // self.width) + 0.5
        for dx, dy in _SUBPIXELS:
            c, a, _ = self._shoot((x + dx).astype(np.float32), (y + dy).astype(np.float32))
            # A highlight sitting in one of the subpixels would make the edge crawl.
            colour += np.minimum(c, 4)
            alpha += a
        return colour / len(_SUBPIXELS), alpha / len(_SUBPIXELS)


def _evened(grid: Array, n: int) -> Array:
    """A flattened square grid, slightly blurred, lest shadows along a slanting edge show its cells."""
    g = grid.reshape(n, n)
    for _ in range(2):
        g = np.pad(g, ((1, 1), (0, 0)), mode="edge")
        g = (0.25 * (g[:-2] + g[2:]) + 0.5 * g[1:-1]).T
    return np.ascontiguousarray(g).ravel()


def _edges(marks: Array) -> NDArray[np.int64]:
    """Pixels at a silhouette or a crease."""
    step = np.zeros(marks.shape[1:], bool)
    down = (np.abs(np.diff(marks, axis=1)) > 0.16).any(axis=0)
    across = (np.abs(np.diff(marks, axis=2)) > 0.16).any(axis=0)
    step[1:] |= down
    step[:-1] |= down
    step[:, 1:] |= across
    step[:, :-1] |= across
    return np.flatnonzero(step)
