"""Following redirects by hand, against a real server on 127.0.0.1."""

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer

import pytest

from lazyimages.doctor import hops
from lazyimages.doctor.hops import MOST_HOPS, Hop, fetch, follow
from tests.cloud.tools import QuietHandler

Answer = tuple[int, dict[str, str], bytes]


class Site:
    """Answers by path; `asked` are the paths that came."""

    def __init__(self) -> None:
        self.pages: dict[str, Answer] = {}
        self.asked: list[str] = []
        site = self

        class Handler(QuietHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                status, headers, body = site.pages.get(self.path, (404, {}, b"none"))
                self.reply(status, body, **headers)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    running = Site()
    yield running
    running.stop()


def test_each_hop_is_seen(site: Site) -> None:
    site.pages["/a"] = (307, {"Location": "/b?key=x/%2B.jpg"}, b"")
    site.pages["/b?key=x/%2B.jpg"] = (301, {"Location": f"{site.url}/c", "Cache-Control": "no-store"}, b"")
    site.pages["/c"] = (200, {"Content-Type": "image/jpeg", "X-Cache": "Hit from cloudfront"}, b"bytes")
    chain = follow(f"{site.url}/a")
    assert [hop.status for hop in chain.hops] == [307, 301, 200]
    assert site.asked == ["/a", "/b?key=x/%2B.jpg", "/c"]
    assert not chain.looped
    assert chain.last.body == b"bytes"
    assert chain.last.from_cache
    assert chain.hops[1].header("Cache-Control") == "no-store"
    assert all(hop.ms > 0 for hop in chain.hops)


def test_the_way_of_a_redirect_delivery_is_no_loop(site: Site) -> None:
    """The CDN is asked twice on it; a third time is a circle."""
    site.pages["/cdn"] = (307, {"Location": "/resizer"}, b"")
    site.pages["/resizer"] = (301, {"Location": "/cdn"}, b"")
    chain = follow(f"{site.url}/cdn")
    assert chain.looped
    assert site.asked == ["/cdn", "/resizer"] * 2


def test_it_ends_after_ten_hops(site: Site) -> None:
    for number in range(20):
        site.pages[f"/{number}"] = (302, {"Location": f"/{number + 1}"}, b"")
    chain = follow(f"{site.url}/0")
    assert chain.looped
    assert len(site.asked) == MOST_HOPS == len(chain.hops)


def test_a_redirect_without_a_place_ends_there(site: Site) -> None:
    site.pages["/a"] = (301, {}, b"")
    assert [hop.status for hop in follow(f"{site.url}/a").hops] == [301]


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    hop = fetch(f"http://127.0.0.1:{port}/a")
    assert hop.status == 0
    assert "refused" in hop.trouble.lower()


def test_who_is_silent_is_waited_for_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hops, "SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hop = fetch(f"http://127.0.0.1:{silent.getsockname()[1]}/a")
    assert "no answer within" in hop.trouble


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/a", "file:///etc/passwd", "http://127.0.0.1:port/a"])
def test_a_place_that_is_none(site: Site, url: str) -> None:
    site.pages["/a"] = (307, {"Location": url}, b"")
    chain = follow(f"{site.url}/a")
    assert [hop.status for hop in chain.hops] == [307, 0]
    assert "no place to ask" in chain.last.trouble


def test_no_certificate_that_a_browser_would_refuse(site: Site) -> None:
    hop = fetch(site.url.replace("http:", "https:") + "/a")
    assert hop.status == 0
    assert hop.trouble


def test_an_unknown_host(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "create_connection", unknown)
    assert fetch("http://no-such-host.invalid/a").trouble == "the host's name is not known"


@pytest.mark.parametrize(
    ("headers", "kept"),
    [
        ({"x-cache": "Hit from cloudfront"}, True),
        ({"x-cache": "RefreshHit from cloudfront"}, True),
        ({"x-cache": "Miss from cloudfront"}, False),
        ({"age": "7"}, True),
        ({"age": "0"}, False),
        ({}, False),
    ],
)
def test_what_came_from_a_cache(headers: dict[str, str], kept: bool) -> None:
    assert Hop(url="http://cdn/a", status=200, headers=headers).from_cache is kept


def test_no_signature_is_shown(site: Site) -> None:
    signed = "/bucket/a.jpg?X-Amz-Credential=AKIA/x&X-Amz-Signature=0123abcd"
    site.pages["/a"] = (307, {"Location": signed}, b"")
    chain = follow(f"{site.url}/a")
    assert site.asked[1] == signed
    shown = str([hop.as_dict() for hop in chain.hops])
    assert "0123abcd" not in shown
    assert "AKIA" not in shown
    assert "/bucket/a.jpg?(signed)" in shown


def test_control_characters_do_not_reach_the_terminal() -> None:
    hop = Hop(url="http://cdn/\x1b[2Ja.jpg", status=200, headers={"location": "x\x07y"})
    assert "\x1b" not in str(hop.as_dict()["url"])


@pytest.mark.parametrize(
    "lines", [b"garbage\r\n\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"]
)
def test_an_answer_that_is_none(lines: bytes, serve_raw: Callable[[bytes], str]) -> None:
    hop = fetch(serve_raw(lines))
    assert hop.status == 0
    assert hop.trouble


@pytest.fixture
def serve_raw() -> Iterator[Callable[[bytes], str]]:
    """Answer one connection with these bytes, whatever it asks."""
    threads: list[threading.Thread] = []

    def serve(data: bytes) -> str:
        listening = socket.create_server(("127.0.0.1", 0))

        def answer() -> None:
            with listening, listening.accept()[0] as connection:
                connection.recv(65536)
                connection.sendall(data)

        threads.append(threading.Thread(target=answer, daemon=True))
        threads[-1].start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}/"

    yield serve
    for thread in threads:
        thread.join(timeout=5)
