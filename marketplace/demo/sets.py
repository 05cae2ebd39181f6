"""Backdrops and arrangements: what the recipes of the catalogue are put together from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from marketplace.demo import cloth, tiles
from marketplace.demo.backdrop import Backdrop
from marketplace.demo.camera import Camera
from marketplace.demo.curves import Array
from marketplace.demo.flame import Flame
from marketplace.demo.flatlay import FlatLay
from marketplace.demo.lighting import Rig
from marketplace.demo.lights import DAY, EVENING, SIDE, foliage, mirror_rig
from marketplace.demo.profiles import BOTTLE, BOWL, DEEP_BOWL, DISH, PLATE, VASE
from marketplace.demo.scenes import Studio, Thing
from marketplace.demo.textures import Material, Surface, linen_floor, planks, plaster, rgb, wood
from marketplace.demo.wares import (
    ASH,
    CHERRY,
    IRON,
    OAK,
    WALNUT,
    board,
    candle,
    laminated,
    mug,
    pot,
    scaled,
    turned_wood,
)


def sweep(colour: str, *, contrast: float = 0.06, back: float = 26.0) -> Backdrop:
    """A painted or paper sweep."""
    return Backdrop(floor=plaster(rgb(colour), contrast), back=back)


def table(floor: Material, wall: str, *, back: float = 22.0, blur: float = 0.5) -> Backdrop:
    """A table that ends before a wall."""
    return Backdrop(floor=floor, wall=plaster(rgb(wall), 0.12), back=back, bend=1.0, blur=blur)


OAK_TABLE = planks(rgb("#c49d70"), rgb("#8f6539"))
DARK_TABLE = planks(rgb("#5d4130"), rgb("#2f1d14"))
PALE_LINEN = linen_floor(rgb("#d6cbb8"))
GREY_LINEN = linen_floor(rgb("#7d8284"))
OLIVE_LINEN = linen_floor(rgb("#6c6a4e"))


def on_table(material: Material) -> Callable[[Array, Array], Surface]:
    """A table's material as a pattern to lay cloth on."""
    return lambda x, z: material(np.stack([x, np.zeros_like(x), z]))


def shot(
    things: list[Thing],
    backdrop: Backdrop,
    *,
    rig: Rig = DAY,
    span: float,
    height: float,
    middle: float,
    around: float = 0.0,
    sideways: float = 0.0,
    flames: tuple[Flame, ...] = (),
) -> Studio:
    """Things on a backdrop seen by a camera aimed `middle` above the table."""
    camera = Camera(target=(sideways, middle, 0), span=span, height=height, around=around)
    return Studio(things=things, backdrop=backdrop, camera=camera, rig=rig, flames=list(flames))


# Wood.


def walnut(around: float) -> Thing:
    return turned_wood(BOWL, WALNUT, yaw=0.5 + around, seed=1.0, rings=1.9)


def ash_stack() -> list[Thing]:
    sizes, things, y = (1.0, 0.83, 0.67), [], 0.0
    for k, size in enumerate(sizes):
        tones = (ASH, OAK, CHERRY)[k]
        things.append(
            turned_wood(
                scaled(BOWL, size), tones, at=(0.0, y, 0.0), yaw=0.6 + 0.5 * k, seed=2.0 + k, pores=0.2
            )
        )
        y += 2.5 * size
    return things


def ash_row() -> list[Thing]:
    places = ((-13.5, 0.0, -3.0), (6.0, 0.0, -1.0), (2.5, 0.0, 13.5))
    return [
        turned_wood(scaled(BOWL, size), tones, at=at, yaw=0.6 + k, seed=2.0 + k, pores=0.2)
        for k, (size, tones, at) in enumerate(
            zip((0.95, 0.74, 0.56), (ASH, OAK, CHERRY), places, strict=True)
        )
    ]


STRIPES = laminated(
    (4.6, WALNUT), (1.6, ASH), (5.4, CHERRY), (1.0, ASH), (5.2, WALNUT), (1.6, ASH), (5.4, CHERRY)
)


def oak_board() -> Thing:
    material = wood(*OAK, rings=1.1, pith=(-9.0, 1.0), pores=0.4, gloss=0.3, seed=4.0)
    return board(material, handled=True, at=(-2.0, 0.0, 0.0), yaw=0.42)


