"""THREADS: renders and those who wait leave two threads of a worker free."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connections
from django.test import Client

from lazyimages import render
from lazyimages.engines.base import Job, Rendered
from lazyimages.engines.pillow import PillowEngine
from tests.clock import PATIENCE
from tests.conftest import jpeg, wait_until


class HeldEngine(PillowEngine):
    """An engine that renders when it is told to."""

    started = threading.Semaphore(0)
    go_on = threading.Event()

    def render(self, data: bytes, jobs: list[Job], **options: Any) -> list[Rendered]:  # type: ignore[override]
        self.started.release()
        assert self.go_on.wait(PATIENCE)
        return super().render(data, jobs, **options)


@pytest.fixture
def held(lazy: Callable[..., None]) -> Iterator[type[HeldEngine]]:
    lazy(ENGINE=f"{__name__}.HeldEngine", MAX_RENDERS=2)
    HeldEngine.started, HeldEngine.go_on = threading.Semaphore(0), threading.Event()
    yield HeldEngine
    HeldEngine.go_on.set()


def ask(name: str) -> Any:
    try:
        return Client().get(f"/images/v/a/360x270/{name}.jpg")
    finally:
        connections.close_all()


def store(names: str) -> None:
    for name in names.split():
        storages["default"].save(f"a/{name}.jpg", ContentFile(jpeg()))


@pytest.mark.parametrize("same", [True, False], ids=["one variant", "several"])
def test_two_threads_stay_free(held: type[HeldEngine], lazy: Callable[..., None], same: bool) -> None:
    """Six of eight may render or wait, for a lock or for a slot; the seventh is busy, at once."""
    lazy(THREADS=8)
    store("x1 x2 x3 x4 x5 x6 x7 there")
    held.go_on.set()
    assert ask("there").status_code == 200
    held.go_on.clear()
    with ThreadPoolExecutor(8) as pool:
        names = ["x1"] * 6 if same else [f"x{number}" for number in range(1, 7)]
        asked = [pool.submit(ask, name) for name in names]
        assert held.started.acquire(timeout=PATIENCE)
        wait_until(lambda: render._places.full(of=6))
        began = time.monotonic()
        busy = ask("x7")
        assert (busy.status_code, busy["Retry-After"], busy["Cache-Control"]) == (503, "1", "no-store")
        assert ask("there").status_code == 200
        assert ask("missing-size/9x9").status_code == 404
        assert time.monotonic() - began < PATIENCE / 2, "it has waited"
        held.go_on.set()
        assert [future.result().status_code for future in asked] == [200] * 6
    assert ask("x7").status_code == 200


def test_without_the_setting_all_may_wait(held: type[HeldEngine]) -> None:
    store(" ".join(f"x{number}" for number in range(20)))
    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(ask, f"x{number}") for number in range(20)]
        assert held.started.acquire(timeout=PATIENCE)
        # Four originals are in memory; who has its lock file for itself waits for that, and others for it.
        wait_until(lambda: len(render._originals._waiting) >= 10)
        held.go_on.set()
        assert [future.result().status_code for future in asked] == [200] * 20


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_one_can_always_be_made(held: type[HeldEngine], lazy: Callable[..., None], threads: int) -> None:
    lazy(THREADS=threads)
    store("x1 x2")
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, "x1")
        assert held.started.acquire(timeout=PATIENCE)
        assert ask("x2").status_code == 503
        held.go_on.set()
        assert asked.result().status_code == 200


def test_a_failure_gives_the_place_back(lazy: Callable[..., None]) -> None:
    lazy(THREADS=3)
    for number in range(5):
        assert ask(f"missing{number}").status_code == 404
    store("x1")
    assert ask("x1").status_code == 200
