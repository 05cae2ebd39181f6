"""Chromium in the admin: the focal point by click and by keyboard, the stored sizes, a strict CSP."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from PIL import Image

from lazyimages import storage
from marketplace.demo.screenshots import chromium
from tests.clock import PATIENCE
from tests.conftest import jpeg, upload
from tests.host.models import Album, AlbumPhoto
from tests.npm import installed

pytestmark = [
    pytest.mark.browser,
    pytest.mark.chain,
    pytest.mark.urls("tests.host.admin_site"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is missing: apt install chromium"),
]
PICTURE = jpeg()  # its left upper corner is red
POLICY = "default-src 'none'; " + "; ".join(
    f"{kind} 'self'" for kind in ("script-src", "style-src", "img-src", "connect-src", "form-action")
)


def strict(get_response: Any) -> Any:
    """Middleware with a Content Security Policy that forbids all that is not needed."""

    def answer(request: Any) -> Any:
        response = get_response(request)
        response["Content-Security-Policy"] = POLICY
        return response

    return answer


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright runs a loop in this thread
    with chromium() as running:
        yield running
    os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE")
    if before is not None:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture
def album(settings: Any, lazy: Any) -> Album:
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": []}]
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.browser.test_admin.strict"]
    lazy(PRESETS={}, SIZES=["360x270", "640w", "60x270"])
    album = Album.objects.create(title="Bowls", cover=upload(PICTURE, "cover.jpg"))
    AlbumPhoto.objects.create(album=album, image=upload(PICTURE, "inside.jpg"))
    return album


class Desk:
    """Somebody of the staff at the form of an album, and what their browser complained of."""

    def __init__(self, browser: Any, url: str, album: Album, **options: Any) -> None:
        person = get_user_model().objects.create_superuser("boss")
        client = Client()
        client.force_login(person)
        self.url, self.album = url, album
        self.context = browser.new_context(base_url=url, viewport={"width": 1000, "height": 900}, **options)
        self.context.set_default_timeout(1000 * PATIENCE)
        self.context.add_cookies(
            [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}]
        )
        self.complaints: list[str] = []
        self.page = self.context.new_page()
        self.page.on("console", self._complain)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.open()

    def _complain(self, message: Any) -> None:
        if not message.location["url"].endswith("/favicon.ico"):  # which Chromium asks for by itself
            self.complaints.append(message.text)

    def open(self) -> None:
        self.page.goto(f"/workshop/host/album/{self.album.pk}/change/")

    def picker(self, number: int = 0) -> Any:
        """Open the focal point of one image; the first is the album's own."""
        details = self.page.locator("details.lazyimages-focal:visible").nth(number)
        details.locator("summary").click()
        picker = details.locator("[data-lazyimages-picker]")
        picker.locator("img").evaluate("image => image.decode()")
        return picker

    def numbers(self, name: str) -> tuple[int, int]:
        x, y = (self.page.locator(f"[name={name}-focal-{axis}]").input_value() for axis in "xy")
        return int(x), int(y)

    def save(self) -> None:
        self.page.locator("[name=_continue]").click()
        self.page.wait_for_selector(".messagelist .success")
        self.album.refresh_from_db()


@pytest.fixture
def desk(browser: Any, live_server: Any, album: Album) -> Iterator[Desk]:
    desk = Desk(browser, live_server.url, album)
    yield desk
    desk.context.close()
    assert desk.complaints == []


def click_at(picker: Any, x: float, y: float) -> None:
    """Click into a picture, by percent of its sides."""
    box = picker.locator("img, canvas").locator("visible=true").bounding_box()
    picker.click(position={"x": box["width"] * x / 100, "y": box["height"] * y / 100})


def corner_of_the_crop(album: Album) -> tuple[int, int, int]:
    answer = Client().get(album.cover.variant_url("60x270"))
    return Image.open(BytesIO(answer.content)).getpixel((5, 5))


def test_a_click_moves_the_point_and_saving_the_crop(desk: Desk) -> None:
    red, green, _ = corner_of_the_crop(desk.album)
    assert red < green + 100
    before = desk.album.cover.name
    click_at(desk.picker(), 5.1, 10.1)
    assert desk.numbers("cover") == (5, 10)
    desk.save()
    assert desk.album.cover.name != before
    assert desk.album.cover.name.endswith(".f0510.jpg")
    assert before not in list(storage.iter_originals())
    red, green, _ = corner_of_the_crop(desk.album)
    assert red > green + 100
    assert desk.numbers("cover") == (5, 10), "the form shows it again"


