"""After SIGTERM a process ends what it has begun and begins nothing new; the rest is in tests/fire."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from django.test import Client

from lazyimages import draining
from lazyimages.exceptions import Busy
from lazyimages.locks import Flight
from lazyimages.slots import Slots
from tests.clock import PATIENCE


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    handler = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(draining, "_draining", False)
    yield
    signal.signal(signal.SIGTERM, handler)


@pytest.mark.parametrize(
    "path", ["v/a/360x270/b.jpg", "resizer?key=a/360x270/b.jpg", "health", "health?live"]
)
def test_new_requests_are_refused(path: str) -> None:
    draining.begin()
    response = Client().get(f"/images/{path}")
    assert (response.status_code, response["Retry-After"]) == (503, "1")
    assert response["Cache-Control"] == "no-store"


def test_who_waits_for_a_slot_is_sent_away() -> None:
    slots = Slots()
    deadline = time.monotonic() + PATIENCE
    with slots.take(of=1, deadline=deadline):
        threading.Timer(0.2, draining.begin).start()
        with pytest.raises(Busy), slots.take(of=1, deadline=deadline):
            pass
    assert time.monotonic() < deadline


def test_who_waits_for_a_lock_is_sent_away() -> None:
    deadline = time.monotonic() + PATIENCE
    with Flight("x") as one, one.turn(lambda: None, deadline=deadline):
        threading.Timer(0.2, draining.begin).start()
        with Flight("x") as other, pytest.raises(Busy), other.turn(lambda: None, deadline=deadline):
            pass
    assert time.monotonic() < deadline


def test_the_handler_that_was_there_is_called_too() -> None:
    called = []
    signal.signal(signal.SIGTERM, lambda number, frame: called.append(number))
    draining.on_sigterm()
    assert not draining.draining()
    os.kill(os.getpid(), signal.SIGTERM)
    assert called == [signal.SIGTERM]
    assert draining.draining()


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    draining.on_sigterm()
    os.kill(os.getpid(), signal.SIGTERM)
    assert not draining.draining()


def test_without_a_handler_the_process_ends_as_before() -> None:
    code = (
        "import os, signal; from lazyimages import draining; draining.on_sigterm(); "
        "os.kill(os.getpid(), signal.SIGTERM); signal.pause()"
    )
    done = subprocess.run([sys.executable, "-c", code], timeout=PATIENCE, check=False)
    assert done.returncode == -signal.SIGTERM
