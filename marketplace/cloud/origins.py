"""What stands behind the CDN: a bucket's website or REST endpoint, a server over HTTP, an origin group."""

import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from http import HTTPStatus
from typing import Literal, Protocol
from xml.sax.saxutils import escape

import urllib3

from marketplace.cloud.buckets import View
from marketplace.cloud.messages import Answer, Request, answer_or_fault, error_page, unless_known
from marketplace.cloud.website import LocationEncoding, parse_website
from marketplace.trace import events

Layer = Literal["cdn", "website", "origin", "resizer"]
HOPS = {"cdn": events.CDN, "website": events.S3, "origin": events.S3, "resizer": events.RESIZER}

FAILOVER_METHODS = ("GET", "HEAD", "OPTIONS")
READ_METHODS = ("GET", "HEAD")
VIA = "1.1 emulator.cloudfront.net (CloudFront)"
# RFC 9110, 7.6.1, and what the server writes itself. A HEAD answer keeps its Content-Length: it has no body.
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "server", "date", "via"}
CONNECT_SECONDS = 10
READ_SECONDS = 30  # CloudFront's default origin response timeout
ATTEMPTS = 3  # its default of connection attempts
# "List of error codes" in S3's API Reference.
S3_CODES = {301: "PermanentRedirect", 400: "InvalidURI", 403: "AccessDenied", 404: "NoSuchKey"}


@dataclass(frozen=True, kw_only=True)
class LogEntry:
    """One request that reached a layer, and how the layer answered."""

    layer: Layer
    method: str
    path: str
    status: int
    x_cache: str | None = None


@dataclass(frozen=True)
class RequestLog:
    """The last requests of all layers, oldest first; thread-safe, for a deque's append is atomic.

    `trace` gets them too, for who wants to see them from another process.
    """

    entries: deque[LogEntry] = field(default_factory=lambda: deque(maxlen=10_000))
    trace: events.EventLog | None = None

    def add(
        self, layer: Layer, request: Request, answer: Answer, *, since: float, x_cache: str | None = None
    ) -> None:
        """Write down one request; `since` is what `time.perf_counter` said when the layer got it."""
        entry = LogEntry(
            layer=layer, method=request.method, path=request.path, status=answer.status, x_cache=x_cache
        )
        self.entries.append(entry)
        if self.trace and request.id != events.UNTRACED:
            self.trace.write(
                events.Event(
                    hop=HOPS[layer],
                    key=request.key,
                    at=time.time(),
                    request=request.id,
                    method=request.method,
                    status=answer.status,
                    ms=1000 * (time.perf_counter() - since),
                    bytes=len(answer.body),
                    cache=(x_cache or "").partition(" ")[0].lower(),
                )
            )

    def as_json(self) -> list[dict[str, object]]:
        """Return the entries as plain objects."""
        return [asdict(entry) for entry in self.entries.copy()]


class Origin(Protocol):
    """Anything that answers requests for paths."""

    def fetch(self, request: Request) -> Answer:
        """Answer a request; 304 when `if_none_match` names the current ETag. Never raise."""


@dataclass(frozen=True, kw_only=True)
class WebsiteEndpoint:
    """The bucket's website endpoint, seen by the public; `region` "": that of the bucket."""

    view: View
    log: RequestLog
    domain: str
    region: str = ""
    location_encoding: LocationEncoding = "escaped"

    def fetch(self, request: Request) -> Answer:
        """Answer as `Website.answer` does, by the configuration the bucket has now."""
        since = time.perf_counter()
        answer = answer_or_fault(lambda: self._fetch(request))
        self.log.add("website", request, answer, since=since)
        return answer

    def _fetch(self, request: Request) -> Answer:
        state = self.view.bucket.state()
        if self.region and self.region != state.region:
            # "IncorrectEndpoint" in S3's list of error codes.
            return error_page(HTTPStatus.BAD_REQUEST, "The specified bucket exists in another Region.")
        if state.website is None:
            # "NoSuchWebsiteConfiguration" in the same list.
            return error_page(HTTPStatus.NOT_FOUND, "The bucket does not have a website configuration.")
        website = parse_website(state.website, domain=self.domain)
        return website.answer(request, self.view.read, encoding=self.location_encoding)


