"""How much one process renders at a time: slots, weighted by memory."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lazyimages.exceptions import Busy
from lazyimages.slots import MEMORY, Slots, weight
from tests.clock import PATIENCE
from tests.conftest import wait_until


def soon(seconds: float = PATIENCE) -> float:
    return time.monotonic() + seconds


def test_no_more_than_there_are() -> None:
    slots, running, most = Slots(), [], []
    three = threading.Barrier(3, timeout=PATIENCE)

    def work(_: int) -> None:
        with slots.take(of=3, deadline=soon()):
            running.append(1)
            most.append(len(running))
            three.wait()
            time.sleep(0.02)  # for a fourth to come in, if it could
            running.pop()

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(work, range(24)))
    assert max(most) == 3


def test_weights_add_up() -> None:
    slots, running, most = Slots(), [], []

    def work(heavy: int) -> None:
        with slots.take(heavy, of=4, deadline=soon()):
            running.append(heavy)
            most.append(sum(running))
            time.sleep(0.01)
            running.remove(heavy)

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(work, [1, 3, 2, 4, 1, 1, 2, 3] * 3))
    assert max(most) == 4


def test_what_weighs_more_than_all_slots_runs_alone() -> None:
    slots = Slots()
    with slots.take(99, of=2, deadline=soon()), pytest.raises(Busy), slots.take(of=2, deadline=soon(0.05)):
        pass


def test_the_end_of_patience_is_busy() -> None:
    slots = Slots()
    with (
        slots.take(of=1, deadline=soon(0)),
        pytest.raises(Busy),
        slots.take(of=1, deadline=soon(0.1)),
    ):
        pass
    with slots.take(of=1, deadline=soon(0)):
        pass


def test_no_patience_is_busy_at_once() -> None:
    """As for the threads that may wait: there is a place, or there is none."""
    slots = Slots()
    with slots.take(of=2, deadline=0), slots.take(of=2, deadline=0):
        for _ in range(100):
            with pytest.raises(Busy), slots.take(of=2, deadline=0):
                pass
    with slots.take(2, of=2, deadline=0):
        pass


def test_an_error_gives_them_back() -> None:
    slots = Slots()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), slots.take(2, of=2, deadline=0):
            _ = 1 / 0


def test_a_forked_child_begins_with_all_of_them() -> None:
    """The threads that hold them are not there to give them back."""
    slots = Slots()
    with slots.take(2, of=2, deadline=soon()):
        child = os.fork()
        if child == 0:
            try:
                with slots.take(2, of=2, deadline=0):
                    os._exit(0)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def waiter(slots: Slots, name: str, heavy: int, order: list[str]) -> threading.Thread:
    def wait() -> None:
        with slots.take(heavy, of=2, deadline=soon()):
            order.append(name)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_a_heavy_one_is_not_overtaken() -> None:
    slots, order = Slots(), []
    with slots.take(1, of=2, deadline=soon()):
        heavy = waiter(slots, "heavy", 2, order)
        wait_until(lambda: len(slots._waiting) == 1)
        light = waiter(slots, "light", 1, order)
        wait_until(lambda: len(slots._waiting) == 2)
        time.sleep(0.05)
        assert order == [], "there is a slot for the light one, but the heavy one came first"
    heavy.join()
    light.join()
    assert order == ["heavy", "light"]


def test_who_gives_up_is_not_waited_for() -> None:
    slots, order = Slots(), []
    with slots.take(1, of=2, deadline=soon()):
        with pytest.raises(Busy), slots.take(2, of=2, deadline=soon(0.05)):
            pass
        waiter(slots, "light", 1, order).join()
    assert order == ["light"]


@pytest.mark.parametrize(
    ("cost", "of", "expected"),
    [
        pytest.param(0, 2, 1, id="nothing is one slot"),
        pytest.param(MEMORY // 2, 2, 1, id="half of the memory is one of two"),
        pytest.param(MEMORY // 2 + 1, 2, 2, id="more than half is both"),
        pytest.param(MEMORY // 2, 8, 4, id="half of the memory is four of eight"),
        pytest.param(10 * MEMORY, 8, 80, id="too much for all"),
    ],
)
def test_weight(cost: int, of: int, expected: int) -> None:
    assert weight(cost, of=of) == expected
