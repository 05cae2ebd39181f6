"""A CloudFront distribution with one cache behaviour: the cache before an origin."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from http import HTTPStatus

from marketplace.cloud.cache import Cache, CachePolicy, Entry
from marketplace.cloud.messages import Answer, Request, error_page, unless_known
from marketplace.cloud.origins import VIA, Origin, RequestLog

HIT, MISS, REFRESH_HIT, ERROR = (f"{kind} from cloudfront" for kind in ("Hit", "Miss", "RefreshHit", "Error"))
CACHED_METHODS = ("GET", "HEAD")


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """Answers viewers from the cache or the origin. `clock` gives Unix time in seconds."""

    origin: Origin
    cache: Cache
    policy: CachePolicy
    log: RequestLog
    clock: Callable[[], float]
    allowed_methods: Collection[str] = ("GET", "HEAD")

    def answer(self, request: Request) -> Answer:
        """Answer a viewer; `request` has the query already dropped, as nothing of it goes further."""
        if request.method not in self.allowed_methods:
            answer, x_cache = error_page(HTTPStatus.FORBIDDEN, "The method is not allowed here."), ERROR
        elif request.method in CACHED_METHODS:
            answer, x_cache = self._cached(request)
        else:
            answer = self.origin.fetch(replace(request, if_none_match=None))
            x_cache = MISS
        if answer.status >= HTTPStatus.BAD_REQUEST:
            x_cache = ERROR
        answer = unless_known(answer, request.if_none_match)
        self.log.add("cdn", request, answer, x_cache=x_cache)
        return replace(answer, headers=dict(answer.headers) | {"X-Cache": x_cache, "Via": VIA})

    def _cached(self, request: Request) -> tuple[Answer, str]:
        entry = self.cache.get(request.path)
        if entry and entry.expires > self.clock():
            return self._from_cache(entry), HIT
        # Only the copy's own validator goes to the origin: the viewer's is compared here.
        stale = entry if entry and entry.answer.status == HTTPStatus.OK else None
        validator = stale.answer.header("ETag") if stale else None
        answer = self.origin.fetch(replace(request, if_none_match=validator))
        if stale and answer.status == HTTPStatus.NOT_MODIFIED:
            refreshed = replace(stale.answer, headers=dict(stale.answer.headers) | dict(answer.headers))
            self._keep(request.path, refreshed)
            return refreshed, REFRESH_HIT
        if stale and answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            # An expired copy outlives the origin's 5xx ("How CloudFront processes HTTP 4xx and 5xx ...").
            self.cache.prolong(request.path, stale, self.policy.error_floor(answer.status))
            return self._from_cache(stale), HIT
        if request.method == "GET":
            self._keep(request.path, answer)
        return answer, MISS

    def _keep(self, path: str, answer: Answer) -> None:
        self.cache.put(path, answer, self.policy.ttl(answer, self.clock()))

    def _from_cache(self, entry: Entry) -> Answer:
        age = str(int(self.clock() - entry.stored))
        return replace(entry.answer, headers=dict(entry.answer.headers) | {"Age": age})
