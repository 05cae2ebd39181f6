"""lazyimages_report --format html: one page that needs nothing, and that no name can break."""

import re
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from tests.host.models import Photo
from tests.nu_html import assert_valid_html
from tests.operations.places import on_disk

pytestmark = pytest.mark.django_db

HOSTILE = (
    '<script>alert("1")<',
    '"><img src=x onerror=alert(1)>',
    "{{ settings.SECRET_KEY }}",
    "a&amp;b",
    "line\nbreak",
    "\u202egpj",
    "צילום",
    "</svg><style>",
)


def page(*options: str) -> str:
    out = StringIO()
    call_command("lazyimages_report", "--format", "html", *options, stdout=out, stderr=StringIO())
    return out.getvalue()


class Elements(HTMLParser):
    """All elements of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data
        self.words = " ".join(f"{self.words} {data}".split())


@pytest.fixture
def shop(settings: Any, tmp_path: Path, lazy: Any) -> None:
    """A shop with one thing of each sort, and names that want to break out."""
    lazy(FORMATS=["webp"], PRESETS={})
    put = on_disk(settings, tmp_path, together=True)
    for name in HOSTILE:
        put(f"{name.replace('/', '')}.jpg", 1000)
    put("p/bowl.jpg", 9000)
    put("p/360x270/bowl.jpg", 100)
    put("p/200x200/bowl.jpg", 100)
    put("p/360x270/gone.AZ70KuRzw9.jpg", 100)
    put("notes.<b>", 3)
    Photo.objects.create(image="p/bowl.jpg")
    Photo.objects.create(image="p/<i>missing.jpg")


def test_it_is_valid_and_so_is_that_of_an_empty_shop(shop: None, settings: Any, tmp_path: Path) -> None:
    full = page()
    Photo.objects.all().delete()
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path / "nothing"},
        },
    }
    assert_valid_html(full, page())


def test_no_name_is_markup(shop: None) -> None:
    found = Elements(page())
    tags = {tag for tag, _ in found.tags}
    assert not tags & {"script", "img", "i", "iframe", "link"}
    assert len([tag for tag, _ in found.tags if tag == "style"]) == 1
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]
    assert '"><img src=x onerror=alert(1)>.jpg' in found.text
    assert "{{ settings.SECRET_KEY }}.jpg" in found.text
    assert "a&amp;b.jpg" in found.text
    assert "p/<i>missing.jpg" in found.text
    assert "צילום.jpg" in found.text
    assert "\u202e" not in found.text
    assert "%E2%80%AEgpj.jpg" in found.text
    assert "line%0Abreak.jpg" in found.text


def test_it_needs_nothing_from_elsewhere_and_says_so_to_the_browser(shop: None) -> None:
    text = page()
    found = Elements(text)
    (policy,) = [
        attributes["content"]
        for tag, attributes in found.tags
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert not [
        (tag, name)
        for tag, attributes in found.tags
        for name in attributes
        if name in ("src", "href", "xlink:href", "style", "srcset")
    ]
    assert not re.search(r"url\(|@import|https?:", text.split("</head>")[1] + text.split("<style>")[1])
    assert "prefers-color-scheme:dark" in text


def test_charts_have_titles_and_tables_beside_them(shop: None) -> None:
    found = Elements(page())
    charts = [attributes for tag, attributes in found.tags if tag == "svg" and "role" in attributes]
    ids = {attributes.get("id") for _, attributes in found.tags}
    assert len(charts) == 3
    assert all(set(str(chart["aria-labelledby"]).split()) <= ids for chart in charts)
    assert len([tag for tag, _ in found.tags if tag == "table"]) == 5
    assert "360x270 jpeg 1 8 12.5 % 100 bytes 100 bytes" in found.words
    assert "Prices in US dollars, us-east-1" in found.words


def test_a_project_without_django_templates_gets_it_too(shop: None, settings: Any) -> None:
    settings.TEMPLATES = []
    assert page().startswith("<!DOCTYPE html>")
