"""Chromium shows the picture, behind Varnish, whatever that does wrong."""

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from marketplace.demo.screenshots import chromium
from tests.clock import PATIENCE
from tests.fire.edge.conftest import Picture, Site
from tests.fire.edge.occasions import OCCASIONS

pytestmark = [
    pytest.mark.browser,
    pytest.mark.chain,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is missing: apt install chromium"),
]
HANG = 1000 * PATIENCE  # milliseconds
PAGE = '<!doctype html><link rel="icon" href="data:,"><title>A photo</title><img src="%s">'


@pytest.fixture(scope="module")
def kind() -> str:
    """Run one kind of edge here: what is tested is the browser."""
    return "varnish"


class Pages(BaseHTTPRequestHandler):
    """Answer `/?URL` with a page that shows that picture.

    A page without a host, such as about:blank, may load nothing from 127.0.0.1 (Local Network Access).
    """

    def do_GET(self) -> None:
        body = (PAGE % self.path.partition("?")[2]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def pages() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/?"
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


class Window:
    """A browser, with Chromium's own cache and what it keeps there."""

    def __init__(self, browser: Any, pages: str) -> None:
        self._pages = pages
        self._page = browser.new_page()
        self._devtools = self._page.context.new_cdp_session(self._page)
        self.requests: list[str] = []
        self._page.on("request", self._note)

    def load(self, url: str) -> tuple[int, int]:
        """Show a picture on a fresh page; return its width, 0 where it is broken, and the redirects."""
        self.requests.clear()
        self._page.goto(self._pages + url, timeout=HANG)  # until the picture is there, or is broken
        width = self._page.evaluate("document.images[0].naturalWidth")
        return width, len(self.requests) - 1

    def _note(self, request: Any) -> None:
        if request.resource_type == "image":
            self.requests.append(request.url)

    def forget(self) -> None:
        """Be somebody else's browser from now on."""
        self._devtools.send("Network.clearBrowserCache")


@pytest.fixture(scope="module")
def window(pages: str) -> Iterator[Window]:
    with chromium() as browser:
        yield Window(browser, pages)


@pytest.mark.parametrize("occasion", OCCASIONS)
def test_the_picture_is_shown(site: Site, window: Window, occasion: str) -> None:
    def see(picture: Picture) -> None:
        needed = site.needed(picture)
        width, redirects = window.load(picture.url)
        print(f"{site.behaviour.name} | {occasion} | {redirects} redirects, {needed} needed")
        assert width == 360, f"not shown: {window.requests}"
        assert redirects - needed <= site.behaviour.bounces, window.requests

    for who in ("the same", "another"):
        window.forget()
        for picture in OCCASIONS[occasion](site, see):
            if who == "another":
                window.forget()
            see(picture)
