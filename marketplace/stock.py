"""What the example shop sells: its shelves, its makers, and the words about things of each kind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.utils.text import slugify
from django.utils.translation import gettext_noop

if TYPE_CHECKING:
    from marketplace.demo.photos import DemoPhoto

# Marked here, translated where they are shown.
SHELVES = [
    gettext_noop("Tableware"),
    gettext_noop("Vases"),
    gettext_noop("Textiles"),
    gettext_noop("Tiles"),
    gettext_noop("Wood"),
    gettext_noop("Light"),
    gettext_noop("Home"),
]
# Account, shop, town, about, and the materials the maker works in.
SELLERS = [
    (
        "marta",
        "Marta Ilves",
        "Hebden Bridge",
        "Throws stoneware in a former dye works, by the canal.",
        "clay",
    ),
    ("owen", "Owen Tregear", "St Ives", "Digs his own clay after storms and fires twice a month.", "clay"),
    (
        "salt",
        "Salt Lane Pottery",
        "Rye",
        "Two sisters, one salt kiln, forty years of arguing about blue.",
        "clay",
    ),
    (
        "aisha",
        "Aisha Rahman",
        "Stroud",
        "Weaves on a floor loom and dyes with what the hedges give.",
        "cloth",
    ),
    (
        "northloom",
        "North Loom",
        "Hawick",
        "A small mill shed, three looms, wool from within a day’s walk.",
        "cloth",
    ),
    ("tomas", "Tomás Finch", "Machynlleth", "Turns and carves wood that fell by itself.", "wood"),
    ("alder", "Alder & Ash", "Frome", "Boards and small furniture, oiled and never varnished.", "wood"),
    ("ingrid", "Ingrid Vale", "Whitby", "Pours beeswax in the back of an old lifeboat station.", "wax"),
]


@dataclass(frozen=True)
class Kind:
    """What is written about things of one kind: their shelf, material, prices in pounds, and words."""

    shelf: str
    material: str
    prices: tuple[int, int]
    story: str


MATERIALS = {
    "clay": (
        "Made in stoneware, dried for a week and fired to 1,260 °C; no two leave the kiln alike.",
        "The glaze is food-safe and frost-proof. A soft cloth and warm water are all it asks for.",
    ),
    "cloth": (
        "Woven on a floor loom, washed soft, and hemmed by hand with the same thread.",
        "Wash at 30 °C and dry flat. The colours settle in the first summer and then stay.",
    ),
    "wood": (
        "From storm-felled wood, dried for two years and finished with linseed oil and beeswax.",
        "Wipe it, dry it standing, and oil it when it looks thirsty: twice a year is enough.",
    ),
    "wax": (
        "Poured in small batches from English beeswax, with a cotton wick and nothing added.",
        "Trim the wick to half a centimetre, and let the first burn reach the edge.",
    ),
}
# fmt: off
KINDS = {
    "bowl": Kind("Tableware", "clay", (32, 96),
        "For soup on weekdays and for fruit the rest of the time; made to sit well in two hands."),
    "plate": Kind("Tableware", "clay", (38, 110),
        "A soft rim that keeps the sauce where it belongs, and a foot that does not scratch the table."),
    "mug": Kind("Tableware", "clay", (16, 34),
        "Room for a proper tea, and a handle that takes all four fingers."),
    "jug": Kind("Tableware", "clay", (28, 58),
        "Pours without a drip, and holds garden flowers when it is not pouring."),
    "vase": Kind("Vases", "clay", (42, 140),
        "Made for three stems rather than thirty, and good to look at with none."),
    "cloth": Kind("Textiles", "cloth", (18, 95),
        "Woven close, with weight and a good hand. It gets softer every year."),
    "tile": Kind("Tiles", "clay", (48, 120),
        "Pressed and cut one at a time; the glaze pools at the edges and catches the light."),
    "board": Kind("Wood", "wood", (36, 98),
        "For bread and cheese, and good-looking enough to stay on the table."),
    "spoon": Kind("Wood", "wood", (9, 28),
        "Carved along the grain, so that it lasts, with an edge that finds the corners."),
    "candle": Kind("Light", "wax", (12, 38),
        "Slow-burning and honey-scented, for the dark half of the year."),
}
# fmt: on
OTHER = Kind("Home", "clay", (14, 60), "To use every day, made by one person from start to finish.")
WOODS = {"ash", "beech", "cherry", "oak", "walnut", "wooden"}


def kind_of(photo: DemoPhoto) -> Kind:
    """Look a photo's kind up; what is said to be of wood is not of clay, whatever its shape."""
    kind = KINDS.get(photo.kind, OTHER)
    is_wood = kind.material == "clay" and WOODS & set(slugify(photo.title).split("-"))
    return replace(kind, shelf="Wood", material="wood") if is_wood else kind