# Clay.

BUFF_RED = rgb("#a8694a")


def speckled_vase(**place: Any) -> Thing:
    return pot(
        VASE,
        rgb("#e4dac6"),
        body=IRON,
        second=rgb("#f1ebdd"),
        split=11.5,
        speckle=0.85,
        bare=1.6,
        rough=0.10,
        gloss=0.8,
        throwing=0.05,
        seed=1.0,
        **place,
    )


def celadon(size: float = 1.0, colour: str = "#8fb09a", **place: Any) -> Thing:
    return pot(
        scaled(BOTTLE, size),
        rgb(colour),
        body=rgb("#d6c9ae"),
        speckle=0.12,
        bare=0.5,
        rough=0.05,
        throwing=0.035,
        seed=size * 7,
        rim=0.5,
        **place,
    )


def speckled_mug(colour: str = "#e6dfd0", **place: Any) -> list[Thing]:
    return mug(rgb(colour), body=IRON, speckle=0.8, bare=1.1, rough=0.09, gloss=0.85, throwing=0.03, **place)


def dipped_mug(**place: Any) -> list[Thing]:
    return mug(
        rgb("#e9e1cf"),
        body=BUFF_RED,
        second=rgb("#22466b"),
        split=4.6,
        inside=rgb("#e4ddcd"),
        speckle=0.35,
        bare=0.7,
        rough=0.06,
        throwing=0.03,
        **place,
    )


def plate_stack() -> list[Thing]:
    tones = ("#3d5560", "#9db0a5", "#e3d9c6", "#3d5560")
    return [
        pot(
            scaled(PLATE, 1.0),
            rgb(tone),
            at=(0.25 * (-1) ** k, 0.95 * k, 0.2 * k - 0.3),
            body=IRON,
            speckle=0.6,
            bare=0.35,
            rough=0.09,
            seed=k * 1.7,
            throwing=0.02,
            rim=0.4,
        )
        for k, tone in enumerate(tones)
    ]


def bowl_stack() -> list[Thing]:
    tones = ("#24384d", "#56788a", "#c9c3b0", "#b4694a")
    return [
        pot(
            DEEP_BOWL,
            rgb(tone),
            at=(0.06 * (-1) ** k, 3.0 * k, 0.04 * k),
            body=IRON,
            inside=rgb("#e2d8c4"),
            speckle=0.5,
            bare=0.9,
            rough=0.07,
            seed=k * 2.3,
        )
        for k, tone in enumerate(tones)
    ]


def bowls_apart() -> list[Thing]:
    places = (("#24384d", (-9.4, 0.0, -3.0)), ("#b4694a", (9.6, 0.0, -1.5)), ("#c9c3b0", (-0.6, 0.0, 14.2)))
    return [
        pot(
            DEEP_BOWL,
            rgb(tone),
            at=at,
            body=IRON,
            inside=rgb("#e2d8c4") if k != 2 else rgb("#56788a"),
            speckle=0.5,
            bare=0.9,
            rough=0.07,
            seed=k * 2.3,
        )
        for k, (tone, at) in enumerate(places)
    ]


# Light.


def one_candle() -> Studio:
    dish = pot(DISH, rgb("#33454a"), body=IRON, speckle=0.4, bare=0.3)
    things = [dish, *candle(rgb("#e8d3a2"), at=(0, 0.75, 0))]
    flame = Flame(at=(0, 10.2, 0), tall=3.0)
    backdrop = table(DARK_TABLE, "#3c4a4a", back=20)
    return shot(things, backdrop, rig=EVENING, span=24, height=16, middle=6.6, flames=(flame,))


def three_candles() -> Studio:
    places = (
        ((-7.6, 0.0, 0.0), 1.25, "#efe2c6"),
        ((1.2, 0.0, -3.0), 0.95, "#c98d5f"),
        ((7.0, 0.0, 3.0), 0.7, "#e8d3a2"),
    )
    things = [thing for at, size, tone in places for thing in candle(rgb(tone), at=at, size=size)]
    flames = tuple(Flame(at=(at[0], 8.4 * size + 1.0, at[2]), tall=2.8) for at, size, _ in places)
    return shot(things, sweep("#8d5a48"), rig=EVENING, span=32, height=17, middle=6.2, flames=flames)


