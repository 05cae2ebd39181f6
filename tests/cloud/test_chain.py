"""The whole chain with a toy resizer: browser, CDN, S3, shop; in both deliveries."""

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from urllib.parse import unquote

import pytest

from marketplace.cloud.cache import DAY, CachePolicy
from marketplace.cloud.embedded import DISTRIBUTION_ARN, EmbeddedCloud, KeywordCloud
from marketplace.cloud.messages import Request
from marketplace.cloud.origins import CustomOrigin, RequestLog, make_pool
from tests.cloud.conftest import BucketSetup
from tests.cloud.tools import QuietHandler, Reply, cloudfront_read, error_rule, fetch

pytestmark = pytest.mark.chain
StartCloud = Callable[..., KeywordCloud]
BOTH = pytest.mark.parametrize("missing", [403, 404])

VARIANTS = ("360x270/*", "*/360x270/*")
KEY = "produs_1/360x270/img é&+.jpg"
PATH = "/produs_1/360x270/img%20%C3%A9%26%2B.jpg"
FOREVER = "public, max-age=31536000, immutable"


class Shop:
    """Makes "variants" as the resizer's contract says, for both deliveries, and counts the renders."""

    def __init__(self, bucket: BucketSetup) -> None:
        self.bucket = bucket
        self.cdn_url = ""
        self.secret: str | None = None
        self.moved_to: str | None = None
        self.queries: list[str] = []
        self.renders = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def make(self, key: str) -> bool:
        """Make and store the variant; False when the key is none or was there already."""
        if key in self.bucket.stored():
            return False
        self.renders += 1
        self.bucket.put(key, b"variant", CacheControl=FOREVER)
        return True

    def _handler(self) -> type[QuietHandler]:
        shop = self

        class Handler(QuietHandler):
            def do_GET(self) -> None:
                if self.path.startswith("/images/v/"):
                    self.serve_failover(unquote(self.path.removeprefix("/images/v/")))
                else:
                    self.serve_redirect(self.path.partition("?key=")[2])

            do_HEAD = do_GET

            def serve_failover(self, key: str) -> None:
                if self.headers.get("X-Secret") != shop.secret or "/360x270/" not in key:
                    return self.reply(404, b"no", Cache_Control="max-age=60, s-maxage=300")
                if shop.moved_to:
                    return self.reply(301, Location=shop.moved_to)
                shop.make(key)
                return self.reply(200, b"variant", Cache_Control=FOREVER, Content_Type="image/jpeg")

            def serve_redirect(self, raw: str) -> None:
                shop.queries.append(raw)
                key = unquote(raw)
                if "/360x270/" not in key:
                    return self.reply(404, b"no", Cache_Control="max-age=60, s-maxage=300")
                if shop.make(key):
                    return self.reply(301, Location=shop.cdn_url + PATH, Cache_Control="no-store")
                return self.reply(200, b"variant", Cache_Control="max-age=60")

        return Handler


@pytest.fixture
def shop(bucket: BucketSetup) -> Iterator[Shop]:
    bucket.put("produs_1/img é&+.jpg", b"original")
    shop = Shop(bucket)
    yield shop
    shop.stop()


def browse(url: str, *, hops: int = 10) -> list[Reply]:
    """Follow redirects like a browser without a cache; the last reply may still be a redirect."""
    replies = [fetch(url)]
    while replies[-1].status in (301, 307) and len(replies) <= hops:
        # A raw Location: http.client gives the header's bytes as latin-1, a browser escapes them.
        location = replies[-1].location.encode("latin-1")
        replies.append(fetch("".join(chr(one) if 0x20 < one < 0x7F else f"%{one:02X}" for one in location)))
    return replies


def statuses(replies: list[Reply]) -> list[int]:
    return [reply.status for reply in replies]


def layers(cloud: EmbeddedCloud) -> list[tuple[str, int]]:
    return [(one.layer, one.status) for one in cloud.log]


# Redirect delivery


@pytest.fixture
def start_redirect(bucket: BucketSetup, shop: Shop, start_cloud: StartCloud) -> StartCloud:
    def start(**options: object) -> KeywordCloud:
        bucket.open(*VARIANTS)
        bucket.website(error_rule(404, shop.host), error_rule(403, shop.host))
        cloud = start_cloud(**options)
        shop.cdn_url = cloud.cdn_url
        return cloud

    return start


