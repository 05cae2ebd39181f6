"""File inputs in Chromium: choosing, dropping, removing, progress, and sending to S3 and to the site."""

import base64
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.handlers.wsgi import WSGIHandler
from PIL import Image

from marketplace.cloud.s3 import start_s3
from marketplace.demo.screenshots import chromium
from tests.clock import PATIENCE
from tests.conftest import BUCKET
from tests.direct.conftest import names
from tests.host.models import Photo

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is missing: apt install chromium"),
]

REGION = "eu-central-1"
# A policy as strict as sites have it; S3 has to be named, and blob: for the previews.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; "
)


@pytest.fixture(scope="module")
def running() -> Iterator[Any]:
    # Playwright's loop runs in this thread, where Django would take the tests' own queries for a mistake.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with chromium() as browser:
        yield browser
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with start_s3() as child:
        yield child.url


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Make three pictures of many bytes, and no picture."""
    made = []
    for number, width in enumerate((640, 720, 800)):
        path = tmp_path / f"bowl-{number}.png"
        Image.effect_noise((width, 400), 90).convert("RGB").save(path)
        made.append(path)
    return made


class ResponsePolicy:
    """Give every page a content security policy."""

    extra = ""

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        response = self.get_response(request)
        policy = f"{POLICY}connect-src 'self' {self.extra}"
        if nonce := response.headers.get("X-Nonce"):
            policy = policy.replace("script-src 'self'", f"script-src 'nonce-{nonce}'")
        response["Content-Security-Policy"] = policy
        return response


@pytest.fixture
def page(running: Any, live_server: Any, settings: Any) -> Iterator[Any]:
    settings.ROOT_URLCONF = "tests.direct.pages"
    settings.MIDDLEWARE = [
        "lazyimages.middleware.UploadRedirects",
        "tests.browser.test_upload.ResponsePolicy",
        *settings.MIDDLEWARE,
    ]
    # The server has put its middleware together before this test changed it.
    server = live_server.thread.httpd
    before = server.get_app()
    server.set_app(StaticFilesHandler(WSGIHandler()))
    context = running.new_context(base_url=live_server.url, viewport={"width": 390, "height": 844})
    context.set_default_timeout(1000 * PATIENCE)
    opened = context.new_page()
    opened.complaints = []
    opened.on("console", lambda message: opened.complaints.append(message.text))
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    yield opened
    context.close()
    server.set_app(before)


@pytest.fixture
def s3(moto: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Keep originals in a fresh bucket of moto's server, and switch direct upload on."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    client: Any = boto3.client("s3", endpoint_url=moto, region_name=REGION)
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    options = {
        "bucket_name": BUCKET,
        "region_name": REGION,
        "endpoint_url": moto,
        "querystring_auth": False,
    }
    on_s3 = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": on_s3, "lazyimages": on_s3}
    settings.LAZYIMAGES = {**settings.LAZYIMAGES, "DIRECT_UPLOADS": "tests.direct.pages.allowed"}
    monkeypatch.setattr(ResponsePolicy, "extra", moto)
    yield client
    for name in names(client):
        client.delete_object(Bucket=BUCKET, Key=name)
    client.delete_bucket(Bucket=BUCKET)


def slowly(page: Any, bytes_a_second: int) -> list[tuple[str, int]]:
    """Send no faster than this; returns what progress is shown, by file, as it comes."""
    shown: list[tuple[str, int]] = []
    page.expose_function("noteProgress", lambda name, value: shown.append((name, value)))
    page.evaluate(
        """() => new MutationObserver(changes => changes.forEach(({target}) => {
            if (target.matches("progress")) noteProgress(target.getAttribute("aria-label"), target.value)
        })).observe(document.body, {subtree: true, attributes: true, attributeFilter: ["value"]})"""
    )
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_a_second},
    )
    return shown


def listed(page: Any) -> list[str]:
    return page.locator(".lazyimages-name").all_inner_texts()


def status(page: Any) -> str:
    return page.locator("[data-lazyimages-status]").inner_text()


def drop(page: Any, *paths: Path) -> None:
    """Drop files on the input's frame."""
    files = [{"name": path.name, "text": base64.b64encode(path.read_bytes()).decode()} for path in paths]
    transfer = page.evaluate_handle(
        """files => {
            const transfer = new DataTransfer()
            for (const {name, text} of files) {
                const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0))
                transfer.items.add(new File([bytes], name, {type: "image/png"}))
            }
            return transfer
        }""",
        files,
    )
    for event in ("dragenter", "dragover", "drop"):
        page.dispatch_event("[data-lazyimages-drop]", event, {"dataTransfer": transfer})


