"""What was requested is read from the logs of CDN, bucket and web servers, and from lists."""

import gzip
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest

from lazyimages.operations.warming import requests
from lazyimages.operations.warming.requests import UnreadableList

KEY = "produs_1/480h/img.AZ70KuRzw9.jpg"
ODD = "Été & co/480h/50% off + ăi.jpg"
ODD_ONCE = "%C3%89t%C3%A9%20&%20co/480h/50%25%20off%20+%20%C4%83i.jpg"
ODD_TWICE = ODD_ONCE.replace("%", "%25")

W3C = (
    "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem "
    "sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type\n"
)


def cloudfront(stem: str, *, status: str = "200", query: str = "-", method: str = "GET") -> str:
    host, agent = "d1.cloudfront.net", "Mozilla/5.0%20(X11)"
    fields = ["2026-11-20", "10:00:00", "FRA2", "100", "192.0.2.1", method, host, stem, status, "-", agent]
    return "\t".join([*fields, query, "-", "Hit"]) + "\n"


def bucket(key: str, target: str, *, operation: str = "WEBSITE.GET.OBJECT", status: str = "307") -> str:
    return (
        "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be shop-photos "
        f"[20/Nov/2026:10:00:00 +0000] 192.0.2.1 - 3E57427F33A59F07 {operation} {key} "
        f'"GET {target} HTTP/1.1" {status} NoSuchKey 343 - 7 - "-" "Mozilla/5.0 (X11)" - '
        "hostid - - - shop-photos.s3-website.eu-central-1.amazonaws.com - -\n"
    )


def combined(target: str, *, status: int = 200, method: str = "GET") -> str:
    return (
        f'192.0.2.1 - - [20/Nov/2026:10:00:00 +0000] "{method} {target} HTTP/1.1" {status} 99 "-" "curl/8"\n'
    )


def read(text: str | bytes) -> list[str | None]:
    data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    return [key and str(key) for key in requests.variants(BytesIO(data))]


class TestCloudFront:
    def test_a_request(self) -> None:
        assert read(W3C + cloudfront(f"/{KEY}") + cloudfront(f"/{KEY}", method="HEAD")) == [KEY, KEY]

    def test_a_percent_sign_is_encoded_once_more(self) -> None:
        assert read(W3C + cloudfront(f"/{ODD_TWICE}")) == [ODD]

    def test_and_one_where_it_is_not(self) -> None:
        assert read(W3C + cloudfront(f"/{ODD_ONCE}")) == [ODD]

    def test_the_resizer_behind_the_cdn(self) -> None:
        line = cloudfront("/images/resizer", status="301", query=f"key={ODD_TWICE}")
        assert read(W3C + line) == [ODD]

    @pytest.mark.parametrize(
        "line",
        [
            cloudfront("/produs_1/481h/img.jpg"),
            cloudfront("/produs_1/480h/img.jpg.webp"),
            cloudfront("/favicon.ico"),
            cloudfront(f"/{KEY}", status="404"),
            cloudfront(f"/{KEY}", method="POST"),
            "cut off\tin the middle\n",
        ],
        ids=["size", "format", "other", "missing", "post", "torn"],
    )
    def test_what_asks_for_no_variant(self, line: str) -> None:
        assert read(W3C + line) == [None]

    def test_the_path_of_the_cdn_url(self, lazy: Callable[..., None]) -> None:
        lazy(CDN_URL="https://cdn.example/photos", DELIVERY="redirect", RESIZER_URL="https://a.example/r")
        assert read(W3C + cloudfront(f"/photos/{KEY}")) == [KEY]

    def test_other_fields_after_another_head(self) -> None:
        other = "#Fields: cs-uri-stem sc-status cs-method\n"
        assert read(W3C + cloudfront(f"/{KEY}") + other + f"/{KEY}\t200\tGET\n") == [KEY, KEY]


