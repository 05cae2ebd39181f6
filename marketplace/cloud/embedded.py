"""The whole cloud in one object: a CDN before a bucket, either through its website endpoint or its failover.

S3 itself is another process (`marketplace.cloud.s3`); all that is read of it comes through the S3 API.
"""

import json
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from http import HTTPStatus
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit

from marketplace.cloud.buckets import Bucket, MissingStatus, View
from marketplace.cloud.cache import Cache, CachePolicy
from marketplace.cloud.cdn import Distribution
from marketplace.cloud.messages import Answer, Request, error_page, fault_page
from marketplace.cloud.origins import LogEntry, Origin, OriginGroup, PrivateBucket, RequestLog, Resizer
from marketplace.cloud.origins import WebsiteEndpoint as Endpoint
from marketplace.cloud.policy import anonymous, cloudfront
from marketplace.cloud.server import HttpServer
from marketplace.cloud.website import LocationEncoding

Delivery = Literal["redirect", "failover"]

ADMIN = "/__emulator__/"
DISTRIBUTION_ARN = "arn:aws:cloudfront::123456789012:distribution/EDFDVBD632BHDS5"
# What the project asks CloudFront for: an origin's 5xx is over after a second.
ERROR_MIN_TTL = dict.fromkeys((500, 501, 502, 503, 504), 1)


class EmbeddedCloud:
    """A CDN on 127.0.0.1 while the `with` block lasts; in redirect delivery a website endpoint beside it.

    `shop` is the resizer's site, without a path. `missing_status`, `location_encoding` and the policy's
    `cache_307` are what AWS's pages leave open: a chain should be tried with both values of each.
    """

    def __init__(
        self,
        *,
        bucket: str,
        s3_endpoint: str,
        delivery: Delivery = "redirect",
        shop: str = "http://127.0.0.1:8000",
        port: int = 0,
        website_port: int | None = 0,
        distribution_arn: str = DISTRIBUTION_ARN,
        origin_header: str = "X-Origin-Secret",
        origin_secret: str = "",
        missing_status: MissingStatus = 403,
        location_encoding: LocationEncoding = "escaped",
        cache_policy: CachePolicy | None = None,
        failover_codes: Collection[int] = (403, 404),
        allowed_methods: Collection[str] = ("GET", "HEAD"),
        state_ttl: float = 1.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._log = RequestLog()
        self._cache = Cache(clock=clock)
        self._bucket = Bucket(bucket, endpoint=s3_endpoint, state_ttl=state_ttl)
        self._stack = ExitStack()
        self._stack.callback(self._bucket.close)
        self._website_server: HttpServer | None = None
        self._origin: Origin
        if delivery == "redirect":
            view = View(bucket=self._bucket, caller=anonymous(), missing=missing_status)
            if website_port is not None:
                self._website_server = HttpServer(self._answer_website, port=website_port)
            self._origin = Endpoint(
                view=view,
                log=self._log,
                domain=urlsplit(self.website_url).netloc or f"{bucket}.s3-website.localhost",
                location_encoding=location_encoding,
            )
        else:
            caller = cloudfront(distribution_arn)
            view = View(bucket=self._bucket, caller=caller, missing=missing_status)
            resizer = Resizer(
                url=f"{shop.rstrip('/')}/images/v", header=origin_header, secret=origin_secret, log=self._log
            )
            self._stack.callback(resizer.close)
            primary = PrivateBucket(view=view, log=self._log)
            self._origin = OriginGroup(primary=primary, secondary=resizer, codes=failover_codes)
        self._distribution = Distribution(
            origin=self._origin,
            cache=self._cache,
            policy=cache_policy or CachePolicy(error_min_ttl=ERROR_MIN_TTL),
            log=self._log,
            clock=clock,
            allowed_methods=allowed_methods,
        )
        self._cdn_server = HttpServer(self._answer, port=port)

    @property
    def cdn_url(self) -> str:
        """Where viewers go, without a trailing slash."""
        return self._cdn_server.url

    @property
    def website_url(self) -> str:
        """The website endpoint, without a trailing slash; "" where there is none."""
        return self._website_server.url if self._website_server else ""

    @property
    def log(self) -> list[LogEntry]:
        """The last requests of every layer, each noted when it was answered."""
        return list(self._log.entries.copy())

    def invalidate(self, paths: Sequence[str]) -> int:
        """Drop paths from the cache as CreateInvalidation does; see `Cache.invalidate`."""
        return self._cache.invalidate(paths)

    def reset(self) -> None:
        """Empty the cache and the log, and read the bucket's settings anew."""
        self._cache.clear()
        self._log.entries.clear()
        self._bucket.forget_state()

    def start(self) -> Self:
        """Start the servers."""
        for server in filter(None, (self._website_server, self._cdn_server)):
            self._stack.enter_context(server)
        return self

    def stop(self) -> None:
        """Stop the servers and close all connections."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answer(self, request: Request, body: bytes) -> Answer:
        if request.path.startswith(ADMIN):
            return self._administer(request, body)
        return self._distribution.answer(request)

    def _answer_website(self, request: Request, body: bytes) -> Answer:
        return self._origin.fetch(request)

    def _administer(self, request: Request, body: bytes) -> Answer:
        match request.method, request.path.removeprefix(ADMIN):
            case "GET", "log":
                return _json(self._log.as_json())
            case "POST", "reset":
                self.reset()
                return _json({"reset": True})
            case "POST", "invalidate":
                try:
                    return _json({"invalidated": self.invalidate(_paths(body))})
                except ValueError as error:
                    return fault_page(HTTPStatus.BAD_REQUEST, error)
        return error_page(HTTPStatus.NOT_FOUND, "GET log, POST reset, POST invalidate")


def _paths(body: bytes) -> list[str]:
    paths = json.loads(body)
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise ValueError('The body is a JSON list of paths: ["/a/b.jpg", "/c/*"]')
    return paths


def _json(value: object) -> Answer:
    return Answer(
        status=HTTPStatus.OK,
        headers={"Content-Type": "application/json", "Cache-Control": "no-store"},
        body=json.dumps(value).encode(),
    )
