"""Noise and materials: wood, glaze, clay, paper, linen.  Colours are linear light, shape (3, n)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from marketplace.demo.curves import Array, Points
from marketplace.demo.raymarch import Turned

Colour = tuple[float, float, float]

_SIDE = 64  # lattice points along an axis of the noise volume; a power of two
_LATTICE = np.random.default_rng(20261123).random(_SIDE**3, dtype=np.float32) * 2 - 1


def rgb(code: str) -> Colour:
    """A colour written as in CSS ("#a0522d"), in linear light."""
    values = [int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values)
    return r, g, b


def column(colour: Colour) -> Array:
    """The colour as a (3, 1) array."""
    return np.array(colour, np.float32)[:, None]


def mix(a: Array, b: Array, share: Array) -> Array:
    """From a to b by the share."""
    return a + (b - a) * share


def ramp(low: float, high: float, x: Array) -> Array:
    """Smooth step from 0 at `low` to 1 at `high`."""
    u = np.clip((x - low) * (1 / (high - low)), 0, 1)
    return u * u * (3 - 2 * u)


def noise(x: Array, y: Array, z: Array) -> Array:
    """Smooth value noise in -1..1, features one unit wide."""
    fx, fy, fz = np.floor(x), np.floor(y), np.floor(z)
    ix, iy, iz = (f.astype(np.int32) & (_SIDE - 1) for f in (fx, fy, fz))
    wx, wy, wz = (_quintic(c - f) for c, f in ((x, fx), (y, fy), (z, fz)))
    x1, y1, z1 = ((i + 1) & (_SIDE - 1) for i in (ix, iy, iz))
    planes = []
    for k in (iz, z1):
        base = k * (_SIDE * _SIDE)
        rows = []
        for j in (iy, y1):
            row = base + j * _SIDE
            left = _LATTICE.take(row + ix)
            rows.append(left + (_LATTICE.take(row + x1) - left) * wx)
        planes.append(rows[0] + (rows[1] - rows[0]) * wy)
    return planes[0] + (planes[1] - planes[0]) * wz


def flat_noise(x: Array, y: Array, layer: int = 0) -> Array:
    """`noise` on a plane, at less than half its price."""
    fx, fy = np.floor(x), np.floor(y)
    ix, iy = (f.astype(np.int32) & (_SIDE - 1) for f in (fx, fy))
    wx, wy = _quintic(x - fx), _quintic(y - fy)
    x1, y1 = (ix + 1) & (_SIDE - 1), (iy + 1) & (_SIDE - 1)
    rows = []
    for j in (iy, y1):
        row = j * _SIDE + (layer % _SIDE) * _SIDE * _SIDE
        left = _LATTICE.take(row + ix)
        rows.append(left + (_LATTICE.take(row + x1) - left) * wx)
    return rows[0] + (rows[1] - rows[0]) * wy


def flat_fbm(x: Array, y: Array, octaves: int, layer: int = 0) -> Array:
    """Octaves of `flat_noise`, turned between octaves so that the lattice does not show."""
    total, gain = flat_noise(x, y, layer) * 0.5, 0.25
    for k in range(1, octaves):
        x, y = 1.6 * x + 1.2 * y + 7.3, 1.6 * y - 1.2 * x + 3.1
        total += flat_noise(x, y, layer + k) * gain
        gain /= 2
    return total


def specks(x: Array, y: Array, z: Array, share: float) -> Array:
    """Round spots of many sizes, 0 or 1 with soft edges: one at most in each unit cell."""
    # Turned, so that no row of cells lies along a wall.
    x, y, z = 0.36 * x + 0.48 * y - 0.8 * z, 0.6 * y - 0.8 * x, 0.48 * x + 0.64 * y + 0.6 * z
    i, j, k = np.floor(x), np.floor(y), np.floor(z)
    a, b, c = (f.astype(np.int32) for f in (i, j, k))
    cell = ((c * 29 + b * 53) & (_SIDE - 1)) * _SIDE * _SIDE + ((b + c * 7) & (_SIDE - 1)) * _SIDE
    cell = cell + ((a + b * 11) & (_SIDE - 1))
    draw = [_LATTICE.take((cell + step) & (_SIDE**3 - 1)) for step in (0, 7919, 15013, 91193)]
    off = [f - g - 0.5 - 0.22 * d for f, g, d in zip((x, y, z), (i, j, k), draw, strict=False)]
    chance = draw[3] * 0.5 + 0.5
    size = 0.28 * np.clip(1 - chance / share, 0, 1) ** 0.7
    return ramp(1.15, 0.75, np.sqrt(off[0] ** 2 + off[1] ** 2 + off[2] ** 2) / np.maximum(size, 1e-3)) * (
        size > 0.02
    )


def per_cell(i: Array, j: Array, layer: int = 0) -> Array:
    """A random number in -1..1 for each whole-numbered cell."""
    a, b = i.astype(np.int32) & (_SIDE - 1), j.astype(np.int32) & (_SIDE - 1)
    return _LATTICE.take((layer % _SIDE) * _SIDE * _SIDE + b * _SIDE + a)


def lookup(table: Array, u: Array, v: Array, columns: int, rows: int) -> Array:
    """Smoothly interpolated values of a flattened grid."""
    u, v = np.clip(u, 0, columns - 1.001), np.clip(v, 0, rows - 1.001)
    i, j = u.astype(np.int32), v.astype(np.int32)
    fu, fv = u - i, v - j
    k = j * columns + i
    top = mix(table.take(k), table.take(k + 1), fu)
    return mix(top, mix(table.take(k + columns), table.take(k + columns + 1), fu), fv)


def _quintic(t: Array) -> Array:
    return t * t * t * (t * (t * 6 - 15) + 10)


@dataclass(kw_only=True)
class Surface:
    """What light meets at each point."""

    albedo: Array  # (3, n)
    gloss: Array  # strength of the mirror-like share
    rough: Array  # 0 a mirror, 0.5 satin
    bump: Array | None = None  # (3, n) added to the normal, in the same coordinates as the points


Material = Callable[[Array], Surface]


def _full(p: Array, value: float) -> Array:
    return np.full(p.shape[1], value, np.float32)


def plain(colour: Colour, gloss: float = 0.2, rough: float = 0.4) -> Material:
    """One colour with a slight cloudiness."""

    def surface(p: Array) -> Surface:
        cloud = 1 + 0.05 * noise(p[0] * 0.7, p[1] * 0.7, p[2] * 0.7)
        return Surface(albedo=column(colour) * cloud, gloss=_full(p, gloss), rough=_full(p, rough))

    return surface


def wood(
    light: Colour,
    dark: Colour,
    *,
    rings: float = 1.7,
    pith: tuple[float, float] = (-7.0, 2.0),
    pores: float = 0.5,
    gloss: float = 0.5,
    seed: float = 0.0,
) -> Material:
    """Oiled wood, grain along x: growth rings round a wandering pith, fibres and open pores."""

    def surface(p: Array) -> Surface:
        x, y, z = p[0] + seed * 3.1, p[1] + seed, p[2]
        wander = noise(x * 0.06, y * 0.12, z * 0.12)
        dy = p[1] - pith[0] + 1.6 * wander
        dz = z - pith[1] + 1.8 * noise(x * 0.05 + 9, y * 0.1, z * 0.1)
        ring = np.sqrt(dy * dy + dz * dz) * rings + 0.22 * noise(x * 0.25, y * 1.1, z * 1.1)
        whole = np.floor(ring)
        part = ring - whole
        late = ramp(0.25, 0.9, part) * (1 - ramp(0.93, 1.0, part))
        year = per_cell(whole, whole * 0, 3)
        fibre = noise(x * 0.7, y * 13, z * 13) + 0.6 * noise(x * 1.5 + 5, y * 26, z * 26)
        cloud = noise(x * 0.12, y * 0.3, z * 0.3 + 4)
        tone = np.clip(
            0.18 + 0.5 * late * (0.75 + 0.35 * year) + 0.11 * fibre + 0.2 * cloud + 0.1 * year, 0, 1
        )
        albedo = mix(column(light), column(dark), tone)
        pit = ramp(0.42, 0.75, noise(x * 1.3, y * 17 + 3, z * 17)) * (1 - 0.6 * late)
        albedo = albedo * (1 - pores * pit)
        # The sheen of the fibres (chatoyance) wanders with the figure.
        sheen = gloss * (1 - 0.7 * pit) * (0.9 + 0.35 * noise(x * 0.5, y * 0.9, z * 0.9))
        return Surface(albedo=albedo, gloss=sheen, rough=_full(p, 0.34) + 0.1 * pit)

    return surface


def glaze(
    profile: Points,
    colour: Colour,
    *,
    body: Colour,
    second: Colour | None = None,
    split: float = 0.0,
    inside: Colour | None = None,
    bare: float = 0.5,
    speckle: float = 0.6,
    gloss: float = 1.0,
    rough: float = 0.06,
    throwing: float = 0.03,
    rim: float = 0.25,
    seed: float = 0.0,
) -> Callable[[Turned], Material]:
    """Glazed stoneware for a thrown pot of this profile.

    Below height `bare` the clay shows; above `split` lies the `second` glaze; `speckle` iron spots;
    at the `rim` the glaze breaks to the body's colour; `throwing` is the height of the finger rings.
    """

    def on(shape: Turned) -> Material:
        curve, lip = shape.curve, shape.rim
        height = float(curve.points[:, 1].max())

        def surface(p: Array) -> Surface:
            x, y, z = p[0] + seed * 5.3, p[1] + seed * 2.7, p[2]
            s = shape.arc(p)
            within = ramp(lip - 2, lip + 2, s)
            angle = np.arctan2(p[2], p[0])
            wobble = noise(np.cos(angle) * 1.6 + seed, np.sin(angle) * 1.6, y * 0.05)
            tone = column(colour) + np.zeros_like(p)
            if second is not None:
                edge = split + 0.55 * wobble + 0.1 * noise(x * 2, y * 2, z * 2)
                over = ramp(-0.18, 0.18, p[1] - edge)
                # The seam runs: a darker band where one glaze is thick over the other.
                seam = np.exp(-(((p[1] - edge + 0.15) / 0.3) ** 2))
                tone = mix(tone, column(second), over) * (1 - 0.35 * seam)
            if inside is not None:
                tone = mix(tone, column(inside), within)
            cloud = noise(x * 0.35, y * 0.25, z * 0.35) + 0.5 * noise(x * 1.1, y * 0.5, z * 1.1)
            rings = _finger_rings(s, angle, seed)
            # Glaze runs down the wall, and lies thicker here than there.
            run = noise(np.cos(angle) * 5 + seed, np.sin(angle) * 5, y * 0.16)
            pool = noise(x * 0.22 + 7, y * 0.13, z * 0.22)
            tone = tone * (1 + 0.11 * cloud + 0.10 * pool + 0.06 * run + throwing * 0.8 * rings)
            worn = rim * (0.75 + 0.55 * noise(np.cos(angle) * 2.5 + 11, np.sin(angle) * 2.5, y * 0 + seed))
            tone = mix(tone, column(body), ramp(1.0, 0.08, np.abs(s - lip) * 0.06 / worn) * 0.7)
            spots = specks(x * 2.6, y * 2.6, z * 2.6, 0.55)
            fine = specks(x * 6.1, y * 6.1, z * 6.1, 0.75)
            iron = speckle * np.maximum(spots * 0.8, fine * 0.6) * (1 - 0.4 * within)
            tone = mix(tone, tone * column((0.30, 0.20, 0.13)), iron)
            raw = ramp(0.06, -0.06, p[1] - bare - 0.12 * wobble) * (1 - within)
            grog = noise(x * 9, y * 9, z * 9)
            tone = mix(tone, column(body) * (1 + 0.1 * grog), raw)
            # Thrown walls are never quite true; the mirror image shows it best.
            sway = throwing * rings * (1 - 0.6 * ramp(0.85 * height, height, p[1]))
            lean = 0.05 * noise(np.cos(angle) * 0.9 + seed + 20, np.sin(angle) * 0.9, y * 0.09)
            bump = np.stack([-lean * np.sin(angle), sway + 0.4 * lean, lean * np.cos(angle)])
            pit = 0.007 * noise(x * 2.3, y * 2.3, z * 2.3)
            bump = bump + np.stack([pit, pit, -pit])
            keep = 1 - raw
            return Surface(
                albedo=tone, gloss=gloss * keep + 0.08 * raw, rough=rough * keep + 0.5 * raw, bump=bump
            )

        return surface

    return on


def _finger_rings(s: Array, angle: Array, seed: float) -> Array:
    """The potter's fingers, about -1..1: a spiral of uneven pitch, deep here and wiped away there."""
    cos, sin = np.cos(angle), np.sin(angle)
    drift = 5.0 * noise(s * 0.021 + seed, cos * 0.7, sin * 0.7) + 1.6 * noise(s * 0.07 + seed, cos, sin + 5)
    wide = np.sin(0.31 * s + angle + drift)
    fine = np.sin(0.83 * s + angle + 1.7 * drift)
    kept = ramp(-0.35, 0.45, noise(s * 0.03 + seed * 3 + 9, cos * 1.1, sin * 1.1))
    return kept * (0.75 * wide + 0.3 * fine)


