"""The home page."""

from __future__ import annotations

from collections.abc import Callable

from marketplace.models import Category, Product, Seller
from tests.marketplace.page import Page

Make, Get = Callable[..., Product], Callable[..., Page]


def test_it_shows_shelves_what_is_new_and_who_makes_it(
    make: Make, get: Get, vases: Category, rival: Seller
) -> None:
    for number in range(10):
        make(f"Bowl {number}", photos=1)
    make("Blue vase", category=vases, seller=rival)
    make("Secret", status="draft", photos=1)
    page = get("/")
    # Bowl 9 is the newest with a wide photo, and shown at large.
    assert page.titles == ["Blue vase", *(f"Bowl {number}" for number in range(8, 1, -1))]
    links = {link["href"] for link in page.all("a")}
    assert {"/c/tableware/", "/c/vases/", "/shop/marta-ilves/", "/shop/owen-tregear/", "/all/"} <= links
    assert any("Bowl 9" in link.text for link in page.all("a"))
    assert "Secret" not in page.text


def test_a_shelf_is_shown_by_the_first_photo_of_its_newest_product(make: Make, vases: Category) -> None:
    make("Old", photos=1)
    new = make("New", photos=2)
    make("Without")
    make("Not public", status="pending", photos=1)
    tableware, empty = Category.objects.with_cover()
    assert tableware.cover == new.photos.first()
    assert empty.cover is None


def test_an_empty_shop_has_a_home_page_too(db: None, get: Get) -> None:
    page = get("/")
    assert page.titles == []
    assert page.all("a", href="/sell/new/")
