"""What each page asks of the database: the same however much there is, and never more than six times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from marketplace.models import Category, Product, Seller

Make = Callable[..., Product]
Count = Callable[[str], int]

# Of a visitor; who is logged in costs two more, the session and the account.
PAGES = {
    "/": 4,  # newest, their first photos, shelves with the ids of their photos, those photos
    "/all/": 4,  # shelves, makers, products, their first photos
    "/all/?sort=price&min_price=1&max_price=99": 4,
    "/c/tableware/": 4,
    "/c/tableware/?seller=marta-ilves&sort=-price": 4,
    "/search/?q=bowl": 4,
    "/search/?q=bowl&sort=newest&category=tableware": 4,
    "/shop/marta-ilves/": 4,
}


@pytest.fixture
def count(client: Client) -> Count:
    """Count the queries of a page."""

    def ask(address: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    return ask


@pytest.fixture(params=[1, 60], ids=["one product", "sixty products"])
def stock(request: pytest.FixtureRequest, make: Make, rival: Seller, vases: Category) -> Product:
    for number in range(request.param):
        make(f"Bowl {number}", photos=2 if number % 10 == 0 else 0)
    make("Vase", seller=rival, category=vases, photos=1)
    return make("The last bowl", photos=3)


@pytest.mark.parametrize("address, queries", PAGES.items())
def test_of_a_visitor(stock: Product, count: Count, address: str, queries: int) -> None:
    assert count(address) == queries


@pytest.mark.parametrize("address, queries", PAGES.items())
def test_of_a_seller(stock: Product, as_seller: Client, count: Count, address: str, queries: int) -> None:
    assert count(address) == queries + 2 <= 6


def test_of_the_product_page(stock: Product, count: Count) -> None:
    assert count(stock.get_absolute_url()) == 4  # product, photos, more, their first photos


def test_of_the_desk(stock: Product, as_seller: Client, count: Count) -> None:
    assert count("/sell/") == 5  # session, user, seller, products, first photos
    assert count(f"/sell/{stock.pk}/") == 5  # session, user, product, photos, shelves


def test_of_the_queue(stock: Product, as_moderator: Client, count: Count) -> None:
    Product.objects.update(status="pending")
    assert count("/moderation/") == 5  # session, user, products, photos, how many wait


def test_of_pages_further_on(make: Make, client: Client, count: Count) -> None:
    for number in range(60):
        make(f"Bowl {number}")
    address = "/all/?sort=price"
    for _ in range(2):
        address = client.get(address).context["next_url"]
        assert count(address) == 4
    assert count(client.get(address).context["previous_url"]) == 4


def test_of_a_photo_nothing(stock: Product, client: Client, count: Count, s3_calls: list[str]) -> None:
    """Drawing a page asks no storage, and the addresses of its pictures need no query."""
    page: Any = client.get("/all/")
    photo = page.context["products"][0].cover
    with CaptureQueriesContext(connection) as queries:
        assert photo.image.variant_url("card")
    assert (len(queries), s3_calls) == (0, [])
