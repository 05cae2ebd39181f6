"""Follow redirects by hand: one request a hop, each with its status, headers, bytes and time."""

import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

MOST_HOPS = 10
MOST_BYTES = 16 * 2**20  # of a body that are read
SECONDS = 15.0  # for connecting, and for each piece of an answer; a first render may take a while
LONGEST = 60.0  # for one whole answer
_REDIRECTS = (301, 302, 303, 307, 308)
_SHOWN = ("content-type", "content-length", "cache-control", "age", "x-cache", "via", "server", "location")
_SIGNED = ("x-amz-signature", "x-amz-security-token", "signature=")


@dataclass(frozen=True, kw_only=True, slots=True)
class Hop:
    """One request and its answer; status 0 and `trouble` when there was none. Header names in lower case."""

    url: str
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    ms: float = 0.0
    trouble: str = ""

    def header(self, name: str) -> str:
        """Return a header's value, or an empty text."""
        return self.headers.get(name.lower(), "")

    @property
    def target(self) -> str:
        """Where a redirect leads; an empty text for every other answer."""
        location = self.header("location")
        if self.status not in _REDIRECTS or not location:
            return ""
        try:
            return urljoin(self.url, location)
        except ValueError:  # brackets that hold no IPv6 address: no browser follows that either
            return ""

    @property
    def from_cache(self) -> bool:
        """Whether a CDN says that it answered from its cache."""
        return "hit" in self.header("x-cache").lower() or self.header("age").strip() not in ("", "0")

    @property
    def from_app(self) -> bool:
        """Whether lazyimages wrote this answer: all of its answers have both of these headers.

        One is enough, for proxies and policies replace headers. CloudFront's own Server-Timing has no total.
        """
        policy = "".join(self.header("content-security-policy").split())
        return policy == "default-src'none';sandbox" or "total;dur=" in self.header("server-timing")

    def as_dict(self) -> dict[str, Any]:
        """Return what may be shown of it; a signed URL is shown without its query."""
        told: dict[str, Any] = {
            "url": shown_url(self.url),
            "status": self.status,
            "ms": round(self.ms, 1),
            "bytes": len(self.body),
            "headers": {name: self.headers[name] for name in _SHOWN if name in self.headers},
        }
        if "location" in told["headers"]:
            told["headers"]["location"] = shown_url(told["headers"]["location"])
        return told | ({"trouble": self.trouble} if self.trouble else {})


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """The hops of one request, in order. `looped`: a place came again, or there were too many hops."""

    hops: tuple[Hop, ...]
    looped: bool = False

    @property
    def first(self) -> Hop:
        """The answer that a browser gets first."""
        return self.hops[0]

    @property
    def last(self) -> Hop:
        """The answer that a browser shows."""
        return self.hops[-1]


def follow(url: str) -> Chain:
    """Ask for a URL and for all that it redirects to.

    Going on ends with an answer that is no redirect, after ten hops, or when a place comes a third time: in
    redirect delivery the second visit to the CDN is as it should be.
    """
    hops: list[Hop] = []
    while len(hops) < MOST_HOPS:
        hops.append(fetch(url))
        url = hops[-1].target
        if not url:
            return Chain(hops=tuple(hops))
        if sum(hop.url == url for hop in hops) > 1:
            break
    return Chain(hops=tuple(hops), looped=True)


def fetch(url: str) -> Hop:
    """Send one GET and read its answer, without following it. Never raises for what the other side does."""
    split = urlsplit(url)
    started = time.perf_counter()
    try:
        connection = _connection(split.scheme, split.netloc)
    except (ValueError, http.client.InvalidURL) as error:  # a port that is none
        return Hop(url=url, trouble=f"no place to ask: {error}")
    try:
        path = split._replace(scheme="", netloc="", fragment="").geturl() or "/"
        connection.request("GET", path, headers={"User-Agent": "lazyimages-doctor", "Accept": "image/*,*/*"})
        answer = connection.getresponse()
        body = _read(answer, started + LONGEST)
        if answer.length and len(body) < MOST_BYTES:  # with a number, `read` takes a broken end for the end
            raise http.client.IncompleteRead(body, answer.length)
        # Where a header comes twice, as Cache-Control may, the values belong together (RFC 9110, 5.3).
        headers: dict[str, str] = {}
        for name, value in answer.getheaders():
            key = name.lower()
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Hop(url=url, ms=_since(started), trouble=_told(error))
    finally:
        connection.close()
    return Hop(url=url, status=answer.status, headers=headers, body=body, ms=_since(started))


def _read(answer: http.client.HTTPResponse, until: float) -> bytes:
    """Read a body; `TimeoutError` for one that comes in drops."""
    parts, size = [], 0
    while size < MOST_BYTES and (part := answer.read1(min(65_536, MOST_BYTES - size))):
        parts.append(part)
        size += len(part)
        if time.perf_counter() > until:
            raise TimeoutError
    return b"".join(parts)


def shown_url(url: str) -> str:
    """Return a URL fit for showing: printable, and without a signature."""
    text = "".join(one if one.isprintable() else "?" for one in url)
    if any(word in text.lower() for word in _SIGNED):
        return f"{text.partition('?')[0]}?(signed)"
    return text


def _connection(scheme: str, netloc: str) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(netloc, timeout=SECONDS, context=ssl.create_default_context())
    if scheme == "http":
        return http.client.HTTPConnection(netloc, timeout=SECONDS)
    raise ValueError(f"{scheme!r} is not http or https")


def _since(started: float) -> float:
    return 1000 * (time.perf_counter() - started)


def _told(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not valid: {error.verify_message}"
    if isinstance(error, socket.gaierror):
        return "the host's name is not known"
    if isinstance(error, TimeoutError):
        return f"no answer within {SECONDS:g} seconds"
    if isinstance(error, http.client.IncompleteRead):
        return f"the answer ended {error.expected} bytes too early"
    return str(error) or type(error).__name__