class TestBucket:
    def test_the_key_is_encoded_twice(self) -> None:
        assert read(bucket(ODD_TWICE, f"/{ODD_ONCE}")) == [ODD]

    def test_a_key_that_is_encoded_once(self) -> None:
        assert read(bucket(ODD_ONCE, f"/{ODD_ONCE}")) == [ODD]

    def test_a_percent_sign_before_two_digits_stays(self) -> None:
        assert read(bucket("a/480h/5%252520.jpg", "/a/480h/5%2520.jpg")) == ["a/480h/5%20.jpg"]

    def test_missing_ones_are_those_to_make(self) -> None:
        line = bucket(KEY, f"/{KEY}", operation="REST.GET.OBJECT", status="404")
        assert read(line) == [KEY]

    @pytest.mark.parametrize("operation", ["REST.PUT.OBJECT", "REST.DELETE.OBJECT", "REST.GET.BUCKET"])
    def test_what_the_application_does_is_no_request(self, operation: str) -> None:
        assert read(bucket(KEY, f"/{KEY}", operation=operation)) == [None]

    def test_the_folder_of_the_storage(self, s3: Any, settings: Any) -> None:
        options = {**settings.STORAGES["lazyimages"]["OPTIONS"], "location": "made/by us"}
        chosen = {**settings.STORAGES["lazyimages"], "OPTIONS": options}
        settings.STORAGES = {**settings.STORAGES, "lazyimages": chosen}
        assert read(bucket(f"made/by%2520us/{KEY}", f"/made/by%20us/{KEY}")) == [KEY]


class TestWebServers:
    def test_local_and_failover(self) -> None:
        assert read(combined(f"/images/v/{ODD_ONCE}") + combined(f"/images/v/{KEY}?x=1")) == [ODD, KEY]

    @pytest.mark.parametrize("key", [ODD_ONCE, ODD_ONCE.replace("/", "%2F").replace("&", "%26")])
    def test_the_resizer(self, key: str) -> None:
        assert read(combined(f"/images/resizer?key={key}", status=301)) == [ODD]

    def test_bytes_as_nginx_and_apache_write_them(self) -> None:
        assert read(combined(r"/images/v/\xC3\x89t\xc3\xa9/480h/a.jpg")) == ["Été/480h/a.jpg"]

    def test_more_before_and_after(self) -> None:
        line = "shop.example:443 " + combined(f"/images/v/{KEY}").strip() + ' 0.012 "10.0.0.1"\n'
        assert read(line) == [KEY]

    @pytest.mark.parametrize(
        "line",
        [
            combined(f"/images/v/{KEY}", status=404),
            combined(f"/images/v/{KEY}", method="POST"),
            combined("/images/v/../480h/a.jpg"),
            combined("/"),
            '192.0.2.1 - - [20/Nov/2026:10:00:00 +0000] "\\x16\\x03\\x01" 400 0 "-" "-"\n',
        ],
        ids=["missing", "post", "hostile", "page", "tls"],
    )
    def test_what_asks_for_no_variant(self, line: str) -> None:
        assert read(line) == [None]


class TestLists:
    def test_keys_are_as_they_are(self) -> None:
        assert read(f"{KEY}\r\n\n# mine\n{ODD}\na/480h/5%20.jpg\n") == [KEY, ODD, "a/480h/5%20.jpg"]

    def test_urls_and_paths_are_encoded(self) -> None:
        assert (
            read(f"https://cdn.example/{ODD_ONCE}\n/images/v/{ODD_ONCE}\ns3://shop-photos/{ODD}") == [ODD] * 3
        )

    def test_a_mark_of_unicode_at_the_beginning(self) -> None:
        assert read(b"\xef\xbb\xbf" + KEY.encode()) == [KEY]

    def test_what_is_no_text_is_no_key(self) -> None:
        assert read(b"\xff\xfe\x00/480h/a.jpg\n" + b"x" * 200_000 + b"\n" + KEY.encode())[-1] == KEY
        assert set(read(b"\xff/480h/a.jpg\n\x00\x01\n")) == {None}


class TestPacked:
    def test_by_gzip_also_several_one_after_the_other(self) -> None:
        first, second = gzip.compress((W3C + cloudfront(f"/{KEY}")).encode()), gzip.compress(KEY.encode())
        assert read(first + second) == [KEY, KEY]

    @pytest.mark.parametrize("damage", [lambda data: data[:-12], lambda data: data[:20] + b"\0" + data[21:]])
    def test_a_damaged_one_is_said_to_be(self, damage: Callable[[bytes], bytes]) -> None:
        whole = gzip.compress("".join(f"{number}/{KEY}\n" for number in range(2000)).encode())
        with pytest.raises(UnreadableList, match="cannot be read to its end"):
            read(damage(whole))