# Tiles and cloth.

TERRACOTTA = rgb("#b98a66")
GREENS = tuple(rgb(c) for c in ("#123f37", "#1f5a4a", "#2f7a63", "#3f8a72", "#86b49c"))
BLUES = tuple(rgb(c) for c in ("#16304f", "#1f4b78", "#2c6491", "#6d9ab3"))
CREAMS = tuple(rgb(c) for c in ("#d9cdb4", "#e6dcc8", "#efe8d8", "#cfc3ad"))


def zellige(size: float, span: float, height: float, around: float, swing: float) -> FlatLay:
    return FlatLay(
        pattern=tiles.tiles(tiles.squares(size), GREENS, grout=rgb("#a59c8c"), body=TERRACOTTA, lean=0.05),
        camera=Camera(target=(1, 0, 2), span=span, height=height, around=around),
        rig=mirror_rig(height, around, swing),
    )


def hexes() -> FlatLay:
    return FlatLay(
        pattern=tiles.tiles(
            tiles.hexagons(9), CREAMS, grout=rgb("#8f8579"), body=TERRACOTTA, lean=0.035, mottle=0.15
        ),
        camera=Camera(target=(0, 0, 0), span=44, height=58, around=12),
        rig=mirror_rig(58, 12, 20),
    )


def zigzag() -> FlatLay:
    return FlatLay(
        pattern=tiles.tiles(
            tiles.herringbone(4.2, 3), BLUES, grout=rgb("#b9b2a6"), body=TERRACOTTA, lean=0.05
        ),
        camera=Camera(target=(0, 0, 0), span=46, height=60, around=-14),
        rig=mirror_rig(60, -14, 34),
    )


def linen() -> FlatLay:
    return FlatLay(
        pattern=cloth.woven(cloth.tabby, cloth.dyed(rgb("#b8a98f")), cloth.dyed(rgb("#c9bca4")), per_cm=8),
        camera=Camera(target=(0, 0, 0), span=24, height=78),
        heights=cloth.folds(
            (32, 2, 2.2, 2.2, 2), (41, -5, 1.5, 1.7, 2), (22, 9, 2.6, 2.0, 2), (36, -11, 2, 1.6, 2)
        ),
        rig=SIDE,
    )


def throw(span: float, around: float) -> FlatLay:
    return FlatLay(
        pattern=cloth.woven(
            cloth.twill(12), cloth.dyed(rgb("#3b4653")), cloth.dyed(rgb("#d5cdbd")), per_cm=3.6, fuzz=0.2
        ),
        camera=Camera(target=(0, 0, 0), span=span, height=76, around=around),
        heights=cloth.folds((118, 4, 2.4, 2.6, 3), (104, -9, 3.4, 2.4, 2), (124, 14, 2.4, 2.0, 2)),
        rig=SIDE,
    )


def basket_weave() -> FlatLay:
    """Two-by-two weave in mustard, in slanting folds."""
    warp, weft = cloth.dyed(rgb("#b98a34")), cloth.dyed(rgb("#caa350"))
    return FlatLay(
        pattern=cloth.woven(cloth.basket, warp, weft, per_cm=5, fuzz=0.18),
        camera=Camera(target=(0, 0, 0), span=22, height=76, around=-20),
        heights=cloth.folds((-40, -3, 2.4, 2.4, 2), (-50, 9, 3.0, 2.2, 2), (-34, -13, 2.0, 1.8, 2)),
        rig=SIDE,
    )


_CREAM, _INK = rgb("#e6dfcf"), rgb("#35506f")
_CHECK = ((16, _CREAM), (4, _INK), (3, _CREAM), (4, _INK))


def tea_towel() -> FlatLay:
    check = cloth.stripes(_CHECK)
    towel = cloth.woven(cloth.tabby, check, check, per_cm=7.5)
    return FlatLay(
        pattern=cloth.laid_on(towel, (13, 9), on_table(OAK_TABLE)),
        camera=Camera(target=(0, 0, 0), span=36, height=80, around=-14),
        heights=cloth.folded((0, 0, 13, 9, 0.5), (0.15, -0.2, 12.8, 8.8, 0.35)),
        drag=0.15,
        rig=Rig(key_at=(-56, 46, -24), aim=(0, 0, 0), power=2.9, veil=foliage),
    )
