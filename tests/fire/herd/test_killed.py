"""Whoever makes the variant that all wait for is killed, at any moment of it."""

import os
import random
import signal
import statistics
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from PIL import Image

from tests.fire.herd.shops import WARM_KEY, WORKERS, Shop, pictures, say, variant_of, wait_for
from tests.fire.load import Answer, ask, ask_all, statuses

pytestmark = pytest.mark.chain

WAITING = 40
TRIES = 5  # as browsers do: a killed process takes its connections with it


def test_random_moments(shop: Shop, original: bytes, soak: bool) -> None:
    """Another takes over, all get the same picture as ever, and nothing is left behind."""
    store, chance, kills = shop.store, random.Random(4), 40 if soak else 5
    alone = [f"produs_1/alone{number}.AZ70KuRzw9.jpg" for number in range(3)]
    killed = [f"produs_1/moment{number}.AZ70KuRzw9.jpg" for number in range(kills)]
    for name in (*alone, *killed):
        store.put_original(name, original)
    length = statistics.median(ask(shop.url(variant_of(name, "1280w"))).seconds for name in alone)
    expected = store.variant(variant_of(alone[0], "1280w"))
    assert expected is not None
    assert Image.open(BytesIO(expected)).size == (1280, 960)
    keys = [variant_of(name, "1280w") for name in killed]
    found = [_kill_at(shop, key, chance.uniform(0, length), expected) for key in keys]
    # Nothing but the variants: no temporary file, no part of an object.
    stored = Counter(store.variants())
    assert set(stored) == {variant_of(name, "1280w") for name in (*alone, *killed)} | {WARM_KEY}
    in_time = [seconds for seconds in found if seconds is not None]
    say(
        f"{type(store).__name__}: {kills} kills over {length:.3f} s, {len(in_time)} of a holder; "
        f"taken over after {max(in_time, default=0):.3f} s at most; "
        f"{sum(stored[key] - 1 for key in keys)} stored twice, the same bytes"
    )
    assert max(in_time, default=0) < 2


def _kill_at(shop: Shop, key: str, delay: float, expected: bytes) -> float | None:
    """Kill the maker so many seconds after its start; return how long it took until another had the lock.

    None when it had given up the lock already.
    """
    wait_for(lambda: len(shop.workers()) == WORKERS)
    with ThreadPoolExecutor(1) as pool:
        herd = pool.submit(ask_all, [shop.url(key)] * WAITING, tries=TRIES)
        maker = wait_for(shop.lock_holder)
        time.sleep(delay)
        holding = shop.lock_holder() == maker
        assert maker in shop.workers()
        os.kill(maker, signal.SIGKILL)
        killed = time.monotonic()
        wait_for(lambda: shop.lock_holder() not in (None, maker) or herd.done())
        seconds = time.monotonic() - killed
        answers = herd.result()
    _check(shop, key, answers, expected)
    return seconds if holding else None


def _check(shop: Shop, key: str, answers: list[Answer], expected: bytes) -> None:
    assert set(statuses(answers)) <= {200, 301}, [answer.error for answer in answers]
    assert pictures(answers) <= {expected}
    assert shop.store.variant(key) == expected
    assert shop.lock_holder() is None
    before = shop.renders()[key]
    again = ask(shop.url(key))
    assert (again.status, again.body) == (200, expected)
    assert "last-modified" in again.headers  # read back, not made
    assert shop.renders()[key] == before
