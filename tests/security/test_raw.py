"""Bytes on the wire to a real gunicorn, which clients and test clients would tidy up."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest

from marketplace.cloud.children import Child, start_child
from tests.clock import PATIENCE
from tests.conftest import jpeg

pytestmark = pytest.mark.chain

ROOT = Path(__file__).resolve().parents[2]
KEY = b"produs_1/360x270/bowl.AZ70KuRzw9.jpg"
CDN = b"https://cdn.example"
EVIL = b"evil.example"


class Shop:
    """gunicorn with the marketplace, in redirect delivery on plain files, and its folder."""

    def __init__(self, child: Child, folder: Path) -> None:
        self.child, self.folder = child, folder
        self.port = int(child.url.rpartition(":")[2])

    def send(self, request: bytes, *, shut: bool = False) -> bytes:
        """Return all bytes that are answered until the server closes; it soon does when nobody asks more."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            with suppress(ConnectionError):  # it may close before it has read all
                connection.sendall(request)
                if shut:
                    connection.shutdown(socket.SHUT_WR)
            received = b""
            while True:
                try:
                    part = connection.recv(2**16)
                except ConnectionResetError:
                    return received
                if not part:
                    return received
                received += part

    def get(self, target: bytes, *headers: bytes, method: bytes = b"GET", version: bytes = b"1.1") -> bytes:
        """Return the whole answer to a request whose target is sent as it is."""
        lines = [b"%s %s HTTP/%s" % (method, target, version)]
        if not any(header.lower().startswith(b"host:") for header in headers):
            lines.append(b"Host: 127.0.0.1")
        return self.send(b"\r\n".join([*lines, *headers, b"Connection: close", b"", b""]))

    def made(self) -> list[str]:
        """Return the variants that are stored."""
        root = self.folder / "variants"
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "originals" / "produs_1").mkdir(parents=True)
    (folder / "originals" / "produs_1" / "bowl.AZ70KuRzw9.jpg").write_bytes(jpeg(400, 300))
    (folder / "originals" / "caf\u00e9").mkdir()
    (folder / "originals" / "caf\u00e9" / "a+b.jpg").write_bytes(jpeg(400, 300))
    program = (
        "import marketplace.settings as s; "
        "s.LAZYIMAGES = {**s.LAZYIMAGES, 'DELIVERY': 'redirect', 'CDN_URL': 'https://cdn.example', "
        "'RESIZER_URL': 'https://shop.example/images/resizer'}; "
        # The page for 404 has a style sheet, whose name only collectstatic knows.
        "s.STORAGES['staticfiles']['BACKEND'] = 'django.contrib.staticfiles.storage.StaticFilesStorage'; "
        "from gunicorn.app.wsgiapp import run; run()"
    )
    child = start_child(
        [
            *(sys.executable, "-c", program, "marketplace.wsgi:application"),
            *("--bind", "127.0.0.1:0", "--workers", "1", "--threads", "4"),
        ],
        ready="Listening at:",
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "marketplace.settings",
            "DATA_DIR": str(folder),
            "TMPDIR": str(folder),
            "DELIVERY": "local",
        },
        cwd=ROOT,
        log=folder / "gunicorn.log",
    )
    with child:
        started = Shop(child, folder)
        started.get(b"/images/resizer?key=" + KEY)  # so that it is there for every test
        yield started


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.") else 0


