"""A purge and a warm-up at once, again and again, while browsers ask the CDN for the same pictures."""

import http.client
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import boto3
import pytest

from lazyimages import keys
from lazyimages.exceptions import InvalidKey
from marketplace.demo.stack import BUCKET, ROOT, Stack
from tests.clock import PATIENCE
from tests.shops import small_shop

pytestmark = pytest.mark.chain

SIZES = ("360x270", "480h")
SECONDS = 10  # at least; on a slow machine until each command has run
RUNS = 3
HOPS = 20  # Chromium follows no more redirects
COMMANDS = {
    "purge": ["lazyimages_purge", "--all"],
    "warm": ["lazyimages_warm", "--sizes", *SIZES, "--formats", "native"],
}


@pytest.fixture(params=["redirect", "failover"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    with small_shop(tmp_path, delivery=request.param, products=4) as stack:
        yield stack


@pytest.fixture
def environment(shop: Stack) -> dict[str, str]:
    """What an operator's commands run with: that of the shop, and who the CDN is."""
    client = boto3.client(
        "cloudfront", region_name="eu-central-1", endpoint_url=shop.cloudfront_url, **_credentials()
    )
    (distribution,) = client.list_distributions()["DistributionList"]["Items"]
    return {**shop.environment, "DISTRIBUTION_ID": distribution["Id"]}


def _credentials() -> dict[str, str]:
    return {"aws_access_key_id": "demo", "aws_secret_access_key": "demo"}


def bucket(shop: Stack) -> Any:
    return boto3.client("s3", region_name="eu-central-1", endpoint_url=shop.s3_url, **_credentials())


def content(shop: Stack, key: str) -> bytes:
    body: bytes = bucket(shop).get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return body


def stored(shop: Stack) -> set[str]:
    pages = bucket(shop).get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    return {entry["Key"] for page in pages for entry in page.get("Contents", [])}


def variants(shop: Stack) -> list[str]:
    """Return the keys that the commands and the browsers are about."""
    found = []
    for name in sorted(stored(shop)):
        try:
            keys.parse(name)
        except InvalidKey:
            folder, _, file = name.rpartition("/")
            found += [f"{folder}/{size}/{file}" for size in SIZES]
    return found


class Asked:
    """An answer as a browser gets it: every status on the way, and the last body."""

    def __init__(self, url: str) -> None:
        self.statuses: list[int] = []
        self.url = url
        while True:
            to = urlsplit(url)
            connection = http.client.HTTPConnection(to.netloc, timeout=PATIENCE)
            try:
                connection.request("GET", f"{to.path}?{to.query}" if to.query else to.path)
                answer = connection.getresponse()
                self.body = answer.read()
            finally:
                connection.close()
            self.statuses.append(answer.status)
            self.cached = answer.headers.get("X-Cache", "")
            if answer.status not in (301, 307) or len(self.statuses) > HOPS:
                return
            url = urljoin(url, answer.headers["Location"])


def run(arguments: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_nobody_notices(shop: Stack, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    environment = {**environment, "TMPDIR": str(tmp_path / "tmp")}
    wanted = variants(shop)
    urls = [f"{shop.cdn_url}/{quote(key)}" for key in wanted]
    alone = {url: Asked(url).body for url in urls}
    assert len(set(alone.values())) > 8
    assert all(body.startswith((b"\xff\xd8", b"\x89PNG")) for body in alone.values())
    # A warm-up makes all sizes of an original from one decode, which may differ in single bytes.
    for name in ("purge", "warm"):
        run(COMMANDS[name], environment)
    expected = {url: {alone[url], content(shop, key)} for url, key in zip(urls, wanted, strict=True)}

    ran: Counter[str] = Counter()
    begun = time.monotonic()
    over = threading.Event()

    def again(name: str) -> None:
        while not over.is_set():
            run(COMMANDS[name], environment)
            ran[name] += 1
            if time.monotonic() - begun > SECONDS and min(ran[each] for each in COMMANDS) >= RUNS:
                over.set()

    def browse(first: int) -> list[Asked]:
        found = []
        while not over.is_set():
            for url in urls[first:] + urls[:first]:
                found.append(Asked(url))
        return found

    with ThreadPoolExecutor(len(COMMANDS) + 3) as pool:
        commands = [pool.submit(_then(over, again), name) for name in COMMANDS]
        browsers = [pool.submit(_then(over, browse), first) for first in (0, 5, 10)]
        asked = [each for browser in browsers for each in browser.result()]
    for command in commands:
        command.result()

    ways = Counter(tuple(each.statuses) for each in asked)
    assert {way[-1] for way in ways} == {200}, ways
    assert not [status for way in ways for status in way if status >= 400], ways
    assert max(map(len, ways)) <= HOPS, ways
    assert [each.url for each in asked if each.body not in expected[each.url]] == []
    # It was no fair weather: variants went and were made, by browsers too, and the CDN had to ask.
    cold = (307, 301, 200) if shop.delivery == "redirect" else (200,)
    assert ways[cold] > 0
    assert Counter(each.cached.split()[0] for each in asked if each.cached)["Miss"] > len(urls)

    run(COMMANDS["warm"], environment)
    assert set(wanted) <= stored(shop)
    assert [url for url in urls if Asked(url).body not in expected[url]] == []


def _then(over: threading.Event, call: Callable[..., object]) -> Callable[..., object]:
    """Have all others end too when one has failed."""

    def called(*arguments: object) -> object:
        try:
            return call(*arguments)
        except BaseException:
            over.set()
            raise

    return called
