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
    for name in alone:
        store.put_original(name, original)
    length = statistics.median(ask(shop.url(variant_of(name, "1280w"))).seconds for name in alone)
    expected = store.variant(variant_of(alone[0], "1280w"))
    assert expected is not None
    assert Image.open(BytesIO(expected)).size == (1280, 960)
    keys: list[str] = []
    in_time: list[float] = []
    for number in range(3 * kills):  # a slow machine sees some of the makers too late
        name = f"produs_1/moment{number}.AZ70KuRzw9.jpg"
        store.put_original(name, original)
        keys.append(variant_of(name, "1280w"))
        seconds = _kill_at(shop, keys[-1], chance.uniform(0, length), expected)
        in_time += [seconds] if seconds is not None else []
        if number + 1 >= kills and len(in_time) >= kills / 2:
            break
    # Nothing but the variants: no temporary file, no part of an object.
    stored = Counter(store.variants())
    assert set(stored) == {*(variant_of(name, "1280w") for name in alone), *keys, WARM_KEY}
    assert in_time, "none was killed while it made the variant"
    say(
        f"{type(store).__name__}: {len(keys)} kills over {length:.3f} s, {len(in_time)} of a holder; "
        f"taken over after {statistics.median(in_time):.3f} s, {max(in_time):.3f} s at most; "
        f"{sum(stored[key] - 1 for key in keys)} stored twice, the same bytes"
    )
    # Most of them: the machine, or the process of this test, may stand still during one.
    assert statistics.median(in_time) < 2


def _kill_at(shop: Shop, key: str, delay: float, expected: bytes) -> float | None:
    """Kill the maker so many seconds after its start; return how long it took until another had the lock.

    None when it had given up the lock already, or was not seen at all.
    """
    wait_for(lambda: len(shop.workers()) == WORKERS)
    with ThreadPoolExecutor(1) as pool:
        herd = pool.submit(ask_all, [shop.url(key)] * WAITING, tries=TRIES)
        maker = wait_for(lambda: shop.lock_holder() or herd.done())
        if maker is True:
            _check(shop, key, herd.result(), expected)
            return None
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
