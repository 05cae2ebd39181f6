"""A variant is made once, however many ask at the same moment, in however many processes."""

import http.client
import os
import re
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy
import pytest
from PIL import Image

from marketplace.cloud.children import Child
from tests.chain.conftest import BUCKET

pytestmark = pytest.mark.chain

ORIGINAL = "produs_1/bowl.AZ70KuRzw9.jpg"
KEY = "produs_1/1280w/bowl.AZ70KuRzw9.jpg"
WORKERS, THREADS = 4, 13


def noisy_jpeg(width: int, height: int) -> bytes:
    pixels = numpy.random.default_rng(1).normal(128, 20, (height, width, 3)).clip(0, 255)
    buffer = BytesIO()
    Image.fromarray(pixels.astype("uint8")).save(buffer, "JPEG", quality=75)
    return buffer.getvalue()


def get(url: str, path: str) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    connection.request("GET", path)
    response = connection.getresponse()
    found = response.status, dict(response.getheaders()), response.read()
    connection.close()
    return found


def get_as_browsers_do(url: str, path: str) -> tuple[int, dict[str, str], bytes]:
    """Ask again when the connection breaks before an answer."""
    while True:
        try:
            return get(url, path)
        except (ConnectionError, http.client.RemoteDisconnected):
            time.sleep(0.01)


def warm(url: str) -> None:
    """Have every worker booted, so that the requests that count meet all of them."""
    seen = 0
    deadline = time.monotonic() + 30
    while seen < 3 * WORKERS and time.monotonic() < deadline:
        seen += get(url, "/images/health")[0] == 200


def puts(bucket: Any) -> int:
    versions = bucket.list_object_versions(Bucket=BUCKET, Prefix=KEY).get("Versions", [])
    return len(versions)


def renders(log: Path) -> int:
    return log.read_text().count("rendered key=")


def test_one_decode_and_one_put(bucket: Any, gunicorn: Callable[..., Child], tmp_path: Path) -> None:
    bucket.put_object(Bucket=BUCKET, Key=ORIGINAL, Body=noisy_jpeg(4032, 3024))
    server = gunicorn(workers=WORKERS, threads=THREADS)
    warm(server.url)
    with ThreadPoolExecutor(WORKERS * THREADS) as pool:
        asked = [pool.submit(get, server.url, f"/images/resizer?key={KEY}") for _ in range(WORKERS * THREADS)]
        answers = [future.result() for future in asked]
    statuses = [status for status, _, _ in answers]
    assert set(statuses) <= {200, 301}
    assert statuses.count(301) >= 1
    assert renders(tmp_path / "gunicorn.log") == 1
    assert puts(bucket) == 1
    picture = Image.open(BytesIO(bucket.get_object(Bucket=BUCKET, Key=KEY)["Body"].read()))
    assert picture.size == (1280, 960)


def lock_holder(folder: Path) -> int | None:
    """Return who holds a lock file in a folder, by the kernel's list (proc(5), /proc/locks)."""
    inodes = {path.stat().st_ino for path in folder.glob("lazyimages-*/*.lock")}
    for line in Path("/proc/locks").read_text().splitlines():
        match = re.match(r"\d+: FLOCK\s+ADVISORY\s+WRITE (\d+) \S+:\S+:(\d+) ", line)
        if match and int(match[2]) in inodes:
            return int(match[1])
    return None


def test_the_holder_is_killed(bucket: Any, gunicorn: Callable[..., Child], tmp_path: Path) -> None:
    """The next one takes over at once, and neither lock nor half an object is left."""
    bucket.put_object(Bucket=BUCKET, Key=ORIGINAL, Body=noisy_jpeg(8000, 6000))
    server = gunicorn(workers=2, threads=13)
    warm(server.url)
    with ThreadPoolExecutor(24) as pool:
        path = f"/images/resizer?key={KEY}"
        asked = [pool.submit(get_as_browsers_do, server.url, path) for _ in range(24)]
        deadline = time.monotonic() + 10
        while (holder := lock_holder(tmp_path)) is None and time.monotonic() < deadline:
            time.sleep(0.001)
        assert holder is not None
        assert holder != server.pid
        os.kill(holder, signal.SIGKILL)
        killed = time.monotonic()
        while lock_holder(tmp_path) in (None, holder) and time.monotonic() < deadline:
            time.sleep(0.001)
        taken_over = time.monotonic() - killed
        answers = [future.result() for future in asked]
    assert taken_over < 0.5
    assert {status for status, _, _ in answers} <= {200, 301}
    assert renders(tmp_path / "gunicorn.log") == 1
    assert puts(bucket) == 1
    picture = Image.open(BytesIO(bucket.get_object(Bucket=BUCKET, Key=KEY)["Body"].read()))
    picture.load()
    assert picture.size == (1280, 960)
    assert lock_holder(tmp_path) is None
