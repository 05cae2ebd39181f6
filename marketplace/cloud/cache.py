"""CloudFront's cache: how long an answer is kept, and the store itself.

Sources, all in the CloudFront Developer Guide: "Manage how long content stays in the cache (expiration)",
"How CloudFront processes HTTP 3xx status codes", "... 4xx and 5xx status codes from your origin", "Control
how long CloudFront caches errors", "Invalidate files". The path is the whole key: no query, no cookies and
no headers. Requests for one path are not collapsed into one, so that an origin meets the worst case.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Literal

from marketplace.cloud.messages import Answer

Cache307 = Literal["with-cache-control", "always"]

DAY = 24 * 60 * 60
YEAR = 365 * DAY
CACHED_STATUSES = {200, 203, 204, 300, 301, 302, 307, 308}
CAUTIOUS_REDIRECTS = {307, 308}
ERRORS_ALWAYS_CACHED = {404, 405, 410, 414, 500, 501, 502, 503, 504}
ERRORS_CACHED_BY_HEADER = {400, 403, 412, 415}  # and every other 4xx, 416 and 422 among them, is not cached
ERRORS_THAT_MAY_REFUSE = {404, 410, 414, 501}  # elsewhere no-store, no-cache and private are ignored
DEFAULT_ERROR_TTL = 10
MAX_WILDCARDS = 15
MAX_INVALIDATED_PATHS = 3_000


@dataclass(frozen=True, kw_only=True)
class CachePolicy:
    """The distribution's settings, in seconds. `error_min_ttl` is ErrorCachingMinTTL by status code.

    `cache_307` "with-cache-control" is CloudFront's documented rule for 307 and 308; "always" is how
    older accounts describe it: the TTLs of the policy apply as to any other redirect.
    """

    min_ttl: int = 0
    default_ttl: int = 0
    max_ttl: int = YEAR
    error_min_ttl: Mapping[int, int] = field(default_factory=dict)
    cache_307: Cache307 = "with-cache-control"

    def ttl(self, answer: Answer, now: float) -> float:
        """Return how many seconds to keep an answer to GET; 0: not at all."""
        if answer.status >= 400:
            return self._error_ttl(answer, now)
        if answer.status not in CACHED_STATUSES:
            return 0
        unmarked = answer.header("Cache-Control") is None
        if answer.status in CAUTIOUS_REDIRECTS and unmarked and self.cache_307 != "always":
            return 0
        if _refuses_storage(answer):
            return self.min_ttl
        lifetime = _lifetime(answer, now)
        if lifetime is None:
            return max(self.min_ttl, self.default_ttl)
        return max(self.min_ttl, min(lifetime, self.max_ttl))

    def error_floor(self, status: int) -> int:
        """Return the ErrorCachingMinTTL of a status code."""
        return self.error_min_ttl.get(status, DEFAULT_ERROR_TTL)

    def _error_ttl(self, answer: Answer, now: float) -> float:
        status, lifetime = answer.status, _lifetime(answer, now)
        if status in ERRORS_THAT_MAY_REFUSE and _refuses_storage(answer):
            return 0
        if status in ERRORS_ALWAYS_CACHED or (status in ERRORS_CACHED_BY_HEADER and lifetime is not None):
            return max(self.error_floor(status), min(lifetime or 0, self.max_ttl))
        return 0


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A kept answer, with the clock's readings at which it came and at which it stops being fresh."""

    answer: Answer
    stored: float
    expires: float


class Cache:
    """Kept answers by path; thread-safe. The least recently used go first beyond `max_bytes` of bodies."""

    def __init__(self, *, clock: Callable[[], float], max_bytes: int = 256 * 2**20) -> None:
        self._clock = clock
        self._max_bytes = max_bytes
        self._bytes = 0
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, path: str) -> Entry | None:
        """Return what is kept for a path, fresh or not."""
        with self._lock:
            if path in self._entries:
                self._entries.move_to_end(path)
            return self._entries.get(path)

    def put(self, path: str, answer: Answer, ttl: float) -> None:
        """Keep an answer for `ttl` seconds in place of what was kept before; with ttl 0 keep nothing."""
        now = self._clock()
        with self._lock:
            self._drop(path)
            if ttl <= 0:
                return
            self._entries[path] = Entry(answer=answer, stored=now, expires=now + ttl)
            self._bytes += len(answer.body)
            while self._bytes > self._max_bytes:
                self._drop(next(iter(self._entries)))

    def prolong(self, path: str, entry: Entry, ttl: float) -> None:
        """Call an expired entry fresh for `ttl` more seconds, unless something newer took its place."""
        with self._lock:
            if self._entries.get(path) is entry:
                kept = Entry(answer=entry.answer, stored=entry.stored, expires=self._clock() + ttl)
                self._entries[path] = kept

    def invalidate(self, paths: Iterable[str]) -> int:
        """Drop the paths, as they stand in URLs; a "*" at the end is any ending. Return how many went.

        Raise ValueError where CreateInvalidation refuses: a "*" elsewhere, more than 15 paths with "*",
        more than 3,000 paths.
        """
        wanted = [path if path.startswith("/") else f"/{path}" for path in paths]
        wildcards = tuple(path[:-1] for path in wanted if path.endswith("*"))
        if misplaced := [path for path in wanted if "*" in path[:-1]]:
            raise ValueError(f"An invalidation's * stands only at a path's end: {misplaced[0]}")
        if len(wildcards) > MAX_WILDCARDS or len(wanted) > MAX_INVALIDATED_PATHS:
            raise ValueError(
                f"{len(wanted)} paths with {len(wildcards)} wildcards: CloudFront takes "
                f"{MAX_INVALIDATED_PATHS} and {MAX_WILDCARDS} in progress at most"
            )
        exact = set(wanted)
        with self._lock:
            doomed = [path for path in self._entries if path in exact or path.startswith(wildcards)]
            for path in doomed:
                self._drop(path)
        return len(doomed)

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0

    def _drop(self, path: str) -> None:
        entry = self._entries.pop(path, None)
        if entry:
            self._bytes -= len(entry.answer.body)


def _directives(answer: Answer) -> dict[str, str]:
    parts = (part.partition("=") for part in (answer.header("Cache-Control") or "").split(","))
    return {name.strip().lower(): value.strip(' "') for name, _, value in parts}


def _refuses_storage(answer: Answer) -> bool:
    return not _directives(answer).keys().isdisjoint({"no-store", "no-cache", "private"})


def _lifetime(answer: Answer, now: float) -> float | None:
    directives = _directives(answer)
    for name in ("s-maxage", "max-age"):
        if directives.get(name, "").isdecimal():
            return int(directives[name])
    expires = answer.header("Expires")
    if expires is None:
        return None
    try:
        return max(0.0, parsedate_to_datetime(expires).timestamp() - now)
    except ValueError:
        return 0  # RFC 9111, 5.3: an invalid date, "0" above all, means already expired
