"""Two machines with one bucket and one Redis: two gunicorns that share no directory of locks."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from lazyimages.leases import LEASE_SECONDS
from tests.clock import PATIENCE
from tests.fire.herd.redis_server import Redis
from tests.fire.herd.shops import WORKERS, Bucket, Shop, open_shop, pictures, say, variant_of, wait_for
from tests.fire.load import Answer, ask, ask_all, percentile, statuses

pytestmark = pytest.mark.chain

HERD = 1000
Shops = tuple[Shop, Shop]


@contextmanager
def two_hosts(bucket: Bucket, redis: Redis, folder: Path) -> Iterator[Shops]:
    with (
        open_shop(bucket, folder / "host1", REDIS_URL=redis.url) as one,
        open_shop(bucket, folder / "host2", REDIS_URL=redis.url) as other,
    ):
        one.warm()
        other.warm()
        yield one, other


@pytest.fixture(scope="module")
def shops(bucket: Bucket, redis: Redis, folder: Path) -> Iterator[Shops]:
    """Run both machines, for all tests that leave them as they were."""
    with two_hosts(bucket, redis, folder) as both:
        yield both


@pytest.fixture
def key(bucket: Bucket, request: pytest.FixtureRequest, slow: bytes) -> str:
    """Give the key of a variant that takes a while, another for each test."""
    original = f"{request.node.name}/bowl.AZ70KuRzw9.jpg"
    bucket.put_original(original, slow)
    return variant_of(original, "1280w")


def check(shops: Shops, bucket: Bucket, answers: list[Answer], key: str) -> None:
    """Everybody has the picture, it is right, and neither lock nor lease is left."""
    assert set(statuses(answers)) <= {200, 301}, {answer.error for answer in answers}
    stored = bucket.variant(key)
    assert stored is not None
    assert pictures(answers) <= {stored}
    Image.open(BytesIO(stored)).load()
    wait_for(lambda: all(shop.lock_holder() is None for shop in shops))
    before = renders(shops)[key]
    again = [ask(shop.url(key)) for shop in shops]
    assert [(answer.status, answer.body) for answer in again] == [(200, stored)] * 2
    assert renders(shops)[key] == before


def renders(shops: Shops) -> Counter[str]:
    return shops[0].renders() + shops[1].renders()


def test_one_variant(shops: Shops, bucket: Bucket, redis: Redis, original: bytes, soak: bool) -> None:

    def herd(name: str) -> set[int]:
        bucket.put_original(name, original)
        key = variant_of(name, "1280w")
        answers = together(shops, key, HERD)
        check(shops, bucket, answers, key)
        p50, p99 = percentile(answers, 50), percentile(answers, 99)
        say(f"two hosts: p50 {p50:.2f} p99 {p99:.2f} s; {dict(statuses(answers))}")
        return _made(shops, bucket, [key])

    for number in range(10 if soak else 1):
        once(lambda turn, number=number: herd(f"produs_1/herd{number}-{turn}.AZ70KuRzw9.jpg"))  # type: ignore[misc]
    wait_for(lambda: redis.leases() == [])


def together(shops: Shops, key: str, number: int) -> list[Answer]:
    """Have so many ask for a variant, and both machines want to make it before any has."""
    with ThreadPoolExecutor(1) as pool:
        with shops[0].held(), shops[1].held():
            herd = pool.submit(ask_all, [shop.url(key) for shop in shops] * (number // 2))
            wait_for(lambda: all(shop.lock_holder() is not None for shop in shops))
        return herd.result()


def once(herd: Callable[[int], set[int]]) -> None:
    """Have a herd make each of its variants once, in one of five tries.

    A machine that stands still for two seconds loses its leases: then both make the variant, and that is all.
    """
    found = []
    for turn in range(5):
        found.append(herd(turn))
        if found[-1] == {1}:
            return
    raise AssertionError(f"made so often in each of the herds: {found}")


def _made(shops: Shops, bucket: Bucket, keys: list[str]) -> set[int]:
    """Return how often variants were made; once on each machine at the most, and always the same bytes."""
    stored, made = bucket.puts(), renders(shops)
    assert {shop.renders()[key] for shop in shops for key in keys} <= {0, 1}
    assert [len(stored[key]) for key in keys] == [made[key] for key in keys]
    assert {len(set(stored[key])) for key in keys} == {1}
    return {made[key] for key in keys}


def test_a_hundred_variants(shops: Shops, bucket: Bucket, small: bytes, soak: bool) -> None:
    def herd(name: str, seed: int) -> set[int]:
        keys = _originals(bucket, small, name)
        answers = _herd_of(keys, shops, seed)
        _discard(bucket, name)
        assert set(statuses(answers)) <= {200, 301}, {answer.error for answer in answers}
        say(f"two hosts, 100 × 10: p99 {percentile(answers, 99):.2f} s; {dict(statuses(answers))}")
        return _made(shops, bucket, keys)

    for number in range(10 if soak else 1):
        once(lambda turn, number=number: herd(f"round{number}-{turn}", number))  # type: ignore[misc]


def _originals(bucket: Bucket, data: bytes, name: str) -> list[str]:
    for original in _hundred(name):
        bucket.put_original(original, data)
    return [variant_of(original, "360x270") for original in _hundred(name)]


def _discard(bucket: Bucket, name: str) -> None:
    for original in _hundred(name):
        bucket.discard_original(original)


def _hundred(name: str) -> list[str]:
    return [f"produs_{number}/{name}.AZ70KuRzw9.jpg" for number in range(100)]


def _herd_of(keys: list[str], shops: Shops, seed: int) -> list[Answer]:
    urls = [shop.url(key) for key in keys for shop in shops] * 5
    random.Random(seed).shuffle(urls)
    return ask_all(urls)


def test_the_lease_expires_in_the_middle(shops: Shops, bucket: Bucket, redis: Redis, key: str) -> None:
    """One machine stands still for longer than a lease: the other makes the variant, and the first too."""
    one, other = shops
    with ThreadPoolExecutor(1) as pool:
        with one.held():
            waiting = pool.submit(ask_all, [one.url(key)] * 20)
            wait_for(one.stands)
            holder = wait_for(one.lock_holder)
            assert holder in one.workers()
            os.kill(holder, signal.SIGSTOP)
        try:
            assert bucket.variant(key) is None
            stopped = time.monotonic()
            answers = ask_all([other.url(key)] * 20)
            seconds = time.monotonic() - stopped
        finally:
            os.kill(holder, signal.SIGCONT)
        answers += waiting.result()
    check(shops, bucket, answers, key)
    assert (one.renders()[key], other.renders()[key]) == (1, 1)
    first, second = bucket.puts()[key]
    assert first == second
    wait_for(lambda: redis.leases() == [])
    say(f"a lease of {LEASE_SECONDS} s expired: the other host had answered after {seconds:.2f} s")


def test_the_lease_is_lost_in_the_middle(shops: Shops, bucket: Bucket, redis: Redis, key: str) -> None:
    """Both machines may make the variant at the same time: the same bytes, and nobody is turned away."""
    one, other = shops
    with ThreadPoolExecutor(1) as pool:
        with one.held():
            waiting = pool.submit(ask_all, [one.url(key)] * 20)
            wait_for(one.stands)
            redis.drop()
            answers = ask_all([other.url(key)] * 20)
        answers += waiting.result()
    check(shops, bucket, answers, key)
    assert (one.renders()[key], other.renders()[key]) == (1, 1)
    assert len(set(bucket.puts()[key])) == 1
    wait_for(lambda: redis.leases() == [])


def test_a_lease_of_killed_processes(shops: Shops, bucket: Bucket, redis: Redis, key: str) -> None:
    """New processes of the same machine take over what the killed ones held, without waiting for its end."""
    one, other = shops
    with ThreadPoolExecutor(1) as pool, one.held():
        broken = pool.submit(ask_all, [one.url(key)])
        (name,) = wait_for(redis.leases)
        left = wait_for(redis.holder)
        before = one.workers()
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        redis.keep(name, left, PATIENCE)
        assert broken.result()[0].status == 0
    wait_for(lambda: len(set(one.workers()) - set(before)) == WORKERS)
    assert redis.holder() == left
    answers = ask_all([shop.url(key) for shop in shops] * 10)
    check(shops, bucket, answers, key)
    # Of the other machine at most as `once` has it; that one would have had to wait for the lease's end.
    assert one.renders()[key] == 1
    assert other.renders()[key] <= 1
    wait_for(lambda: redis.leases() == [])
    seconds = max(answer.seconds for answer in answers)
    say(f"a lease of killed processes, good for {PATIENCE} s: all had answers after {seconds:.2f} s")
    assert seconds < PATIENCE / 2


def test_redis_dies_and_returns(
    shops: Shops, bucket: Bucket, redis: Redis, small: bytes, slow: bytes
) -> None:
    """Without it two machines may do the same twice; that is all. When it is back they do not."""
    keys = _originals(bucket, small, "without")
    with ThreadPoolExecutor(1) as pool:
        herd = pool.submit(_herd_of, keys, shops, 1)
        wait_for(lambda: len(renders(shops).keys() & set(keys)) >= 10)
        redis.kill()
        answers = herd.result()
    _discard(bucket, "without")
    assert set(statuses(answers)) <= {200, 301}, {answer.error for answer in answers}
    made, stored = renders(shops), bucket.puts()
    assert {made[one] for one in keys} <= {1, 2}
    assert {len(set(stored[one])) for one in keys} == {1}
    redis.start()

    def herd(turn: int) -> set[int]:
        name = f"again{turn}/bowl.AZ70KuRzw9.jpg"
        bucket.put_original(name, slow)
        key = variant_of(name, "1280w")
        check(shops, bucket, together(shops, key, 200), key)
        return _made(shops, bucket, [key])

    once(herd)
    twice = sum(made[one] == 2 for one in keys)
    say(f"Redis killed: of 100 variants {twice} were made twice; Redis back: once")


def test_redis_hangs(shops: Shops, bucket: Bucket, redis: Redis, key: str) -> None:
    """A Redis that takes requests and never answers turns nobody away."""
    redis.signal(signal.SIGSTOP)
    try:
        answers = ask_all([shop.url(key) for shop in shops] * 100)
    finally:
        redis.signal(signal.SIGCONT)
    check(shops, bucket, answers, key)
    assert 1 <= renders(shops)[key] <= 2
    assert len(set(bucket.puts()[key])) == 1
    say(f"Redis hangs: all had answers after {max(answer.seconds for answer in answers):.2f} s")


def test_a_killed_machine(shops: Shops, bucket: Bucket, redis: Redis, key: str) -> None:
    """The other takes over when the lease is over. This is the last test here: one machine is gone."""
    one, other = shops
    wait_for(lambda: redis.leases() == [])
    with ThreadPoolExecutor(2) as pool:
        with one.held(), other.held():
            pool.submit(ask_all, [one.url(key)])
            left = wait_for(redis.holder)
            assert 0 < redis.seconds_left() <= LEASE_SECONDS
            os.killpg(one.pid, signal.SIGKILL)
            killed = time.monotonic()
            waiting = pool.submit(ask_all, [other.url(key)] * 40)
            wait_for(lambda: redis.holder() not in (None, left))
            seconds = time.monotonic() - killed
        answers = waiting.result()
    assert set(statuses(answers)) <= {200, 301}
    assert other.renders()[key] == 1
    assert len(bucket.puts()[key]) == 1
    assert other.lock_holder() is None
    say(f"a machine killed: the other took over after {seconds:.2f} s")
