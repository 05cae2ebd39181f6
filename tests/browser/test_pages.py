"""Chromium opens the shop's pages, cold and warm, in redirect and failover delivery."""

import gzip
import json
import re
import shutil
import urllib.request
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from PIL import Image

from lazyimages import sizes
from marketplace.demo.screenshots import WIDTHS, log_in, see_all_images
from marketplace.demo.stack import ROOT, Stack
from tests.clock import PATIENCE
from tests.shops import small_shop

pytestmark = [
    pytest.mark.browser,
    pytest.mark.chain,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is missing: apt install chromium"),
]

# The source and the candidate that the HTML Standard lets a browser choose and Chromium does at one device
# pixel a CSS pixel: the first source that fits, and of it the smallest as wide as the slot, else the largest.
EXPECTED = """
async image => {
    await image.decode()
    const fits = source => !source.media || matchMedia(source.media).matches
    const sources = [...image.closest("picture")?.querySelectorAll("source") ?? []]
    const chosen = sources.find(fits) ?? image
    const sizes = (chosen.sizes || "100vw").split(/,(?![^(]*\\))/).map(part => part.trim())
    const size = sizes.map(part => part.match(/^(\\(.*?\\))\\s+(.+)$/) ?? ["", "all", part])
        .find(([, media]) => matchMedia(media).matches)[2]
    const ruler = document.createElement("div")
    ruler.style.cssText = `position: absolute; width: ${size}`
    document.body.append(ruler)
    const slot = ruler.getBoundingClientRect().width
    ruler.remove()
    const candidates = chosen.srcset
        ? chosen.srcset.split(", ").map(entry => entry.split(" ")).map(([url, w]) => [url, parseInt(w)])
        : [[image.getAttribute("src"), Infinity]]
    candidates.sort((a, b) => a[1] - b[1])
    const expected = candidates.find(([url, width]) => width >= slot) || candidates.at(-1)
    return {
        expected: expected[0],
        current: image.currentSrc,
        loaded: image.naturalWidth > 0,
        type: chosen.type ?? "",
    }
}
"""
# How much has moved that no visitor moved, since the page began.
WATCH_SHIFTS = """
window.shifts = []
new PerformanceObserver(list => {
    for (const {value, hadRecentInput, sources} of list.getEntries()) {
        if (!hadRecentInput) shifts.push([value, sources.map(({node}) => node?.outerHTML?.slice(0, 80))])
    }
}).observe({type: "layout-shift", buffered: true})
"""
# What each picture's box needs, and which candidate is chosen for it; photos that are hidden need none.
CHOSEN = """
async () => {
    const shown = [...document.images].filter(image => image.checkVisibility())
    for (const image of shown) image.loading = "eager"
    while (!shown.every(image => image.currentSrc)) await new Promise(done => setTimeout(done, 20))
    return shown.map(image => [image.currentSrc, image.getBoundingClientRect().width])
}
"""
TEST_WIDTHS = (390, 1440)