def fill_in_too_much(page: Any) -> None:
    """Fill in what the server alone will refuse."""
    page.eval_on_selector("[name=title]", "input => input.removeAttribute('maxlength')")
    page.fill("[name=title]", "much too long a title")


def save(page: Any) -> None:
    page.click("text=Save")


def test_chosen_dropped_and_removed_by_keyboard(page: Any, pictures: list[Path]) -> None:
    page.goto("/several/")
    page.set_input_files("[name=photos]", pictures[:2])
    drop(page, pictures[2])
    assert listed(page) == ["bowl-0.png", "bowl-1.png", "bowl-2.png"]
    assert status(page) == "bowl-2.png was added."
    for preview in page.locator(".lazyimages-thumb img").all():
        preview.evaluate("image => image.decode()")
    assert page.locator(".lazyimages-thumb img").count() == 3

    page.focus("text=Remove >> nth=1")
    page.keyboard.press("Enter")
    assert listed(page) == ["bowl-0.png", "bowl-2.png"]
    assert status(page) == "bowl-1.png was removed."
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Remove bowl-2.png"
    page.fill("[name=title]", "Bowls")
    save(page)
    page.wait_for_url("**/done/")
    assert page.locator(".message").inner_text() == "Saved 2, stay."
    assert list(Photo.objects.order_by("pk").values_list("width", flat=True)) == [640, 800]
    assert page.complaints == []


def test_errors_are_said_before_anything_is_sent(page: Any, pictures: list[Path], tmp_path: Path) -> None:
    notes, empty, large = tmp_path / "notes.txt", tmp_path / "empty.jpg", tmp_path / "large.jpg"
    notes.write_text("no picture")
    empty.touch()
    large.write_bytes(b"x" * 3_000_000)
    sent: list[str] = []
    page.goto("/several/")
    page.evaluate("document.querySelector('[data-max-bytes]').dataset.maxBytes = 2 * 2 ** 20")
    page.on("request", lambda request: sent.append(request.method))
    page.set_input_files("[name=photos]", [notes, empty, large])
    assert page.locator(".lazyimages-error").all_inner_texts() == [
        "This is no picture that can be used here.",
        "This file is empty.",
        "This file has 2.9 MB; at most 2 MB are allowed.",
    ]
    assert "notes.txt: This is no picture that can be used here." in status(page)
    page.set_input_files("[name=photos]", pictures[:1])
    page.fill("[name=title]", "Bowls")
    save(page)
    assert status(page) == "Remove the files that cannot be used first."
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Remove notes.txt"
    assert "POST" not in sent
    for _ in range(3):
        page.keyboard.press("Enter")
    assert listed(page) == ["bowl-0.png"]
    save(page)
    page.wait_for_url("**/done/")
    assert Photo.objects.get().width == 640


def test_more_than_allowed(page: Any, pictures: list[Path], tmp_path: Path) -> None:
    fourth = tmp_path / "fourth.png"
    shutil.copy(pictures[0], fourth)
    page.goto("/several/")
    page.set_input_files("[name=photos]", [*pictures, fourth])
    page.fill("[name=title]", "Bowls")
    save(page)
    assert status(page) == "Choose at most 3 files."
    page.click("[aria-label='Remove fourth.png']")
    save(page)
    page.wait_for_url("**/done/")
    assert Photo.objects.count() == 3


def test_progress_of_a_form(page: Any, pictures: list[Path]) -> None:
    page.goto("/several/")
    shown = slowly(page, 1_500_000)
    page.set_input_files("[name=photos]", pictures[:2])
    page.fill("[name=title]", "Bowls")
    save(page)
    page.wait_for_selector("[aria-busy=true]")
    page.wait_for_url("**/done/")
    first = [value for name, value in shown if name == "bowl-0.png"]
    second = [value for name, value in shown if name == "bowl-1.png"]
    assert any(0 < value < 100 for value in first + second)
    assert first[-1] == second[-1] == 100
    assert first == sorted(first)
    first_done = shown.index(("bowl-0.png", 100))
    assert not [one for one in shown[:first_done] if one[0] == "bowl-1.png" and one[1] > 0], "sent in order"
    assert page.locator(".message").inner_text() == "Saved 2, stay."
    assert Photo.objects.count() == 2


