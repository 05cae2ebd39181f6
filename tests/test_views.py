"""The HTTP contract of the resizer: every row of the table, in all three deliveries."""

import hashlib
import json
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from lazyimages import locks, render
from lazyimages.locks import Flight
from tests.clock import PATIENCE, Clock
from tests.conftest import CDN, SIZES, jpeg

DELIVERIES = ("local", "redirect", "failover")
IMMUTABLE = "public, max-age=31536000, immutable"
ORIGINAL = "produs_1/bowl.AZ70KuRzw9.jpg"
KEY = "produs_1/360x270/bowl.AZ70KuRzw9.jpg"
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


@pytest.fixture(params=DELIVERIES)
def mode(request: pytest.FixtureRequest, delivery: Callable[..., None]) -> str:
    delivery(request.param)
    return request.param


@pytest.fixture
def original() -> bytes:
    data = jpeg()
    storages["default"].save(ORIGINAL, ContentFile(data))
    return data


def address(mode: str, key: str) -> str:
    return f"/images/resizer?key={quote(key)}" if mode == "redirect" else f"/images/v/{quote(key)}"


def ask(mode: str, key: str = KEY, client: Client | None = None, method: str = "get", **headers: str) -> Any:
    response = getattr(client or Client(), method)(address(mode, key), headers=headers)
    check_always(response)
    return response


def check_always(response: Any) -> None:
    assert response.status_code in (200, 301, 304, 404, 405, 415, 422, 503)
    for name, value in ALWAYS.items():
        assert response[name] == value
    assert "Content-Length" in response
    assert not response.cookies
    assert "Vary" not in response


def files(tmp_path: Path, folder: str = "variants") -> list[str]:
    root = tmp_path / folder
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_made_now(mode: str, original: bytes, tmp_path: Path) -> None:
    response = ask(mode)
    stored = (tmp_path / "variants" / KEY).read_bytes()
    assert Image.open(BytesIO(stored)).size == (360, 270)
    assert files(tmp_path) == [KEY]
    if mode == "redirect":
        assert response.status_code == 301
        assert response["Location"] == f"{CDN}/{KEY}"
        assert response["Cache-Control"] == "no-store"
    else:
        assert response.status_code == 200
        assert response.content == stored
        assert response["Content-Type"] == "image/jpeg"
        assert response["Cache-Control"] == IMMUTABLE
        assert response["ETag"] == f'"{hashlib.md5(stored).hexdigest()}"'


def test_it_already_existed(mode: str, original: bytes) -> None:
    ask(mode)
    response = ask(mode)
    assert response.status_code == 200
    assert Image.open(BytesIO(response.content)).size == (360, 270)
    assert response["Last-Modified"].endswith("GMT")
    assert int(response["Content-Length"]) == len(response.content)
    if mode == "redirect":
        assert response["Cache-Control"] == "max-age=60"
        assert response["Link"] == f'<{CDN}/{KEY}>; rel="canonical"'
    else:
        assert response["Cache-Control"] == IMMUTABLE


def test_not_modified(mode: str, original: bytes) -> None:
    ask(mode)
    etag = ask(mode)["ETag"]
    for tags in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        response = ask(mode, **{"If-None-Match": tags})
        if mode == "redirect":
            assert response.status_code == 200  # its answer is only there to end a loop
            continue
        assert response.status_code == 304
        assert response.content == b""
        assert response["ETag"] == etag
        assert response["Cache-Control"] == IMMUTABLE
    assert ask(mode, **{"If-None-Match": '"other"'}).status_code == 200


def test_range_is_ignored(mode: str, original: bytes) -> None:
    ask(mode)
    assert ask(mode, Range="bytes=0-9").status_code == 200


