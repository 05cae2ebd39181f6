"""Which photos the example marketplace shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from marketplace.demo.backdrop import Backdrop
from marketplace.demo.flatlay import FlatLay
from marketplace.demo.lights import EVENING, MORNING, RIGHT, SHADE, WINDOW
from marketplace.demo.profiles import BOWL, JAR
from marketplace.demo.scenes import Studio
from marketplace.demo.sets import (
    DARK_TABLE,
    GREY_LINEN,
    OAK_TABLE,
    OLIVE_LINEN,
    PALE_LINEN,
    STRIPES,
    ash_row,
    ash_stack,
    basket_weave,
    bowl_stack,
    bowls_apart,
    celadon,
    dipped_mug,
    hexes,
    linen,
    oak_board,
    one_candle,
    plate_stack,
    shot,
    speckled_mug,
    speckled_vase,
    sweep,
    table,
    tea_towel,
    three_candles,
    throw,
    walnut,
    zellige,
    zigzag,
)
from marketplace.demo.textures import rgb
from marketplace.demo.wares import IRON, WALNUT, board, pot, scaled, turned_wood

LANDSCAPE, PORTRAIT, SQUARE = (4032, 3024), (3024, 4032), (3464, 3464)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One photo: its words, its format and its scene."""

    slug: str
    kind: str
    title: str
    alt: str
    size: tuple[int, int]  # upright
    scene: Callable[[], Studio | FlatLay]
    orientation: int = 1
    exposure: float = 0.52
    iso: float = 3.2
    quality: int = 95
    detail: float = 0.5  # resolution of the rendering, as a share of the photo's

    @property
    def subject(self) -> str:
        """The product that the photo shows."""
        return self.slug.rpartition("-")[0]