def test_a_second_click_sends_nothing_twice(page: Any, pictures: list[Path]) -> None:
    page.goto("/several/")
    slowly(page, 1_500_000)
    page.set_input_files("[name=photos]", pictures[:1])
    page.fill("[name=title]", "Bowls")
    page.evaluate(
        "() => { const b = document.querySelector('form button[name]'); b.click(); b.click(); b.click() }"
    )
    page.wait_for_url("**/done/")
    assert Photo.objects.count() == 1


def test_the_servers_errors_are_shown_and_the_way_back_is_the_browsers(
    page: Any, pictures: list[Path]
) -> None:
    page.goto("/done/")
    page.goto("/several/")
    page.set_input_files("[name=photos]", pictures[:1])
    fill_in_too_much(page)
    save(page)
    page.wait_for_selector(".errorlist")
    assert "at most 10 characters" in page.locator(".errorlist").inner_text()
    assert page.locator(".lazyimages-ready").count() == 1, "its script runs again"
    page.set_input_files("[name=photos]", pictures[:1])
    page.fill("[name=title]", "Bowls")
    save(page)
    page.wait_for_url("**/done/")
    page.go_back()
    page.wait_for_url("**/several/")
    page.wait_for_selector(".lazyimages-ready")
    assert page.locator("[aria-busy=true]").count() == 0
    page.go_forward()
    page.wait_for_url("**/done/")
    assert page.locator("h1").inner_text() == "Done"
    assert Photo.objects.count() == 1
    assert page.complaints == []


def test_a_policy_of_nonces_is_kept(page: Any, pictures: list[Path]) -> None:
    """A page that a script writes has the policy of the one before, and no nonce of its own."""
    page.goto("/once/")
    page.set_input_files("[name=photos]", pictures[:1])
    fill_in_too_much(page)
    save(page)
    page.wait_for_selector(".errorlist")
    page.wait_for_selector(".lazyimages-ready")
    assert page.complaints == []


def test_what_a_proxy_refuses_costs_nothing_that_was_typed(page: Any, pictures: list[Path]) -> None:
    page.goto("/refused/")
    page.fill("[name=title]", "Bowls")
    page.set_input_files("[name=photos]", pictures[:1])
    save(page)
    page.wait_for_selector("[aria-busy=false]")
    assert status(page) == "Sending failed. Try again."
    assert page.input_value("[name=title]") == "Bowls"
    assert listed(page) == ["bowl-0.png"]


def test_without_the_middleware_the_browser_sends_the_form(
    page: Any, pictures: list[Path], settings: Any, live_server: Any
) -> None:
    """XMLHttpRequest would make the page behind a redirect once for nobody, and its message with it."""
    settings.MIDDLEWARE = [one for one in settings.MIDDLEWARE if "UploadRedirects" not in one]
    live_server.thread.httpd.set_app(StaticFilesHandler(WSGIHandler()))
    page.goto("/several/")
    page.set_input_files("[name=photos]", pictures[:1])
    page.fill("[name=title]", "Bowls")
    save(page)
    page.wait_for_url("**/done/")
    assert page.locator(".message").inner_text() == "Saved 1, stay."
    assert Photo.objects.count() == 1


def test_a_connection_that_breaks_is_the_browsers_affair(page: Any, pictures: list[Path]) -> None:
    """XMLHttpRequest fails, and the form goes as it would without the script."""
    page.goto("/several/")
    page.evaluate("() => { XMLHttpRequest.prototype.send = function () { this.onerror() } }")
    page.set_input_files("[name=photos]", pictures[:1])
    page.fill("[name=title]", "Bowls")
    save(page)
    page.wait_for_url("**/done/")
    assert page.locator(".message").inner_text() == "Saved 1, stay."
    assert Photo.objects.count() == 1


def test_without_javascript(running: Any, page: Any, live_server: Any, pictures: list[Path]) -> None:
    context = running.new_context(base_url=live_server.url, java_script_enabled=False)
    context.set_default_timeout(1000 * PATIENCE)
    plain = context.new_page()
    plain.goto("/several/")
    plain.set_input_files("[name=photos]", pictures[:2])
    plain.fill("[name=title]", "Bowls")
    save(plain)
    plain.wait_for_url("**/done/")
    plain.goto("/one/")
    plain.set_input_files("[name=image]", pictures[2])
    plain.fill("[name=title]", "Bowl")
    save(plain)
    plain.wait_for_url("**/done/")
    assert list(Photo.objects.order_by("pk").values_list("width", flat=True)) == [640, 720, 800]
    plain.goto(f"/one/{Photo.objects.order_by('pk').last().pk}/")
    preview = plain.locator(".lazyimages-present img")
    assert 160 <= preview.evaluate("image => image.decode().then(() => image.naturalWidth)") <= 360
    context.close()


