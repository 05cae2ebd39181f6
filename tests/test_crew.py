"""Threads that render and give way, and log lines that come by the thousand."""

import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core import mail
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client

from lazyimages import refusals, render, tally
from lazyimages.crew import Crew
from lazyimages.engines.base import Rendered
from lazyimages.engines.pillow import PillowEngine
from lazyimages.exceptions import CorruptImage
from lazyimages.tally import Tally
from tests.clock import PATIENCE, Clock
from tests.conftest import jpeg


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


class WhereEngine(PillowEngine):
    """An engine that says by which thread it renders, and how nice that is."""

    seen: list[tuple[str, int]] = []

    def render(self, *args: object, **options: object) -> list[Rendered]:
        self.seen.append((threading.current_thread().name, niceness()))
        return super().render(*args, **options)  # type: ignore[arg-type]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no priority of its own")
def test_who_renders_gives_way_and_who_answers_does_not(lazy: Callable[..., None]) -> None:
    lazy(ENGINE=f"{__name__}.WhereEngine")
    storages["default"].save("a/b.jpg", ContentFile(jpeg()))
    before = niceness()
    assert Client().get("/images/v/a/360x270/b.jpg").status_code == 200
    ((name, nice),) = WhereEngine.seen
    assert name.startswith("lazyimages-render")
    assert nice == min(19, before + 10)
    assert niceness() == before


def test_results_and_errors_come_back() -> None:
    crew = Crew()
    assert crew.do(lambda: 7) == 7
    with pytest.raises(CorruptImage, match="half grey"):
        crew.do(lambda: (_ for _ in ()).throw(CorruptImage("half grey")))


def test_no_more_threads_than_work_at_the_same_time() -> None:
    crew = Crew()
    names = {crew.do(lambda: threading.current_thread().name) for _ in range(50)}
    # One is started also when those that have done their work have had no time yet to say so.
    assert len(names) < 25
    barrier = threading.Barrier(5, timeout=PATIENCE)
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda _: crew.do(barrier.wait), range(5)))


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # of threads, which are the point
def test_a_forked_child_has_threads_of_its_own() -> None:
    crew = Crew()
    crew.do(lambda: None)
    if (child := os.fork()) == 0:
        os._exit(crew.do(lambda: 42))
    deadline = time.monotonic() + PATIENCE
    while (done := os.waitpid(child, os.WNOHANG))[0] == 0:
        if time.monotonic() > deadline:
            os.kill(child, 9)
        time.sleep(0.01)
    assert os.waitstatus_to_exitcode(done[1]) == 42


def test_a_tally_tells_once_a_second(stop_clock: Callable[..., Clock]) -> None:
    clock = stop_clock(tally)
    counted = Tally()
    assert [counted.add() for _ in range(4)] == [1, 0, 0, 0]
    clock.sleep(1.1)
    assert [counted.add() for _ in range(2)] == [4, 0]


def test_refusals_by_the_hundred_are_one_line_and_no_mail(
    lazy: Callable[..., None],
    settings: object,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    stop_clock: Callable[..., Clock],
) -> None:
    import django

    clock = stop_clock(tally)
    monkeypatch.setattr(render, "_refused", Tally())

    settings.ADMINS = ["a@example.com"] if django.VERSION >= (6, 0) else [("a", "a@example.com")]  # type: ignore[attr-defined]
    lazy(THREADS=3)
    with render._places.take(of=1, deadline=0):
        for _ in range(100):
            assert Client().get("/images/v/a/360x270/b.jpg").status_code == 503
        clock.sleep(1.1)
        assert Client().get("/images/v/a/360x270/b.jpg").status_code == 503
    first, second = (text for text in caplog.messages if text.startswith("failed key="))
    assert " refused=1 " in first
    assert " refused=100 " in second
    assert mail.outbox == []


def test_while_there_is_no_place_what_was_known_is_known_for_longer(
    lazy: Callable[..., None], stop_clock: Callable[..., Clock]
) -> None:
    lazy(THREADS=3)
    clock = stop_clock(refusals)
    missing, other = "/images/v/a/360x270/b.jpg", "/images/v/a/480h/b.jpg"
    assert Client().get(missing).status_code == 404
    clock.sleep(30)
    with render._places.take(of=1, deadline=0):
        assert Client().get(missing).status_code == 404
        assert Client().get(other).status_code == 404
        assert Client().get("/images/v/a/360x270/unknown.jpg").status_code == 503
