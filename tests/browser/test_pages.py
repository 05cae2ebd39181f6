"""Chromium opens listing and product page, cold, in redirect and failover delivery."""

import json
import re
import shutil
import urllib.request
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from PIL import Image

from lazyimages import sizes
from marketplace.demo.ports import free_port
from marketplace.demo.screenshots import WIDTHS, chromium, see_all_images
from marketplace.demo.stack import ROOT, Stack
from tests.clock import PATIENCE

pytestmark = [
    pytest.mark.browser,
    pytest.mark.chain,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is missing: apt install chromium"),
]

# The candidate that the HTML Standard lets a browser choose and Chromium does at one device pixel a CSS
# pixel: the smallest that is as wide as the slot, else the largest.
EXPECTED = """
async image => {
    await image.decode()
    const conditions = (image.sizes || "100vw").split(",").map(part => part.trim())
    const fits = conditions.find(part => {
        const media = part.match(/^(\\(.*\\))\\s+\\S+$/)
        return !media || matchMedia(media[1]).matches
    })
    const ruler = document.createElement("div")
    ruler.style.cssText = `position: absolute; width: ${fits.match(/\\S+$/)[0]}`
    document.body.append(ruler)
    const slot = ruler.getBoundingClientRect().width
    ruler.remove()
    const candidates = image.srcset
        ? image.srcset.split(", ").map(entry => entry.split(" ")).map(([url, w]) => [url, parseInt(w)])
        : [[image.getAttribute("src"), Infinity]]
    candidates.sort((a, b) => a[1] - b[1])
    const chosen = candidates.find(([url, width]) => width >= slot) || candidates.at(-1)
    return {expected: chosen[0], current: image.currentSrc, loaded: image.naturalWidth > 0}
}
"""


@pytest.fixture(scope="module", params=["redirect", "failover"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Run the demo, smaller than it is for people."""
    with Stack(
        delivery=request.param,
        data_dir=tmp_path_factory.mktemp(request.param),
        photos_dir=ROOT / ".cache" / "photos",
        port=free_port(),
        cdn_port=free_port(),
        products=28,
        environment={"DJANGO_SETTINGS_MODULE": "tests.fire.patient"},
    ) as stack:
        yield stack


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


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
        found.add(state["current"])
    assert not visitor.complaints
    for url in found & set(visitor.pictures):
        _, size = key_size(url)
        picture = Image.open(BytesIO(visitor.pictures[url]))
        assert size.width in (None, picture.width)
        assert size.height in (None, picture.height)
    return found


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", ["/", "product"])
def test_cold_then_warm(shop: Stack, browser: Any, width: int, path: str) -> None:
    if path == "product":
        with urllib.request.urlopen(f"{shop.url}/", timeout=PATIENCE) as listing:
            path = re.findall(r'href="(/p/[^"]+)"', listing.read().decode())[1]
    forget(shop)
    visitor = Visitor(browser, width)
    page = visitor.open(f"{shop.url}{path}")
    shown = check_page(visitor, page)
    assert all(url.startswith(shop.cdn_url) for url in shown)
    cold = {unquote(request).partition("key=")[2] for request in resizer_requests(shop, visitor.asked)}
    if shop.delivery == "redirect" and width == min(WIDTHS) and path == "/":
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
    with urllib.request.urlopen(f"{shop.url}/", timeout=PATIENCE) as listing:
        urls = re.findall(rf'{shop.cdn_url}/[^ "]+', listing.read().decode())
    original = re.sub(r"/360x270/", "/", next(url for url in urls if "/360x270/" in url))
    page = browser.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    for url in (original, original.replace(shop.cdn_url, shop.url)):
        answer = page.goto(url)
        assert answer is not None
        assert answer.status in (403, 404)
        assert "image" not in (answer.header_value("content-type") or "")
    page.close()
