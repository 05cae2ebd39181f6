"""`python -m marketplace.demo.screenshots DIR`: pictures of the shop's pages, taken by Chromium."""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from marketplace.demo.ports import free_port
from marketplace.demo.stack import ROOT, Stack

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTHS = {390: 844, 820: 1180, 1440: 900}
THEMES = ("light", "dark")
QUALITY = 82  # of the JPEGs in the docs
# What docs/screenshots has; everything else is there to be looked at.
KEPT = {
    *(
        f"{name}-{width}-light"
        for name in ("home", "listing", "product", "upload", "moderation")
        for width in (390, 1440)
    ),
    *("listing-1440-dark", "product-390-dark"),
}
CHROMIUM_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A page: its path, or that of a link on it; who looks, and whether the whole page is shown."""

    path: str
    link: str = ""
    user: str = ""
    whole: bool = False


SHOTS = {
    "home": Shot(path="/", whole=True),
    "listing": Shot(path="/all/"),
    "category": Shot(path="/c/vases/"),
    "search": Shot(path="/search/?q=bowl"),
    "product": Shot(path="/all/", link=".grid li:nth-child(3) a"),
    "shop": Shot(path="/shop/marta-ilves/"),
    "login": Shot(path="/login/"),
    "missing": Shot(path="/nowhere/"),
    "desk": Shot(path="/sell/", user="marta"),
    "upload": Shot(path="/sell/new/", user="marta", whole=True),
    "edit": Shot(path="/sell/", link=".desk-actions a", user="marta", whole=True),
    "profile": Shot(path="/sell/profile/", user="marta"),
    "moderation": Shot(path="/moderation/", user="admin"),
}


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
            const go = top => scrollTo({top, behavior: "instant"})
            for (let at = 0; at < document.body.scrollHeight; at += innerHeight / 2) {
                go(at)
                await new Promise(done => setTimeout(done, 60))
            }
            go(0)
        }"""
    )
    page.wait_for_function("[...document.images].every(image => image.complete)", timeout=60_000)


def log_in(page: "Page", url: str, name: str) -> None:
    """Log in with one of the demo's accounts."""
    page.goto(f"{url}/login/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", "demo")
    page.press("[name=password]", "Enter")
    page.wait_for_load_state()


def take(url: str, folder: Path, photos: list[Path], *, everything: bool = False) -> None:
    """Write `NAME-WIDTH-THEME.jpg` of the pages that the docs show into a folder; PNG when it is every page.

    `photos` are chosen in the form for a new piece.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for (width, height), theme in product(WIDTHS.items(), THEMES):
            wanted = [name for name in SHOTS if everything or f"{name}-{width}-{theme}" in KEPT]
            if not wanted:
                continue
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce"
            )
            page = context.new_page()
            # Browsers show the shop's typeface from the second page on.
            page.goto(f"{url}/all/", wait_until="networkidle")
            user = ""
            for name in wanted:
                shot = SHOTS[name]
                if shot.user and shot.user != user:
                    context.clear_cookies()
                    log_in(page, url, shot.user)
                    user = shot.user
                page.goto(url + shot.path)
                if shot.link:
                    page.goto(f"{url}{page.locator(shot.link).first.get_attribute('href')}")
                if name == "upload":
                    _fill_in(page, photos)
                see_all_images(page)
                page.wait_for_timeout(300)
                path = folder / f"{name}-{width}-{theme}"
                if everything:
                    page.screenshot(path=path.with_suffix(".png"), full_page=shot.whole)
                else:
                    page.screenshot(path=path.with_suffix(".jpg"), quality=QUALITY, full_page=shot.whole)
                print(f"  {path}", flush=True)
            context.close()


def _fill_in(page: "Page", photos: list[Path]) -> None:
    page.fill("[name=title]", "Celadon bottle vase, 23 cm")
    page.fill("[name=price]", "45.50")
    page.select_option("[name=category]", index=2)
    page.fill("[name=description]", "Made for three stems rather than thirty, and good to look at with none.")
    page.set_input_files("[name=photos]", photos)
    page.wait_for_timeout(1500)  # the browser makes the previews


def main() -> None:
    """Start a shop of its own, take the pictures, and end it."""
    parser = argparse.ArgumentParser(prog="python -m marketplace.demo.screenshots", description=main.__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="where the pictures go")
    parser.add_argument("--all", action="store_true", help="every page, not only those in the docs")
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
            # Those of the newest drawing, if there are several.
            drawn = {path.name: path for path in sorted(options.photos_dir.rglob("celadon-bottle-*.jpg"))}
            photos = list(drawn.values())
            try:
                take(stack.url, options.folder, photos, everything=options.all)
            except RuntimeError as error:
                sys.exit(str(error))


if __name__ == "__main__":
    main()
