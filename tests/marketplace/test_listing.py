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
    page = get("/all/")
    card = page.one("article", css="card")
    assert "Oatmeal bowl" in card.text
    assert "£39.50" in card.text
    assert "Marta Ilves, Hebden Bridge" in card.text
    image = page.one("img")
    assert image["alt"] == "Oatmeal bowl, view 1"
    width, height = image["src"].split("/")[-2].split("x")  # a small original is not enlarged, nor is its box
    assert image["srcset"].endswith("w")
    assert int(image["width"]) <= int(width)
    assert int(image["height"]) <= int(height)


def test_a_whole_price_has_no_pence(make: Make, get: Get) -> None:
    make(price="1250")
    assert get("/all/").one(css="price").text == "£1,250"


def test_the_first_row_is_not_loaded_lazily_and_the_rest_is(make: Make, get: Get) -> None:
    for number in range(6):
        make(f"Bowl {number}", photos=1)
    images = get("/all/").all("img")
    assert [image["loading"] for image in images] == ["eager"] * 4 + ["lazy"] * 2
    assert [image.get("fetchpriority") for image in images] == ["high"] * 4 + [""] * 2


def test_a_product_without_photos_says_so(make: Make, get: Get) -> None:
    make()
    assert get("/all/").one(css="no-photo").text == "No photo yet"


@pytest.mark.parametrize(
    "status, shown", [("active", 1), ("sold", 1), ("draft", 0), ("pending", 0), ("rejected", 0)]
)
def test_only_active_and_sold_are_public(make: Make, get: Get, status: str, shown: int) -> None:
    make(status=status)
    assert len(get("/all/").titles) == shown


def test_not_even_the_seller_and_the_moderator_find_drafts_in_the_listing(
    make: Make, get: Get, as_moderator: Client
) -> None:
    make(status="draft")
    assert get("/all/").titles == []


def test_sold_products_carry_a_badge(make: Make, get: Get) -> None:
    make("Bowl", status="sold")
    assert get("/all/").one(css="badge-sold").text == "Sold"


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
    found = get("/all/", **query).titles
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
    page = get("/all/", **query)
    assert notice in page.one(css="message-warning").text
    assert page.titles == ["Clay bowl"]


def test_an_unknown_parameter_is_ignored(make: Make, get: Get) -> None:
    make("Clay bowl")
    page = get("/all/", utm_source="letter")
    assert page.titles == ["Clay bowl"]
    assert page.all(css="message-warning") == []


def test_nothing_found_is_explained_with_a_way_out(make: Make, get: Get) -> None:
    make("Clay bowl")
    page = get("/search/", q="spaceship")
    assert "Nothing matches" in page.text
    assert page.one("a", css="button", href="/all/")


def test_an_empty_shop_invites_sellers(db: None, get: Get) -> None:
    page = get("/all/")
    assert "The shelves are still empty" in page.text
    assert page.one("a", css="button")["href"] == "/sell/new/"


def test_the_form_keeps_what_was_chosen(make: Make, get: Get, vases: Category) -> None:
    make("Blue vase", category=vases)
    page = get("/search/", q="blue", category="vases", seller="marta-ilves", min_price="5", sort="price")
    assert {field["value"] for field in page.all("input", name="q")} == {"blue"}
    assert page.one("input", name="min_price")["value"] == "5"
    selected = [option["value"] for option in page.all("option") if "selected" in option.attributes]
    assert selected == ["vases", "marta-ilves", "price"]


def test_a_shelf_has_an_address_and_nothing_else_on_it(make: Make, get: Get, vases: Category) -> None:
    make("Bowl")
    make("Blue vase", category=vases)
    page = get("/c/vases/")
    assert page.one("h1").text == "Vases"
    assert page.titles == ["Blue vase"]
    assert page.all("select", name="category") == []
    assert get("/c/vases/", category="tableware").titles == ["Blue vase"]


def test_a_shop_introduces_its_maker_and_shows_nothing_else(
    make: Make, get: Get, seller: Seller, rival: Seller
) -> None:
    seller.about = "Throws stoneware."
    seller.save()
    make("Bowl")
    make("Oak board", seller=rival)
    page = get("/shop/marta-ilves/")
    assert page.one("h1").text == "Marta Ilves"
    assert "Throws stoneware." in page.text
    assert page.titles == ["Bowl"]
    assert page.all("select", name="seller") == []


@pytest.mark.parametrize("path", ["/c/shoes/", "/shop/nobody/", "/shop/a%00b/", f"/c/{'x' * 300}/"])
def test_shelves_and_shops_that_are_not_there(make: Make, get: Get, path: str) -> None:
    make()
    assert get(path, status=404).one("h1").text == "This shelf is bare"


def test_makers_that_the_list_has_no_room_for_can_be_asked_for(
    make: Make, get: Get, rival: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Seller, "LISTED", 1)
    make("Bowl")
    make("Oak board", seller=rival)
    assert [option["value"] for option in get("/all/").one_of("seller")] == ["", "marta-ilves"]
    page = get("/all/", seller="owen-tregear")
    assert page.titles == ["Oak board"]
    assert get("/shop/owen-tregear/").titles == ["Oak board"]


@pytest.mark.parametrize(
    "old, new",
    [
        ("category=vases", "/c/vases/"),
        ("category=vases&seller=owen-tregear&sort=price", "/c/vases/?seller=owen-tregear&sort=price"),
        ("seller=owen-tregear&category=", "/shop/owen-tregear/"),
        ("q=blue+vase&min_price=5", "/search/?q=blue+vase&min_price=5"),
        ("sort=-price&page=3", "/all/?sort=-price"),
        ("category=%3Cb%3E", "/all/?category=%3Cb%3E"),
        ("page=2", "/all/"),
        ("q=caf%C3%A9&q=two", "/search/?q=caf%C3%A9&q=two"),
    ],
)
def test_old_addresses_lead_to_the_new_ones(client: Client, old: str, new: str) -> None:
    response = client.get(f"/?{old}")
    assert (response.status_code, response["Location"]) == (301, new)


def test_titles_are_escaped(make: Make, client: Client) -> None:
    make("<script>alert(1)</script>")
    assert b"<script>alert" not in client.get("/all/").content
