"""A CloudFront distribution: cache behaviours, and the cache before their origins."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from http import HTTPStatus

from marketplace.cloud.cache import Cache, CachePolicy, Entry
from marketplace.cloud.messages import Answer, Request, answer_or_fault, error_page, unless_known
from marketplace.cloud.origins import VIA, Origin, RequestLog
from marketplace.cloud.response_headers import ResponseHeaders
from marketplace.cloud.wildcards import matches

HIT, MISS, REFRESH_HIT, ERROR = (f"{kind} from cloudfront" for kind in ("Hit", "Miss", "RefreshHit", "Error"))
CACHED_METHODS = ("GET", "HEAD")
ANY_PATH = "*"
UNCHANGED = ResponseHeaders()


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """A cache behaviour: how the paths that fit `pattern` are answered, with or without its first slash.

    `forwards_query` False: no query reaches the origin, nor the cache's key; True: all of it reaches both.
    """

    origin: Origin
    policy: CachePolicy
    pattern: str = ANY_PATH
    methods: Collection[str] = CACHED_METHODS
    forwards_query: bool = False
    headers: ResponseHeaders = UNCHANGED

    def fits(self, path: str) -> bool:
        """Whether it answers for a path, which begins with a slash."""
        return matches(f"/{self.pattern.removeprefix('/')}", path)


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What a distribution is told. The last of the behaviours is the default one, and fits every path."""

    behaviours: tuple[Behaviour, ...]
    enabled: bool = True

    def behaviour(self, path: str) -> Behaviour:
        """Return the first behaviour that fits ("Path pattern": in the order in which they are listed)."""
        return next(one for one in self.behaviours if one.fits(path))


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """Answers viewers from the cache or an origin. `clock` gives Unix time in seconds.

    `setup` returns what holds now; ConfigurationFault is a page of 500, and Unavailable of 503.
    """

    setup: Callable[[], Setup]
    cache: Cache
    log: RequestLog
    clock: Callable[[], float]

    def answer(self, request: Request) -> Answer:
        """Answer a viewer."""
        since, x_cache = time.perf_counter(), ERROR

        def find() -> Answer:
            nonlocal x_cache
            answer, x_cache = self._answer(request)
            return answer

        answer = answer_or_fault(find)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            x_cache = ERROR
        self.log.add("cdn", request, answer, since=since, x_cache=x_cache)
        return replace(answer, headers=dict(answer.headers) | {"X-Cache": x_cache, "Via": VIA})

    def _answer(self, request: Request) -> tuple[Answer, str]:
        setup = self.setup()
        if not setup.enabled:
            return error_page(HTTPStatus.FORBIDDEN, "The distribution is disabled."), ERROR
        behaviour = setup.behaviour(request.path)
        if request.method not in behaviour.methods:
            return error_page(HTTPStatus.FORBIDDEN, "The method is not allowed here."), ERROR
        asked = request if behaviour.forwards_query else replace(request, query="")
        if request.method in CACHED_METHODS:
            answer, x_cache = self._cached(asked, behaviour)
        else:
            answer, x_cache = behaviour.origin.fetch(replace(asked, if_none_match=None)), MISS
        return unless_known(behaviour.headers.apply(answer, request), request.if_none_match), x_cache

    def _cached(self, request: Request, behaviour: Behaviour) -> tuple[Answer, str]:
        key = f"{request.path}?{request.query}" if request.query else request.path
        entry = self.cache.get(key)
        if entry and entry.expires > self.clock():
            return self._from_cache(entry), HIT
        # Only the copy's own validator goes to the origin: the viewer's is compared here.
        stale = entry if entry and entry.answer.status == HTTPStatus.OK else None
        validator = stale.answer.header("ETag") if stale else None
        answer = behaviour.origin.fetch(replace(request, if_none_match=validator))
        if stale and answer.status == HTTPStatus.NOT_MODIFIED:
            refreshed = replace(stale.answer, headers=dict(stale.answer.headers) | dict(answer.headers))
            self._keep(key, refreshed, behaviour.policy)
            return refreshed, REFRESH_HIT
        if stale and answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            # An expired copy outlives the origin's 5xx ("How CloudFront processes HTTP 4xx and 5xx ...").
            self.cache.prolong(key, stale, behaviour.policy.error_floor(answer.status))
            return self._from_cache(stale), HIT
        if request.method == "GET":
            self._keep(key, answer, behaviour.policy)
        return answer, MISS

    def _keep(self, key: str, answer: Answer, policy: CachePolicy) -> None:
        self.cache.put(key, answer, policy.ttl(answer, self.clock()))

    def _from_cache(self, entry: Entry) -> Answer:
        age = str(int(self.clock() - entry.stored))
        return replace(entry.answer, headers=dict(entry.answer.headers) | {"Age": age})