def linen_floor(colour: Colour, threads: float = 9.0) -> Material:
    """A tablecloth seen from some way off: just a hint of threads and slubs."""

    def surface(p: Array) -> Surface:
        x, z = p[0], p[2]
        warp = flat_noise(x * threads, z * 1.7, 1) + flat_noise(z * threads, x * 1.7, 2)
        slub = flat_noise(x * 0.4, z * threads * 0.6, 3) + flat_noise(z * 0.4, x * threads * 0.6, 4)
        albedo = column(colour) * (1 + 0.09 * warp + 0.06 * slub)
        return Surface(albedo=albedo, gloss=_full(p, 0.0), rough=_full(p, 0.6))

    return surface


def plaster(colour: Colour, contrast: float = 0.1) -> Material:
    """Limewash or concrete: cloudy, brushed."""

    def surface(p: Array) -> Surface:
        cloud = flat_fbm(p[0] * 0.09, (p[2] + p[1]) * 0.09, 5, 5)
        brush = flat_noise(p[0] * 0.5 + cloud, (p[2] + p[1]) * 2.5, 8)
        albedo = column(colour) * (1 + contrast * (1.5 * cloud + 0.25 * brush))
        return Surface(albedo=albedo, gloss=_full(p, 0.05), rough=_full(p, 0.5))

    return surface


def planks(light: Colour, dark: Colour, width: float = 11.0, pores: float = 0.35) -> Material:
    """A table top of boards lying along x."""

    def surface(p: Array) -> Surface:
        lane = np.floor(p[2] / width + 0.37)
        across = p[2] / width + 0.37 - lane
        shift = per_cell(lane, lane * 0 + 7, 9)
        q = np.stack([p[0] + 40 * shift, p[1] + 6 * shift, (across - 0.5 + 0.35 * shift) * width])
        base = wood(light, dark, rings=1.3, pith=(-4.0, 0.5), pores=pores, gloss=0.25)(q)
        gap = np.minimum(across, 1 - across) * width
        joint = 1 - 0.75 * ramp(0.09, 0.02, gap)
        base.albedo = base.albedo * (1 + 0.13 * shift) * joint
        return base

    return surface
