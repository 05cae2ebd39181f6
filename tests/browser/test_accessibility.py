"""Every page as those use it who see little, use no mouse or no JavaScript: axe-core, Nu, keyboard."""

import shutil
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from marketplace.demo.screenshots import log_in
from marketplace.demo.stack import Stack
from tests.clock import PATIENCE
from tests.npm import installed
from tests.nu_html import html_errors
from tests.shops import small_shop

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is missing: apt install chromium"),
]

PUBLIC = (
    *("/", "/all/", "/all/?min_price=x", "/c/vases/", "/search/?q=bowl", "/search/?q=zeppelin"),
    *("/shop/marta-ilves/", "/login/", "/nowhere/", "/trace/", "product"),
)
# Who looks, and at what; marta may not moderate, so that is the page that refuses.
PAGES = {
    "": PUBLIC,
    "marta": ("/sell/", "/sell/new/", "edit", "/sell/profile/", "/moderation/"),
    "admin": ("/moderation/", "/sell/profile/"),
}
HARMLESS = {None, "minor"}
SEEN = """
async rules => {
    for (const details of document.querySelectorAll("details")) details.open = true
    const {violations} = await axe.run(document, {runOnly: rules, resultTypes: ["violations"]})
    return violations.map(({id, impact, nodes}) => [impact, id, nodes.map(({html}) => html)])
}
"""
ALL_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def axe() -> str:
    """Return axe-core's source."""
    return (installed(Path(__file__).parent / "axe", "axe-core") / "axe-core" / "axe.min.js").read_text()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Run the demo without its cloud, smaller than it is for people."""
    with small_shop(tmp_path_factory.mktemp("local"), delivery="local", products=28) as stack:
        yield stack


def visitor(browser: Any, shop: Stack, **options: Any) -> Any:
    """Open a browser window of its own, in which photos are not loaded."""
    context = browser.new_context(reduced_motion="reduce", **options)
    context.set_default_timeout(1000 * PATIENCE)
    context.route("**/images/**", lambda route: route.abort())
    return context


def speak(context: Any, shop: Stack, language: str) -> None:
    """Choose a language, and log out."""
    context.clear_cookies()
    context.add_cookies([{"name": "django_language", "value": language, "url": shop.url}])


def first_link(page: Any, url: str, selector: str) -> str:
    """Return where the first such link of a page leads."""
    page.goto(url)
    return str(page.locator(selector).first.get_attribute("href"))


def problems(page: Any, axe: str) -> list[Any]:
    """Return what axe-core finds on a page in light, and in dark, where only colours differ."""
    page.evaluate(axe)
    seen = page.evaluate(SEEN, ALL_RULES)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    seen += page.evaluate(SEEN, ["color-contrast"])
    return [one for one in seen if one[0] not in HARMLESS]


# Each language in one width, so that each is seen in both.
@pytest.mark.parametrize(("language", "width"), [("en-gb", 1440), ("ro", 390)])
def test_every_page_is_accessible_and_valid(
    shop: Stack, browser: Any, axe: str, language: str, width: int
) -> None:
    context = visitor(browser, shop, viewport={"width": width, "height": 900})
    page = context.new_page()
    found: list[Any] = []
    documents: dict[str, str] = {}
    for user, paths in PAGES.items():
        speak(context, shop, language)
        if user:
            log_in(page, shop.url, user)
        for name in paths:
            path = name
            if name == "product":
                path = first_link(page, f"{shop.url}/all/", "a[href^='/p/']")
            elif name == "edit":
                path = first_link(page, f"{shop.url}/sell/", ".desk-actions a")
            page.emulate_media(color_scheme="light", reduced_motion="reduce")
            answer = page.goto(shop.url + path)
            documents[f"{path} {user}"] = answer.text()
            assert page.get_attribute("html", "lang") == {"en-gb": "en-GB"}.get(language, language)
            found += [(path, user, *one) for one in problems(page, axe)]
    with translation.override(language):
        documents["500 "] = render_to_string("500.html")
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.set_content(documents["500 "])
    found += [("500", "", *one) for one in problems(page, axe)]
    context.close()
    assert found == []
    assert len(documents) == len(list(chain(*PAGES.values()))) + 1
    names = list(documents)
    errors = [error.partition(": ") for error in html_errors(*documents.values())]
    assert [(names[int(number)], text) for number, _, text in errors] == []


def test_by_keyboard(shop: Stack, browser: Any) -> None:
    """The first stop leads past the header, menus close on Escape, and arrows go through the photos."""
    context = visitor(browser, shop)
    page = context.new_page()
    product = first_link(page, f"{shop.url}/all/", "a[href^='/p/']")
    page.goto(shop.url + product)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip-link"
    assert page.locator(".skip-link").bounding_box()["y"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"

    page.locator(".gallery-pick").first.focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.id") == "photo-2"
    assert page.locator(".gallery-photo").nth(1).is_visible()
    assert not page.locator(".gallery-photo").nth(0).is_visible()

    log_in(page, shop.url, "marta")
    page.locator(".menu summary").focus()
    page.keyboard.press("Enter")
    assert page.locator(".menu-sheet").is_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    assert not page.locator(".menu-sheet").is_visible()
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    context.close()


def test_without_javascript(shop: Stack, browser: Any) -> None:
    """Language, colours, filters, search, gallery and menu need none."""
    context = visitor(browser, shop, java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{shop.url}/all/?sort=price")
    dark = page.locator("button[name=theme][value=dark]")
    dark.click()
    assert page.get_attribute("html", "data-theme") == "dark"
    assert page.url == f"{shop.url}/all/?sort=price"
    assert page.locator("button[name=theme][value=dark]").get_attribute("aria-pressed") == "true"
    page.locator("button[name=language][value=ro]").click()
    assert page.get_attribute("html", "lang") == "ro"
    assert page.locator("h1").inner_text() == "Totul"
    page.locator("button[name=language][value=en-gb]").click()
    page.locator("button[name=theme][value=auto]").click()
    assert page.get_attribute("html", "data-theme") is None

    assert not page.locator("#filters").is_visible()
    page.locator(".filters-toggle summary").click()
    page.fill("[name=max_price]", "40")
    page.locator("#filters button").click()
    prices = [float(price.removeprefix("£")) for price in page.locator(".card .price").all_inner_texts()]
    assert prices == sorted(prices)
    assert max(prices) <= 40
    page.fill("[name=q]", "bowl")
    page.press("[name=q]", "Enter")
    assert page.locator("h1").inner_text() == "Results for “bowl”"

    page.locator(".card-link").first.click()
    page.locator(".gallery-thumb").nth(1).click()
    assert page.locator(".gallery-photo").nth(1).is_visible()
    log_in(page, shop.url, "marta")
    page.locator(".menu summary").click()
    page.locator(".menu-sheet form button").click()
    assert page.locator("a[href='/login/']").is_visible()
    context.close()


def test_colours_change_at_once(shop: Stack, browser: Any) -> None:
    """With JavaScript the page stays, and the next one has the colours too."""
    context = visitor(browser, shop, color_scheme="light")
    page = context.new_page()
    page.goto(f"{shop.url}/all/")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.evaluate("window.same = true")
    page.locator("button[name=theme][value=dark]").click()
    deadline = time.monotonic() + PATIENCE
    while not any(cookie["name"] == "theme" for cookie in context.cookies()) and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    assert page.evaluate("window.same")
    dark = page.evaluate(paper)
    assert dark != light
    page.goto(f"{shop.url}/login/")
    assert page.evaluate(paper) == dark
    context.close()


def test_the_middle_of_a_photo_by_click(shop: Stack, browser: Any) -> None:
    """A click into a photo fills in the two numbers, which can be typed as well."""
    context = visitor(browser, shop)
    page = context.new_page()
    log_in(page, shop.url, "marta")
    page.goto(shop.url + first_link(page, f"{shop.url}/sell/", ".desk-actions a"))
    frame = page.locator(".photo-pick").first
    box = frame.bounding_box()
    frame.click(position={"x": box["width"] * 0.25, "y": box["height"] * 0.75})
    numbers = [int(page.input_value(f"[name=photos-0-focal_{axis}]")) for axis in "xy"]
    assert abs(numbers[0] - 25) <= 2
    assert abs(numbers[1] - 75) <= 5
    context.close()
