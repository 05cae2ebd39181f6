"""Keys that are guessed, that lead elsewhere, or that are written in another way."""

import itertools
import logging
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client
from PIL import Image

from lazyimages import conf
from tests.conftest import CDN, jpeg
from tests.security.conftest import assert_safe, file_calls, fresh, get, key_of, saved

DELIVERIES = ("local", "redirect", "failover")
IMMUTABLE = "public, max-age=31536000, immutable"

# Ways to say "..", "/" and NUL: plain, escaped, escaped twice, too long in UTF-8, in full width, for IIS.
CLIMBS = [
    *("../", "..\\", "%2e%2e/", "%2e%2e%2f", "..%2f", ".%2e/", "..%5c", "%2e%2e%5c", "....//", "..;/"),
    *("%252e%252e/", "%252e%252e%252f", "..%252f", "%25252e%25252e%25252f", "..%00/", "%2e%2e%00/"),
    *("%c0%ae%c0%ae/", "%c0%ae%c0%ae%c0%af", "..%c0%af", "..%e0%80%af", "%f0%80%80%ae%f0%80%80%ae/"),
    *("%uff0e%uff0e/", "%ef%bc%8e%ef%bc%8e/", "..%ef%bc%8f", "%u002e%u002e%u2215", "..%01/", "..%0d%0a/"),
]


def both(path: str) -> list[str]:
    """Return the two addresses of a key that is escaped already."""
    return [f"/images/v/{path}", f"/images/resizer?key={path}"]


def ask(address: str) -> Any:
    path, _, query = address.partition("?")
    response = Client(raise_request_exception=False).get(path, QUERY_STRING=query)
    assert_safe(response)
    return response


