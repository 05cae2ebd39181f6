"""The shop with its cloud, one for each delivery, and a visitor without a script."""

import http.cookiejar
import json
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape

import pytest

from marketplace.demo.stack import DELIVERIES, Stack
from tests.clock import PATIENCE
from tests.shops import small_shop
from tests.trace.drawn import Seen, rows, rows_of_page


class Visitor:
    """Somebody with cookies, who follows redirects and runs no script."""

    def __init__(self, shop: Stack) -> None:
        self.url = shop.url
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies)
        self._cursor = ""

    def get(self, path: str, data: dict[str, str] | None = None) -> bytes:
        """Fetch a path of the shop, or a URL."""
        body = urllib.parse.urlencode(data).encode() if data is not None else None
        with self._opener.open(urllib.parse.urljoin(self.url, path), body, timeout=PATIENCE) as answer:
            return answer.read()

    def photos(self) -> list[str]:
        """Return the addresses of all pictures that the home page leads to."""
        page = self.get("/").decode()
        return [unescape(url) for url in dict.fromkeys(re.findall(r'<img[^>]* src="([^"]+)"', page))]

    def together(self, urls: list[str]) -> list[bytes]:
        """Fetch URLs at the same time."""
        with ThreadPoolExecutor(len(urls)) as pool:
            return list(pool.map(self.get, urls))

    def news(self, **query: str) -> list[Seen]:
        """Return the rows that are new or have changed since this was last asked, oldest first."""
        asked = urllib.parse.urlencode({"after": self._cursor, **query})
        found = json.loads(self.get(f"/trace/events/?{asked}"))
        self._cursor = found["cursor"]
        return rows("".join(row["html"] for row in found["rows"]))

    def shown(self, query: str = "") -> list[Seen]:
        """Return the rows of the page itself, newest first."""
        return rows_of_page(self.get(f"/trace/{query}").decode())


@pytest.fixture(scope="module", params=DELIVERIES)
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Run the demo, smaller than it is for people."""
    with small_shop(tmp_path_factory.mktemp(request.param), delivery=request.param, products=4) as stack:
        yield stack


@pytest.fixture
def visitor(shop: Stack) -> Visitor:
    """Return a visitor who has seen all that went before."""
    visitor = Visitor(shop)
    visitor.news()
    return visitor
