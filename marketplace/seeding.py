"""Filling the marketplace for a demonstration: the same shop every time, and nothing twice."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core.files import File
from django.utils.text import slugify

from marketplace.models import Category, Photo, Product, Seller
from marketplace.multitude import NEWEST, fill
from marketplace.stock import MATERIALS, SELLERS, SHELVES, kind_of

if TYPE_CHECKING:
    from marketplace.demo.photos import DemoPhoto

PASSWORD = "demo"  # noqa: S105  # for a shop that listens on 127.0.0.1 only
# So many are varied, with photos of their own: what people look at. Those beyond are there for their number.
VARIED = 60
# Further things of the same subject, so that no two have the same name.
BATCHES = ("", "second batch", "with small flaws", "winter batch")


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

    Of the first 60, every photo goes through the field, so each is one upload; further products are all on
    sale and share those originals. With more than 60, so many are on sale, beside those that are not. A run
    that was interrupted is carried on by the next, and a product that is complete is left as it is.
    `progress` gets (done, of how many).
    """
    if not photos:
        raise ValueError("seeding needs at least one photo")
    further = products - VARIED + sum(not _is_on_sale(number) for number in range(VARIED))
    total = products if products <= VARIED else VARIED + further
    makers, shelves = _people(), _shelves(photos)
    added = uploaded = 0
    for done, plan in enumerate(_plans(min(products, VARIED), photos, makers, shelves), start=1):
        created, count = _carry_out(plan)
        added, uploaded = added + created, uploaded + count
        if progress:
            progress(done, total)
    if products > VARIED:
        for done, (created, count) in fill(further, photos, makers, shelves):
            added, uploaded = added + created, uploaded + count
            if progress:
                progress(VARIED + done, total)
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
    used = {kind_of(photo).shelf for photo in photos}
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
        kind = kind_of(views[0])
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


def _is_on_sale(number: int) -> bool:
    return _status(number)[0] == Product.Status.ACTIVE


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
