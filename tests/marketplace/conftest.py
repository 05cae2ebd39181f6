"""A small shop to look at: photos of a few pixels, people, and a maker of products."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from marketplace.models import Category, Photo, Product, Seller
from tests.marketplace.page import Page, read


def picture(width: int = 400, height: int = 300, colour: str = "#a0522d") -> bytes:
    """Return a small JPEG."""
    buffer = BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "JPEG")
    return buffer.getvalue()


def upload(name: str = "bowl.jpg", content: bytes | None = None) -> SimpleUploadedFile:
    """Return an upload as a browser sends it; a small JPEG unless told otherwise."""
    return SimpleUploadedFile(name, picture() if content is None else content, "image/jpeg")


def sent(client: Client, path: str, data: dict[str, Any]) -> Page:
    """Send a form and look at the page that follows."""
    response = client.post(path, data, follow=True)
    assert response.status_code == 200
    return read(response.content.decode())


def edit_data(product: Product, **changes: Any) -> dict[str, Any]:
    """Return what the edit page sends when only `changes` are made."""
    data: dict[str, Any] = {
        "title": product.title,
        "category": product.category_id,
        "price": product.price,
        "description": product.description,
        "photos-TOTAL_FORMS": product.photos.count(),
        "photos-INITIAL_FORMS": product.photos.count(),
    }
    for number, photo in enumerate(product.photos.all()):
        data |= {f"photos-{number}-{name}": getattr(photo, name) for name in ("id", "alt", "position")}
    return data | changes


@pytest.fixture
def originals(tmp_path: Path) -> Callable[[], list[Path]]:
    """List the originals that are stored."""
    return lambda: sorted(path for path in (tmp_path / "originals").rglob("*") if path.is_file())


@pytest.fixture
def seller(db: None) -> Seller:
    user = get_user_model().objects.create_user("marta", password="demo")
    return Seller.objects.create(user=user, name="Marta Ilves", slug="marta-ilves", town="Hebden Bridge")


@pytest.fixture
def rival(db: None) -> Seller:
    user = get_user_model().objects.create_user("owen", password="demo")
    return Seller.objects.create(user=user, name="Owen Tregear", slug="owen-tregear", town="St Ives")


@pytest.fixture
def moderator(db: None) -> AbstractUser:
    return get_user_model().objects.create_superuser("admin", password="demo")


@pytest.fixture
def tableware(db: None) -> Category:
    return Category.objects.create(name="Tableware", slug="tableware", order=1)


@pytest.fixture
def vases(db: None) -> Category:
    return Category.objects.create(name="Vases", slug="vases", order=2)


@pytest.fixture
def make(seller: Seller, tableware: Category) -> Callable[..., Product]:
    """Make products: `make("A bowl", price="12", photos=2)`; on sale, by Marta, unless told otherwise."""

    def make_one(title: str = "A bowl", *, photos: int = 0, price: str = "20", **values: Any) -> Product:
        defaults = {
            "seller": seller,
            "category": tableware,
            "description": "Sits well in two hands.",
            "status": Product.Status.ACTIVE,
        }
        product = Product.objects.create(title=title, price=Decimal(price), **{**defaults, **values})
        for number in range(1, photos + 1):
            Photo.objects.create(
                product=product, image=upload(), alt=f"{title}, view {number}", position=number
            )
        return product

    return make_one


@pytest.fixture
def get(client: Client) -> Callable[..., Page]:
    """Look at a page the way a visitor does."""

    def look(path: str, *, status: int = 200, **query: str) -> Page:
        response = client.get(path, query)
        assert response.status_code == status, response.content.decode()[:500]
        return read(response.content.decode())

    return look


@pytest.fixture
def as_seller(client: Client, seller: Seller) -> Client:
    client.force_login(seller.user)
    return client


@pytest.fixture
def as_moderator(client: Client, moderator: AbstractUser) -> Client:
    client.force_login(moderator)
    return client