@BOTH
def test_redirect_first_request_makes_the_variant_and_the_next_is_a_hit(
    start_redirect: StartCloud, shop: Shop, missing: int
) -> None:
    cloud = start_redirect(missing_status=missing)

    first = browse(cloud.cdn_url + PATH)
    second = browse(cloud.cdn_url + PATH)

    assert statuses(first) == [307, 301, 200]
    assert [first[0].x_cache, first[2].x_cache] == ["Miss from cloudfront"] * 2
    assert first[2].body == b"variant"
    assert (statuses(second), second[0].x_cache) == ([200], "Hit from cloudfront")
    assert second[0].headers["Cache-Control"] == FOREVER
    assert shop.renders == 1
    assert layers(cloud) == [("website", 307), ("cdn", 307), ("website", 200), ("cdn", 200), ("cdn", 200)]


@pytest.mark.parametrize(
    "encoding, query",
    [
        ("escaped", "produs_1/360x270/img%20%C3%A9%26%2B.jpg"),
        ("raw", "produs_1/360x270/img%20%C3%A9&+.jpg"),
    ],
)
def test_the_resizer_gets_the_key_in_either_encoding(
    start_redirect: StartCloud, shop: Shop, encoding: str, query: str
) -> None:
    cloud = start_redirect(location_encoding=encoding)

    assert statuses(browse(cloud.cdn_url + PATH)) == [307, 301, 200]
    assert shop.queries == [query]


@BOTH
def test_redirect_a_private_original_reaches_the_resizer_which_says_404(
    start_redirect: StartCloud, missing: int
) -> None:
    cloud = start_redirect(missing_status=missing)
    replies = browse(cloud.cdn_url + "/produs_1/img%20%C3%A9%26%2B.jpg")
    assert statuses(replies) == [307, 404]
    assert b"original" not in b"".join(reply.body for reply in replies)


def test_redirect_a_307_kept_for_a_day_is_a_stale_redirect(start_redirect: StartCloud, shop: Shop) -> None:
    cloud = start_redirect(cache_policy=CachePolicy(default_ttl=DAY, cache_307="always"))

    first = browse(cloud.cdn_url + PATH)
    second = browse(cloud.cdn_url + PATH)

    # Only the resizer's "it already existed: 200" ends it: every visit of this day goes through the shop.
    assert statuses(first) == [307, 301, 307, 200]
    assert statuses(second) == [307, 200]
    assert [reply.x_cache for reply in (first[2], second[0])] == ["Hit from cloudfront"] * 2


def test_redirect_a_307_kept_for_a_day_loops_where_the_resizer_always_redirects(
    start_redirect: StartCloud, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop, "make", lambda key: True)
    cloud = start_redirect(cache_policy=CachePolicy(default_ttl=DAY, cache_307="always"))

    assert statuses(browse(cloud.cdn_url + PATH, hops=9)) == [307, 301] * 5


def test_redirect_does_not_loop_with_min_0_and_default_0(start_redirect: StartCloud) -> None:
    cloud = start_redirect(cache_policy=CachePolicy(cache_307="always"))

    assert statuses(browse(cloud.cdn_url + PATH)) == [307, 301, 200]
    assert statuses(browse(cloud.cdn_url + PATH)) == [200]


def test_redirect_a_purged_variant_is_made_again_after_its_invalidation(
    start_redirect: StartCloud, shop: Shop, bucket: BucketSetup
) -> None:
    cloud = start_redirect()
    browse(cloud.cdn_url + PATH)
    bucket.delete(KEY)

    assert statuses(browse(cloud.cdn_url + PATH)) == [200]
    assert cloud.invalidate(["/produs_1/*"]) == 1
    assert statuses(browse(cloud.cdn_url + PATH)) == [307, 301, 200]
    assert shop.renders == 2


def test_a_query_changes_nothing_and_goes_nowhere(start_redirect: StartCloud, shop: Shop) -> None:
    cloud = start_redirect()
    browse(cloud.cdn_url + PATH + "?v=1&key=other")

    assert (
        fetch(cloud.cdn_url + PATH + "?v=2", Cookie="a=b", Accept="image/avif").x_cache
        == "Hit from cloudfront"
    )
    assert len(shop.queries) == 1


# Failover delivery


