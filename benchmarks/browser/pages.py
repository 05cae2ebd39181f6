"""The shop's pages in Chromium on a slow connection, with lazyimages and without."""

import re
import shutil
import urllib.request
from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.browser import contestants, likeness
from benchmarks.browser.contestants import Contestant
from benchmarks.browser.visits import Visit, visit
from benchmarks.peers import say
from benchmarks.tables import markdown
from marketplace.demo.screenshots import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROUNDS, OTHER_ROUNDS = 5, 3
DEVICES = ("phone", "desktop")
LISTING = "/all/"
OTHERS = {"home": "/", "shelf": "/c/vases/", "product": r'href="(/p/[^"]+)"'}
COLUMNS = (
    *("LCP warm, s", "LCP cold, s", "CLS", "images, kB", "of JPEG's"),
    *("all, kB", "requests", "largest, × its box"),
)

NOTES = f"""\
Medians of {ROUNDS} visits to a page, of {OTHER_ROUNDS} to each other page; the shops in turn, `.url` once.
Cold: no variant or thumbnail had been made yet. Warm: all had. CLS is the largest of all visits."""

Pair = tuple[Visit, Visit]  # cold and warm


def run() -> str:
    """Return the tables as Markdown, or a line that says why there are none. Progress goes to stderr."""
    if shutil.which("chromium") is None:
        return "The pages were not opened: Chromium is missing (on Debian: apt install chromium)."
    with contestants.running() as shops, chromium() as browser:
        jpeg = next(shop for shop in shops if shop.name == contestants.JPEG)
        listings, others = [], []
        for device in DEVICES:
            compared = _compared(browser, shops, device, LISTING, ROUNDS)
            weight = median([warm.images for _, warm in compared[jpeg.name]])
            listings += [
                (f"{shop.name}, {device}", shop.version, *_row(compared[shop.name], weight)) for shop in shops
            ]
        for device in DEVICES:
            for name, path in _paths(shops[0]).items():
                found = _compared(browser, [shops[0], jpeg], device, path, OTHER_ROUNDS)
                weight = median([warm.images for _, warm in found[jpeg.name]])
                others.append((f"{name}, {device}", *_row(found[shops[0].name], weight)))
        said = f"Chromium {browser.version}."
    return "\n\n".join(
        (
            markdown(("24 products", "version", *COLUMNS), listings),
            markdown(("lazyimages, other pages", *COLUMNS), others),
            f"{said} {NOTES}",
            likeness.table(),
        )
    )


def _compared(
    browser: "Browser", shops: Sequence[Contestant], device: str, path: str, rounds: int
) -> dict[str, list[Pair]]:
    """Return the visits to a page of each shop. Who is first changes every round."""
    pairs: dict[str, list[Pair]] = {shop.name: [] for shop in shops}
    for number in range(rounds):
        for position in range(len(shops)):
            shop = shops[(position + number) % len(shops)]
            if shop.forget is None and number:
                continue
            say(f"{path} on a {device}, {shop.name}, {number + 1} of {rounds}")
            if shop.forget is not None:
                shop.forget()
            cold = visit(browser, shop.url + path, device)
            warm = cold if shop.forget is None else visit(browser, shop.url + path, device)
            say(f"  cold {cold}")
            say(f"  warm {warm}")
            pairs[shop.name].append((cold, warm))
    return pairs


def _paths(shop: Contestant) -> dict[str, str]:
    """Return the other pages; the product is the first one of the listing."""
    with urllib.request.urlopen(shop.url + LISTING, timeout=60) as answer:
        listing = answer.read().decode()
    product = re.search(OTHERS["product"], listing)
    assert product is not None
    return {**OTHERS, "product": product[1]}


def _row(pairs: Sequence[Pair], of: float) -> tuple[str, ...]:
    cold, warm = ([visits[number] for visits in pairs] for number in (0, 1))
    images = median([one.images for one in warm])
    return (
        f"{median([one.lcp for one in warm]) / 1000:.2f}",
        f"{median([one.lcp for one in cold]) / 1000:.2f}",
        f"{max(one.cls for one in (*cold, *warm)):.3g}",
        f"{images / 1000:.0f}",
        f"{images / of:.2f}" if images < 10 * of else f"{images / of:.0f}",
        f"{median([one.bytes for one in warm]) / 1000:.0f}",
        f"{median([one.requests for one in warm]):.0f}",
        f"{max(one.times for one in warm):.1f}",
    )


if __name__ == "__main__":
    print(run())
