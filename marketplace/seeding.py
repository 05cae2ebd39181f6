"""Filling the marketplace for a demonstration: the same shop every time, and nothing twice."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core.files import File
from django.utils.text import slugify

from marketplace.models import Category, Photo, Product, Seller

if TYPE_CHECKING:
    from marketplace.demo.photos import DemoPhoto

PASSWORD = "demo"  # noqa: S105  # for a shop that listens on 127.0.0.1 only
NEWEST = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


SHELVES = ["Tableware", "Vases", "Textiles", "Tiles", "Wood", "Light", "Home"]
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
# Further things of the same subject, so that no two have the same name.
BATCHES = ("", "second batch", "with small flaws", "winter batch")


def _kind(photo: DemoPhoto) -> Kind:
    """Look a photo's kind up; what is said to be of wood is not of clay, whatever its shape."""
    kind = KINDS.get(photo.kind, OTHER)
    is_wood = kind.material == "clay" and WOODS & set(slugify(photo.title).split("-"))
    return replace(kind, shelf="Wood", material="wood") if is_wood else kind


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One product as it shall be."""

    seller: Seller
    category: Category
    title: str
    description: str
    price: Decimal
    status: str
    note: str
    created: datetime
    photos: Sequence[DemoPhoto]


@dataclass(frozen=True, kw_only=True)
class Seeded:
    """What a run has added."""

    products: int
    photos: int


def seed(
    products: int, photos: Sequence[DemoPhoto], progress: Callable[[int, int], None] | None = None
) -> Seeded:
    """Make sure that the first `products` demonstration products exist, with accounts to look after them.

    Every photo goes through the field, so each is one upload. A run that was interrupted is carried on by
    the next, and a product that is complete is left as it is. `progress` gets (done, of how many).
    """
    if not photos:
        raise ValueError("seeding needs at least one photo")
    makers, shelves = _people(), _shelves(photos)
    added = uploaded = 0
    for done, plan in enumerate(_plans(products, photos, makers, shelves), start=1):
        created, count = _carry_out(plan)
        added, uploaded = added + created, uploaded + count
        if progress:
            progress(done, products)
    return Seeded(products=added, photos=uploaded)


def _people() -> dict[str, list[Seller]]:
    """Return the sellers by material; make them, and the moderator, where they are missing."""
    users = get_user_model().objects
    secret = make_password(PASSWORD)
    users.get_or_create(
        username="admin", defaults={"password": secret, "is_staff": True, "is_superuser": True}
    )
    makers: dict[str, list[Seller]] = {}
    for username, name, town, about, material in SELLERS:
        user, _ = users.get_or_create(username=username, defaults={"password": secret})
        defaults = {"name": name, "slug": slugify(name), "town": town, "about": about}
        seller, _ = Seller.objects.get_or_create(user=user, defaults=defaults)
        makers.setdefault(material, []).append(seller)
    return makers


def _shelves(photos: Sequence[DemoPhoto]) -> dict[str, Category]:
    """Return the categories by name; make those that are missing and will not stay empty."""
    used = {_kind(photo).shelf for photo in photos}
    return {
        name: Category.objects.get_or_create(slug=slugify(name), defaults={"name": name, "order": order})[0]
        for order, name in enumerate(SHELVES, start=1)
        if name in used
    }


def _plans(
    count: int, photos: Sequence[DemoPhoto], makers: dict[str, list[Seller]], shelves: dict[str, Category]
) -> Iterator[Plan]:
    """Plan the products; the first ones are the same whatever `count` is."""
    subjects: dict[str, list[DemoPhoto]] = {}
    for photo in photos:
        subjects.setdefault(photo.subject, []).append(photo)
    groups = list(subjects.values())
    for number in range(count):
        again, which = divmod(number, len(groups))
        views = groups[which]
        kind = _kind(views[0])
        chance = random.Random(f"product {number}")  # noqa: S311  # the same shop every time, no secret
        sellers = makers[kind.material]
        status, note = _status(number)
        yield Plan(
            seller=sellers[(which + again) % len(sellers)],
            category=shelves[kind.shelf],
            title=_title(views[0].title, again),
            description="\n\n".join([kind.story, *MATERIALS[kind.material]]),
            price=Decimal(chance.randint(*kind.prices)) + chance.choice([Decimal(0), Decimal("0.5")]),
            status=status,
            note=note,
            created=NEWEST - timedelta(hours=7 * number + chance.randrange(6)),
            photos=_views(views, again, chance),
        )


def _title(name: str, again: int) -> str:
    """Name a product after its subject; each further one of the same subject says how it differs."""
    series, which = divmod(again, len(BATCHES))
    parts = [name, BATCHES[which], f"no. {series + 1}" if series else ""]
    return ", ".join(part for part in parts if part)


def _status(number: int) -> tuple[str, str]:
    """Mostly active, with a few of everything that a moderator and a seller should see."""
    if number % 12 == 5:
        return Product.Status.PENDING, ""
    if number % 14 == 9:
        return Product.Status.SOLD, ""
    if number % 20 == 13:
        return Product.Status.DRAFT, ""
    if number % 24 == 18:
        return Product.Status.REJECTED, "Please add a photo that shows the piece in daylight, from the front."
    return Product.Status.ACTIVE, ""


def _views(views: Sequence[DemoPhoto], again: int, chance: random.Random) -> list[DemoPhoto]:
    """Choose up to four photos of the subject, each later product of it beginning with another one."""
    start = again % len(views)
    return [*views[start:], *views[:start]][: chance.choice([2, 3, 4])]


def _carry_out(plan: Plan) -> tuple[bool, int]:
    """Make what is missing of a plan; return whether the product is new, and how many photos are."""
    words = {
        "category": plan.category,
        "title": plan.title,
        "description": plan.description,
        "price": plan.price,
        "created": plan.created,
        "rejection_note": plan.note,
    }
    product, is_new = Product.objects.get_or_create(
        seller=plan.seller, slug=slugify(plan.title), defaults=words
    )
    if product.status != Product.Status.DRAFT:
        return is_new, 0
    missing = list(enumerate(plan.photos, start=1))[product.photos.count() :]
    for position, view in missing:
        with view.path.open("rb") as original:
            image = File(original, name=view.path.name)
            Photo.objects.create(product=product, image=image, alt=view.alt, position=position)
    # Only now is it complete: a draft is what an interrupted run leaves for the next.
    Product.objects.filter(pk=product.pk).update(status=plan.status, updated=plan.created)
    return is_new, len(missing)