@pytest.fixture
def start_failover(bucket: BucketSetup, shop: Shop, start_cloud: StartCloud) -> StartCloud:
    def start(**options: object) -> KeywordCloud:
        bucket.policy(cloudfront_read(bucket.name, DISTRIBUTION_ARN, *VARIANTS))
        shop.secret = "hush"
        defaults = {"origin_header": "X-Secret", "origin_secret": "hush", "shop": f"http://{shop.host}"}
        return start_cloud(delivery="failover", **defaults | options)

    return start


@BOTH
def test_failover_first_request_makes_the_variant_without_a_redirect(
    start_failover: StartCloud, shop: Shop, missing: int
) -> None:
    cloud = start_failover(missing_status=missing)

    first = fetch(cloud.cdn_url + PATH)
    second = fetch(cloud.cdn_url + PATH)

    assert (first.status, first.body, first.x_cache) == (200, b"variant", "Miss from cloudfront")
    assert (second.status, second.x_cache) == (200, "Hit from cloudfront")
    assert shop.renders == 1
    assert layers(cloud) == [("origin", missing), ("resizer", 200), ("cdn", 200), ("cdn", 200)]


def test_failover_a_stored_variant_comes_from_the_private_bucket(
    start_failover: StartCloud, bucket: BucketSetup, shop: Shop
) -> None:
    cloud = start_failover()
    bucket.put(KEY, b"stored", ContentType="image/jpeg", CacheControl=FOREVER)

    reply = fetch(cloud.cdn_url + PATH)

    assert (reply.body, reply.headers["Content-Type"]) == (b"stored", "image/jpeg")
    assert reply.headers["Cache-Control"] == FOREVER
    assert shop.renders == 0


def test_failover_an_original_is_not_readable_through_the_cdn(start_failover: StartCloud) -> None:
    cloud = start_failover()
    reply = fetch(cloud.cdn_url + "/produs_1/img%20%C3%A9%26%2B.jpg")
    assert (reply.status, reply.x_cache) == (404, "Error from cloudfront")
    assert layers(cloud) == [("origin", 403), ("resizer", 404), ("cdn", 404)]


def test_failover_another_distribution_reads_nothing(
    start_failover: StartCloud, bucket: BucketSetup, shop: Shop
) -> None:
    cloud = start_failover(distribution_arn=DISTRIBUTION_ARN + "X", origin_secret="wrong")
    bucket.put(KEY, b"stored")
    assert fetch(cloud.cdn_url + PATH).status == 404
    assert layers(cloud)[:2] == [("origin", 403), ("resizer", 404)]


def test_failover_a_404_is_kept_for_its_s_maxage(start_failover: StartCloud) -> None:
    cloud = start_failover()
    for _ in range(2):
        assert fetch(cloud.cdn_url + "/produs_1/9x9/a.jpg").status == 404
    assert [layer for layer, _ in layers(cloud)].count("resizer") == 1


def test_failover_answers_head(start_failover: StartCloud) -> None:
    cloud = start_failover()
    for x_cache in ("Miss from cloudfront", "Miss from cloudfront"):
        reply = fetch(cloud.cdn_url + PATH, method="HEAD")
        assert (reply.status, reply.body, reply.x_cache) == (200, b"", x_cache)
        assert reply.headers.get_all("Content-Length") == ["7"]


def test_failover_a_301_to_self_from_the_resizer_loops(
    start_failover: StartCloud, shop: Shop, bucket: BucketSetup
) -> None:
    cloud = start_failover(cache_policy=CachePolicy(default_ttl=DAY))
    shop.moved_to = cloud.cdn_url + PATH

    first = fetch(cloud.cdn_url + PATH)
    bucket.put(KEY, b"stored")
    again = fetch(cloud.cdn_url + PATH)

    assert (first.status, again.status) == (301, 301)
    assert (again.location, again.x_cache) == (cloud.cdn_url + PATH, "Hit from cloudfront")


def test_failover_a_resizer_that_is_down_is_502(start_failover: StartCloud) -> None:
    reply = fetch(start_failover(shop="http://127.0.0.1:9").cdn_url + PATH)
    assert (reply.status, reply.x_cache) == (502, "Error from cloudfront")


def test_failover_a_resizer_that_is_silent_is_504() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url, pool = f"http://127.0.0.1:{silent.getsockname()[1]}", make_pool()
        resizer = CustomOrigin(url=url, pool=pool, log=RequestLog(), read_seconds=0.1)
        assert resizer.fetch(Request(method="GET", path="/a.jpg")).status == 504
        pool.clear()


def test_failover_has_no_website_endpoint(start_failover: StartCloud) -> None:
    assert start_failover().website_url == ""