def test_ten_thousand_unknown_sizes(
    delivery: Callable[..., None],
    s3: Any,
    s3_calls: list[str],
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Every one ends before the storage, the locks and the cache are asked."""
    caplog.set_level(logging.CRITICAL, "django.request")  # a line each, which is most of what it takes
    storages["default"].save(original := fresh(), ContentFile(jpeg(40, 30)))
    s3_calls.clear()
    sizes = [
        f"{width}{kind}"
        for width, kind in itertools.product(range(1, 3350), ("x270", "w", "h"))
        if f"{width}{kind}" not in {str(size) for size in conf.settings().whitelist}
    ]
    sizes += ["0x0", "9999x9999", "10000w", "-1w", "1e3w", "٣٦٠x270"]
    assert len(sizes) >= 10_000
    client = Client()
    for mode in DELIVERIES:
        delivery(mode)
        assert get(key_of(original, "361x270")).status_code == 404  # warm
        started = time.perf_counter()
        for size in sizes if mode == "redirect" else sizes[:500]:
            key = quote(key_of(original, size))
            response = client.get(f"/images/resizer?key={key}" if mode == "redirect" else f"/images/v/{key}")
            assert response.status_code == 404
            assert response["Cache-Control"] == "max-age=60, s-maxage=300"
        if mode == "redirect":
            each = (time.perf_counter() - started) / len(sizes)
    with capsys.disabled():
        print(f"\n{len(sizes):,} unknown sizes: {each * 1000:.3f} ms each, {len(s3_calls)} storage calls")
    assert s3_calls == []
    assert each < 0.05


def test_the_resizer_itself_takes_less_than_a_millisecond(
    s3: Any, s3_calls: list[str], rf: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same without the test client and the project's middleware: the view alone, 10,000 times."""
    from lazyimages import views

    requests = [rf.get("/images/v/x") for _ in range(100)]
    started = time.perf_counter()
    for number in range(10_000):
        key = f"produs_{number}/{number % 3000 + 1}x271/img.AZ70KuRzw9.jpg"
        assert views.variant(requests[number % 100], key=key).status_code == 404
    each = (time.perf_counter() - started) / 10_000
    with capsys.disabled():
        print(f"\n10,000 unknown sizes in the view: {each * 1000:.3f} ms each")
    assert s3_calls == []
    assert each < 0.01


def test_unknown_sizes_open_no_file(tmp_path: Path, store: Callable[..., str]) -> None:
    original = store()
    with file_calls(tmp_path) as calls:
        for size in ("361x270", "479h", "1281w", "1w", "9999x9999"):
            assert get(key_of(original, size)).status_code == 404
        assert calls == []
        assert get(key_of(original)).status_code == 200
    assert calls != []


@pytest.mark.parametrize("climb", CLIMBS)
def test_no_way_out_of_the_folder(
    climb: str, tmp_path: Path, store: Callable[..., str], delivery: Callable[..., None]
) -> None:
    """The target is a picture, so that a way out would be a 200."""
    outside = jpeg(800, 600)
    for place in (tmp_path, tmp_path / "360x270", tmp_path / "other" / "360x270"):
        place.mkdir(parents=True, exist_ok=True)
        (place / "secret.jpg").write_bytes(outside)
    store()  # so that the folders exist
    tries = [
        f"{climb}360x270/secret.jpg",
        f"{climb}{climb}360x270/secret.jpg",
        f"a/{climb}{climb}360x270/secret.jpg",
        f"360x270/{climb}secret.jpg",
        f"360x270/{climb}{climb}secret.jpg",
        f"{climb}other/360x270/secret.jpg",
        f"{climb}360x270/{climb}secret.jpg",
        f"360x270/secret.jpg{climb}",
    ]
    for mode in DELIVERIES:
        delivery(mode)
        with file_calls(tmp_path) as calls:
            for address in (address for path in tries for address in both(path)):
                assert ask(address).status_code == 404, address
        allowed = (str(tmp_path / "originals"), str(tmp_path / "variants"), str(tmp_path / "lazyimages-"))
        assert [call for call in calls if not call.split(" ", 1)[1].startswith(allowed)] == []
    assert not list((tmp_path / "variants").rglob("*"))


@pytest.mark.parametrize(
    "path",
    [
        *("/etc/360x270/passwd.jpg", "//etc/360x270/a.jpg", "C:/360x270/a.jpg", "file:///360x270/a.jpg"),
        *("~/360x270/a.jpg", "$HOME/360x270/a.jpg", "a/360x270/|id.jpg", "a/360x270/$(id).jpg"),
        *("a/360x270/.jpg", "a/360x270/..jpg", "a/360x270/...jpg", "360x270/360x270/a.jpg"),
    ],
)
def test_absolute_and_shell_like_names(path: str, delivery: Callable[..., None]) -> None:
    for mode in DELIVERIES:
        delivery(mode)
        for address in both(quote(path)):
            assert ask(address).status_code == 404


@pytest.mark.parametrize("escape", ["%0d%0a", "%0a", "%0d", "%00", "%7f", "%c2%85", "%e5%98%8a%e5%98%8d"])
def test_no_line_break_reaches_a_header(escape: str, delivery: Callable[..., None]) -> None:
    """CR and LF, NUL, C1, and characters whose last byte is a line break where code cuts them to it."""
    original = fresh()
    storages["default"].save(original, ContentFile(jpeg(400, 300)))
    directory = original.rpartition("/")[0]
    for mode in DELIVERIES:
        delivery(mode)
        for place in (
            f"{directory}{escape}Set-Cookie:x=1/360x270/a.jpg",
            f"{directory}/360x270/a{escape}Location:https://evil.example.jpg",
            f"{quote(key_of(original))}{escape}X-Evil: 1",
            f"{quote(key_of(original))}&x={escape}X-Evil:1",
        ):
            for address in both(place):
                response = ask(address)
                assert response.status_code == 404
                assert not {"Set-Cookie", "X-Evil", "Location"} & set(response.headers)
                assert all("\n" not in value and "\r" not in value for value in response.headers.values())


def test_location_is_percent_encoded_ascii(delivery: Callable[..., None]) -> None:
    """Characters that a header could be broken with, in a name that exists."""
    delivery("redirect")
    file = "a\u560a\u560d\u2028\u202e\u00ad b<script>'\"`{}|^%0d%0a.jpg"
    storages["default"].save(f"odd/{file}", ContentFile(jpeg(400, 300)))
    response = ask(f"/images/resizer?key={quote(f'odd/360x270/{file}')}")
    assert response.status_code == 301
    location = response["Location"]
    assert location == f"{CDN}/odd/360x270/{quote(file)}"
    assert location.isascii()
    assert not set(location) & set("\r\n <>\"'`{}|^")
    assert "%250d%250a" in location  # a name's own percent sign stays one


def test_one_decoding_and_no_second(delivery: Callable[..., None], store: Callable[..., str]) -> None:
    original = store()
    key = key_of(original)
    once, twice = quote(key, safe="").replace(".", "%2E"), quote(quote(key, safe=""), safe="")
    delivery("redirect")
    assert ask(f"/images/resizer?key={once}").status_code == 301
    assert ask(f"/images/resizer?key={twice}").status_code == 404
    assert ask(f"/images/v/{twice}").status_code == 404


def test_nfc_and_nfd_are_two_names(
    s3: Any, s3_calls: list[str], delivery: Callable[..., None], tmp_path: Path
) -> None:
    """No name is normalised: the other form is another original, which is missing."""
    delivery("failover")
    composed = f"attacked/{unicodedata.normalize('NFC', 'été')}.jpg"
    decomposed = unicodedata.normalize("NFD", composed)
    assert composed != decomposed
    storages["default"].save(composed, ContentFile(jpeg(400, 300)))
    assert get(key_of(composed)).status_code == 200
    assert get(key_of(decomposed)).status_code == 404
    listed = [each["Key"] for each in s3.list_objects_v2(Bucket="shop-photos")["Contents"]]
    assert sorted(listed) == sorted([composed, key_of(composed)])


SPELLINGS = [
    *(
        "a/../a/360x270/n.jpg",
        "./a/360x270/n.jpg",
        "a/./360x270/n.jpg",
        "b/../a/360x270/n.jpg",
        "/a/360x270/n.jpg",
    ),
    *("a/360X270/n.jpg", "a/480H/n.jpg", "a/1280W/n.jpg", "a/0360x270/n.jpg", "a/360x0270/n.jpg"),
    *("a/+360x270/n.jpg", "a/360x270 /n.jpg", "a/ 360x270/n.jpg", "a/360×270/n.jpg", "a/３６０x270/n.jpg"),
    *("a/360x270./n.jpg", "a/360x270;/n.jpg", "a/360x/n.jpg", "a/x270/n.jpg", "a/360x270x1/n.jpg"),
    *("a/360.0x270/n.jpg", "a/0x168x270/n.jpg", "a/360x270/n.jpg.WEBP", "a/360x270/n.jpg.jpg"),
    *("a/360x270/n.jpg.", "a/360x270/n.jpg ", "a/360x270/n.jpg/", "a/360x270//n.jpg", "a/360x270/n"),
]


def test_other_spellings_of_a_key(s3: Any, s3_calls: list[str], delivery: Callable[..., None]) -> None:
    """A variant has one key, or a cache could be filled with copies of it."""
    delivery("failover", FORMATS=["webp"])
    storages["default"].save("a/n.jpg", ContentFile(jpeg(400, 300)))
    s3_calls.clear()
    for address in (address for path in SPELLINGS for address in both(quote(path))):
        assert ask(address).status_code == 404, address
    assert s3_calls == []
    assert get("a/360x270/n.jpg").status_code == 200


def test_letters_in_another_case(store: Callable[..., str], tmp_path: Path) -> None:
    """An extension in capitals is part of the name; the same letters in another case are another file."""
    storages["default"].save("attacked/UPPER.JPG", ContentFile(jpeg(400, 300)))
    assert get("attacked/360x270/UPPER.JPG").status_code == 200
    assert get("attacked/360x270/upper.JPG").status_code == 404
    assert get("attacked/360x270/UPPER.jpg").status_code == 404
    assert get("ATTACKED/360x270/UPPER.JPG").status_code == 404
    made = [path.relative_to(tmp_path / "variants") for path in (tmp_path / "variants").rglob("*.*")]
    assert [str(path) for path in made] == ["attacked/360x270/UPPER.JPG"]


def test_variants_of_variants(
    store: Callable[..., str], lazy: Callable[..., None], tmp_path: Path, settings: Any
) -> None:
    """Also where originals and variants share a folder, and a variant might be taken for an original."""
    settings.STORAGES = {**settings.STORAGES, "lazyimages": settings.STORAGES["default"]}
    lazy(FORMATS=["webp"])
    original = store()
    assert get(key_of(original)).status_code == 200
    assert get(key_of(original, suffix=".webp")).status_code == 200
    before = sorted(tmp_path.rglob("*.*"))
    file = original.rpartition("/")[2]
    for key in (
        f"attacked/360x270/480h/{file}",
        f"attacked/480h/360x270/{file}",
        f"attacked/360x270/360x270/{file}",
        f"360x270/attacked/480h/{file}",
        f"attacked/360x270/480h/{file}.webp",
        f"attacked/480h/{file}.webp.webp",
        f"attacked/480h/{file}.webp.jpg",
        f"attacked/480h/{file}.jpg.webp",
    ):
        assert get(key).status_code == 404, key
    assert sorted(tmp_path.rglob("*.*")) == before


@pytest.mark.parametrize("mode", DELIVERIES)
def test_originals_are_never_served(mode: str, tmp_path: Path, delivery: Callable[..., None]) -> None:
    """By no address, and nothing of their metadata in what is served."""
    delivery(mode)
    exif = Image.Exif()
    exif[0x010E] = "PRIVATE-MARK"
    data = saved(Image.new("RGB", (1600, 1200), "red"), "JPEG", exif=exif, comment=b"PRIVATE-MARK")
    assert b"PRIVATE-MARK" in data
    storages["default"].save(original := fresh(), ContentFile(data))
    file = original.rpartition("/")[2]
    for path in (
        *(f"/images/v/{original}", f"/images/resizer?key={original}", f"/media/{original}", f"/{original}"),
        *(f"/images/{original}", f"/images/v/./{original}", f"/images/v//{original}", f"/static/{original}"),
        *(f"/images/v/attacked/original/{file}", f"/images/v/attacked/0w/{file}", f"/images/v/v/{original}"),
        *(f"/images/v/attacked/9999w/{file}", f"/images/v/attacked/1600x1200/{file}", f"/images/{file}"),
    ):
        response = Client(raise_request_exception=False).get(path)
        assert response.status_code == 404, path
        assert data not in response.content
    for size in ("360x270", "480h", "1280w"):
        response = get(key_of(original, size))
        assert response.status_code == 200
        assert b"PRIVATE-MARK" not in response.content
    with Image.open(tmp_path / "variants" / key_of(original, "1280w")) as made:
        assert made.size == (1280, 960)


def test_directories_that_look_like_sizes(
    s3: Any, s3_calls: list[str], delivery: Callable[..., None]
) -> None:
    """An original in one has no variants; it is refused before the bucket is asked."""
    delivery("failover")
    s3.put_object(Bucket="shop-photos", Key="x/640h/a.jpg", Body=jpeg(400, 300))
    s3.put_object(Bucket="shop-photos", Key="640h/y/a.jpg", Body=jpeg(400, 300))
    s3_calls.clear()
    for key in ("x/640h/360x270/a.jpg", "640h/y/360x270/a.jpg", "x/640h/a.jpg", "x/640h/480h/a.jpg"):
        assert get(key).status_code == 404
    assert s3_calls == []
