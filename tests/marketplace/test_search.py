"""Search: PostgreSQL's full text when the tests run on it, words in a text on SQLite; one shop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from marketplace import search
from marketplace.models import Product, Seller
from marketplace.search import terms
from tests.marketplace.page import Page

Make, Get = Callable[..., Product], Callable[..., Page]

postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="DATABASE_URL does not lead to PostgreSQL"
)


@pytest.fixture
def shelf(make: Make, rival: Seller) -> None:
    make("Walnut bowl", description="Turned on a lathe.")
    make("Oak board", description="Beside it stands a walnut bowl.", seller=rival)
    make("Blue vase", description="For three stems rather than thirty.")


@pytest.mark.parametrize(
    "query, titles",
    [
        ("bowl", {"Walnut bowl", "Oak board"}),
        ("BOWL", {"Walnut bowl", "Oak board"}),
        ("walnut turned", {"Walnut bowl"}),
        ("owen", {"Oak board"}),
        ("owen board", {"Oak board"}),
        ("walnut -lathe", {"Oak board"}),
        ('"walnut bowl"', {"Walnut bowl", "Oak board"}),
        ('"bowl walnut"', set()),
        ("bowl vase", set()),
        ("spaceship", set()),
        ("-bowl vase", {"Blue vase"}),
    ],
)
def test_what_is_found(shelf: None, get: Get, query: str, titles: set[str]) -> None:
    assert set(get("/search/", q=query).titles) == titles


@pytest.mark.parametrize(
    "query", ["%", "_", "\\", "'", '"', "-", "- -", '""', "&|!():*", "<->", "a' or 1=1 --"]
)
@pytest.mark.parametrize("sort", ["best", "newest", "price"])
def test_signs_are_no_error(shelf: None, get: Get, query: str, sort: str) -> None:
    assert get("/search/", q=query, sort=sort).titles == []


def test_what_stands_in_the_title_comes_first_then_the_maker_then_the_description(
    make: Make, get: Get, seller: Seller, rival: Seller
) -> None:
    rival.name = "Walnut Works"
    rival.save()
    make("Title: walnut")
    make("Maker", seller=rival)
    make("Description", description="Beside a walnut tree.")
    assert get("/search/", q="walnut").titles == ["Title: walnut", "Maker", "Description"]
    assert get("/search/", q="walnut", sort="newest").titles == ["Description", "Maker", "Title: walnut"]


def test_the_best_matches_can_be_paged(make: Make, get: Get) -> None:
    for number in range(30):
        make(f"Walnut bowl {number}")
    for number in range(20):
        make(f"Plate {number}", description="Goes with a walnut bowl.")
    pages = [get("/search/", q="walnut bowl")]
    for _ in range(2):
        pages.append(get(pages[-1].link("next")))
    assert pages[-1].link("next") == ""
    titles = [title for page in pages for title in page.titles]
    assert len(titles) == len(set(titles)) == 50
    assert all("Walnut" in title for title in titles[:30])
    assert get(pages[-1].link("prev")).titles == pages[-2].titles


def test_only_the_newest_are_ranked(make: Make, get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "RANKED", 2)
    for number in range(4):
        make(f"Bowl {number}")
    assert set(get("/search/", q="bowl").titles) == {"Bowl 3", "Bowl 2"}
    assert len(get("/search/", q="bowl", sort="newest").titles) == 4


def test_a_new_name_is_found_at_once(make: Make, get: Get, seller: Seller) -> None:
    product = make("A bowl")
    seller.name = "Greta Sorrel"
    seller.save()
    assert get("/search/", q="sorrel").titles == ["A bowl"]
    assert get("/search/", q="ilves").titles == []
    product.refresh_from_db()
    product.title = "A dish"
    product.save()
    assert get("/search/", q="dish").titles == ["A dish"]
    assert get("/search/", q="bowl").titles == []


def test_a_product_that_changes_hands_is_found_by_its_new_maker(make: Make, get: Get, rival: Seller) -> None:
    product = make("A bowl")
    product = Product.objects.get(pk=product.pk)
    product.seller = rival
    product.save()
    assert get("/search/", q="tregear bowl").titles == ["A bowl"]
    assert get("/search/", q="ilves").titles == []


def test_a_search_is_narrowed_like_any_listing(shelf: None, get: Get, make: Make) -> None:
    make("Small bowl", price="5")
    assert get("/search/", q="bowl", max_price="10").titles == ["Small bowl"]
    assert get("/search/", q="bowl", seller="owen-tregear").titles == ["Oak board"]
    assert set(get("/c/tableware/", q="bowl").titles) == {"Small bowl", "Walnut bowl", "Oak board"}


def test_without_words_there_is_no_best_match(shelf: None, get: Get) -> None:
    page = get("/search/", sort="best")
    assert "there is no order “best”" in page.text
    assert len(page.titles) == 3


@pytest.mark.parametrize(
    "text, found",
    [
        ("", []),
        ("oat bowl", [(True, "oat"), (True, "bowl")]),
        ('-"two hands" x', [(False, "two hands"), (True, "x")]),
        ('say "two', [(True, "say"), (True, "two")]),
        ("a b c d e f g h i j", [(True, letter) for letter in "abcdefgh"]),
        ("tea-towel", [(True, "tea-towel")]),
    ],
)
def test_terms(text: str, found: list[tuple[bool, str]]) -> None:
    assert terms(text) == found


@postgresql
@pytest.mark.parametrize("sort", ["best", "newest"])
def test_signs_on_letters_do_not_matter(make: Make, get: Get, seller: Seller, sort: str) -> None:
    seller.name = "Tomás Știrbu"
    seller.save()
    make("Masă rotundă", description="Cu ţesături.")  # a cedilla, which many keyboards have for the comma
    for query in ("tomas stirbu", "TOMÁS", "ştirbu", "masa", "masă", "țesături", "tesaturi"):
        assert get("/search/", q=query, sort=sort).titles == ["Masă rotundă"], query
    assert get("/search/", q="mese", sort=sort).titles == []


@postgresql
def test_word_forms_are_the_same_word(shelf: None, get: Get) -> None:
    assert set(get("/search/", q="bowls").titles) == {"Walnut bowl", "Oak board"}
    assert set(get("/search/", q="lathe or vases").titles) == {"Walnut bowl", "Blue vase"}


def test_the_document_is_not_read_with_the_row(shelf: None, django_capture_on_commit_callbacks: Any) -> None:
    assert all("document" not in product.__dict__ for product in Product.objects.all())
