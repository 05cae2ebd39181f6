"""`python -m marketplace.demo.screenshots DIR`: pictures of the shop's pages, taken by Chromium."""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from marketplace.demo.ports import free_port
from marketplace.demo.stack import ROOT, Stack

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTHS = {390: 844, 1280: 900}
CHROMIUM_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@contextmanager
def chromium() -> Iterator["Browser"]:
    """Run the system's Chromium; `RuntimeError` names the package when there is none."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    if program is None:
        raise RuntimeError("Chromium is missing. On Debian: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=list(CHROMIUM_FLAGS), timeout=120_000
        )
        try:
            yield browser
        finally:
            browser.close()


def see_all_images(page: "Page") -> None:
    """Scroll through the page and its gallery, so that lazy images load, and wait for every one."""
    # The gallery shows one photo at a time, and browsers do not load what is not shown.
    for thumb in reversed(page.locator(".gallery-thumb").all()):
        thumb.click()
        page.wait_for_timeout(60)
    page.evaluate(
        """async () => {
            const step = innerHeight / 2
            for (let at = 0; at < document.body.scrollHeight; at += step) {
                scrollTo(0, at)
                await new Promise(done => setTimeout(done, 60))
            }
        }"""
    )
    page.wait_for_function("[...document.images].every(image => image.complete)", timeout=60_000)
    page.evaluate("scrollTo(0, 0)")


def log_in(page: "Page", url: str, name: str) -> None:
    """Log in with one of the demo's accounts."""
    page.goto(f"{url}/login/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", "demo")
    page.press("[name=password]", "Enter")
    page.wait_for_load_state()


def take(url: str, folder: Path) -> None:
    """Write `NAME-WIDTH.png` of listing, product page, upload form and admin into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for width, height in WIDTHS.items():
            seller = browser.new_page(viewport={"width": width, "height": height})
            seller.goto(f"{url}/")
            product = seller.locator("a[href^='/p/']").first.get_attribute("href")
            _shoot(seller, f"{url}/", folder / f"listing-{width}.png")
            _shoot(seller, f"{url}{product}", folder / f"product-{width}.png")
            log_in(seller, url, "marta")
            _shoot(seller, f"{url}/sell/new/", folder / f"upload-{width}.png", whole=True)
            moderator = browser.new_page(viewport={"width": width, "height": height})
            log_in(moderator, url, "admin")
            _shoot(moderator, f"{url}/admin/marketplace/product/", folder / f"admin-{width}.png")


def _shoot(page: "Page", url: str, path: Path, *, whole: bool = False) -> None:
    page.goto(url)
    see_all_images(page)
    page.wait_for_timeout(300)
    page.screenshot(path=path, full_page=whole)
    print(f"  {path}", flush=True)


def main() -> None:
    """Start a shop of its own, take the pictures, and end it."""
    parser = argparse.ArgumentParser(prog="python -m marketplace.demo.screenshots", description=main.__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="where the pictures go")
    parser.add_argument("--photos-dir", type=Path, default=ROOT / ".cache" / "photos")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        stack = Stack(
            delivery="redirect",
            data_dir=Path(scratch),
            photos_dir=options.photos_dir,
            port=free_port(),
            cdn_port=free_port(),
            say=lambda line: print(f"· {line}", flush=True),
        )
        with stack:
            try:
                take(stack.url, options.folder)
            except RuntimeError as error:
                sys.exit(str(error))


if __name__ == "__main__":
    main()
