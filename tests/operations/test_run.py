"""Batches are done in order, written down one by one, and waited for when a storage is busy."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from lazyimages.exceptions import NotDeleted, OriginalNotFound, StorageFull, StorageUnavailable
from lazyimages.operations import run as running
from lazyimages.operations import single
from lazyimages.operations.journal import Journal
from lazyimages.operations.work import Batch, Outcome, Work
from lazyimages.storage.base import AccessDenied


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record for how long would have been slept; nobody sleeps."""
    slept: list[float] = []
    monkeypatch.setattr(running._patient.retry, "sleep", slept.append)  # type: ignore[attr-defined]
    return slept


def counting(numbers: list[int], do: Callable[..., Outcome]) -> Work:
    def batches(cursor: Any) -> Iterator[Batch]:
        for number in numbers:
            if cursor is None or number > cursor:
                yield Batch(arguments={"number": number}, items=10, cursor=number)

    return Work(name="count", task="count", unit="numbers", what={}, batches=batches, do=do, look=do)


def test_in_order_and_on_after_an_interruption(tmp_path: Path) -> None:
    seen: list[int] = []

    def do(number: int) -> Outcome:
        if number == 3 and 3 not in seen:
            seen.append(number)
            raise KeyboardInterrupt
        seen.append(number)
        return Outcome(done=10)

    work, told = counting([1, 2, 3, 4], do), list[int]()
    journal = Journal(tmp_path, "count", {})
    with pytest.raises(KeyboardInterrupt):
        running.run(work, journal, do=do, tell=lambda batch: told.append(batch.cursor))
    assert (journal.cursor, told) == (2, [1, 2])
    again = Journal(tmp_path, "count", {})
    again.resume()
    running.run(work, again, do=do, tell=lambda batch: told.append(batch.cursor))
    assert seen == [1, 2, 3, 3, 4]
    assert (told, again.done, again.items) == ([1, 2, 3, 4], 40, 40)


def test_a_busy_storage_is_waited_for(pauses: list[float]) -> None:
    answers: list[Any] = [StorageUnavailable("SlowDown"), NotDeleted({"a": "InternalError"}), "there"]

    def ask() -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert running.patiently(ask) == "there"
    assert len(pauses) == 2
    assert all(0 <= pause <= 20 for pause in pauses)


def test_and_given_up_on_in_the_end(pauses: list[float]) -> None:
    def ask() -> None:
        raise StorageUnavailable("SlowDown")

    with pytest.raises(StorageUnavailable, match="SlowDown"):
        running.patiently(ask)
    assert len(pauses) == running.TRIES - 1


@pytest.mark.parametrize(
    "error",
    [
        StorageFull("no room"),
        AccessDenied("no"),
        NotDeleted({"a": "AccessDenied"}),
        OriginalNotFound("none"),
        ValueError("a bug"),
    ],
)
def test_what_waiting_does_not_change_is_raised_at_once(error: Exception, pauses: list[float]) -> None:
    calls: list[int] = []

    def ask() -> None:
        calls.append(1)
        raise error

    with pytest.raises(type(error)):
        running.patiently(ask)
    assert (calls, pauses) == ([1], [])


def test_threads_do_not_begin_what_nobody_waits_for() -> None:
    begun: list[int] = []
    go = threading.Event()

    def work(number: int) -> int:
        begun.append(number)
        if number == 0:
            go.set()
            raise ValueError
        go.wait()
        return number

    with pytest.raises(ValueError), running.threads(1) as over:
        list(over(work, range(100)))
    assert len(begun) < 100


def test_one_run_at_a_time() -> None:
    with single.alone("warm"):
        taken = r"already on this machine, by process \d+ since"
        with pytest.raises(single.AlreadyRunning, match=taken), single.alone("warm"):
            pytest.fail("two at a time")
        with single.alone("purge"):
            pass
    with single.alone("warm"):
        pass


def test_one_run_at_a_time_on_all_machines(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if "redis" not in str(settings.CACHES["default"]["BACKEND"]):
        pytest.skip("Redis is missing: apt install redis-server, start it, and set REDIS_URL")
    with single.alone("warm"):
        monkeypatch.setattr("platform.node", lambda: "another")
        monkeypatch.setattr("fcntl.flock", lambda *args: None)  # its lock files are others
        with pytest.raises(single.AlreadyRunning, match="machine or by another user"), single.alone("warm"):
            pytest.fail("two at a time")
    cache.clear()
