"""What Chromium chooses of the tags' markup, at twelve combinations of viewport and device pixels."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from lazyimages import sizes
from marketplace.demo.screenshots import chromium
from tests.browser import candidates
from tests.clock import PATIENCE
from tests.conftest import jpeg, upload
from tests.host.models import Blurred
from tests.nu_html import assert_valid_html

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is missing: apt install chromium"),
]

VIEWPORTS = {360: 740, 820: 1180, 1440: 900}
DENSITIES = (1, 1.5, 2, 3)
UNUSED_AFTER = 3500  # Chromium complains of preloads that nothing used three seconds after `load`

LOOK = """
async () => {
    await Promise.all([...document.images].map(image => image.decode()))
    // Two frames, so that what a picture moved has been laid out.
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))
    const shifts = await new Promise(done => {
        const found = []
        const observer = new PerformanceObserver(list => found.push(...list.getEntries()))
        observer.observe({type: "layout-shift", buffered: true})
        setTimeout(() => done(found.map(shift => shift.value)), 200)
    })
    const background = new Image()
    background.src = getComputedStyle(document.images[0]).backgroundImage.match(/^url\\("(.*)"\\)$/)[1]
    await background.decode()
    return {
        behind: background.src,
        chosen: Object.fromEntries([...document.images].map(image => [image.alt, image.currentSrc])),
        drawn: Object.fromEntries(
            [...document.images].map(image => [image.alt, image.offsetHeight / image.offsetWidth])),
        initiators: Object.fromEntries(
            performance.getEntriesByType("resource").map(entry => [entry.name, entry.initiatorType])),
        shift: shifts.reduce((sum, value) => sum + value, 0),
    }
}
"""


@dataclass
class Visit:
    """What one browser saw of the page."""

    width: int
    density: float
    page: Any
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    seen: dict[str, Any] = field(default_factory=dict)

    def sized(self, alt: str) -> str:
        """Return size and format of what an `<img>` shows: `720x900 avif`."""
        *_, size, file = urlsplit(self.seen["chosen"][alt]).path.split("/")
        return f"{size} {file.rpartition('.')[2]}"


@pytest.fixture
def address(live_server: Any, settings: Any) -> Iterator[str]:
    """Serve the page, in local delivery, from photos of which there are no variants."""
    settings.ROOT_URLCONF = candidates.__name__
    settings.LAZYIMAGES = {**settings.LAZYIMAGES, **candidates.LAZYIMAGES}
    for name in ("hero", "plain", "card"):
        row = Blurred()
        row.image.save(f"{name}.jpg", upload(jpeg(1920, 1440)), save=False)
        candidates.PHOTOS[name] = row.image
    yield live_server.url
    candidates.PAINTED.set()
    candidates.PHOTOS.clear()


def visit(browser: Any, address: str, width: int, density: float, query: str = "") -> Visit:
    context = browser.new_context(
        viewport={"width": width, "height": VIEWPORTS[width]}, device_scale_factor=density
    )
    context.set_default_timeout(1000 * PATIENCE)
    found = Visit(width, density, context.new_page())
    found.page.on("request", lambda request: found.asked.append(request.url))
    found.page.on("console", lambda message: found.complaints.append(message.text))
    found.page.on("requestfailed", lambda request: found.complaints.append(f"failed: {request.url}"))
    candidates.PAINTED.clear()
    found.page.goto(f"{address}/{query}", wait_until="domcontentloaded")
    found.page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
    candidates.PAINTED.set()
    found.seen = found.page.evaluate(LOOK)
    return found


def expected(wanted: str, slot: float, density: float) -> str:
    """Return the size that Chromium takes for a slot of so many CSS pixels.

    The HTML Standard leaves the choice to browsers ("Selecting an image source"). Chromium takes the smallest
    that has a pixel for every device pixel, else the largest.
    """
    offered = sorted((size.plan(1920, 1440).width, str(size)) for size in map(sizes.parse, wanted.split()))
    return next((size for width, size in offered if width >= slot * density), offered[-1][1])


def hero(width: int) -> tuple[str, float]:
    """Return the sizes that are meant for a viewport, and the proportions of what is shown."""
    preset = candidates.LAZYIMAGES["PRESETS"]["hero"]
    if width <= 640:
        return preset["sources"][0]["sizes"], 5 / 4
    if width <= 960:
        return preset["sources"][1]["sizes"], 1.0
    return preset["sizes"], 3 / 4


@pytest.mark.django_db
def test_it_takes_the_candidate_that_is_meant_once_and_nothing_moves(address: str) -> None:
    with chromium() as browser:
        visits = [visit(browser, address, width, density) for width in VIEWPORTS for density in DENSITIES]
        visits[-1].page.wait_for_timeout(UNUSED_AFTER)
        assert len(visits) == 12
        assert_valid_html(visits[0].page.request.get(address).text())
        for seen in visits:
            where = f"{seen.width} pixels at {seen.density}"
            sizes_of_hero, proportions = hero(seen.width)
            slot = seen.width * (0.25 if seen.width >= 960 else 0.5)
            card = expected("240x180 480x360 720x540", slot, seen.density)
            assert {alt: seen.sized(alt) for alt in seen.seen["chosen"]} == {
                "A bowl": f"{expected(sizes_of_hero, seen.width, seen.density)} avif",
                "A cup": f"{card} jpg",
                "A jug": f"{card} avif",
            }, where
            assert seen.seen["drawn"]["A bowl"] == pytest.approx(proportions, abs=0.01), where
            # One request a picture, the first one's by its preload.
            asked = [url for url in seen.asked if "/images/v/" in url]
            assert sorted(asked) == sorted(seen.seen["chosen"].values()), where
            assert seen.seen["initiators"][seen.seen["chosen"]["A bowl"]] == "link", where
            assert seen.seen["behind"].startswith("data:image/png;base64,"), where
            assert seen.complaints == [], where
            assert seen.seen["shift"] == 0, where


@pytest.mark.django_db
def test_without_dimensions_that_test_would_see_the_page_move(address: str) -> None:
    with chromium() as browser:
        assert visit(browser, address, 360, 1, "?bare").seen["shift"] > 0