@dataclass(frozen=True, kw_only=True)
class RestEndpoint:
    """The bucket's REST endpoint: of CloudFront's origin access control, or of the public, as the view is.

    It knows neither routing rules nor an index document, and its errors are XML. A query says nothing to
    it here; S3 would take some of its words for subresources. `region` as in WebsiteEndpoint.
    """

    view: View
    log: RequestLog
    region: str = ""

    def fetch(self, request: Request) -> Answer:
        """Answer GET and HEAD by the bucket's policy; every other method is 403 for lack of permission."""
        since = time.perf_counter()
        answer = answer_or_fault(lambda: self._fetch(request))
        self.log.add("origin", request, answer, since=since)
        return answer

    def _fetch(self, request: Request) -> Answer:
        if request.method not in READ_METHODS:
            return _s3_error(HTTPStatus.FORBIDDEN)
        if self.region and self.region != self.view.bucket.state().region:
            return _s3_error(HTTPStatus.MOVED_PERMANENTLY)
        answer = self.view.read(request.key)
        if answer.status != HTTPStatus.OK:
            return _s3_error(answer.status)
        return unless_known(answer, request.if_none_match)


def _s3_error(status: int) -> Answer:
    code = S3_CODES[status]
    xml = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{escape(code)}</Code></Error>'
    return Answer(status=status, headers={"Content-Type": "application/xml"}, body=xml.encode())


def make_pool() -> urllib3.PoolManager:
    """Make the connections that custom origins share; `clear` closes them."""
    return urllib3.PoolManager(maxsize=64)


@dataclass(frozen=True, kw_only=True)
class CustomOrigin:
    """A server over HTTP, the shop with its resizer for one. `url` ends in the origin path.

    It gets the headers of the origin's settings, and of the viewer's nothing but what the cache asks.
    """

    url: str
    pool: urllib3.PoolManager
    log: RequestLog
    headers: Mapping[str, str] = field(default_factory=dict)
    attempts: int = ATTEMPTS
    connect_seconds: float = CONNECT_SECONDS
    read_seconds: float = READ_SECONDS

    def fetch(self, request: Request) -> Answer:
        """Pass the request on without following redirects; 502 or 504 when there is no answer."""
        since = time.perf_counter()
        answer = self._fetch(request)
        self.log.add("resizer", request, answer, since=since)
        return answer

    def _fetch(self, request: Request) -> Answer:
        headers = {
            "User-Agent": "Amazon CloudFront",
            "Via": VIA,
            events.ID_HEADER: request.id,
            **self.headers,
        }
        if request.if_none_match:
            headers["If-None-Match"] = request.if_none_match
        query = f"?{request.query}" if request.query else ""
        try:
            found = self.pool.request(
                request.method,
                self.url + request.path + query,
                headers=headers,
                redirect=False,
                # "Connection attempts": CloudFront tries a GET or HEAD again when a connection breaks.
                retries=urllib3.Retry(
                    self.attempts - 1, status=0, redirect=0, raise_on_redirect=False, raise_on_status=False
                ),
                timeout=urllib3.Timeout(connect=self.connect_seconds, read=self.read_seconds),
            )
        except urllib3.exceptions.HTTPError as error:
            reason = getattr(error, "reason", error)
            timed_out = isinstance(reason, urllib3.exceptions.ReadTimeoutError)
            status = HTTPStatus.GATEWAY_TIMEOUT if timed_out else HTTPStatus.BAD_GATEWAY
            return error_page(status, "CloudFront wasn't able to connect to the origin.")
        dropped = HOP_BY_HOP if request.method == "HEAD" else HOP_BY_HOP | {"content-length"}
        kept = {name: value for name, value in found.headers.items() if name.lower() not in dropped}
        return Answer(status=found.status, headers=kept, body=found.data)


@dataclass(frozen=True, kw_only=True)
class Unreachable:
    """An origin that CloudFront cannot speak to, and why."""

    status: int
    reason: str

    def fetch(self, request: Request) -> Answer:
        """Answer with CloudFront's own error page."""
        return error_page(self.status, self.reason)


@dataclass(frozen=True, kw_only=True)
class Below:
    """An origin with an origin path: `path` is put before the viewer's."""

    path: str
    origin: Origin

    def fetch(self, request: Request) -> Answer:
        """Ask the origin for the longer path."""
        return self.origin.fetch(replace(request, path=self.path + request.path))


@dataclass(frozen=True, kw_only=True)
class OriginGroup:
    """A primary origin and the one that takes over ("Request and response behavior for origin groups").

    Only the configured error codes, and only GET, HEAD and OPTIONS, go to the secondary. A redirect from
    the primary is the viewer's.
    """

    primary: Origin
    secondary: Origin
    codes: Iterable[int] = (403, 404)

    def fetch(self, request: Request) -> Answer:
        """Ask the primary, and the secondary when the answer's code says so."""
        answer = self.primary.fetch(request)
        if answer.status in self.codes and request.method in FAILOVER_METHODS:
            return self.secondary.fetch(request)
        return answer