@pytest.mark.parametrize(
    "key",
    [
        "produs_1/361x270/bowl.AZ70KuRzw9.jpg",
        "produs_1/0360x270/bowl.AZ70KuRzw9.jpg",
        "produs_1/bowl.AZ70KuRzw9.jpg",
        ORIGINAL,
        "../360x270/a.jpg",
        "a/./360x270/a.jpg",
        "a//360x270/a.jpg",
        "/360x270/a.jpg",
        "a\\360x270/a.jpg",
        "a/360x270/a\n.jpg",
        "a/360x270/\x00.jpg",
        "a/480h/360x270/a.jpg",
        "a/360x270/a.jpg.jpg",
        "a/360x270/a.svg",
        "a/360x270/",
        "360x270",
        "",
        f"{'d' * 1100}/360x270/a.jpg",
        f"{KEY}.webp",  # FORMATS is empty
    ],
)
def test_unknown_size_or_hostile_key(
    delivery: Callable[..., None], s3: Any, s3_calls: list[str], key: str
) -> None:
    for mode in DELIVERIES:
        delivery(mode)
        response = ask(mode, key)
        assert response.status_code == 404
        assert response["Cache-Control"] == "max-age=60, s-maxage=300"
    assert s3_calls == []


def test_format_of_the_whitelist(mode: str, original: bytes, lazy: Callable[..., None]) -> None:
    lazy(FORMATS=["webp"])
    assert ask(mode, f"{KEY}.webp").status_code in (200, 301)
    assert ask(mode, f"{KEY}.webp")["Content-Type"] == "image/webp"
    assert ask(mode, f"{KEY}.avif").status_code == 404


def test_original_missing(mode: str) -> None:
    response = ask(mode)
    assert response.status_code == 404
    assert response["Cache-Control"] == "max-age=0, s-maxage=10"


@pytest.mark.parametrize("data", [b"", b"<html>no image</html>", jpeg()[:3000]], ids=["empty", "text", "cut"])
def test_not_an_image_or_corrupt(mode: str, data: bytes, tmp_path: Path) -> None:
    storages["default"].save(ORIGINAL, ContentFile(data))
    for _ in range(2):
        response = ask(mode)
        assert response.status_code == 415
        assert response["Cache-Control"] == "s-maxage=300"
    assert not (tmp_path / "variants").exists()


@pytest.mark.parametrize(
    "limit", [{"MAX_PIXELS": 1600 * 1200 - 1}, {"MAX_BYTES": 1000}], ids=["pixels", "bytes"]
)
def test_too_many_pixels_or_bytes(
    mode: str, original: bytes, lazy: Callable[..., None], limit: dict[str, int]
) -> None:
    lazy(**limit)
    response = ask(mode)
    assert response.status_code == 422
    assert response["Cache-Control"] == "s-maxage=300"


def test_storage_cannot_be_read(mode: str, tmp_path: Path) -> None:
    loop = tmp_path / "originals" / "produs_1"
    loop.parent.mkdir()
    loop.symlink_to(loop)
    response = ask(mode)
    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert response["Cache-Control"] == "no-store"


def test_storage_cannot_be_written(
    mode: str, original: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "variants").write_text("a file where a directory should be")
    for _ in range(2):
        response = ask(mode)
        assert response.status_code == 200
        assert Image.open(BytesIO(response.content)).size == (360, 270)
        assert response["Cache-Control"] == ("no-store" if mode == "redirect" else "max-age=60")
    assert f"failed key={KEY} error=StorageUnavailable" in caplog.text
    assert "stored=no" in caplog.text


def test_busy(
    mode: str, original: bytes, lazy: Callable[..., None], stop_clock: Callable[..., Clock]
) -> None:
    lazy(RENDER_WAIT=0.2)
    with Flight(KEY) as flight, flight.turn(lambda: None, deadline=0):
        clock = stop_clock(render, locks)
        response = ask(mode)
    assert 0.2 <= clock.slept < 0.3
    assert response.status_code == 503
    assert response["Retry-After"] == "1"
    assert response["Cache-Control"] == "no-store"
    assert ask(mode).status_code in (200, 301)


