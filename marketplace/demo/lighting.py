"""A small photo studio: one soft box, a fill card, a dim room, and what they do to a surface."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from marketplace.demo.curves import Array
from marketplace.demo.raymarch import Placed, dot, openness, unit
from marketplace.demo.textures import Colour, Surface, column, mix, ramp

# Where on the soft box its light is sampled, as shares of its half sides.
_SPOTS = ((-0.6, -0.55), (0.05, -0.7), (0.65, -0.45), (-0.65, 0.35), (0.0, 0.1), (0.6, 0.6), (-0.1, 0.75))


@dataclass(frozen=True, kw_only=True)
class Rig:
    """The lights of a picture; positions in centimetres, the subject round the origin."""

    key_at: tuple[float, float, float] = (-38.0, 52.0, 22.0)
    key_half: tuple[float, float] = (17.0, 17.0)
    key: Colour = (1.0, 0.965, 0.91)
    power: float = 2.6
    fill_from: tuple[float, float, float] = (0.9, 0.35, 0.45)
    fill: Colour = (0.50, 0.54, 0.60)
    room: Colour = (0.34, 0.36, 0.39)
    ground: Colour = (0.35, 0.33, 0.30)
    aim: tuple[float, float, float] = (0.0, 5.0, 0.0)
    # What hangs between key and subject: the share of light that passes, by centimetres right and up.
    veil: Callable[[Array, Array], Array] | None = None

    def passed(self, p: Array) -> Array:
        """Share of the key light that the veil lets through to points."""
        if self.veil is None:
            return np.ones(p.shape[1], np.float32)
        _, _, right, up = (v[:, None] for v in self.box())
        off = p - np.array(self.aim, np.float32)[:, None]
        return self.veil(dot(off, right), dot(off, up))

    def box(self) -> tuple[Array, Array, Array, Array]:
        """Centre, facing direction and the two unit sides of the soft box."""
        centre, aim = np.array(self.key_at, np.float32), np.array(self.aim, np.float32)
        facing = unit((aim - centre)[:, None])[:, 0]
        right = unit(np.cross(facing, np.array((0, 1, 0), np.float32))[:, None])[:, 0]
        return centre, facing, right, np.cross(right, facing)

    def surroundings(self, ray: Array) -> Array:
        """Radiance that comes from the room without the soft box."""
        fill = unit(np.array(self.fill_from, np.float32)[:, None])
        toward = np.clip(dot(fill, ray), 0, 1)
        up = ramp(-0.25, 0.8, ray[1])
        light = mix(column(self.ground), column(self.room) * (0.55 + 0.75 * up), ramp(-0.12, 0.12, ray[1]))
        return light + column(self.fill) * (toward * toward * toward)

    def reflection(self, p: Array, ray: Array, rough: Array) -> Array:
        """How much of the soft box a mirror at p would show along the ray, blurred by roughness."""
        centre, facing, right, up = (v[:, None] for v in self.box())
        toward = dot(ray, facing)
        distance = dot(centre - p, facing) / np.minimum(toward, -1e-3)
        at = p + distance * ray - centre
        seen = (toward < -1e-3) & (distance > 0)
        total = np.ones(p.shape[1], np.float32)
        for side, half in ((right, self.key_half[0]), (up, self.key_half[1])):
            blur = 1.2 + rough * np.minimum(distance, 400) * 1.3
            total *= ramp(1.0, -1.0, (np.abs(dot(at, side)) - half) / blur) * half / (half + 0.35 * blur)
        return np.where(seen, total, 0)

    def bake(
        self, items: Sequence[Placed], p: Array, normal: Array, bounce: Array | None = None, spots: int = 7
    ) -> tuple[Array, Array]:
        """Irradiance from the key (n) and from the room (3, n) at points that items may shade."""
        centre, facing, right, up = (v[:, None] for v in self.box())
        p = p + normal * 0.02
        key = np.zeros(p.shape[1], np.float32)
        reference = float(np.sum((np.array(self.key_at) - np.array(self.aim)) ** 2))
        for a, b in _SPOTS[:spots]:
            to = centre + right * (a * self.key_half[0]) + up * (b * self.key_half[1]) - p
            far2 = dot(to, to)
            ray = to / np.sqrt(far2)
            slope = np.maximum(dot(ray, normal), 0) * np.maximum(-dot(ray, facing), 0)
            lit = np.flatnonzero(slope > 0)
            free = openness(items, p[:, lit], ray[:, lit], 90, 0.11, 26)
            key[lit] += free * slope[lit] * (reference / far2[lit])
        return key * (self.power / spots), self._ambient(items, p, normal, bounce)

    def _ambient(self, items: Sequence[Placed], p: Array, normal: Array, bounce: Array | None) -> Array:
        total = np.zeros_like(p)
        side = unit(np.stack([normal[2] + 1e-3, np.zeros_like(normal[0]), -normal[0]]))
        other = np.stack(
            [
                normal[1] * side[2] - normal[2] * side[1],
                normal[2] * side[0] - normal[0] * side[2],
                normal[0] * side[1] - normal[1] * side[0],
            ]
        )
        rays = [(0.0, 0.0, 2.0)] + [(0.55, k * np.pi * 0.4, 1.0) for k in range(5)]
        rays += [(0.87, (k + 0.5) * np.pi / 3, 0.8) for k in range(6)]
        for sine, turn, weight in rays:
            cosine = float(np.sqrt(1 - sine * sine))
            ray = normal * cosine + side * float(sine * np.cos(turn)) + other * float(sine * np.sin(turn))
            free = openness(items, p, ray, 30, 0.33, 11)
            # Light that comes off the floor close by has itself been shaded.
            near_floor = np.where(ray[1] < 0, ramp(-1.0, 7.0, p[1] / np.maximum(-ray[1], 0.2)), 1)
            total += weight * mix(_bounced(bounce, p), self.surroundings(ray) * near_floor, free)
        return total / sum(weight for _, _, weight in rays)

    def shade(self, p: Array, ray: Array, normal: Array, surface: Surface, key: Array, room: Array) -> Array:
        """Radiance towards the camera (which looks along `ray`) of lit points."""
        bent = normal
        to_key = unit(np.array(self.key_at, np.float32)[:, None] - p)
        straight = np.maximum(dot(normal, to_key), 0)
        if surface.bump is not None:
            bent = unit(normal + surface.bump)
            key = key * (np.maximum(dot(bent, to_key), 0) + 0.2) / (straight + 0.2)
        diffuse = surface.albedo * (column(self.key) * key + room)
        facing = np.clip(-dot(bent, ray), 0, 1)
        mirror = ray + bent * (2 * facing)
        fresnel = (0.045 + 0.955 * (1 - facing) ** 5 * (1 - surface.rough)) * surface.gloss
        seen = np.clip(key / (self.power * (straight + 0.08)), 0, 1)
        box = self.reflection(p, mirror, surface.rough) * seen
        open_room = np.clip(room.mean(axis=0) / 0.42, 0, 1.1)
        gleam = column(self.key) * (box * self.power * 7) + self.surroundings(mirror) * open_room
        return diffuse * (1 - 0.5 * fresnel) + gleam * fresnel


def _bounced(bounce: Array | None, p: Array) -> Array:
    return np.zeros_like(p) if bounce is None else np.broadcast_to(bounce, p.shape)
