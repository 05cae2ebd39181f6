"""What stands behind the CDN: the website endpoint, the private bucket, the resizer, an origin group."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import Literal, Protocol

import urllib3

from marketplace.cloud.buckets import StorageDown, View
from marketplace.cloud.messages import (
    Answer,
    ConfigurationFault,
    Request,
    error_page,
    fault_page,
    unless_known,
)
from marketplace.cloud.website import LocationEncoding, parse_website

Layer = Literal["cdn", "website", "origin", "resizer"]

FAILOVER_METHODS = ("GET", "HEAD", "OPTIONS")
READ_METHODS = ("GET", "HEAD")
VIA = "1.1 emulator.cloudfront.net (CloudFront)"
# RFC 9110, 7.6.1, and what the server writes itself. A HEAD answer keeps its Content-Length: it has no body.
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "server", "date", "via"}
CONNECT_SECONDS = 10
READ_SECONDS = 30  # CloudFront's default origin response timeout


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
    """The last requests of all layers, oldest first; thread-safe, for a deque's append is atomic."""

    entries: deque[LogEntry] = field(default_factory=lambda: deque(maxlen=10_000))

    def add(self, layer: Layer, request: Request, answer: Answer, *, x_cache: str | None = None) -> None:
        """Write down one request."""
        entry = LogEntry(
            layer=layer, method=request.method, path=request.path, status=answer.status, x_cache=x_cache
        )
        self.entries.append(entry)

    def as_json(self) -> list[dict[str, object]]:
        """Return the entries as plain objects."""
        return [asdict(entry) for entry in self.entries.copy()]


class Origin(Protocol):
    """Anything that answers requests for paths."""

    def fetch(self, request: Request) -> Answer:
        """Answer a request; 304 when `if_none_match` names the current ETag. Never raise."""


@dataclass(frozen=True, kw_only=True)
class WebsiteEndpoint:
    """The bucket's website endpoint, seen by the anonymous public."""

    view: View
    log: RequestLog
    domain: str
    location_encoding: LocationEncoding = "escaped"

    def fetch(self, request: Request) -> Answer:
        """Answer as `Website.answer` does, by the configuration the bucket has now."""
        answer = _answer_or_fault(lambda: self._fetch(request))
        self.log.add("website", request, answer)
        return answer

    def _fetch(self, request: Request) -> Answer:
        configuration = self.view.bucket.state().website
        if configuration is None:
            # "NoSuchWebsiteConfiguration" in S3's list of error responses.
            return error_page(HTTPStatus.NOT_FOUND, "The bucket does not have a website configuration.")
        website = parse_website(configuration, domain=self.domain)
        return website.answer(request, self.view.read, encoding=self.location_encoding)


@dataclass(frozen=True, kw_only=True)
class PrivateBucket:
    """The bucket's REST endpoint, read by CloudFront through an origin access control."""

    view: View
    log: RequestLog

    def fetch(self, request: Request) -> Answer:
        """Answer GET and HEAD by the bucket's policy; every other method is 403 for lack of permission."""
        answer = _answer_or_fault(lambda: self._fetch(request))
        self.log.add("origin", request, answer)
        return answer

    def _fetch(self, request: Request) -> Answer:
        if request.method not in READ_METHODS:
            return error_page(HTTPStatus.FORBIDDEN)
        return unless_known(self.view.read(request.key), request.if_none_match)


class Resizer:
    """The shop's resizer as a custom origin: the origin path before the viewer's path, a secret header."""

    def __init__(
        self, *, url: str, header: str, secret: str, log: RequestLog, timeout: float = READ_SECONDS
    ) -> None:
        self._url = url.rstrip("/")
        self._headers = {"User-Agent": "Amazon CloudFront", "Via": VIA} | ({header: secret} if secret else {})
        self._log = log
        # "Connection attempts": CloudFront tries a GET or HEAD again when a connection breaks.
        retries = urllib3.Retry(1, status=0, redirect=0, raise_on_redirect=False, raise_on_status=False)
        self._pool = urllib3.PoolManager(
            maxsize=64,
            retries=retries,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=timeout),
        )

    def fetch(self, request: Request) -> Answer:
        """Pass the request on without following redirects; 502 or 504 when there is no answer."""
        answer = self._fetch(request)
        self._log.add("resizer", request, answer)
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def _fetch(self, request: Request) -> Answer:
        known = {"If-None-Match": request.if_none_match} if request.if_none_match else {}
        try:
            found = self._pool.request(
                request.method, self._url + request.path, headers=self._headers | known, redirect=False
            )
        except urllib3.exceptions.HTTPError as error:
            reason = getattr(error, "reason", error)
            timed_out = isinstance(reason, urllib3.exceptions.ReadTimeoutError)
            status = HTTPStatus.GATEWAY_TIMEOUT if timed_out else HTTPStatus.BAD_GATEWAY
            return error_page(status, "CloudFront wasn't able to connect to the origin.")
        dropped = HOP_BY_HOP if request.method == "HEAD" else HOP_BY_HOP | {"content-length"}
        headers = {name: value for name, value in found.headers.items() if name.lower() not in dropped}
        return Answer(status=found.status, headers=headers, body=found.data)


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


def _answer_or_fault(answer: Callable[[], Answer]) -> Answer:
    try:
        return answer()
    except ConfigurationFault as fault:
        return fault_page(HTTPStatus.INTERNAL_SERVER_ERROR, fault)
    except StorageDown as fault:
        return fault_page(HTTPStatus.SERVICE_UNAVAILABLE, fault)
