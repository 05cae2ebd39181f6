"""The goods: pots, turned wood, boards and candles, each a shape with its material."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from marketplace.demo.curves import Array, Points
from marketplace.demo.profiles import BOARD, CANDLE, HOLE, MUG, PLANK, WICK
from marketplace.demo.raymarch import Handle, Placed, Slab, turned
from marketplace.demo.scenes import Thing
from marketplace.demo.textures import Colour, Material, Surface, glaze, noise, plain, rgb, wood

Where = tuple[float, float, float]
ORIGIN: Where = (0.0, 0.0, 0.0)

IRON = rgb("#6b4a35")
BUFF = rgb("#c4a27c")
WALNUT = (rgb("#7f5a41"), rgb("#37231a"))
ASH = (rgb("#dcc19a"), rgb("#a97f52"))
OAK = (rgb("#c39a68"), rgb("#84592f"))
CHERRY = (rgb("#b87548"), rgb("#7d4427"))


def scaled(profile: Points, factor: float) -> Points:
    """The same pot, larger or smaller."""
    return tuple((x * factor, y * factor) for x, y in profile)


def turned_wood(
    profile: Points,
    tones: tuple[Colour, Colour],
    *,
    at: Where = ORIGIN,
    yaw: float = 0.4,
    seed: float = 0.0,
    pores: float = 0.5,
    gloss: float = 0.55,
    rings: float = 1.7,
) -> Thing:
    """A turned piece of wood."""
    light, dark = tones
    r, g, b = (0.5 * share + 0.02 for share in light)
    return Thing(
        placed=Placed(shape=turned(profile), at=at, yaw=yaw),
        material=wood(light, dark, seed=seed, pores=pores, gloss=gloss, rings=rings),
        bounce=(r, g, b),
    )


def pot(
    profile: Points,
    colour: Colour,
    *,
    at: Where = ORIGIN,
    yaw: float = 0.0,
    pitch: float = 0.0,
    body: Colour = BUFF,
    **glazing: Any,
) -> Thing:
    """A thrown pot, glazed (see `textures.glaze`)."""
    shape = turned(profile)
    material = glaze(profile, colour, body=body, **glazing)(shape)
    seen = glazing.get("inside", colour)
    return Thing(
        placed=Placed(shape=shape, at=at, yaw=yaw, pitch=pitch),
        material=material,
        bounce=tuple(0.6 * a for a in seen),
    )


@lru_cache(maxsize=1)
def _handle() -> Handle:
    return Handle(
        ((4.5, 7.4), (5.6, 7.75), (6.9, 7.0), (7.25, 5.2), (6.7, 3.5), (5.6, 2.5), (4.5, 2.5)), 0.42, 1.6, 0.5
    )


def mug(
    colour: Colour, *, at: Where = ORIGIN, yaw: float = 0.0, body: Colour = BUFF, **glazing: Any
) -> list[Thing]:
    """A mug: the thrown cup and its pulled handle, under one glaze."""
    cup = pot(MUG, colour, at=at, yaw=yaw, body=body, **glazing)
    handle = Thing(placed=Placed(shape=_handle(), at=at, yaw=yaw), material=cup.material, bounce=cup.bounce)
    return [cup, handle]


@lru_cache(maxsize=2)
def _slab(handled: bool) -> Slab:
    return Slab(BOARD, (HOLE,), 1.9, 0.5) if handled else Slab(PLANK, (), 2.6, 0.45)


def board(
    material: Material, *, handled: bool, at: Where = ORIGIN, yaw: float = 0.0, pitch: float = 0.0
) -> Thing:
    """A chopping board: with a handle and a hole, or a plain block."""
    return Thing(placed=Placed(shape=_slab(handled), at=at, yaw=yaw, pitch=pitch), material=material)


def laminated(*strips: tuple[float, tuple[Colour, Colour]]) -> Material:
    """Strips of different woods glued side by side, each so many centimetres wide."""
    edges = np.cumsum([0.0] + [width for width, _ in strips])
    edges = edges - edges[-1] / 2
    woods = [
        wood(*tones, seed=3.7 * k, pith=(-6.0 - k, 1.5 * (-1) ** k), pores=0.25, rings=1.4)
        for k, (_, tones) in enumerate(strips)
    ]

    def surface(p: Array) -> Surface:
        lane = np.clip(np.searchsorted(edges, p[2]) - 1, 0, len(strips) - 1)
        result = woods[0](p)
        for k in range(1, len(strips)):
            mine = np.flatnonzero(lane == k)
            part = woods[k](p[:, mine])
            result.albedo[:, mine], result.gloss[mine] = part.albedo, part.gloss
        line = np.min(np.abs(p[2][None] - edges[1:-1, None]), axis=0)
        result.albedo = result.albedo * (1 - 0.35 * np.exp(-((line / 0.035) ** 2))).astype(np.float32)
        return result

    return surface


def wax(colour: Colour) -> Material:
    """Beeswax: matt bloom, and a glow below the flame where light seeps through."""
    base = plain(colour, gloss=0.25, rough=0.35)

    def surface(p: Array) -> Surface:
        result = base(p)
        bloom = 1 + 0.07 * noise(p[0] * 1.5, p[1] * 1.5, p[2] * 1.5) + 0.08 * noise(p[0], p[1] * 0.3, p[2])
        # Poured wax shrinks as it cools: dents, and the marks of the mould's wall.
        dent = 0.09 * noise(p[0] * 0.8 + 3, p[1] * 0.45, p[2] * 0.8)
        grain = 0.03 * noise(p[0] * 4, p[1] * 1.2, p[2] * 4)
        result.bump = np.stack([dent, grain, -dent])
        seep = np.exp(np.minimum(p[1] - 9.0, 0) * 0.42)
        warm = np.array([[1.0], [0.72], [0.36]], np.float32)
        result.albedo = result.albedo * bloom * (1 + 1.5 * seep * warm)
        return result

    return surface


def candle(colour: Colour, *, at: Where = ORIGIN, size: float = 1.0) -> list[Thing]:
    """A pillar candle and its wick."""
    x, y, z = at
    body = Thing(
        placed=Placed(shape=turned(scaled(CANDLE, size)), at=at),
        material=wax(colour),
        bounce=(0.5, 0.35, 0.2),
    )
    wick = Thing(
        placed=Placed(shape=turned(WICK), at=(x, y + 8.4 * size, z)),
        material=plain(rgb("#2a211c"), 0.05, 0.5),
    )
    return [body, wick]
