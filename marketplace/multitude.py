"""Products by the ten thousand, to see how the shop bears them: all on sale, and sharing a few originals."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.core.files import File
from django.db import connection, transaction
from django.utils.text import slugify

from marketplace.models import Category, Photo, Product, Seller
from marketplace.stock import MATERIALS, kind_of

if TYPE_CHECKING:
    from marketplace.demo.photos import DemoPhoto

NEWEST = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
BATCH = 500  # products in memory, and in one transaction, at a time
_EVERY = timedelta(minutes=25)
_AFTER = timedelta(days=19)  # older than what is varied
_MOST_MAKERS = 100  # of one material

# fmt: off
_FIRST = ("Ada", "Bram", "Cerys", "Dov", "Edda", "Femi", "Greta", "Hugh", "Iona", "Jory",
          "Kemi", "Lorna", "Mabel", "Niall", "Orla", "Piers", "Rhona", "Seren", "Tilda", "Wren")
_LAST = ("Ashby", "Birch", "Calloway", "Denholm", "Elwood", "Fairley", "Garrow", "Hale", "Inskip", "Jessop",
         "Kerr", "Lyle", "Marlow", "Nesbit", "Oakes", "Penrose", "Quill", "Rudd", "Sorrel", "Thorne")
_TOWNS = ("Penzance", "Totnes", "Ludlow", "Hay-on-Wye", "Settle", "Alnwick", "Kendal", "Southwold", "Lewes",
          "Oban", "Ullapool", "Brecon", "Whitstable", "Corbridge", "Bakewell", "Tetbury", "Fowey", "Skipton")
_SERIES = ("Harbour", "Calder", "Moorland", "Orchard", "Lantern", "Quarry", "Saltmarsh", "Heron", "Bramble",
           "Ridgeway", "Tidewater", "Hollow", "Larch", "Kestrel", "Meadow", "Cinder", "Willow", "Fathom",
           "Juniper", "Causeway", "Thistle", "Beacon", "Rowan", "Sandpiper", "Furrow", "Gorse", "Pebble",
           "Copper", "Drift", "Ember", "Fern", "Gable", "Hearth", "Islay", "Jackdaw", "Kiln", "Lichen")
_FOR = ("for every day", "for slow mornings", "for a full table", "for two", "for a windowsill", "as a gift",
        "for a small kitchen", "for winters", "made to order", "last of the batch", "with its story",
        "from the spring market", "in a linen bag", "signed", "a pair is possible", "for the garden room",
        "for the workshop", "first of the season", "for a new home", "seconds welcome", "for guests")
_ALSO = (
    "Each one differs a little in size and shade; that is how you know it was made by a person.",
    "It comes wrapped in paper and wool, and the box is used twice.",
    "Made in runs of twelve, so that every piece gets a whole morning.",
    "If it does not suit your shelf, send it back within a month.",
    "I made the first of these for my own kitchen and have used it every day since.",
    "The pattern is my grandmother's, and the patience too.",
    "Small marks of the tools are left where a hand will find them.",
    "Ask me for a matching one: I keep notes of every batch.",
    "Sent from the workshop on Tuesdays and Fridays.",
    "Tested at our own table by two children and a cat.",
    "It looks best near a window, in the last hour of light.",
    "No two days in the workshop are the same, and neither are these.",
)
# fmt: on


def fill(
    count: int,
    views: Sequence[DemoPhoto],
    makers: dict[str, list[Seller]],
    shelves: dict[str, Category],
) -> Iterator[tuple[int, tuple[int, int]]]:
    """Make sure that `count` further products exist; yield how many are looked after, and what was added.

    A batch is there as a whole or not at all, and its dates are its own: they tell which products exist.
    """
    originals = _Originals()
    makers = _more_makers(makers, count)
    stock = _by_subject(views)
    for start in range(0, count, BATCH):
        numbers = range(start, min(start + BATCH, count))
        with transaction.atomic():
            added = _fill_batch(numbers, stock, makers, shelves, originals)
        yield numbers.stop, added
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # what is new is planned for at once, not when autovacuum comes by


def _fill_batch(
    numbers: range,
    stock: list[list[DemoPhoto]],
    makers: dict[str, list[Seller]],
    shelves: dict[str, Category],
    originals: _Originals,
) -> tuple[int, int]:
    dates = {number: _date(number) for number in numbers}
    there = set(
        Product.objects.filter(created__range=(min(dates.values()), max(dates.values()))).values_list(
            "created", flat=True
        )
    )
    missing = [number for number in numbers if dates[number] not in there]
    planned = [_product(number, dates[number], stock, makers, shelves) for number in missing]
    products = Product.objects.bulk_create([product for product, _ in planned])
    photos = [
        originals.photo(product, view, position)
        for product, (_, views) in zip(products, planned, strict=True)
        for position, view in enumerate(views, start=1)
    ]
    Photo.objects.bulk_create(photos, batch_size=2000)
    return len(products), len(photos)


class _Originals:
    """The stored originals by the photo they show: those that exist already, and the rest as it is needed."""

    def __init__(self) -> None:
        self._rows: dict[str, Photo] = {}
        for photo in Photo.objects.order_by("pk")[:2000]:
            slug = PurePosixPath(photo.image.name).name.partition(".")[0]
            self._rows.setdefault(slug, photo)

    def photo(self, product: Product, view: DemoPhoto, position: int) -> Photo:
        """Return an unsaved photo of a product that points at a stored original."""
        photo = Photo(product=product, alt=view.alt, position=position)
        if known := self._rows.get(view.slug):
            photo.image = known.image
            return photo
        with view.path.open("rb") as original:
            photo.image.save(view.path.name, File(original), save=False)
        self._rows[view.slug] = photo
        return photo


def _by_subject(views: Sequence[DemoPhoto]) -> list[list[DemoPhoto]]:
    """Return for every subject its views, and after them those of other things of the same kind."""
    subjects = list(dict.fromkeys(view.subject for view in views))
    stock = []
    for subject in subjects:
        own = [view for view in views if view.subject == subject]
        stock.append(own + [v for v in views if v.subject != subject and v.kind == own[0].kind])
    return stock


def _more_makers(named: dict[str, list[Seller]], count: int) -> dict[str, list[Seller]]:
    """Return the makers by material, the named ones first; the more products, the more makers."""
    each = min(_MOST_MAKERS, count // 400 + 1)
    materials = sorted(named)
    names = [f"{_FIRST[n % 20]} {_LAST[(n // 20 + n) % 20]}" for n in range(each * len(materials))]
    users = get_user_model().objects
    # Nobody logs in as one of so many: these accounts have no password.
    users.bulk_create(
        [users.model(username=slugify(name), password="!") for name in names],  # noqa: S106
        ignore_conflicts=True,
    )
    accounts = users.in_bulk([slugify(name) for name in names], field_name="username")
    Seller.objects.bulk_create(
        [
            Seller(
                user=accounts[slugify(name)],
                name=name,
                slug=slugify(name),
                town=_TOWNS[n % len(_TOWNS)],
                about=_ALSO[n % len(_ALSO)],
            )
            for n, name in enumerate(names)
        ],
        ignore_conflicts=True,
    )
    sellers = Seller.objects.in_bulk([slugify(name) for name in names], field_name="slug")
    return {
        material: named[material] + [sellers[slugify(name)] for name in names[which :: len(materials)]]
        for which, material in enumerate(materials)
    }


def _date(number: int) -> datetime:
    chance = random.Random(f"date {number}")  # noqa: S311  # the same shop every time, no secret
    return NEWEST - _AFTER - number * _EVERY - timedelta(seconds=chance.randrange(1, 1440))


def _product(
    number: int,
    created: datetime,
    stock: list[list[DemoPhoto]],
    makers: dict[str, list[Seller]],
    shelves: dict[str, Category],
) -> tuple[Product, list[DemoPhoto]]:
    """Return an unsaved product and the photos it shall have; the same whatever else there is."""
    chance = random.Random(f"further product {number}")  # noqa: S311  # as above
    views = chance.choice(stock)
    kind = kind_of(views[0])
    # Makers come one after another, so the first products are the same however many follow.
    known = makers[kind.material][: 3 + number // 400]
    seller = chance.choice(known[:2] if chance.random() < 0.2 else known)
    name = views[0].title.partition(",")[0]
    title = f"{name}, {chance.choice(_SERIES)} series, {chance.choice(_FOR)}"
    paragraphs = [kind.story, chance.choice(MATERIALS[kind.material]), *chance.sample(_ALSO, 2)]
    product = Product(
        seller=seller,
        category=shelves[kind.shelf],
        title=title,
        slug=slugify(title)[:120].strip("-"),
        maker_name=seller.name,
        description="\n\n".join(paragraphs),
        price=Decimal(chance.randint(*kind.prices)) + chance.choice((Decimal(0), Decimal("0.5"))),
        status=Product.Status.ACTIVE,
        created=created,
    )
    photos = chance.choice((5, 6, 7, 8, 8, 9, 10))
    first = chance.randrange(len(views))
    return product, [views[(first + step) % len(views)] for step in range(photos)]
