"""The listing: what is shown, in what order, and at what cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from marketplace.models import Category, Product, Seller
from tests.marketplace.page import Page

Make, Get = Callable[..., Product], Callable[..., Page]


def test_a_card_shows_the_first_photo_title_price_seller_and_town(make: Make, get: Get) -> None:
    make("Oatmeal bowl", price="39.50", photos=2)
    page = get("/")
    card = page.one("article", css="card")
    assert "Oatmeal bowl" in card.text
    assert "£39.50" in card.text
    assert "Marta Ilves, Hebden Bridge" in card.text
    image = page.one("img")
    assert image["alt"] == "Oatmeal bowl, view 1"
    assert "/360x270/" in image["src"]
    assert image["srcset"].endswith("w")
    assert (image["width"], image["height"]) == ("360", "270")


def test_a_whole_price_has_no_pence(make: Make, get: Get) -> None:
    make(price="1250")
    assert get("/").one(css="price").text == "£1,250"


def test_the_first_row_is_not_loaded_lazily_and_the_rest_is(make: Make, get: Get) -> None:
    for number in range(6):
        make(f"Bowl {number}", photos=1)
    images = get("/").all("img")
    assert [image["loading"] for image in images] == ["eager"] * 4 + ["lazy"] * 2
    assert [image.get("fetchpriority") for image in images] == ["high"] * 4 + [""] * 2


def test_a_product_without_photos_says_so(make: Make, get: Get) -> None:
    make()
    assert get("/").one(css="no-photo").text == "No photo yet"


@pytest.mark.parametrize(
    "status, shown", [("active", 1), ("sold", 1), ("draft", 0), ("pending", 0), ("rejected", 0)]
)
def test_only_active_and_sold_are_public(make: Make, get: Get, status: str, shown: int) -> None:
    make(status=status)
    assert len(get("/").titles) == shown


def test_not_even_the_seller_and_the_moderator_find_drafts_in_the_listing(
    make: Make, get: Get, as_moderator: Client
) -> None:
    make(status="draft")
    assert get("/").titles == []


def test_sold_products_carry_a_badge(make: Make, get: Get) -> None:
    make("Bowl", status="sold")
    assert get("/").one(css="badge-sold").text == "Sold"


@pytest.mark.parametrize(
    "query, titles",
    [
        ({}, ["Blue vase", "Oak board", "Clay bowl"]),
        ({"sort": "price"}, ["Clay bowl", "Oak board", "Blue vase"]),
        ({"sort": "-price"}, ["Blue vase", "Oak board", "Clay bowl"]),
        ({"category": "vases"}, ["Blue vase"]),
        ({"seller": "owen-tregear"}, ["Oak board"]),
        ({"min_price": "20"}, ["Blue vase", "Oak board"]),
        ({"max_price": "20"}, ["Oak board", "Clay bowl"]),
        ({"min_price": "15", "max_price": "25.50"}, ["Oak board"]),
        ({"q": "bowl"}, ["Clay bowl"]),
        ({"q": "BOWL clay"}, ["Clay bowl"]),
        ({"q": "bowl vase"}, []),
        ({"q": "owen"}, ["Oak board"]),
        ({"q": "two hands"}, ["Blue vase", "Oak board", "Clay bowl"]),
        ({"q": "%"}, []),
        ({"category": "tableware", "seller": "marta-ilves", "max_price": "10"}, ["Clay bowl"]),
        ({"q": "", "category": "", "seller": "", "min_price": "", "max_price": "", "sort": ""}, 3),
    ],
)
def test_filters_and_order(
    make: Make, get: Get, rival: Seller, vases: Category, query: dict[str, str], titles: Any
) -> None:
    make("Clay bowl", price="10")
    make("Oak board", price="20", seller=rival)
    make("Blue vase", price="30", category=vases)
    found = get("/", **query).titles
    assert found == titles or len(found) == titles


@pytest.mark.parametrize(
    "query, notice",
    [
        ({"min_price": "cheap"}, "Price from: Enter a number."),
        ({"max_price": "NaN"}, "Price to: Enter a number."),
        ({"min_price": "-1"}, "Price from: Ensure this value is greater than or equal to 0."),
        ({"max_price": "1e99"}, "Price to:"),
        ({"min_price": "9", "max_price": "1"}, "Price to: this is less than the price before it."),
        ({"category": "shoes"}, "Shelf: there is no shelf “shoes”."),
        ({"seller": "<b>"}, "Maker: we know no “<b>”."),
        ({"sort": "random"}, "Sort by: there is no order “random”."),
        ({"q": "\x00"}, "Search: Null characters are not allowed."),
        ({"q": "x" * 101}, "Search: Ensure this value has at most 100 characters"),
    ],
)
def test_a_bad_value_is_left_out_and_spoken_of(
    make: Make, get: Get, query: dict[str, str], notice: str
) -> None:
    make("Clay bowl")
    page = get("/", **query)
    assert notice in page.one(css="message-warning").text
    assert page.titles == ["Clay bowl"]


def test_an_unknown_parameter_is_ignored(make: Make, get: Get) -> None:
    make("Clay bowl")
    page = get("/", utm_source="letter")
    assert page.titles == ["Clay bowl"]
    assert page.all(css="message-warning") == []


def test_nothing_found_is_explained_with_a_way_out(make: Make, get: Get) -> None:
    make("Clay bowl")
    page = get("/", q="spaceship")
    assert "Nothing matches" in page.text
    assert page.one("a", css="button")["href"] == "/"


def test_an_empty_shop_invites_sellers(db: None, get: Get) -> None:
    page = get("/")
    assert "The shelves are still empty" in page.text
    assert page.one("a", css="button")["href"] == "/sell/new/"


def test_the_form_keeps_what_was_chosen(make: Make, get: Get, vases: Category) -> None:
    make("Blue vase", category=vases)
    page = get("/", q="blue", category="vases", seller="marta-ilves", min_price="5", sort="price")
    assert page.one("input", name="q")["value"] == "blue"
    assert page.one("input", name="category")["value"] == "vases"
    assert page.one("input", name="min_price")["value"] == "5"
    selected = [option["value"] for option in page.all("option") if "selected" in option.attributes]
    assert selected == ["marta-ilves", "price"]


def test_pages_hold_24_and_keep_the_filters(make: Make, get: Get) -> None:
    for number in range(30):
        make(f"Bowl {number:02}")
    first = get("/", q="bowl", sort="price")
    assert len(first.titles) == 24
    assert "30 pieces, page 1 of 2" in first.text
    following = first.one("a", rel="next")["href"]
    assert set(following.removeprefix("?").split("&")) == {"q=bowl", "sort=price", "page=2"}
    second = get(f"/{following}")
    assert second.titles == [f"Bowl {number}" for number in range(24, 30)]
    assert second.one(css="page-number", **{"aria-current": "page"}).text == "Page 2"


@pytest.mark.parametrize(
    "page, first", [("0", "Bowl 5"), ("99", "Bowl 5"), ("9" * 400, "Bowl 5"), ("two", "Bowl 29")]
)
def test_a_page_out_of_range_shows_one_that_exists(make: Make, get: Get, page: str, first: str) -> None:
    for number in range(30):
        make(f"Bowl {number}")
    assert get("/", page=page).titles[0] == first


def test_another_shelf_keeps_the_search_and_begins_at_page_one(make: Make, get: Get) -> None:
    make()
    shelf = next(link for link in get("/", q="bowl", page="3").all("a") if link.text == "Tableware")
    assert shelf["href"] == "?q=bowl&category=tableware"


def test_a_seller_is_introduced(make: Make, get: Get, seller: Seller) -> None:
    seller.about = "Throws stoneware."
    seller.save()
    make()
    page = get("/", seller="marta-ilves")
    assert page.one("h1").text == "Marta Ilves"
    assert "Throws stoneware." in page.text


@pytest.mark.parametrize("products", [1, 20])
def test_a_page_costs_five_queries_however_many_products_there_are(
    make: Make, client: Client, django_assert_num_queries: Any, products: int
) -> None:
    for number in range(products):
        make(f"Bowl {number}", photos=2)
    with django_assert_num_queries(5):  # categories, sellers, count, products, first photos
        client.get("/")


def test_titles_are_escaped(make: Make, client: Client) -> None:
    make("<script>alert(1)</script>")
    assert b"<script>alert" not in client.get("/").content