@pytest.fixture(scope="module", params=["redirect", "failover"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Run the demo, smaller than it is for people."""
    with small_shop(tmp_path_factory.mktemp(request.param), delivery=request.param, products=28) as stack:
        yield stack


def cdn_log(shop: Stack) -> list[dict[str, Any]]:
    """Return the requests that the CDN and what is behind it have seen."""
    with urllib.request.urlopen(f"{shop.cdn_url}/__emulator__/log", timeout=PATIENCE) as answer:
        return json.loads(answer.read())


def forget(shop: Stack) -> None:
    """Empty the CDN's cache and log; the variants stay."""
    urllib.request.urlopen(
        urllib.request.Request(f"{shop.cdn_url}/__emulator__/reset", method="POST"), timeout=PATIENCE
    ).close()


def resizer_requests(shop: Stack, asked: list[str]) -> list[str]:
    """Return what reached the resizer: by the browser, and by the CDN as its second origin."""
    by_browser = [url for url in asked if "/images/" in urlsplit(url).path]
    by_cdn = [entry["path"] for entry in cdn_log(shop) if entry["layer"] == "resizer"]
    return by_browser + by_cdn


class Visitor:
    """One browser with a cache of its own, and what it asked for and complained of."""

    def __init__(self, browser: Any, width: int) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": WIDTHS[width]})
        self.context.set_default_timeout(1000 * PATIENCE)
        self.context.add_init_script(WATCH_SHIFTS)
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.pictures: dict[str, bytes] = {}

    def open(self, url: str) -> Any:
        page = self.context.new_page()
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("requestfailed", lambda request: self.complaints.append(f"failed: {request.url}"))
        page.on("response", self._look)
        page.goto(url)
        see_all_images(page)
        return page

    def _look(self, response: Any) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status}: {response.url}")
        if response.status == 200 and response.request.resource_type == "image":
            self.pictures[response.url] = response.body()


def key_size(url: str) -> tuple[str, sizes.Size]:
    path = unquote(urlsplit(url).path)
    return path, sizes.parse(path.split("/")[-2])


def check_page(visitor: Visitor, page: Any) -> set[str]:
    """Check every image of a page, and return their URLs."""
    images = page.locator("img").all()
    assert len(images) >= 2
    found = set()
    for image in images:
        state = image.evaluate(EXPECTED)
        assert state["loaded"], state
        assert state["current"] == state["expected"]
        assert state["type"] == "image/avif"
        found.add(state["current"])
    assert not visitor.complaints
    assert page.evaluate("window.shifts") == []
    for url in found & set(visitor.pictures):
        _, size = key_size(url)
        picture = Image.open(BytesIO(visitor.pictures[url]))
        assert size.width in (None, picture.width)
        assert size.height in (None, picture.height)
    return found


@pytest.mark.parametrize("width", TEST_WIDTHS)
@pytest.mark.parametrize("path", ["/", "/all/", "product"])
def test_cold_then_warm(shop: Stack, browser: Any, width: int, path: str) -> None:
    if path == "product":
        with urllib.request.urlopen(f"{shop.url}/all/", timeout=PATIENCE) as listing:
            path = re.findall(r'href="(/p/[^"]+)"', listing.read().decode())[1]
    forget(shop)
    visitor = Visitor(browser, width)
    page = visitor.open(f"{shop.url}{path}")
    shown = check_page(visitor, page)
    assert all(url.startswith(shop.cdn_url) for url in shown)
    cold = {unquote(request).partition("key=")[2] for request in resizer_requests(shop, visitor.asked)}
    if shop.delivery == "redirect" and width == min(TEST_WIDTHS) and path == "/":
        assert cold, "the first page of all was not cold"

    visitor.asked.clear()
    forget(shop)
    check_page(visitor, visitor.open(f"{shop.url}{path}"))
    assert not resizer_requests(shop, visitor.asked)
    visitor.context.close()

    stranger = Visitor(browser, width)
    forget(shop)
    assert check_page(stranger, stranger.open(f"{shop.url}{path}")) == shown
    assert set(stranger.pictures) >= shown
    assert not resizer_requests(shop, stranger.asked)
    stranger.context.close()


def test_originals_are_private(shop: Stack, browser: Any) -> None:
    """Neither the CDN nor the shop hands out an original, to whose name every variant's URL leads."""
    with urllib.request.urlopen(f"{shop.url}/all/", timeout=PATIENCE) as listing:
        urls = re.findall(rf'{shop.cdn_url}/[^ "]+', listing.read().decode())
    url = next(url for url in urls if url.endswith(".jpg"))
    original = url.replace(f"/{key_size(url)[1]}/", "/")
    assert original != url
    page = browser.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    for url in (original, original.replace(shop.cdn_url, shop.url)):
        answer = page.goto(url)
        assert answer is not None
        assert answer.status in (403, 404)
        assert "image" not in (answer.header_value("content-type") or "")
    page.close()


@pytest.mark.parametrize("shop", ["failover"], indirect=True)  # the markup is the same in both
@pytest.mark.parametrize("width", WIDTHS)
def test_no_picture_is_larger_than_its_box_needs(shop: Stack, browser: Any, width: int) -> None:
    """At most 1.5 times, at one, two and three device pixels a CSS pixel; the sizes stand in the URLs."""
    too_large = []
    for ratio in (1, 2, 3):
        context = browser.new_context(
            viewport={"width": width, "height": WIDTHS[width]}, device_scale_factor=ratio
        )
        context.set_default_timeout(1000 * PATIENCE)
        context.route(f"{shop.cdn_url}/**", lambda route: route.fulfill(body="", content_type="image/avif"))
        page = context.new_page()
        page.goto(f"{shop.url}/all/")
        paths = [page.locator("a[href^='/p/']").nth(2).get_attribute("href")]
        paths += ["/", "/all/", "/shop/marta-ilves/"]  # shelves and searches are listings like all
        for path in [*paths, "marta", "/sell/", "edit", "admin", "/moderation/"]:
            if path in ("marta", "admin"):
                context.clear_cookies()
                log_in(page, shop.url, path)
                continue
            if path == "edit":
                path = page.locator(".desk-actions a").first.get_attribute("href")
            page.goto(f"{shop.url}{path}")
            chosen = page.evaluate(CHOSEN)
            assert chosen, path
            for url, box in chosen:
                _, size = key_size(url)
                times = size.width / (box * ratio)
                if times > 1.5:
                    too_large.append((path, ratio, str(size), box, times))
        context.close()
    assert too_large == []


@pytest.mark.parametrize("shop", ["redirect"], indirect=True)  # uploads are the same in both
def test_sellers_send_photos_straight_to_s3(shop: Stack, browser: Any, tmp_path: Path) -> None:
    """The shop gets a token instead of the file, and shows the photo as soon as it is saved."""
    photo = tmp_path / "kiln.jpg"
    Image.effect_noise((1200, 900), 60).convert("RGB").save(photo, quality=95)
    page = browser.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    log_in(page, shop.url, "marta")
    page.goto(f"{shop.url}/sell/new/")
    page.locator("input[name=title]").fill("A bowl that went to S3 by itself")
    page.locator("select[name=category]").select_option(index=1)
    page.locator("input[name=price]").fill("24")
    page.locator("textarea[name=description]").fill("Thrown, trimmed and sent.")
    posts: list[tuple[str, int]] = []
    page.on(
        "request",
        lambda request: (
            request.method == "POST"
            and posts.append((request.url, int(request.header_value("content-length") or 0)))
        ),
    )
    page.locator("input[type=file]").set_input_files(photo)
    page.get_by_role("button", name="Save as a draft").click()
    page.wait_for_url(re.compile(r"/sell/\d+/$"))
    assert page.get_by_text("Your draft is saved").count() == 1
    sent = photo.stat().st_size
    assert [url for url, length in posts if length > sent] == [url for url, _ in posts if shop.s3_url in url]
    assert any(shop.s3_url in url for url, _ in posts)
    shown = page.locator(".photo-rows img").first
    shown.scroll_into_view_if_needed()
    assert shown.evaluate("async image => (await image.decode(), image.naturalWidth)") > 0
    page.close()


def test_styles_and_script_are_small() -> None:
    """They load before anything is shown, on every page."""
    folder = ROOT / "marketplace" / "static" / "marketplace"
    assert len(gzip.compress((folder / "shop.css").read_bytes())) < 12 * 1024
    assert len((folder / "shop.js").read_bytes()) <= 3 * 1024
