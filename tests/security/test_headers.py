"""Headers, methods and hosts: nothing that a client sends beside the key changes an answer."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client, override_settings

from tests.conftest import CDN, jpeg
from tests.security.conftest import SAFE, assert_safe, fresh, key_of

DELIVERIES = ("local", "redirect", "failover")
EVIL = "evil.example"

UNKEYED = {
    "Accept": "image/avif,image/webp,*/*;q=0.8",
    "Accept-Charset": "utf-16",
    "Accept-Encoding": "gzip, br, zstd",
    "Accept-Language": "ro-RO,ro;q=0.9",
    "Access-Control-Request-Method": "GET",
    "Authorization": "Basic dXNlcjpwYXNz",
    "Cache-Control": "no-cache, no-store, only-if-cached",
    "CF-Connecting-IP": "127.0.0.1",
    "CloudFront-Viewer-Country": "RO",
    "Content-Length": "0",
    "Content-Type": "application/x-www-form-urlencoded",
    "Cookie": "django_language=ro; messages=x; size=480h",
    "DPR": "3",
    "Device-Memory": "8",
    "Downlink": "0.1",
    "ECT": "2g",
    "Early-Data": "1",
    "Expect": "100-continue",
    "Forwarded": f"for=127.0.0.1;host={EVIL};proto=https",
    "Front-End-Https": "on",
    "If-Match": '"other"',
    "If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT",
    "If-Range": '"other"',
    "If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT",
    "Origin": f"https://{EVIL}",
    "Pragma": "no-cache",
    "Prefer": "respond-async",
    "Purpose": "prefetch",
    "RTT": "2000",
    "Range": "bytes=0-9",
    "Referer": f"https://{EVIL}/",
    "Save-Data": "on",
    "Sec-CH-DPR": "3",
    "Sec-CH-UA": '"Chromium";v="156"',
    "Sec-CH-Viewport-Width": "320",
    "Sec-CH-Width": "320",
    "Sec-Fetch-Dest": "script",
    "Sec-Fetch-Mode": "no-cors",
    "Sec-Fetch-Site": "cross-site",
    "TE": "trailers",
    "True-Client-IP": "127.0.0.1",
    "Upgrade": "h2c",
    "Upgrade-Insecure-Requests": "1",
    "User-Agent": "Googlebot-Image/1.0",
    "Via": "1.1 vegur",
    "Viewport-Width": "320",
    "Width": "320",
    "X-Amz-Cf-Id": "abc",
    "X-Forwarded-For": "127.0.0.1",
    "X-Forwarded-Host": EVIL,
    "X-Forwarded-Port": "444",
    "X-Forwarded-Prefix": f"//{EVIL}",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Scheme": "nothttps",
    "X-Forwarded-Server": EVIL,
    "X-Forwarded-Ssl": "on",
    "X-HTTP-Host-Override": EVIL,
    "X-HTTP-Method-Override": "DELETE",
    "X-Host": EVIL,
    "X-Lazyimages-Secret": "guess",
    "X-Method-Override": "PUT",
    "X-Original-Host": EVIL,
    "X-Original-URL": "/admin/",
    "X-Real-IP": "127.0.0.1",
    "X-Requested-With": "XMLHttpRequest",
    "X-Rewrite-URL": "/admin/",
    "X-Scheme": "https",
    "X-Wap-Profile": f"https://{EVIL}/w.xml",
}
TIMING = {"Server-Timing"}  # seconds, which no cache's key holds and no picture shows


def addresses(mode: str, original: str) -> list[str]:
    """Return one address each of a picture, an unknown size, a missing original and a path of nobody."""
    keys = [key_of(original), key_of(original, "361x270"), key_of("attacked/none.jpg"), "nothing"]
    return [f"/images/resizer?key={key}" if mode == "redirect" else f"/images/v/{key}" for key in keys]


def shown(response: Any) -> tuple[int, bytes, dict[str, str]]:
    assert_safe(response)
    headers = {name: value for name, value in response.headers.items() if name not in TIMING}
    return response.status_code, response.content, headers


@pytest.mark.parametrize("mode", DELIVERIES)
def test_unkeyed_headers_change_nothing(
    mode: str, delivery: Callable[..., None], store: Callable[..., str]
) -> None:
    """Each alone, all but the last together, and both cold and warm: body, status and every header."""
    delivery(mode, FORMATS=["webp", "avif"])
    original = store()
    plain, variants = Client(raise_request_exception=False), storages["lazyimages"]
    for address in addresses(mode, original):
        cold = shown(plain.get(address))
        warm = shown(plain.get(address))
        for name, value in UNKEYED.items():
            assert shown(plain.get(address, headers={name: value})) == warm, name
        assert shown(plain.get(address, headers=UNKEYED)) == warm
        assert "Vary" not in warm[2]
        if cold[0] != 404:
            variants.delete(key_of(original))
            assert shown(plain.get(address, headers=UNKEYED)) == cold


@pytest.mark.parametrize(
    "cookie",
    ["sessionid=abc", "csrftoken=short", f"sessionid={'s' * 32}; csrftoken={'c' * 32}", "sessionid="],
)
@pytest.mark.django_db
def test_bad_cookies_bring_no_new_ones(
    cookie: str, delivery: Callable[..., None], store: Callable[..., str]
) -> None:
    """The middleware of sessions and CSRF would answer them with new ones, which a cache might keep."""
    original = store()
    for mode in DELIVERIES:
        delivery(mode)
        for address in [*addresses(mode, original), "/images/health"]:
            response = Client().get(address, headers={"Cookie": cookie})
            assert_safe(response)
            assert "Vary" not in response


@pytest.mark.parametrize("allowed", [["testserver"], ["*"]], ids=["ALLOWED_HOSTS", "any host"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": EVIL},
        {"Host": f"{EVIL}:8443"},
        {"Host": f"testserver@{EVIL}"},
        {"Host": f'x"><script>.{EVIL}'},
        {"X-Forwarded-Host": EVIL},
        {"Host": EVIL, "X-Forwarded-Host": EVIL, "Forwarded": f"host={EVIL}", "X-Forwarded-Proto": "ftp"},
    ],
    ids=lambda headers: " ".join(headers.values())[:24],
)
def test_hosts_are_not_reflected(
    headers: dict[str, str], allowed: list[str], delivery: Callable[..., None], store: Callable[..., str]
) -> None:
    """A host outside of ALLOWED_HOSTS may be Django's 400; what is answered never names it."""
    original = store()
    for mode in DELIVERIES:
        delivery(mode)
        for forwarded in (False, True):
            with override_settings(ALLOWED_HOSTS=allowed, USE_X_FORWARDED_HOST=forwarded):
                for address in [*addresses(mode, original), "/images", "/images/health"]:
                    response = Client(raise_request_exception=False).get(address, headers=headers)
                    everything = response.content + repr(sorted(response.headers.items())).encode()
                    assert EVIL.encode() not in everything
                    assert b"ftp:" not in everything
                    if response.status_code == 301 and "key=" in address:
                        assert response["Location"] == f"{CDN}/{key_of(original)}"
                    assert response.status_code in (200, 301, 400, 404, 503)


