"""The product page, who may see it, and what is shown when something is not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from marketplace.models import Product, Seller
from tests.marketplace.page import Page

Make, Get = Callable[..., Product], Callable[..., Page]


def test_it_shows_the_product_its_maker_and_where_one_is(make: Make, get: Get, seller: Seller) -> None:
    seller.about = "Throws stoneware by the canal."
    seller.save()
    product = make("Oatmeal bowl", price="39.50", description="For soup.\n\nAnd fruit.")
    page = get(product.get_absolute_url())
    assert page.one("h1").text == "Oatmeal bowl"
    assert page.one(css="price-large").text == "£39.50"
    assert "For soup." in page.one(css="prose").text
    assert "Marta Ilves Throws stoneware by the canal." in page.one("aside").text
    assert page.one("ol", css="breadcrumb").text == "Everything Tableware Oatmeal bowl"


def test_the_gallery_works_by_radio_buttons_alone(make: Make, get: Get) -> None:
    page = get(make("Bowl", photos=3).get_absolute_url())
    picks = page.all("input", type="radio")
    assert [pick["id"] for pick in picks] == [
        label["for"] for label in page.all("label", css="gallery-thumb")
    ]
    assert ["checked" in pick.attributes for pick in picks] == [True, False, False]
    large = [image for image in page.all("img") if image["alt"]]
    assert [image["alt"] for image in large] == ["Bowl, view 1", "Bowl, view 2", "Bowl, view 3"]
    assert [image["loading"] for image in large] == ["eager", "lazy", "lazy"]
    assert page.all("button", type="button") == []


def test_one_photo_needs_no_thumbnails(make: Make, get: Get) -> None:
    page = get(make(photos=1).get_absolute_url())
    assert len(page.all("img")) == 1
    assert page.all("input", type="radio") == []


def test_more_from_this_seller_leaves_out_drafts_others_and_the_product_itself(
    make: Make, get: Get, rival: Seller
) -> None:
    product = make("This one")
    for number in range(6):
        make(f"Bowl {number}")
    make("Secret", status="draft")
    make("Board", seller=rival)
    assert get(product.get_absolute_url()).titles == ["Bowl 5", "Bowl 4", "Bowl 3", "Bowl 2"]


def test_a_sold_product_says_so(make: Make, get: Get) -> None:
    page = get(make(status="sold").get_absolute_url())
    assert page.one(css="badge-sold").text == "Sold"
    assert "found a home" in page.text


def test_an_older_title_leads_to_the_present_one(make: Make, client: Client) -> None:
    product = make("New title")
    response = client.get(f"/p/{product.pk}-old-title/")
    assert (response.status_code, response["Location"]) == (302, f"/p/{product.pk}-new-title/")


@pytest.mark.parametrize("status", ["draft", "pending", "rejected"])
def test_what_is_not_public_is_for_the_seller_and_staff(
    make: Make, client: Client, seller: Seller, rival: Seller, moderator: Any, status: str
) -> None:
    address = make(status=status).get_absolute_url()
    assert client.get(address).status_code == 404
    for user, expected in [(rival.user, 404), (seller.user, 200), (moderator, 200)]:
        client.force_login(user)
        assert client.get(address).status_code == expected


def test_the_sellers_preview_says_that_it_is_one(make: Make, get: Get, as_seller: Client) -> None:
    product = make(status="pending")
    note = get(product.get_absolute_url()).one("p", css="message-info")
    assert "“in review” and not public" in note.text
    assert get(product.get_absolute_url()).one("meta", name="robots")["content"] == "noindex"


@pytest.mark.parametrize(
    "path", ["/p/1-nothing/", f"/p/{10**30}-nothing/", "/p/x/", "/nowhere/", "/p/1-%00/"]
)
def test_what_is_not_there_gets_the_shops_own_404(db: None, get: Get, path: str) -> None:
    page = get(path, status=404)
    assert page.one("h1").text == "This shelf is bare"
    assert page.one("a", css="button", href="/all/")


def test_photos_are_served_by_the_addresses_on_the_page(make: Make, get: Get, client: Client) -> None:
    image = get(make(photos=1).get_absolute_url()).one("img")
    response = client.get(image["src"])
    assert (response.status_code, response["Content-Type"]) == (200, "image/jpeg")


def test_errors_have_a_page_that_needs_nothing_else(
    make: Make, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.raise_request_exception = False
    monkeypatch.setattr("marketplace.views.shop.FilterForm", None)
    response = client.get("/all/")
    assert response.status_code == 500
    assert b"Something broke on our bench" in response.content


def test_pages_have_a_favicon_a_skip_link_and_a_language(make: Make, get: Get) -> None:
    page = get("/")
    assert page.one("html")["lang"] == "en-GB"
    assert page.one("a", css="skip-link")["href"] == f"#{page.one('main')['id']}"
    assert page.one("link", rel="icon")["href"].endswith("favicon.svg")