RECIPES: tuple[Recipe, ...] = (
    Recipe(
        slug="walnut-bowl-01",
        kind="bowl",
        size=LANDSCAPE,
        title="Turned walnut bowl, 24 cm",
        alt="A wide bowl turned from dark walnut, growth rings sweeping across its inside, in morning light",
        scene=lambda: shot([walnut(0)], sweep("#d9cfc0"), rig=MORNING, span=38, height=30, middle=4.2),
    ),
    Recipe(
        slug="walnut-bowl-02",
        kind="bowl",
        size=SQUARE,
        title="Turned walnut bowl, 24 cm",
        alt="The walnut bowl from above: rings of the wood meet in the middle of the bowl",
        scene=lambda: shot([walnut(0.9)], sweep("#8f9a8c"), rig=RIGHT, span=33, height=56, middle=4.4),
    ),
    Recipe(
        slug="walnut-bowl-03",
        kind="bowl",
        size=PORTRAIT,
        orientation=6,
        title="Turned walnut bowl, 24 cm",
        alt="The walnut bowl on a dark table in low evening light, its thin rim glowing",
        scene=lambda: shot(
            [walnut(2.0)], table(DARK_TABLE, "#4b4f4a"), rig=EVENING, span=31, height=22, middle=4.2
        ),
        exposure=0.56,
    ),
    Recipe(
        slug="nesting-bowls-01",
        kind="bowl",
        size=LANDSCAPE,
        title="Set of three nesting bowls: ash, oak and cherry",
        alt="Three turned wooden bowls of pale ash, oak and red cherry, stacked inside one another",
        scene=lambda: shot(ash_stack(), sweep("#5f7480"), rig=WINDOW, span=37, height=26, middle=4.9),
        exposure=0.5,
    ),
    Recipe(
        slug="nesting-bowls-02",
        kind="bowl",
        size=PORTRAIT,
        orientation=8,
        title="Set of three nesting bowls: ash, oak and cherry",
        alt="The three wooden bowls side by side on a linen cloth, from large to small",
        scene=lambda: shot(
            ash_row(), Backdrop(floor=PALE_LINEN), rig=SHADE, span=50, height=44, middle=2.0, sideways=-3.0
        ),
    ),
    Recipe(
        slug="speckled-vase-01",
        kind="vase",
        size=PORTRAIT,
        orientation=6,
        title="Speckled stoneware vase, 20 cm",
        alt="A round-bellied stoneware vase in oatmeal glaze with iron speckles and a bare clay foot",
        scene=lambda: shot([speckled_vase()], sweep("#b98b76"), span=33, height=13, middle=9.8),
    ),
    Recipe(
        slug="speckled-vase-02",
        kind="vase",
        size=SQUARE,
        title="Speckled stoneware vase, 20 cm",
        alt="Close view of the vase's shoulder and neck: two glazes meet, sprinkled with iron spots",
        scene=lambda: shot(
            [speckled_vase(yaw=1.2)], sweep("#46535a"), rig=RIGHT, span=21, height=20, middle=14.2
        ),
    ),
    Recipe(
        slug="celadon-bottle-01",
        kind="vase",
        size=PORTRAIT,
        title="Celadon bottle vase, 23 cm",
        alt="A slender bottle vase under a pale green celadon glaze, the shadow of a branch behind it",
        scene=lambda: shot([celadon()], sweep("#c3a58f"), rig=SHADE, span=36, height=12, middle=11.6),
    ),
    Recipe(
        slug="celadon-bottle-02",
        kind="vase",
        size=LANDSCAPE,
        title="Celadon bottle vase, 23 cm",
        alt="Three celadon bottles of different heights and greens together on an oak table",
        scene=lambda: shot(
            [
                celadon(at=(-2.5, 0, -5)),
                celadon(0.72, "#a9bfa4", at=(10.5, 0, 1)),
                celadon(0.5, "#6f9c94", at=(-11.5, 0, 4)),
            ],
            table(OAK_TABLE, "#cfc7b8"),
            span=43,
            height=15,
            middle=10.2,
        ),
    ),
    Recipe(
        slug="moon-jar-01",
        kind="vase",
        size=SQUARE,
        title="Moon jar in cobalt glaze, 18 cm",
        alt="A nearly spherical jar in deep cobalt glaze with a short neck, on grey linen",
        scene=lambda: shot(
            [
                pot(
                    JAR,
                    rgb("#1d3f6e"),
                    body=IRON,
                    speckle=0.3,
                    bare=0.6,
                    rough=0.04,
                    throwing=0.04,
                    rim=0.5,
                    seed=3,
                )
            ],
            table(GREY_LINEN, "#c9beab"),
            rig=SHADE,
            span=30,
            height=17,
            middle=8.4,
        ),
    ),
    Recipe(
        slug="speckled-mug-01",
        kind="mug",
        size=LANDSCAPE,
        title="Speckled stoneware mug, 300 ml",
        alt="A white speckled mug with a round handle and a bare clay foot, on a grey linen cloth",
        scene=lambda: shot(
            speckled_mug(yaw=-0.5),
            table(GREY_LINEN, "#a9aca6"),
            rig=WINDOW,
            span=19,
            height=21,
            middle=4.5,
            sideways=1.0,
        ),
    ),
    Recipe(
        slug="speckled-mug-02",
        kind="mug",
        size=SQUARE,
        title="Speckled stoneware mug, 300 ml",
        alt="Two speckled mugs, one white and one sage green, standing together on oak",
        scene=lambda: shot(
            [*speckled_mug(at=(-4.9, 0, 0), yaw=-2.6), *speckled_mug("#8d9c86", at=(4.6, 0, -2.5), yaw=-0.5)],
            table(OAK_TABLE, "#d9d2c5"),
            span=27,
            height=24,
            middle=4.2,
        ),
    ),
    Recipe(
        slug="dipped-mug-01",
        kind="mug",
        size=PORTRAIT,
        orientation=6,
        title="Two-tone mug, dipped in blue",
        alt="A cream mug whose upper half is dipped in dark blue glaze, the seam running slightly",
        scene=lambda: shot(
            dipped_mug(yaw=-0.7),
            sweep("#c9a24f"),
            rig=MORNING,
            span=18.5,
            height=22,
            middle=4.5,
            sideways=1.0,
        ),
    ),
    Recipe(
        slug="dinner-plates-01",
        kind="plate",
        size=LANDSCAPE,
        title="Stoneware dinner plates, set of four",
        alt="Four stacked stoneware plates in slate blue, sage and cream on an oak table by a window",
        scene=lambda: shot(
            plate_stack(), table(OAK_TABLE, "#cbbfae"), rig=MORNING, span=38, height=24, middle=3.0, around=6
        ),
    ),
    Recipe(
        slug="dinner-plates-02",
        kind="plate",
        size=SQUARE,
        orientation=3,
        title="Stoneware dinner plates, set of four",
        alt="One slate blue plate from above on a dark table, its glaze breaking brown at the edge",
        scene=lambda: shot(plate_stack()[:1], Backdrop(floor=DARK_TABLE), span=37, height=68, middle=1.4),
        exposure=0.55,
    ),
    Recipe(
        slug="noodle-bowls-01",
        kind="bowl",
        size=LANDSCAPE,
        title="Deep noodle bowls, set of four",
        alt="A stack of four deep bowls in ink, blue, stone and rust, all cream inside, on an oak table",
        scene=lambda: shot(
            bowl_stack(), table(OAK_TABLE, "#6f7f78"), rig=MORNING, span=33, height=17, middle=8.8
        ),
    ),
    Recipe(
        slug="noodle-bowls-02",
        kind="bowl",
        size=PORTRAIT,
        title="Deep noodle bowls, set of four",
        alt="Three of the bowls side by side on an olive linen cloth, seen from above",
        scene=lambda: shot(
            bowls_apart(), Backdrop(floor=OLIVE_LINEN), rig=WINDOW, span=50, height=52, middle=1.0, around=-14
        ),
    ),
    Recipe(
        slug="oak-board-01",
        kind="board",
        size=LANDSCAPE,
        title="Oak serving board with handle, 41 cm",
        alt="An oak serving board with a rounded handle and a hole to hang it by, in the shade of leaves",
        scene=lambda: shot(
            [oak_board()], sweep("#56645f"), rig=SHADE, span=48, height=50, middle=0.5, sideways=1.0
        ),
    ),
    Recipe(
        slug="oak-board-02",
        kind="board",
        size=SQUARE,
        title="Oak serving board with handle, 41 cm",
        alt="The oak board on a dark table, with a small walnut bowl standing on it",
        scene=lambda: shot(
            [oak_board(), turned_wood(scaled(BOWL, 0.5), WALNUT, at=(-5.5, 1.9, 1.5), seed=5.0)],
            Backdrop(floor=DARK_TABLE),
            span=46,
            height=38,
            middle=1.0,
            around=8,
            sideways=2.0,
        ),
    ),
    Recipe(
        slug="striped-board-01",
        kind="board",
        size=LANDSCAPE,
        orientation=3,
        title="Striped chopping block, 38 cm",
        alt="A thick chopping block of glued walnut, ash and cherry strips with rounded edges",
        scene=lambda: shot(
            [board(STRIPES, handled=False, yaw=-0.45)],
            Backdrop(floor=PALE_LINEN),
            rig=WINDOW,
            span=50,
            height=42,
            middle=0.6,
        ),
    ),
    Recipe(
        slug="green-zellige-01",
        kind="tile",
        size=LANDSCAPE,
        title="Green zellige tiles, 10 cm, per square metre",
        alt="Hand-cut glazed tiles in many greens, each catching the light at its own angle",
        scene=lambda: zellige(9, 52, 52, 22, -24),
    ),
    Recipe(
        slug="green-zellige-02",
        kind="tile",
        size=SQUARE,
        title="Green zellige tiles, 10 cm, per square metre",
        alt="Close view of a few green tiles: chipped edges, pooled glaze and sandy grout",
        scene=lambda: zellige(9, 24, 60, 33, 30),
    ),
    Recipe(
        slug="cream-hexagons-01",
        kind="tile",
        size=PORTRAIT,
        orientation=8,
        title="Cream hexagon tiles, 9 cm",
        alt="Six-sided tiles in creamy whites with a soft gleam and grey joints",
        scene=hexes,
    ),
    Recipe(
        slug="blue-bejmat-01",
        kind="tile",
        size=LANDSCAPE,
        title="Blue bejmat tiles laid in herringbone",
        alt="Long glazed bricks in blues from ink to sky, laid in a zigzag",
        scene=zigzag,
    ),
    Recipe(
        slug="linen-cloth-01",
        kind="cloth",
        size=LANDSCAPE,
        title="Natural linen cloth, by the metre",
        alt="Close view of natural linen lying in soft folds, every thread visible",
        scene=linen,
        exposure=0.66,
    ),
    Recipe(
        slug="herringbone-throw-01",
        kind="cloth",
        size=SQUARE,
        title="Herringbone wool throw, slate and cream",
        alt="A wool throw in a bold slate and cream herringbone, with two deep folds",
        scene=lambda: throw(32, 8),
    ),
    Recipe(
        slug="mustard-cloth-01",
        kind="cloth",
        size=SQUARE,
        title="Basket-weave cotton, mustard",
        alt="Close view of thick mustard cotton in a basket weave, lying in slanting folds",
        scene=basket_weave,
        exposure=0.6,
    ),
    Recipe(
        slug="tea-towel-01",
        kind="cloth",
        size=LANDSCAPE,
        orientation=8,
        title="Checked linen tea towel",
        alt="A folded tea towel with blue checks on cream linen, lying on an oak table",
        scene=tea_towel,
    ),
    Recipe(
        slug="beeswax-candle-01",
        kind="candle",
        size=PORTRAIT,
        title="Beeswax pillar candle with dish",
        alt="A burning beeswax candle in a dark ceramic dish, before a dim green wall",
        scene=one_candle,
        exposure=0.6,
    ),
    Recipe(
        slug="candle-trio-01",
        kind="candle",
        size=LANDSCAPE,
        title="Three pillar candles",
        alt="Three burning pillar candles of different heights in ivory, honey and rust",
        scene=three_candles,
        exposure=0.6,
    ),
)