def head(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[0]


def test_an_honest_request(shop: Shop) -> None:
    answer = shop.get(b"/images/resizer?key=" + KEY)
    assert status(answer) in (200, 301)
    assert b"nosniff" in answer
    assert b"default-src 'none'; sandbox" in answer
    assert shop.made() == [KEY.decode()]
    again = shop.get(b"/images/v/" + KEY)
    assert again.partition(b"\r\n\r\n")[2] == (shop.folder / "variants" / KEY.decode()).read_bytes()


def test_raw_bytes_in_the_target(shop: Shop) -> None:
    """Not ASCII, not UTF-8, no escapes, bad escapes, NUL, DEL: never a 5xx, and never a header of theirs."""
    before = shop.made()
    for evil in (
        *(b"\xc0\xae\xc0\xae/", b"\xe0\x80\xae/", b"\xff\xfe/", b"\xed\xa0\x80/", b"\xf4\x90\x80\x80/"),
        *(b"%/", b"%2/", b"%zz/", b"%%32%65%%32%65/", b"%u002e/", b"%2f", b"%2F%2e%2e%2f", b"\x7f/", b"%00/"),
        *(b"%c0%ae%c0%ae%c0%af", b"%252e%252e%252f", b"..%2f", b"../", b"%ff/", b"%ED%A0%80/", b";/"),
    ):
        for target in (
            b"/images/v/" + evil + KEY,
            b"/images/v/produs_1/" + evil + b"360x270/bowl.AZ70KuRzw9.jpg",
            b"/images/v/produs_1/360x270/" + evil + b"bowl.AZ70KuRzw9.jpg",
            b"/images/resizer?key=" + evil + KEY,
            b"/images/resizer?key=" + KEY + evil,
        ):
            answer = shop.get(target)
            assert status(answer) in (400, 404), (target, answer)
            assert b"Traceback" not in answer
    assert shop.made() == before


def test_escaped_slashes_are_slashes_once(shop: Shop) -> None:
    """WSGI unescapes a path: `%2F` is the same key, and gives the same bytes."""
    shop.get(b"/images/v/" + KEY)
    one, other = shop.get(b"/images/v/" + KEY), shop.get(b"/images/v/" + KEY.replace(b"/", b"%2F"))
    assert status(one) == status(other) == 200
    assert one.partition(b"\r\n\r\n")[2] == other.partition(b"\r\n\r\n")[2]
    assert status(shop.get(b"/images/v/" + KEY.replace(b"/", b"%252F"))) == 404


def test_line_breaks_in_the_target(shop: Shop) -> None:
    for target in (
        b"/images/resizer?key=a%0d%0aX-Evil:%201/360x270/a.jpg",
        b"/images/resizer?key=" + KEY + b"%0d%0aX-Evil:%201",
        b"/images/resizer?key=" + KEY + b"%0aX-Evil:%201",
        b"/images/v/%0d%0aX-Evil:1/360x270/a.jpg",
        b"/images/%0d%0aX-Evil:1",
        b"/images/resizer?key=" + KEY + b"\rX-Evil: 1",
        b"/images/resizer?key=" + KEY + b"\nX-Evil: 1",
    ):
        answer = shop.get(target)
        assert status(answer) in (400, 404, 0), target
        assert b"\nx-evil" not in head(answer).lower()


def test_location_on_the_wire_is_ascii(shop: Shop) -> None:
    """Of a name that is not. gunicorn takes no target that is not ASCII; other servers do."""
    name = "caf\u00e9/360x270/a+b.jpg"
    answer = shop.get(b"/images/resizer?key=" + quote(name, safe="/+").encode())
    assert status(answer) == 301
    assert b"\r\nLocation: " + CDN + b"/caf%C3%A9/360x270/a%2Bb.jpg\r\n" in answer
    raw = shop.get(b"/images/resizer?key=" + name.encode())
    assert status(raw) in (200, 400)
    assert head(raw).isascii()


def test_absolute_form_and_poisoned_hosts(shop: Shop) -> None:
    """The host in the request line, a second Host, X-Forwarded-Host: not one reaches an answer."""
    path = b"/images/resizer?key=" + KEY
    for target, *headers in (
        (b"http://" + EVIL + path,),
        (b"http://" + EVIL + path, b"Host: " + EVIL),
        (b"https://user:password@" + EVIL + path,),
        (path, b"Host: " + EVIL),
        (path, b"Host: 127.0.0.1", b"Host: " + EVIL),
        (path, b"Host: " + EVIL, b"Host: 127.0.0.1"),
        (path, b"Host: 127.0.0.1, " + EVIL),
        (path, b"Host: 127.0.0.1:80@" + EVIL),
        (path, b"Host:", b"X-Forwarded-Host: " + EVIL),
        (path, b"Host: 127.0.0.1", b"X-Forwarded-Host: " + EVIL, b"Forwarded: host=" + EVIL),
        (path, b"Host: 127.0.0.1", b"X_Forwarded_Host: " + EVIL, b"X-Forwarded-Proto: ftp"),
        (path, b"Host: 127.0.0.1\t" + EVIL),
        (b"//" + EVIL + path,),
        (b"//" + EVIL + b"/%2f..",),
        (b"/images/..//" + EVIL,),
        (b"/images//" + EVIL,),
        (b"/images",),
    ):
        answer = shop.get(target, *headers)
        assert status(answer) in (200, 301, 400, 404), (target, headers, answer)
        assert EVIL not in head(answer), (target, headers)
        if target == b"/images":
            assert b"\r\nLocation: /images/\r\n" in answer


def test_very_long_requests(shop: Shop) -> None:
    for target in (
        b"/images/v/" + b"a/" * 1500 + b"360x270/a.jpg",
        b"/images/resizer?key=" + b"a" * 3900,
        b"/images/resizer?" + b"x&" * 1000 + b"key=" + b"b" * 1500 + b"/360x270/a.jpg",
        b"/images/v/" + b"%25" * 1300,
        b"/images/v/" + b"a" * 100_000,
    ):
        assert status(shop.get(target)) in (400, 404, 414), target[:60]
    many = [b"X-H%d: %s" % (number, b"a" * 100) for number in range(500)]
    assert status(shop.get(b"/images/v/" + KEY, *many)) in (400, 431)
    assert status(shop.get(b"/images/v/" + KEY)) == 200


def test_old_and_strange_versions(shop: Shop) -> None:
    for version, expected in ((b"1.0", {200}), (b"0.9", {0, 400, 505}), (b"2.0", {0, 400, 505})):
        assert status(shop.get(b"/images/v/" + KEY, version=version)) in expected, version
    assert status(shop.send(b"GET /images/v/" + KEY + b"\r\n\r\n")) in (0, 400)
    without_host = shop.send(b"GET /images/v/" + KEY + b" HTTP/1.0\r\n\r\n")
    assert status(without_host) in (200, 400)


def test_head_has_no_body_on_the_wire(shop: Shop) -> None:
    """Nor has it for an error; a body would be taken for the next answer."""
    for path in (b"v/" + KEY, b"v/nothing", b"health", b"resizer?key=" + KEY):
        answer = shop.get(b"/images/" + path, method=b"HEAD")
        assert status(answer) in (200, 404, 503)
        assert answer.endswith(b"\r\n\r\n")
        assert answer.count(b"HTTP/1.1") == 1


def test_pipelining_keeps_answers_apart(shop: Shop) -> None:
    """Three requests in one packet: an answer each, in order, or the connection is closed after the first."""
    one = b"GET /images/v/%s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    last = b"HEAD /images/v/nothing HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    picture = (shop.folder / "variants" / KEY.decode()).read_bytes()
    answer = shop.send(one % KEY + one % b"unknown" + last)
    assert answer.split(b"\r\n\r\n", 1)[1].startswith(picture)
    rest = answer.split(b"\r\n\r\n", 1)[1][len(picture) :]
    assert rest == b"" or [status(part) for part in (rest,)] == [404]
    assert rest.count(b"HTTP/1.1 200") == 0


def test_bodies_on_get(shop: Shop) -> None:
    """A body does not matter; two lengths that contradict each other are refused or close the connection."""
    start = b"GET /images/v/" + KEY + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    smuggled = b"GET /images/v/smuggled HTTP/1.1\r\nHost: " + EVIL + b"\r\n\r\n"
    chunked = b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nkey=a\r\n0\r\n\r\n"
    assert status(shop.send(start + chunked)) == 200
    length = b"Content-Length: 5\r\nConnection: close\r\n\r\nkey=a"
    assert status(shop.send(start + length)) == 200
    for contradiction in (
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
        b"Transfer-Encoding: chunked\r\nContent-Length: %d\r\n\r\n0\r\n\r\n" % len(smuggled) + smuggled,
        b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(smuggled) + smuggled,
        b"Transfer-Encoding: xchunked\r\n\r\n" + smuggled,
        b"Content-Length: +0\r\n\r\n" + smuggled,
        b"Content-Length: 0x10\r\n\r\n" + smuggled,
    ):
        answer = shop.send(start + contradiction)
        assert answer.count(b"HTTP/1.1 ") <= 1, (contradiction, answer)
        assert status(answer) in (200, 400, 501, 0)
