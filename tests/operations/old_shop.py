"""A shop as it was before lazyimages: originals and sizes of then side by side, for docs/operations.md.

Everything is fixed, names and dates, so that the commands say the same every time.
"""

import os
import time
from pathlib import Path
from random import Random

from django.contrib.auth.models import User

from marketplace.models import Category, Photo, Product, Seller
from tests.conftest import jpeg

PRODUCTS, PHOTOS = 60, 3
OLD_SIZES = {"360x270": (360, 270), "100x100": (100, 100)}
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789"
_DAY = 86_400


def build(folder: Path) -> None:
    """Put the files below a folder, and the rows into the database, without dimensions."""
    rows = Random(7)
    user = User.objects.create(username="marta")
    seller = Seller.objects.create(user=user, name="Marta Ilves", slug="marta-ilves", town="Tartu")
    shelf = Category.objects.create(name="Bowls", slug="bowls")
    pictures = [jpeg(1600, 1200), jpeg(1200, 1600, orientation=6), jpeg(2400, 1600)]
    small = {name: jpeg(*size) for name, size in OLD_SIZES.items()}
    for number in range(227_601, 227_601 + PRODUCTS):
        product = Product.objects.create(
            pk=number, seller=seller, category=shelf, title=f"Bowl {number}", slug=f"bowl-{number}", price=20
        )
        for position in range(PHOTOS):
            name = f"img.{''.join(rows.choices(_LETTERS, k=10))}.jpg"
            path = folder / f"produs_{number}" / name
            _write(path, pictures[position])
            for size, data in small.items():
                if size == "360x270" or position == 0:
                    _write(path.parent / size / name, data)
            if number % 10 == 0 and position == 0:
                _write(path.parent / "thumb" / name, small["100x100"])
            Photo(product=product, image=path.relative_to(folder).as_posix(), position=position).save_base(
                raw=True
            )
    _write(folder / "produs_227601" / "readme.txt", b"shot in the garden")
    _write(folder / "banners" / "480w" / "summer.jpg", small["360x270"])
    _write(folder / "catalogue.pdf", b"%PDF-1.4")


def spoil(folder: Path) -> None:
    """Do what happens in a year: one file is lost, one is torn, and one row points elsewhere."""
    first, second, third = Photo.objects.order_by("pk")[:3]
    (folder / first.image.name).unlink()
    torn = folder / second.image.name
    torn.write_bytes(torn.read_bytes()[:150])
    Photo.objects.filter(pk=third.pk).update(image="../backup/img.jpg")


def leave_behind(folder: Path) -> None:
    """Remove rows by SQL, so that nothing hears of it, and an original by hand."""
    rows = list(Photo.objects.order_by("-pk")[:6])
    Photo.objects.filter(pk__in=[row.pk for row in rows[:4]])._raw_delete("default")
    (folder / rows[4].image.name).unlink()
    Photo.objects.filter(pk=rows[4].pk)._raw_delete("default")


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    then = time.time() - 400 * _DAY
    os.utime(path, (then, then))
