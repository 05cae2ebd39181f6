"""Paging by keys: every row once, in order, both ways; and a cursor that is no good is page one."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from marketplace import paging
from marketplace.catalogue import NEWEST, OLDEST, ORDERS
from marketplace.models import Category, Product, Seller
from marketplace.paging import Order, cursor_at, page
from tests.marketplace.page import Page

Make, Get = Callable[..., Product], Callable[..., Page]

ALL = [NEWEST, OLDEST, *(order for _, order in ORDERS.values())]


@pytest.fixture
def rows(seller: Seller, tableware: Category) -> list[Product]:
    """Twenty products, many with the same price and the same date."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return Product.objects.bulk_create(
        Product(
            seller=seller,
            category=tableware,
            title=f"Bowl {number:02}",
            slug="bowl",
            description="Round.",
            price=Decimal("10.33") + number % 3,
            status="active",
            created=start + timedelta(microseconds=number // 4),
        )
        for number in range(20)
    )


def walk(order: Order, size: int, **options: Any) -> tuple[list[list[int]], list[list[int]]]:
    """Return the pages from the first to the last, and those from the last back to the first."""
    there, cursor = [], ""
    for _ in range(30):
        found = page(Product.objects.all(), order, cursor, size, **options)
        there.append([row.pk for row in found.rows])
        if not found.next:
            break
        cursor = found.next
    assert not found.next
    back = [there[-1]]
    for _ in there[1:]:
        found = page(Product.objects.all(), order, found.previous, size, **options)
        back.insert(0, [row.pk for row in found.rows])
        assert found.next
    assert not found.previous
    return there, back


@pytest.mark.parametrize("order", ALL, ids=lambda order: order.name)
@pytest.mark.parametrize("size", [1, 3, 7, 10, 19, 20, 21])
def test_every_row_comes_once_in_order_and_back(rows: list[Product], order: Order, size: int) -> None:
    there, back = walk(order, size)
    assert [pk for page in there for pk in page] == [row.pk for row in order.sort(Product.objects.all())]
    assert all(len(page) == size for page in there[:-1])
    assert back == there


@pytest.mark.parametrize("order", ALL, ids=lambda order: order.name)
def test_a_window_changes_nothing(rows: list[Product], order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "WINDOW", 8)
    assert walk(order, 7, fetch=Product.objects.with_cover()) == walk(order, 7)


def test_a_page_is_one_query_both_ways(rows: list[Product], django_assert_num_queries: Any) -> None:
    products = Product.objects.all()
    with django_assert_num_queries(1):
        first = page(products, NEWEST, "", 5)
    with django_assert_num_queries(1):
        second = page(products, NEWEST, first.next, 5)
    with django_assert_num_queries(1):
        assert page(products, NEWEST, second.previous, 5).rows == first.rows


def test_new_rows_before_a_page_move_nothing_on_it(rows: list[Product], make: Make) -> None:
    first = page(Product.objects.all(), NEWEST, "", 5)
    before = page(Product.objects.all(), NEWEST, first.next, 5).rows
    make("New")
    assert page(Product.objects.all(), NEWEST, first.next, 5).rows == before


def test_a_way_back_that_has_become_short_is_page_one(rows: list[Product]) -> None:
    products = Product.objects.all()
    first = page(products, NEWEST, "", 5)
    second = page(products, NEWEST, first.next, 5)
    Product.objects.filter(pk=first.rows[0].pk).delete()
    found = page(products, NEWEST, second.previous, 5)
    assert [row.pk for row in found.rows] == [row.pk for row in NEWEST.sort(products)[:5]]
    assert (found.previous, bool(found.next)) == ("", True)


def test_a_page_whose_rows_are_gone_is_page_one(rows: list[Product]) -> None:
    products = Product.objects.all()
    last = cursor_at(NEWEST.sort(products).last(), NEWEST, "after")
    assert page(products, NEWEST, last, 5).rows == page(products, NEWEST, "", 5).rows


def test_cursors_that_are_no_good_are_page_one(rows: list[Product]) -> None:
    products = Product.objects.all()
    good = page(products, NEWEST, "", 5).next
    price = ORDERS["price"][1]
    bad = [
        "2",
        "0",
        "x" * 400,
        "é",
        "\x00",
        ".",
        good[:-1],
        good[1:],
        good.swapcase(),
        f"{good} ",
        page(products, price, "", 5).next,  # of another order
    ]
    expected = page(products, NEWEST, "", 5)
    for cursor in bad:
        assert page(products, NEWEST, cursor, 5) == expected, cursor


def test_pages_hold_24_and_keep_the_filters(make: Make, get: Get) -> None:
    for number in range(60):
        make(f"Bowl {number:02}")
    first = get("/search/", q="bowl", sort="price")
    assert len(first.titles) == 24
    assert first.link("prev") == ""
    query = parse_qs(urlsplit(first.link("next")).query)
    assert (query["q"], query["sort"], len(query["page"])) == (["bowl"], ["price"], 1)
    second = get(first.link("next"))
    third = get(second.link("next"))
    assert first.titles + second.titles + third.titles == [f"Bowl {number:02}" for number in range(60)]
    assert third.link("next") == ""
    assert get(third.link("prev")).titles == second.titles
    back = get(get(third.link("prev")).link("prev"))
    assert (back.titles, back.link("prev")) == (first.titles, "")


@pytest.mark.parametrize("cursor", ["2", "-1", "two", "9" * 400, "\x00"])
def test_a_senseless_page_is_the_first(make: Make, get: Get, cursor: str) -> None:
    for number in range(30):
        make(f"Bowl {number}")
    assert get("/all/", page=cursor).titles[0] == "Bowl 29"


def test_the_number_of_pieces_is_told_where_it_is_known(make: Make, get: Get) -> None:
    for number in range(24):
        make(f"Bowl {number}")
    assert "24 pieces" in get("/all/").text
    make("One more")
    assert not re.search(r"\d+ pieces", get("/all/").text)


def test_the_desk_is_paged_as_well(make: Make, get: Get, as_seller: Client) -> None:
    for number in range(30):
        make(f"Bowl {number}", status="draft")
    first = get("/sell/")
    second = get(first.link("next"))
    assert "Bowl 29" in first.text
    assert "Bowl 0" in second.text
    assert "Bowl 29" in get(second.link("prev")).text