def test_the_keyboard_moves_the_point(desk: Desk) -> None:
    picker = desk.picker(1)
    picker.focus()
    for keys, point in [
        ("ArrowRight", (51, 50)),
        ("ArrowUp", (51, 49)),
        ("Shift+ArrowLeft", (41, 49)),
        ("Shift+ArrowDown", (41, 59)),
        *[("Shift+ArrowLeft", (x, 59)) for x in (31, 21, 11, 1, 0)],
        ("Home", (50, 50)),
        *[("Shift+ArrowDown", (50, y)) for y in (60, 70, 80, 90, 99, 99)],
    ]:
        desk.page.keyboard.press(keys)
        assert desk.numbers("photos-0-image") == point, keys
    assert picker.get_attribute("role") == "slider"
    assert picker.get_attribute("aria-valuetext") == "50% from the left, 99% from the top"
    assert picker.get_attribute("aria-label") == "Focal point"
    desk.save()
    assert desk.album.photos.get().image.name.endswith(".f5099.jpg")


def test_the_numbers_move_the_cross_and_the_crops(desk: Desk) -> None:
    picker = desk.picker()
    desk.page.fill("[name=cover-focal-x]", "3")
    cross = picker.locator("[data-lazyimages-cross]")
    assert cross.evaluate("cross => cross.style.left") == "3%"
    # 60x270 takes 267 of the 1600 pixels, which the edge keeps the point from being in the middle of.
    crops = desk.page.locator("[data-lazyimages-crops]:visible [data-lazyimages-crop] > img").all()
    assert [crop.evaluate("crop => crop.style.objectPosition") for crop in crops] == ["50% 50%", "0% 50%"]
    desk.page.fill("[name=cover-focal-x]", "50")
    assert crops[1].evaluate("crop => crop.style.objectPosition") == "50% 50%"


