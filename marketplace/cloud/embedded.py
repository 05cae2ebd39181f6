"""The whole cloud in one object: a CDN before buckets and servers, told by a distribution or by keywords.

S3 and CloudFront's API are other processes (`marketplace.cloud.s3`, `marketplace.cloud.cloudfront`); all that
is known of buckets and distributions comes through their APIs.
"""

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypedDict, Unpack
from urllib.parse import urlsplit

from marketplace.cloud.backends import Backends
from marketplace.cloud.buckets import MissingStatus
from marketplace.cloud.cache import Cache, Cache307, CachePolicy
from marketplace.cloud.cdn import Behaviour, Distribution, Setup
from marketplace.cloud.configuration import parse_setup
from marketplace.cloud.documents import CloudFrontApi
from marketplace.cloud.messages import Answer, ConfigurationFault, Request, error_page, fault_page
from marketplace.cloud.origins import CustomOrigin, LogEntry, Origin, OriginGroup, RequestLog
from marketplace.cloud.remembered import Remembered
from marketplace.cloud.server import HttpServer
from marketplace.cloud.website import LocationEncoding
from marketplace.trace.events import EventLog

Delivery = Literal["redirect", "failover"]

ADMIN = "/__emulator__/"
DISTRIBUTION_ARN = "arn:aws:cloudfront::123456789012:distribution/EDFDVBD632BHDS5"
# What the project asks CloudFront for: an origin's 5xx is over after a second.
ERROR_MIN_TTL = dict.fromkeys((500, 501, 502, 503, 504), 1)


class Options(TypedDict, total=False):
    """What all embedded clouds take; see `EmbeddedCloud`."""

    port: int
    website_port: int | None
    missing_status: MissingStatus
    location_encoding: LocationEncoding
    state_ttl: float
    clock: Callable[[], float]
    trace_log: Path | None


class EmbeddedCloud(ABC):
    """A CDN on 127.0.0.1 while the `with` block lasts, and beside it the website endpoint of one bucket.

    `port` is the CDN's; 0 picks a free one, and so for `website_port`, where None is no website endpoint.
    `missing_status`, `location_encoding` and `cache_307` are what AWS's pages leave open: a chain should be
    tried with both values of each. Settings of buckets and distributions are read at most once in
    `state_ttl` seconds; `clock` gives Unix time in seconds. `trace_log` is a file that gets
    every request of every layer, for `marketplace.trace`.
    """

    def __init__(
        self,
        *,
        s3_endpoint: str,
        website_bucket: str,
        port: int = 0,
        website_port: int | None = 0,
        missing_status: MissingStatus = 403,
        location_encoding: LocationEncoding = "escaped",
        state_ttl: float = 1.0,
        clock: Callable[[], float] = time.time,
        trace_log: Path | None = None,
    ) -> None:
        self._log = RequestLog(trace=EventLog(trace_log) if trace_log else None)
        self._cache = Cache(clock=clock)
        self._backends = Backends(
            s3_endpoint=s3_endpoint,
            log=self._log,
            missing=missing_status,
            location_encoding=location_encoding,
            state_ttl=state_ttl,
        )
        self._stack = ExitStack()
        self._stack.callback(self._backends.close)
        self._distribution = Distribution(setup=self._setup, cache=self._cache, log=self._log, clock=clock)
        self._website_server: HttpServer | None = None
        domain = f"{website_bucket}.s3-website.localhost"
        if website_bucket and website_port is not None:
            self._website_server = HttpServer(self._answer_website, port=website_port)
            domain = urlsplit(self._website_server.url).netloc
        self._website = self._backends.website(website_bucket, domain=domain)
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
        """Empty the cache and the log, and read all settings anew."""
        self._cache.clear()
        self._log.entries.clear()
        self._backends.forget_states()

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

    @abstractmethod
    def _setup(self) -> Setup:
        """Return what the distribution is told now."""

    def _answer(self, request: Request, body: bytes) -> Answer:
        if request.path.startswith(ADMIN):
            return self._administer(request, body)
        return self._distribution.answer(request)

    def _answer_website(self, request: Request, body: bytes) -> Answer:
        return self._website.fetch(request)

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


class DistributionCloud(EmbeddedCloud):
    """A CDN that does what a distribution in CloudFront's API is told, and follows every change of it.

    The distribution is named by its id, or found by a tag that it alone has. Until it exists the CDN
    answers 503. Invalidations that are made over the API are carried out too. `website_bucket` is the one
    whose website endpoint is at `website_port`; the distribution's own origins need neither.
    """

    def __init__(
        self,
        *,
        s3_endpoint: str,
        cloudfront_endpoint: str,
        distribution: str = "",
        distribution_tag: tuple[str, str] | None = None,
        cache_307: Cache307 = "with-cache-control",
        website_bucket: str = "",
        **options: Unpack[Options],
    ) -> None:
        super().__init__(s3_endpoint=s3_endpoint, website_bucket=website_bucket, **options)
        self._api = CloudFrontApi(
            endpoint=cloudfront_endpoint, distribution=distribution, tag=distribution_tag
        )
        self._stack.callback(self._api.close)
        self._cache_307: Cache307 = cache_307
        self._invalidated: set[str] = set()
        self._read_setup = Remembered(self._read, seconds=options.get("state_ttl", 1.0))

    def reset(self) -> None:
        """Empty the cache and the log, and read all settings anew."""
        super().reset()
        self._api.forget()
        self._read_setup.forget()

    def _setup(self) -> Setup:
        return self._read_setup.get()

    def _read(self) -> Setup:
        documents = self._api.read()
        for identifier, paths in self._api.invalidations(documents.arn, self._invalidated).items():
            self._invalidated.add(identifier)
            try:
                self.invalidate(paths)
            except ValueError as error:
                raise ConfigurationFault(f"Invalidation {identifier}: {error}") from error
        return parse_setup(documents, self._backends, cache_307=self._cache_307)


class KeywordCloud(EmbeddedCloud):
    """A CDN with one behaviour before one bucket: for tests of what no distribution can be told.

    `shop` is the resizer's site, without a path.
    """

    def __init__(
        self,
        *,
        bucket: str,
        s3_endpoint: str,
        delivery: Delivery = "redirect",
        shop: str = "http://127.0.0.1:8000",
        distribution_arn: str = DISTRIBUTION_ARN,
        origin_header: str = "X-Origin-Secret",
        origin_secret: str = "",
        cache_policy: CachePolicy | None = None,
        failover_codes: Collection[int] = (403, 404),
        allowed_methods: Collection[str] = ("GET", "HEAD"),
        **options: Unpack[Options],
    ) -> None:
        if delivery == "failover":
            options["website_port"] = None
        super().__init__(s3_endpoint=s3_endpoint, website_bucket=bucket, **options)
        origin: Origin = self._website
        if delivery == "failover":
            resizer = CustomOrigin(
                url=f"{shop.rstrip('/')}/images/v",
                pool=self._backends.pool,
                log=self._log,
                headers={origin_header: origin_secret} if origin_secret else {},
            )
            primary = self._backends.rest(bucket, reader=distribution_arn)
            origin = OriginGroup(primary=primary, secondary=resizer, codes=failover_codes)
        policy = cache_policy or CachePolicy(error_min_ttl=ERROR_MIN_TTL)
        self._fixed = Setup(behaviours=(Behaviour(origin=origin, policy=policy, methods=allowed_methods),))

    def _setup(self) -> Setup:
        return self._fixed


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
