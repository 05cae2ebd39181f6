"""Woven cloth as patterns for a flat lay, and the ways it lies."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from marketplace.demo.curves import Array
from marketplace.demo.flatlay import Heights, Pattern
from marketplace.demo.textures import Colour, Surface, column, flat_fbm, flat_noise, mix, per_cell, ramp

# For thread numbers (warp i, weft j): how far along its float the thread on top is, how long that
# float is, and whether the warp is on top.
Weave = Callable[[Array, Array], tuple[Array, float, Array]]
# The colours of numbered threads, (3, n).
Threads = Callable[[Array], Array]


def tabby(i: Array, j: Array) -> tuple[Array, float, Array]:
    """Plain weave: over one, under one."""
    return np.zeros_like(i), 1.0, np.mod(i + j, 2) < 0.5


def basket(i: Array, j: Array) -> tuple[Array, float, Array]:
    """Threads in pairs, over two, under two."""
    over = np.mod(np.floor(i / 2) + np.floor(j / 2), 2) < 0.5
    return np.where(over, np.mod(j, 2), np.mod(i, 2)), 2.0, over


def twill(turn: float = 0.0) -> Weave:
    """Two-two twill; with `turn`, the diagonal turns back after that many warp threads: herringbone."""

    def weave(i: Array, j: Array) -> tuple[Array, float, Array]:
        if turn:
            back = np.mod(np.floor(i / turn), 2) > 0.5
            step = np.where(back, -i + 1, i)
        else:
            back, step = np.zeros(i.shape, bool), i
        m = np.mod(j - step, 4)
        over = m < 2
        # Along the weft the count runs the other way, unless the diagonal has turned.
        weft = np.where(back, m - 2, 3 - m)
        return np.where(over, m, weft), 2.0, over

    return weave


def dyed(colour: Colour) -> Threads:
    """All threads of one colour, each a shade different."""

    def threads(k: Array) -> Array:
        return column(colour) * (1 + 0.10 * per_cell(k, k * 0 + 3, 30))

    return threads


def stripes(bands: tuple[tuple[int, Colour], ...]) -> Threads:
    """Repeating bands of so many threads of a colour."""
    colours = [colour for count, colour in bands for _ in range(count)]
    table = np.array(colours, np.float32).T

    def threads(k: Array) -> Array:
        return table[:, np.mod(k, len(colours)).astype(np.int32)] * (1 + 0.09 * per_cell(k, k * 0 + 5, 31))

    return threads


def woven(weave: Weave, warp: Threads, weft: Threads, *, per_cm: float, fuzz: float = 0.15) -> Pattern:
    """Cloth of round yarns with slubs and twist."""

    def pattern(x: Array, z: Array) -> Surface:
        # Hand-woven threads wander a little.
        a = (x + 0.10 * flat_noise(x * 0.35, z * 0.5, 32)) * per_cm
        b = (z + 0.10 * flat_noise(x * 0.5, z * 0.35, 33)) * per_cm
        i, j = np.floor(a), np.floor(b)
        u, v = a - i - 0.5, b - j - 0.5
        step, length, over = weave(i, j)
        thick = 0.5 * (
            0.93 + 0.11 * np.where(over, flat_noise(i * 9.7, b * 0.12, 34), flat_noise(j * 9.7, a * 0.12, 35))
        )
        across = np.clip(np.where(over, u, v) / thick, -1, 1)
        run = np.clip((step + np.where(over, v, u) + 0.5) / length, 0, 1) * 2 - 1
        round_ = np.sqrt(1 - 0.98 * across * across)
        crown = 1 - run * run * np.abs(run)
        tall = round_ * (0.45 + 0.55 * crown)
        # The yarn's own twist, and stray fibres.
        along = np.where(over, b, a)
        twist = np.sin(6.2832 * (along * 1.7 + across * 0.8 + 0.4 * flat_noise(a * 0.7, b * 0.7, 36)))
        fibre = flat_noise(a * 3.1 + b * 2.2, b * 3.1 - a * 2.2, 37) + flat_fbm(a * 0.3, b * 0.3, 3, 38)
        tone = np.where(over, warp(i), weft(j))
        shade = (0.16 + 0.84 * tall) * (1 + 0.07 * twist + fuzz * fibre)
        lean = 0.75 * across * (0.4 + 0.6 * round_)
        climb = 0.6 * run * np.abs(run)
        bump = np.stack(
            [np.where(over, lean, climb) + 0.10 * twist, np.zeros_like(x), np.where(over, climb, lean)]
        )
        return Surface(
            albedo=tone * shade, gloss=0.10 * tall, rough=np.full(x.shape, 0.5, np.float32), bump=bump * 0.8
        )

    return pattern


def laid_on(cloth: Pattern, half: tuple[float, float], table: Pattern, corner: float = 0.4) -> Pattern:
    """A rectangle of cloth on a table; its edge carries a stitched hem."""

    def pattern(x: Array, z: Array) -> Surface:
        top, under = cloth(x, z), table(x, z)
        inside = -_outside(x, z, half, corner)
        on = ramp(-0.03, 0.03, inside)
        seam = np.exp(-(((inside - 1.1) / 0.10) ** 2)) * ramp(
            0.35, 0.15, np.abs(np.mod(x + z, 0.8) / 0.8 - 0.5)
        )
        top.albedo = top.albedo * (1 - 0.35 * seam)
        bump = None if top.bump is None else top.bump * on
        return Surface(
            albedo=mix(under.albedo, top.albedo, on),
            gloss=mix(under.gloss, top.gloss, on),
            rough=mix(under.rough, top.rough, on),
            bump=bump,
        )

    return pattern


def _outside(x: Array, z: Array, half: tuple[float, float], corner: float) -> Array:
    wave = 0.25 * flat_noise(x * 0.11, z * 0.11, 40)
    dx, dz = np.abs(x) - half[0] + corner + wave, np.abs(z) - half[1] + corner + wave
    beyond = np.sqrt(np.maximum(dx, 0) ** 2 + np.maximum(dz, 0) ** 2)
    return beyond + np.minimum(np.maximum(dx, dz), 0) - corner


def folds(*ridges: tuple[float, float, float, float, float]) -> Heights:
    """Soft folds: each (direction in degrees, offset, width, height, sway) runs right across."""

    def heights(x: Array, z: Array) -> Array:
        total = 0.35 * flat_fbm(x * 0.05, z * 0.05, 3, 41)
        for number, (turn, offset, width, height, sway) in enumerate(ridges):
            c, s = float(np.cos(np.radians(turn))), float(np.sin(np.radians(turn)))
            along, off = x * c + z * s, z * c - x * s - offset
            off = off + sway * flat_noise(along * 0.07, along * 0 + number * 3.3, 42)
            swell = 1 + 0.35 * flat_noise(along * 0.09, along * 0 + number * 5.1, 43)
            total = total + height * swell * np.exp(-(np.abs(off / (width * swell)) ** 2.2))
        return total

    return heights


def folded(*layers: tuple[float, float, float, float, float]) -> Heights:
    """A folded pile: each layer (centre x, centre z, half x, half z, thickness) with a soft edge."""

    def heights(x: Array, z: Array) -> Array:
        total = np.zeros_like(x)
        for cx, cz, hx, hz, thick in layers:
            inside = np.clip(-_outside(x - cx, z - cz, (hx, hz), 0.6) / (1.1 * thick), 0, 1)
            total = total + thick * np.sqrt(inside * (2 - inside))
        cloth = ramp(0.02, 0.2, total)
        return total + cloth * 0.18 * flat_fbm(x * 0.10, z * 0.10, 3, 44)

    return heights
