"""Language and theme: chosen by forms that need no script, kept in cookies."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from marketplace.models import Product
from tests.marketplace.page import Page, read

Make, Get = Callable[..., Product], Callable[..., Page]


@pytest.mark.parametrize("chosen", ["light", "dark"])
def test_a_theme_is_kept_until_another_is_chosen(db: None, client: Client, get: Get, chosen: str) -> None:
    assert "data-theme" not in get("/").one("html").attributes
    response = client.post("/theme/", {"theme": chosen, "next": "/all/?sort=price"})
    assert (response.status_code, response["Location"]) == (302, "/all/?sort=price")
    cookie = response.cookies["theme"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert get("/").one("html")["data-theme"] == chosen
    client.post("/theme/", {"theme": ""})
    assert "data-theme" not in get("/").one("html").attributes


def test_a_forged_theme_does_not_reach_the_page(db: None, client: Client, get: Get) -> None:
    client.cookies["theme"] = '"><script>'
    assert "data-theme" not in get("/").one("html").attributes
    client.post("/theme/", {"theme": "purple"})
    assert "data-theme" not in get("/").one("html").attributes


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_it_leads_nowhere_else(client: Client, target: str) -> None:
    assert client.post("/theme/", {"theme": "dark", "next": target})["Location"] == "/"


def test_a_theme_is_chosen_by_post(client: Client) -> None:
    assert client.get("/theme/").status_code == 405


def test_the_language_follows_the_browser_and_then_the_visitor(db: None, client: Client) -> None:
    def language(**headers: str) -> str:
        return read(client.get("/", headers=headers).content.decode()).one("html")["lang"]

    assert language() == "en-GB"
    assert language(**{"accept-language": "ro-RO,ro;q=0.9,en;q=0.5"}) == "ro"
    assert language(**{"accept-language": "en-US,en"}) == "en-GB"
    assert language(**{"accept-language": "fr"}) == "en-GB"
    response = client.post("/i18n/setlang/", {"language": "ro", "next": "/all/"})
    assert response["Location"] == "/all/"
    assert language(**{"accept-language": "en-US"}) == "ro"


def test_pages_say_their_language_and_pictures_have_none(make: Make, client: Client, get: Get) -> None:
    image = get(make(photos=1).get_absolute_url()).all("img")[0]
    page, picture = client.get("/"), client.get(image["src"], headers={"accept-language": "ro"})
    assert page["Content-Language"] == "en-gb"
    assert "Accept-Language" in page["Vary"]
    assert picture.status_code == 200
    assert "Content-Language" not in picture.headers
    assert "Accept-Language" not in picture.headers.get("Vary", "")
