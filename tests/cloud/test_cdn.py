"""The distribution before an origin that the test plays, with a clock that the test moves."""

from collections.abc import Callable

import pytest

from marketplace.cloud.cache import DAY, Cache, CachePolicy
from marketplace.cloud.cdn import Behaviour, Distribution, Setup
from marketplace.cloud.messages import Answer, Request, unless_known
from marketplace.cloud.origins import OriginGroup, RequestLog

IMAGE = Answer(
    status=200,
    headers={"Cache-Control": "max-age=60", "ETag": '"one"', "Content-Type": "image/avif"},
    body=b"pixels",
)


class FakeOrigin:
    """Answers with what stands in `next`; remembers what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[Request] = []

    def fetch(self, request: Request) -> Answer:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return unless_known(answer, request.if_none_match)


class Edge:
    def __init__(
        self, origin: FakeOrigin | OriginGroup, policy: CachePolicy | None = None, **options
    ) -> None:
        self.now = 1_800_000_000.0
        self.cache = Cache(clock=lambda: self.now)
        self.log = RequestLog()
        behaviour = Behaviour(origin=origin, policy=policy or CachePolicy(), **options)
        self.setup = Setup(behaviours=(behaviour,))
        self.distribution = Distribution(
            setup=lambda: self.setup, cache=self.cache, log=self.log, clock=lambda: self.now
        )

    def get(self, path: str = "/a.avif", method: str = "GET", known: str | None = None) -> Answer:
        return self.distribution.answer(Request(method=method, path=path, if_none_match=known))

    def x_cache(self, *args, **kwargs) -> str:
        return self.get(*args, **kwargs).headers["X-Cache"]


def test_first_a_miss_then_hits_with_their_age() -> None:
    edge = Edge(origin := FakeOrigin(IMAGE))

    first = edge.get()
    edge.now += 5.9
    second = edge.get()

    assert (first.headers["X-Cache"], first.header("Age")) == ("Miss from cloudfront", None)
    assert (second.headers["X-Cache"], second.header("Age")) == ("Hit from cloudfront", "5")
    assert second.body == b"pixels"
    assert second.headers["Via"].endswith("(CloudFront)")
    assert second.header("Content-Type") == "image/avif"
    assert len(origin.asked) == 1


def test_an_expired_copy_is_checked_with_the_origin() -> None:
    edge = Edge(origin := FakeOrigin(IMAGE))
    edge.get()
    edge.now += 61

    again = edge.get()

    assert origin.asked[1].if_none_match == '"one"'
    assert (again.status, again.headers["X-Cache"], again.body) == (
        200,
        "RefreshHit from cloudfront",
        b"pixels",
    )
    assert edge.x_cache() == "Hit from cloudfront"


def test_an_expired_copy_that_changed_is_replaced() -> None:
    changed = Answer(status=200, headers={"ETag": '"two"', "Cache-Control": "max-age=60"}, body=b"new")
    edge = Edge(FakeOrigin(IMAGE, changed))
    edge.get()
    edge.now += 61

    assert edge.x_cache() == "Miss from cloudfront"
    assert edge.get().body == b"new"


def test_an_expired_copy_outlives_a_5xx_but_not_a_404() -> None:
    edge = Edge(origin := FakeOrigin(IMAGE, Answer(status=503), Answer(status=404)))
    edge.get()
    edge.now += 61

    assert (edge.get().status, edge.get().status, len(origin.asked)) == (200, 200, 2)
    edge.now += 11
    assert edge.get().status == 404


def test_errors_are_cached_and_called_errors() -> None:
    edge = Edge(origin := FakeOrigin(Answer(status=404), IMAGE))

    assert [edge.x_cache(), edge.x_cache()] == ["Error from cloudfront"] * 2
    assert len(origin.asked) == 1
    edge.now += 10
    assert edge.get().status == 200


def test_if_none_match_is_answered_from_the_cache() -> None:
    edge = Edge(origin := FakeOrigin(IMAGE))
    edge.get()

    known = edge.get(known='"one"')

    assert (known.status, known.body, known.headers["ETag"]) == (304, b"", '"one"')
    assert known.headers["X-Cache"] == "Hit from cloudfront"
    assert edge.get(known='"other"').status == 200
    assert len(origin.asked) == 1


def test_head_is_served_from_a_cached_get_but_does_not_fill_the_cache() -> None:
    edge = Edge(origin := FakeOrigin(IMAGE))

    assert edge.x_cache(method="HEAD") == "Miss from cloudfront"
    assert edge.x_cache() == "Miss from cloudfront"
    assert edge.x_cache(method="HEAD") == "Hit from cloudfront"
    assert [one.method for one in origin.asked] == ["HEAD", "GET"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_method_outside_the_behaviour_is_403_at_the_edge(method: str) -> None:
    edge = Edge(origin := FakeOrigin(IMAGE))

    assert edge.get(method=method).status == 403
    assert edge.x_cache(method=method) == "Error from cloudfront"
    assert origin.asked == []


def test_options_is_passed_on_uncached_where_the_behaviour_allows_it() -> None:
    edge = Edge(origin := FakeOrigin(IMAGE), methods=("GET", "HEAD", "OPTIONS"))

    assert [edge.x_cache(method="OPTIONS") for _ in range(2)] == ["Miss from cloudfront"] * 2
    assert len(origin.asked) == 2


def test_a_redirect_is_passed_to_the_viewer_and_not_kept_without_cache_control() -> None:
    redirect = Answer(status=307, headers={"Location": "https://shop.example/"})
    edge = Edge(FakeOrigin(redirect, IMAGE), CachePolicy(default_ttl=DAY))

    assert (edge.get().status, edge.get().status) == (307, 200)


def test_an_older_account_keeps_the_redirect_for_a_day() -> None:
    redirect = Answer(status=307, headers={"Location": "https://shop.example/"})
    edge = Edge(FakeOrigin(redirect, IMAGE), CachePolicy(default_ttl=DAY, cache_307="always"))
    edge.get()

    edge.now += DAY - 1
    assert (edge.get().status, edge.x_cache()) == (307, "Hit from cloudfront")
    edge.now += 1
    assert edge.get().status == 200


def test_an_invalidation_ends_a_hit() -> None:
    edge = Edge(origin := FakeOrigin(IMAGE))
    edge.get()
    edge.cache.invalidate(["/a*"])

    assert edge.x_cache() == "Miss from cloudfront"
    assert len(origin.asked) == 2


def test_the_log_tells_what_viewers_got() -> None:
    edge = Edge(FakeOrigin(IMAGE))
    edge.get()
    edge.get(known='"one"')

    rows = [
        (one["layer"], one["method"], one["path"], one["status"], one["x_cache"])
        for one in edge.log.as_json()
    ]
    assert rows == [
        ("cdn", "GET", "/a.avif", 200, "Miss from cloudfront"),
        ("cdn", "GET", "/a.avif", 304, "Hit from cloudfront"),
    ]


# Origin groups

ALL_METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
Grouped = Callable[..., tuple[Edge, FakeOrigin]]


@pytest.fixture
def grouped() -> Grouped:
    def make(status: int, codes: tuple[int, ...] = (403, 404)) -> tuple[Edge, FakeOrigin]:
        secondary = FakeOrigin(IMAGE)
        group = OriginGroup(primary=FakeOrigin(Answer(status=status)), secondary=secondary, codes=codes)
        return Edge(group, methods=ALL_METHODS), secondary

    return make


@pytest.mark.parametrize("method", ALL_METHODS)
def test_origin_groups_fail_over_on_get_head_and_options_only(grouped: Grouped, method: str) -> None:
    edge, secondary = grouped(403)

    answer = edge.get(method=method)

    assert answer.status == (200 if method in ("GET", "HEAD", "OPTIONS") else 403)
    assert len(secondary.asked) == (answer.status == 200)


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_3xx_from_the_primary_goes_to_the_viewer_as_it_is(grouped: Grouped, status: int) -> None:
    edge, secondary = grouped(status)

    assert edge.get().status == status
    assert secondary.asked == []


@pytest.mark.parametrize(
    "status, codes, fails_over", [(500, (403, 404), False), (500, (500,), True), (404, (403,), False)]
)
def test_only_the_configured_codes_fail_over(
    grouped: Grouped, status: int, codes: tuple[int, ...], fails_over: bool
) -> None:
    edge, _ = grouped(status, codes)

    assert edge.get().status == (200 if fails_over else status)


def test_what_the_secondary_said_is_cached_under_the_viewers_path(grouped: Grouped) -> None:
    edge, secondary = grouped(404)

    assert [edge.x_cache(), edge.x_cache()] == ["Miss from cloudfront", "Hit from cloudfront"]
    assert len(secondary.asked) == 1
