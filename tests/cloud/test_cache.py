"""How long CloudFront keeps what, and what invalidations drop; without a server."""

from email.utils import formatdate

import pytest

from marketplace.cloud.cache import DAY, YEAR, Cache, CachePolicy
from marketplace.cloud.messages import Answer

NOW = 1_800_000_000.0
OURS = CachePolicy()
OPTIMIZED = CachePolicy(min_ttl=1, default_ttl=DAY)  # the managed policy CachingOptimized


def ttl(policy: CachePolicy, status: int = 200, cache_control: str | None = None, **headers: str) -> float:
    if cache_control is not None:
        headers["Cache-Control"] = cache_control
    return policy.ttl(Answer(status=status, headers=headers), NOW)


def test_our_policy_keeps_only_what_says_so() -> None:
    assert (OURS.min_ttl, OURS.default_ttl, OURS.max_ttl) == (0, 0, 31_536_000)
    assert ttl(OURS) == 0
    assert ttl(OURS, cache_control="public, max-age=31536000, immutable") == YEAR


@pytest.mark.parametrize(
    "cache_control, seconds",
    [
        ("max-age=60", 60),
        ("max-age=60, s-maxage=300", 300),
        ('S-MaxAge="5", max-age=60', 5),
        ("max-age=99999999", YEAR),
        ("max-age=0", 0),
        ("max-age=soon", 0),
        ("no-store", 0),
        ("no-cache, max-age=60", 0),
        ("private, s-maxage=60", 0),
    ],
)
def test_cache_control_between_min_and_max(cache_control: str, seconds: int) -> None:
    assert ttl(OURS, cache_control=cache_control) == seconds


def test_expires_counts_only_without_max_age() -> None:
    expires = formatdate(NOW + 90, usegmt=True)
    assert ttl(OURS, Expires=expires) == 90
    assert ttl(OURS, Expires=expires, cache_control="max-age=7") == 7
    assert ttl(OURS, Expires=formatdate(NOW - 90, usegmt=True)) == 0
    assert ttl(OURS, Expires="0") == 0


def test_a_min_ttl_overrules_no_store_and_short_lifetimes() -> None:
    assert ttl(OPTIMIZED, cache_control="no-store") == 1
    assert ttl(OPTIMIZED, cache_control="max-age=0") == 1


def test_the_default_ttl_is_for_answers_that_say_nothing() -> None:
    assert ttl(OPTIMIZED) == DAY
    assert ttl(OPTIMIZED, cache_control="max-age=60") == 60
    assert ttl(OPTIMIZED, cache_control="public") == DAY


@pytest.mark.parametrize("status", [307, 308])
def test_a_307_is_kept_only_when_it_carries_cache_control(status: int) -> None:
    assert ttl(OPTIMIZED, status) == 0
    assert ttl(OPTIMIZED, status, Expires=formatdate(NOW + 90, usegmt=True)) == 0
    assert ttl(OURS, status, "max-age=60") == 60


def test_older_accounts_keep_a_307_by_the_default_ttl() -> None:
    old = CachePolicy(default_ttl=DAY, cache_307="always")
    assert ttl(old, 307) == DAY
    assert ttl(CachePolicy(cache_307="always"), 307) == 0


def test_with_caching_optimized_the_loop_is_real_where_307s_are_cached() -> None:
    assert ttl(CachePolicy(min_ttl=1, cache_307="always"), 307, "no-store") == 1


@pytest.mark.parametrize("status", [301, 302])
def test_other_redirects_are_kept_like_pages(status: int) -> None:
    assert ttl(OPTIMIZED, status) == DAY
    assert ttl(OURS, status) == 0
    assert ttl(OURS, status, "no-store") == 0


@pytest.mark.parametrize("status", [404, 405, 410, 414, 500, 501, 502, 503, 504])
def test_errors_are_kept_for_ten_seconds_by_default(status: int) -> None:
    assert ttl(OURS, status) == 10


def test_error_caching_min_ttl_is_set_by_code() -> None:
    policy = CachePolicy(error_min_ttl={503: 1, 500: 0})
    assert [ttl(policy, status) for status in (503, 500, 502)] == [1, 0, 10]


def test_an_error_is_kept_for_the_greater_of_its_header_and_the_minimum() -> None:
    assert ttl(OURS, 404, "max-age=60, s-maxage=300") == 300
    assert ttl(OURS, 404, "max-age=0, s-maxage=3") == 10
    assert ttl(CachePolicy(max_ttl=100), 404, "max-age=300") == 100


def test_a_5xx_is_kept_in_spite_of_no_store_so_the_minimum_must_be_small() -> None:
    assert ttl(OURS, 503, "no-store") == 10
    assert ttl(CachePolicy(error_min_ttl={503: 1}), 503, "no-store") == 1


@pytest.mark.parametrize("status, seconds", [(404, 0), (410, 0), (414, 0), (501, 0), (405, 10)])
def test_some_errors_may_refuse_to_be_kept(status: int, seconds: int) -> None:
    assert ttl(OURS, status, "no-store") == seconds


@pytest.mark.parametrize("status", [400, 403, 412, 415])
def test_some_errors_are_kept_only_with_a_lifetime(status: int) -> None:
    assert ttl(OURS, status) == 0
    assert ttl(OURS, status, "s-maxage=300") == 300


@pytest.mark.parametrize("status", [206, 303, 304, 401, 416, 422, 429])
def test_other_statuses_are_never_kept(status: int) -> None:
    assert ttl(OURS, status, "max-age=60") == 0


# Invalidations

PATHS = ("/a/360x270/x.jpg", "/a/480h/x.jpg", "/b/480h/y%20z.jpg")


@pytest.fixture
def cache() -> Cache:
    cache = Cache(clock=lambda: NOW)
    for path in PATHS:
        cache.put(path, Answer(status=200), ttl=60)
    return cache


@pytest.mark.parametrize(
    "paths, dropped",
    [
        (["/a/360x270/x.jpg"], 1),
        (["a/360x270/x.jpg"], 1),
        (["/a/*"], 2),
        (["/*"], 3),
        (["/b/480h/y%20z.jpg"], 1),
        (["/b/480h/y z.jpg"], 0),
        (["/a/360x270"], 0),
    ],
)
def test_invalidations_are_exact_or_end_in_a_star(cache: Cache, paths: list[str], dropped: int) -> None:
    assert cache.invalidate(paths) == dropped
    assert sum(cache.get(path) is None for path in PATHS) == dropped


@pytest.mark.parametrize("path", ["/*/360x270/x.jpg", "/a/*.jpg", "/**"])
def test_a_star_stands_only_at_the_end(cache: Cache, path: str) -> None:
    with pytest.raises(ValueError, match="only at a path's end"):
        cache.invalidate([path])


def test_fifteen_wildcards_and_three_thousand_paths_at_most(cache: Cache) -> None:
    assert cache.invalidate([f"/n{number}*" for number in range(15)]) == 0
    assert cache.invalidate([f"/n{number}" for number in range(3_000)]) == 0
    for paths in ([f"/n{number}*" for number in range(16)], [f"/n{number}" for number in range(3_001)]):
        with pytest.raises(ValueError, match="3000 and 15 in progress at most"):
            cache.invalidate(paths)


def test_the_oldest_unused_answers_go_when_the_cache_is_full() -> None:
    cache = Cache(clock=lambda: NOW, max_bytes=25)
    for name in "abc":
        cache.put(name, Answer(status=200, body=b"x" * 10), ttl=60)
        cache.get("a")
    assert [cache.get(name) is not None for name in "abc"] == [True, False, True]
