"""The two command lines, the admin endpoints and the HTTP edge."""

import http.client
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from marketplace.cloud.children import Child, start_child
from tests.clock import PATIENCE
from tests.cloud.conftest import BucketSetup
from tests.cloud.tools import fetch

pytestmark = pytest.mark.chain
ROOT = Path(__file__).parents[2]
CLOUD = [sys.executable, "-m", "marketplace.cloud"]


@pytest.fixture(scope="module")
def options(s3: Any, s3_server: Child) -> list[str]:
    bucket = BucketSetup(s3, "processes")
    bucket.open()
    bucket.website()
    bucket.put("a.jpg", CacheControl="max-age=60")
    bucket.put("b.jpg", CacheControl="max-age=60")
    return ["--bucket", bucket.name, "--s3-endpoint", s3_server.url, "--port", "0", "--website-port", "0"]


@pytest.fixture(scope="module")
def running(options: list[str]) -> Iterator[Child]:
    with start_child([*CLOUD, *options], ready="CDN ready:", cwd=ROOT) as child:
        yield child


@pytest.fixture
def cdn(running: Child) -> Child:
    admin(running, "reset")
    return running


def admin(child: Child, path: str, *, method: str = "POST", body: object = None) -> object:
    reply = fetch(f"{child.url}/__emulator__/{path}", method=method, body=json.dumps(body).encode())
    assert reply.status == 200
    return json.loads(reply.body)


def test_the_cdn_says_where_it_is_and_serves(cdn: Child) -> None:
    website = cdn.output.splitlines()[0]

    assert cdn.ready_line == f"CDN ready: {cdn.url}/"
    assert website.startswith("Website ready: http://127.0.0.1:")
    assert fetch(cdn.url + "/a.jpg").status == 200
    assert fetch(website.split()[-1] + "a.jpg").status == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_cdn_cleanly(options: list[str], number: signal.Signals) -> None:
    cdn = start_child([*CLOUD, *options], ready="CDN ready:", cwd=ROOT)
    os.kill(cdn.pid, number)
    assert cdn.stop() == 0
    assert "Traceback" not in cdn.output


def test_sigterm_ends_s3_cleanly() -> None:
    child = start_child([sys.executable, "-m", "marketplace.cloud.s3"], ready="S3 ready:", cwd=ROOT)
    assert child.stop() == 0
    assert child.output == child.ready_line


def test_the_log_over_http_has_every_layer(cdn: Child) -> None:
    for _ in range(2):
        fetch(cdn.url + "/a.jpg?query=dropped", Cookie="dropped=1")

    rows = [
        (one["layer"], one["path"], one["status"], one["x_cache"]) for one in admin(cdn, "log", method="GET")
    ]
    assert rows == [
        ("website", "/a.jpg", 200, None),
        ("cdn", "/a.jpg", 200, "Miss from cloudfront"),
        ("cdn", "/a.jpg", 200, "Hit from cloudfront"),
    ]


def test_invalidations_over_http(cdn: Child) -> None:
    for path in ("/a.jpg", "/b.jpg"):
        fetch(cdn.url + path)

    assert admin(cdn, "invalidate", body=["/a.jpg"]) == {"invalidated": 1}
    assert fetch(cdn.url + "/a.jpg").x_cache == "Miss from cloudfront"
    assert fetch(cdn.url + "/b.jpg").x_cache == "Hit from cloudfront"
    assert admin(cdn, "invalidate", body=["/*"]) == {"invalidated": 2}


@pytest.mark.parametrize("body", [b"{}", b"no json", b'["/*/x"]', b"[1]"])
def test_a_wrong_invalidation_is_400(cdn: Child, body: bytes) -> None:
    assert fetch(cdn.url + "/__emulator__/invalidate", method="POST", body=body).status == 400


def test_reset_empties_cache_and_log(cdn: Child) -> None:
    fetch(cdn.url + "/a.jpg")
    admin(cdn, "reset")
    assert admin(cdn, "log", method="GET") == []
    assert fetch(cdn.url + "/a.jpg").x_cache == "Miss from cloudfront"


def test_admin_endpoints_answer_nothing_else(cdn: Child) -> None:
    assert fetch(cdn.url + "/__emulator__/log", method="POST").status == 404
    assert fetch(cdn.url + "/__emulator__/").status == 404


def test_it_listens_on_the_loopback_address_only(cdn: Child) -> None:
    port = urlsplit(cdn.url).port
    with socket.socket() as other, pytest.raises(ConnectionRefusedError):
        other.connect(("127.0.0.2", port))


def test_connections_are_kept_alive(cdn: Child) -> None:
    connection = http.client.HTTPConnection(urlsplit(cdn.url).netloc, timeout=PATIENCE)
    connection.connect()
    first = connection.sock
    for method, status in (("GET", 200), ("HEAD", 200), ("POST", 403), ("GET", 200)):
        connection.request(method, "/a.jpg", body=b"body" if method == "POST" else None)
        response = connection.getresponse()
        response.read()
        assert response.status == status
        assert connection.sock is first
    connection.close()


def test_the_absolute_form_of_a_request_is_understood(cdn: Child) -> None:
    connection = http.client.HTTPConnection(urlsplit(cdn.url).netloc, timeout=PATIENCE)
    connection.request("GET", cdn.url + "/a.jpg?x")
    assert connection.getresponse().status == 200
    connection.close()