def test_waited_for_while_another_made_it(
    mode: str, original: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock is taken, and the variant there, when this request gets its turn."""
    from threading import Event, Thread

    waits = Event()

    def sleep(seconds: float) -> None:
        waits.set()
        time.sleep(seconds)

    monkeypatch.setattr(locks, "time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep))
    answers: list[Any] = []
    with Flight(KEY) as flight, flight.turn(lambda: None, deadline=0):
        waiting = Thread(target=lambda: answers.append(ask(mode)))
        waiting.start()
        assert waits.wait(PATIENCE)
        storages["lazyimages"].save(KEY, ContentFile(jpeg(360, 270)))
        flight.finished()
        waiting.join(timeout=PATIENCE)
    (response,) = answers
    if mode == "redirect":
        assert (response.status_code, response["Cache-Control"]) == (301, "no-store")
    else:
        assert (response.status_code, response["Cache-Control"]) == (200, IMMUTABLE)
        assert "Last-Modified" in response
        assert response.content == jpeg(360, 270)


def test_failover_wants_the_secret(original: bytes, delivery: Callable[..., None]) -> None:
    delivery("failover", ORIGIN_SECRET="open sesame")
    for path in (f"/images/v/{KEY}", f"/images/resizer?key={KEY}"):
        for headers in ({}, {"X-Lazyimages-Secret": ""}, {"X-Lazyimages-Secret": "öpen"}):
            response = Client().get(path, headers=headers)
            check_always(response)
            assert response.status_code == 404
        response = Client().get(path, headers={"X-Lazyimages-Secret": "open sesame"})
        assert response.status_code == 200


def test_the_secret_is_for_failover_alone(original: bytes, delivery: Callable[..., None]) -> None:
    delivery("redirect", ORIGIN_SECRET="open sesame")
    assert ask("redirect").status_code == 301


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options", "trace"])
def test_other_methods(mode: str, method: str) -> None:
    response = ask(mode, client=Client(enforce_csrf_checks=True), method=method)
    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD"


def test_head_is_get_without_the_body(mode: str, original: bytes) -> None:
    ask(mode)
    got, head = ask(mode), ask(mode, method="head")
    assert head.content == b""
    for headers in (head.headers, got.headers):
        assert headers.pop("Server-Timing")
    assert dict(head.headers) == dict(got.headers)
    assert int(head["Content-Length"]) == len(got.content)


def test_head_of_a_missing_variant_makes_it(mode: str, original: bytes, tmp_path: Path) -> None:
    head = ask(mode, method="head")
    assert head.status_code in (200, 301)
    assert files(tmp_path) == [KEY]


@pytest.mark.parametrize(
    "path", ["", "nothing", "v", "v/", "v/%0A", "a%0Ab", "resizer/", "resizer", "v/x%0D%0AY:1"]
)
def test_every_path_below_the_prefix(mode: str, path: str) -> None:
    response = Client().get(f"/images/{path}")
    check_always(response)
    assert response.status_code == 404
    assert "Y" not in response.headers


def test_health(mode: str) -> None:
    response = Client().get("/images/health")
    check_always(response)
    state = json.loads(response.content)
    assert response["Cache-Control"] == "no-store"
    assert (state["status"], state["delivery"]) == ("ok", mode)
    assert set(SIZES) <= set(state["sizes"])


def test_location_comes_from_the_settings(
    original: bytes, delivery: Callable[..., None], settings: Any
) -> None:
    delivery("redirect")
    settings.ALLOWED_HOSTS = ["*"]
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    response = Client().get(f"/images/resizer?x=1&key={KEY}", headers=headers)
    assert response["Location"] == f"{CDN}/{KEY}"


ODD_NAMES = [
    "a b.jpg",
    "a+b.jpg",
    "a&b=c.jpg",
    "100%.jpg",
    "a%20b.jpg",
    "été.jpg",
    "a#b?c.jpg",
    "a,b;c'd\"e.jpg",
    "鉢.JPG",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_old_names(mode: str, name: str) -> None:
    storages["default"].save(f"old/{name}", ContentFile(jpeg(400, 300)))
    response = ask(mode, f"old/360x270/{name}")
    if mode == "redirect":
        assert response.status_code == 301
        assert response["Location"] == f"{CDN}/old/360x270/{quote(name)}"
    else:
        assert response.status_code == 200


@pytest.mark.parametrize("name", [name for name in ODD_NAMES if name != "a%20b.jpg"])
def test_old_names_unescaped_in_the_query(delivery: Callable[..., None], name: str) -> None:
    """S3 might put the key into Location as it is; `%20` in a name would then be read as a space."""
    delivery("redirect")
    storages["default"].save(f"old/{name}", ContentFile(jpeg(400, 300)))
    raw = f"key=old/360x270/{name}".encode().decode("latin-1")  # as WSGI servers hand it over
    response = Client().get("/images/resizer", QUERY_STRING=raw)
    assert response.status_code == 301
    assert response["Location"] == f"{CDN}/old/360x270/{quote(name)}"


def test_query_of_an_asgi_server(delivery: Callable[..., None]) -> None:
    delivery("redirect")
    storages["default"].save("old/été.jpg", ContentFile(jpeg(400, 300)))
    response = Client().get("/images/resizer", QUERY_STRING="key=old/360x270/été.jpg")
    assert response.status_code == 301


@pytest.mark.parametrize(
    "query", ["", "key", "key=", "KEY=a", "kkey=a/360x270/b.jpg", "key=%FF", "key=%E9/360x270/a.jpg"]
)
def test_queries_without_a_key(delivery: Callable[..., None], query: str) -> None:
    delivery("redirect")
    response = Client().get("/images/resizer", QUERY_STRING=query)
    check_always(response)
    assert response.status_code == 404


def test_an_original_is_never_served(mode: str, original: bytes) -> None:
    for path in (
        f"/images/v/{ORIGINAL}",
        f"/images/resizer?key={ORIGINAL}",
        f"/media/{ORIGINAL}",
        f"/{ORIGINAL}",
    ):
        assert Client().get(path).status_code == 404


def test_s3_calls_of_a_cold_variant(s3: Any, s3_calls: list[str], mode: str) -> None:
    storages["default"].save(ORIGINAL, ContentFile(jpeg()))
    s3_calls.clear()
    ask(mode)
    assert s3_calls == ["GetObject", "GetObject", "PutObject"]
    s3_calls.clear()
    ask(mode)
    assert s3_calls == ["GetObject"]


def test_an_object_that_vanishes_between_listing_and_reading(s3: Any, mode: str) -> None:
    storages["default"].save(ORIGINAL, ContentFile(jpeg()))
    assert s3.list_objects_v2(Bucket="shop-photos")["KeyCount"] == 1
    s3.delete_object(Bucket="shop-photos", Key=ORIGINAL)
    assert ask(mode).status_code == 404


hostile_pieces = st.sampled_from(
    [
        "..",
        ".",
        "",
        "/",
        "\\",
        "\x00",
        "\n",
        "\x7f",
        "%2e%2e",
        "%00",
        "0360x270",
        "480h",
        "é",
        "a b",
        "+",
        "&",
        "#",
    ]
)
names = st.text(alphabet=st.characters(codec="utf-8"), max_size=30)
endings = st.sampled_from([".jpg", ".JPG", ".webp", ".jpg.webp", ".tiff.jpg", ".svg", "", ".jpg.jpg"])
sized_keys = st.builds(
    lambda directory, size, name, ending: f"{directory}/{size}/{name}{ending}",
    st.one_of(names, hostile_pieces),
    st.sampled_from(SIZES),
    st.one_of(names, hostile_pieces),
    endings,
)
any_keys = st.one_of(sized_keys, st.lists(st.one_of(names, hostile_pieces), max_size=5).map("/".join), names)


def test_ten_thousand_keys(
    delivery: Callable[..., None], s3: Any, s3_calls: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Only the contract's statuses and headers, no exception in the log, no call for an unknown size."""
    client = Client()
    counts = {"all": 0, "sized": 0}

    @hypothesis_settings(
        max_examples=3400, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(key=any_keys)
    def run(key: str) -> None:
        counts["all"] += 1
        known = any(f"/{size}/" in f"/{key}" for size in SIZES)
        counts["sized"] += known
        s3_calls.clear()
        response = client.get(address(mode, key))
        check_always(response)
        assert response.status_code in (404, 415)
        assert known or not s3_calls

    for mode in DELIVERIES:
        delivery(mode)
        run()
    assert counts["all"] >= 10_000
    assert counts["sized"] >= counts["all"] / 5
    assert not [record for record in caplog.records if record.exc_info]