class TestDirect:
    def test_the_bytes_go_past_the_site(self, page: Any, s3: Any, pictures: list[Path]) -> None:
        posted: dict[str, int] = {}
        page.on(
            "request",
            lambda request: (
                posted.__setitem__(
                    request.url,
                    int(request.headers.get("content-length") or len(request.post_data_buffer or b"")),
                )
                if request.method == "POST"
                else None
            ),
        )
        page.goto("/several/")
        shown = slowly(page, 1_500_000)
        page.set_input_files("[name=photos]", pictures[:2])
        page.fill("[name=title]", "Bowls")
        save(page)
        page.wait_for_url("**/done/")
        assert page.locator(".message").inner_text() == "Saved 2, stay."
        assert any(0 < value < 100 for _, value in shown)
        assert {name for name, value in shown if value == 100} == {"bowl-0.png", "bowl-1.png"}
        to_site = [size for url, size in posted.items() if url.startswith(page.url.partition("/done/")[0])]
        assert to_site
        assert max(to_site) < 10_000
        stored = [photo.image.name for photo in Photo.objects.order_by("pk")]
        assert sorted(names(s3)) == sorted(stored)
        for name, path in zip(stored, pictures, strict=False):
            assert s3.get_object(Bucket=BUCKET, Key=name)["Body"].read() == path.read_bytes()
        assert page.complaints == []

    def test_a_form_with_another_mistake_need_not_send_again(
        self, page: Any, s3: Any, pictures: list[Path]
    ) -> None:
        page.goto("/several/")
        page.set_input_files("[name=photos]", pictures[:1])
        fill_in_too_much(page)
        save(page)
        page.wait_for_selector(".errorlist")
        assert listed(page) == ["bowl-0.png"]
        page.fill("[name=title]", "Bowls")
        save(page)
        page.wait_for_url("**/done/")
        assert Photo.objects.get().width == 640

    def test_what_the_site_refuses_is_said_at_the_file(self, page: Any, s3: Any, tmp_path: Path) -> None:
        twice = tmp_path / "bowl.jpg.png"
        Image.new("RGB", (64, 64)).save(twice)
        page.goto("/several/")
        page.set_input_files("[name=photos]", twice)
        page.fill("[name=title]", "Bowls")
        save(page)
        page.wait_for_selector(".lazyimages-error")
        assert "ends in two image extensions" in status(page)
        assert names(s3) == []

    def test_when_s3_refuses_the_form_is_sent(self, page: Any, s3: Any, pictures: list[Path]) -> None:
        page.route(
            "**/*",
            lambda route: (
                route.abort()
                if route.request.method == "POST" and BUCKET in route.request.url
                else route.continue_()
            ),
        )
        page.goto("/several/")
        page.set_input_files("[name=photos]", pictures[:1])
        page.fill("[name=title]", "Bowls")
        save(page)
        page.wait_for_url("**/done/")
        assert names(s3) == [Photo.objects.get().image.name]

    def test_a_row_that_is_added_to_a_formset(self, page: Any, s3: Any, pictures: list[Path]) -> None:
        page.goto("/rows/")
        page.evaluate(
            """() => {
                const row = document.querySelector("#body").cloneNode(true)
                for (const input of row.querySelectorAll("[name]"))
                    input.name = input.name.replace("__prefix__", "1")
                document.querySelector("form").append(row)
                document.querySelector("[name=form-TOTAL_FORMS]").value = 2
                document.dispatchEvent(new Event("lazyimages:added"))
            }"""
        )
        assert page.locator("form .lazyimages-hint").count() == 2
        page.set_input_files("[name=form-0-image]", pictures[0])
        page.set_input_files("[name=form-1-image]", pictures[1])
        save(page)
        page.wait_for_url("**/done/")
        assert list(Photo.objects.order_by("pk").values_list("width", flat=True)) == [640, 720]

    def test_one_picture_of_a_model(self, page: Any, s3: Any, pictures: list[Path]) -> None:
        page.goto("/one/")
        page.set_input_files("[name=image]", pictures[0])
        page.set_input_files("[name=image]", pictures[1])
        assert listed(page) == ["bowl-1.png"], "the last one counts"
        page.fill("[name=title]", "Bowl")
        save(page)
        page.wait_for_url("**/done/")
        assert Photo.objects.get().width == 720
        assert json.dumps(names(s3)).count("incoming") == 0