@pytest.mark.parametrize("mode", DELIVERIES)
def test_head_abuse(mode: str, delivery: Callable[..., None], s3: Any, s3_calls: list[str]) -> None:
    """HEAD costs what GET costs, once: twenty for a missing variant make it once."""
    delivery(mode)
    original = fresh()
    storages["default"].save(original, ContentFile(jpeg()))
    address, unknown, *_ = addresses(mode, original)
    s3_calls.clear()
    client = Client()
    for _ in range(20):
        response = client.head(address)
        assert_safe(response)
        assert response.content == b""
        assert client.head(unknown).status_code == 404
    assert s3_calls.count("PutObject") == 1
    assert s3_calls.count("GetObject") == 2 + 19
    assert int(response["Content-Length"]) == len(client.get(address).content)


@pytest.mark.parametrize(
    "value",
    [
        *("bytes=0-0", "bytes=-1", "bytes=0-", "bytes=5-2", "bytes=99999999999999999999-", "bytes=a-b"),
        "bytes=" + ",".join(f"{at}-{at}" for at in range(1300)),
        "bytes=" + "0-," * 2000,
        *("items=0-9", "bytes", ""),
    ],
    ids=lambda value: value[:24] or "empty",
)
def test_range_abuse(value: str, store: Callable[..., str]) -> None:
    """Ranges are ignored: the whole picture, once, and never 206, 416 or many parts."""
    original = store()
    client = Client()
    client.get(f"/images/v/{key_of(original)}")
    whole = client.get(f"/images/v/{key_of(original)}")
    for extra in ({}, {"If-Range": whole["ETag"]}, {"Request-Range": value}):
        response = client.get(f"/images/v/{key_of(original)}", headers={"Range": value, **extra})
        assert_safe(response)
        assert (response.status_code, response.content) == (200, whole.content)
        assert "Content-Range" not in response


METHODS = [
    *("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "PURGE", "BAN"),
    *("LOCK", "MOVE", "COPY", "DEBUG", "TRACK", "INVALIDATE", "GETX", "QUERY", "HEADER", "GET HEAD"),
]


def test_methods(delivery: Callable[..., None], s3: Any, s3_calls: list[str]) -> None:
    """All but GET and HEAD are 405, do nothing, and echo nothing back."""
    storages["default"].save(original := fresh(), ContentFile(jpeg(400, 300)))
    s3_calls.clear()
    client = Client(enforce_csrf_checks=True)
    body = b"key=a/480h/b.jpg&echo=ECHO"
    for mode, method in itertools.product(DELIVERIES, METHODS):
        delivery(mode)
        for address in [*addresses(mode, original), "/images/health"]:
            response = client.generic(method, address, body, headers={"X-Echo": "ECHO"})
            assert_safe(response)
            assert response.status_code == 405
            assert response["Allow"] == "GET, HEAD"
            assert b"ECHO" not in response.content
    assert s3_calls == []


@pytest.mark.parametrize("mode", DELIVERIES)
def test_every_answer_is_harmless_in_a_browser(
    mode: str, delivery: Callable[..., None], store: Callable[..., str], lazy: Callable[..., None]
) -> None:
    """No sniffing, no scripts, no cookie, and no type but those of pictures, plain text and JSON."""
    delivery(mode)
    good, bad = store(), store(b"<script>alert(1)</script>")
    large = store(jpeg(1300, 1000))
    client = Client(raise_request_exception=False)

    def answers(original: str) -> list[Any]:
        return [client.get(address) for address in addresses(mode, original)]

    found = [*answers(good), *answers(good), *answers(bad), client.post("/images/"), client.get("/images/")]
    found += [client.get("/images/health"), client.get("/images/<script>alert(1)</script>")]
    lazy(MAX_PIXELS=1_000_000)
    found += [client.get(address.replace("360x270", "480h")) for address in addresses(mode, large)]
    statuses = set()
    for response in found:
        assert_safe(response)
        statuses.add(response.status_code)
        assert SAFE.items() <= dict(response.headers.items()).items()
        kind = response["Content-Type"]
        assert kind in ("image/jpeg", "text/plain; charset=utf-8", "application/json")
        assert b"<script" not in response.content
        assert "Access-Control-Allow-Origin" not in response
    assert statuses == {200, 404, 405, 415, 422} | ({301} if mode == "redirect" else set())