def test_the_crops_are_those_that_the_resizer_makes(desk: Desk) -> None:
    """The red corner's share of the narrow crop, in the preview and in what is served."""
    desk.picker()
    desk.page.fill("[name=cover-focal-x]", "22")
    crop = desk.page.locator("[data-lazyimages-crops]:visible [data-lazyimages-crop]").nth(1)
    seen = Image.open(BytesIO(crop.screenshot())).convert("RGB")
    desk.save()
    answer = Client().get(desk.album.cover.variant_url("60x270"))
    made = Image.open(BytesIO(answer.content)).convert("RGB").resize(seen.size)

    def red_columns(picture: Image.Image) -> float:
        row = [picture.getpixel((x, picture.height // 8)) for x in range(picture.width)]
        return sum(red > green + 60 for red, green, _ in row) / len(row)

    assert 0.3 < red_columns(made) < 0.9
    assert abs(red_columns(seen) - red_columns(made)) < 0.1


def test_a_new_file_is_shown_before_it_is_stored(desk: Desk) -> None:
    desk.page.set_input_files(
        "[name=cover]", {"name": "new.jpg", "mimeType": "image/jpeg", "buffer": jpeg(600, 900, orientation=6)}
    )
    desk.page.wait_for_selector("[data-lazyimages-frame] canvas")
    details = desk.page.locator("details.lazyimages-focal").first
    details.locator("summary").click()
    canvas = details.locator("[data-lazyimages-picker] canvas")
    box = canvas.bounding_box()
    assert box["width"] > box["height"], "upright, as its EXIF says"
    click_at(details.locator("[data-lazyimages-picker]"), 20.1, 70.1)
    desk.save()
    assert ".f2070." in desk.album.cover.name
    assert (desk.album.width, desk.album.height) == (900, 600)


def test_an_inline_that_was_added_just_now(desk: Desk) -> None:
    desk.page.get_by_text("Add another Album photo").click()
    name = "photos-2-image"
    picture = {"name": "more.jpg", "mimeType": "image/jpeg", "buffer": PICTURE}
    desk.page.set_input_files(f"[name={name}]", picture)
    row = desk.page.locator("#photos-2")
    row.locator("[data-lazyimages-frame] canvas").wait_for()
    row.locator("summary").click()
    row.locator("[data-lazyimages-picker]").focus()
    desk.page.keyboard.press("Shift+ArrowUp")
    assert desk.numbers(name) == (50, 40)
    desk.save()
    assert desk.album.photos.last().image.name.endswith(".f5040.jpg")


def test_a_file_that_the_browser_cannot_show_keeps_the_numbers(desk: Desk) -> None:
    tiff = BytesIO()
    Image.new("RGB", (300, 200), "teal").save(tiff, "TIFF")
    desk.page.set_input_files(
        "[name=cover]", {"name": "scan.tiff", "mimeType": "image/tiff", "buffer": tiff.getvalue()}
    )
    details = desk.page.locator("details.lazyimages-focal").first
    details.locator("summary").click()
    desk.page.fill("[name=cover-focal-y]", "7")
    desk.save()
    assert desk.album.cover.name.endswith(".f5007.tiff")


def test_the_stored_sizes_are_asked_for_and_deleted(desk: Desk) -> None:
    Client().get(desk.album.cover.variant_url("60x270"))
    desk.open()
    ask = desk.page.locator("[data-lazyimages-ask]").first
    ask.focus()
    desk.page.keyboard.press("Space")
    panel = desk.page.locator("[data-lazyimages-panel]")
    panel.get_by_text("60x270", exact=True).wait_for()
    assert ask.get_attribute("aria-expanded") == "true"
    panel.get_by_text("Delete stored sizes").click()
    panel.get_by_text("Yes, delete them").click()
    panel.locator(".lazyimages-said").wait_for()
    assert "deleted" in panel.locator(".lazyimages-said").inner_text()
    assert [key for key in storage.iter_keys("covers/") if "/60x270/" in key] == []


def test_nothing_moves_while_previews_load(desk: Desk) -> None:
    """Django's own script moves the line below the inlines; nothing of ours moves, or moves others."""
    moved = desk.page.evaluate(
        """() => new Promise(done => {
            const found = []
            new PerformanceObserver(list => {
                const nodes = list.getEntries().flatMap(entry => entry.sources.map(source => source.node))
                found.push(...nodes.map(node => node ? node.className || node.nodeName : "gone"))
            }).observe({type: "layout-shift", buffered: true})
            setTimeout(() => done(found), 300)
        })"""
    )
    assert set(moved) <= {"submit-row"}


def test_without_javascript(browser: Any, live_server: Any, album: Album) -> None:
    desk = Desk(browser, live_server.url, album, java_script_enabled=False)
    desk.page.locator("details.lazyimages-focal summary").first.click()
    desk.page.fill("[name=cover-focal-x]", "8")
    desk.save()
    assert album.cover.name.endswith(".f0850.jpg")
    Client().get(album.cover.variant_url("60x270"))
    desk.page.locator("[data-lazyimages-ask]").first.click()
    desk.page.get_by_text("Delete stored sizes").click()
    desk.page.get_by_text("Yes, delete them").click()
    assert "deleted" in desk.page.locator(".messagelist .success").inner_text()
    assert [key for key in storage.iter_keys("covers/") if "/60x270/" in key] == []
    desk.context.close()


def test_axe_finds_nothing_serious_in_what_is_ours(desk: Desk) -> None:
    source = installed(Path(__file__).parent / "axe", "axe-core") / "axe-core" / "axe.min.js"
    desk.picker()
    desk.page.locator("[data-lazyimages-ask]").first.click()
    desk.page.locator("[data-lazyimages-panel]").get_by_text("Look again").wait_for()
    for scheme in ("light", "dark"):
        desk.page.emulate_media(color_scheme=scheme)
        desk.page.evaluate(source.read_text())
        violations = desk.page.evaluate(
            """async () => {
                // Django's links fade from the colours of one scheme to those of the other.
                await Promise.allSettled(document.getAnimations().map(({finished}) => finished))
                const {violations} = await axe.run({include: [[".lazyimages"]]})
                return violations.map(({id, impact, nodes}) => [impact, id, nodes.map(({html}) => html)])
            }"""
        )
        assert [found for found in violations if found[0] not in (None, "minor")] == []
