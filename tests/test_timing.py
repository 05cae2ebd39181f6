"""What the resizer says of where its time went: Server-Timing, the log line, the signals."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client

from lazyimages import signals, stopwatch, storage
from lazyimages.engines.base import Rendered
from lazyimages.engines.pillow import PillowEngine
from lazyimages.exceptions import StorageUnavailable
from lazyimages.stopwatch import Stopwatch
from tests.clock import Clock
from tests.conftest import jpeg

ORIGINAL, KEY = "a/b.jpg", "a/360x270/b.jpg"
MADE = ["read", "wait", "decode", "resize", "encode", "store"]


class SilentEngine(PillowEngine):
    """An engine that measures nothing."""

    def render(self, data: bytes, jobs: Any, **options: Any) -> list[Rendered]:
        made = super().render(data, jobs, **options)
        return [Rendered(data=one.data, width=one.width, height=one.height) for one in made]


@pytest.fixture
def received() -> Iterator[list[dict[str, Any]]]:
    """What both signals have sent."""
    calls: list[dict[str, Any]] = []

    def receiver(signal: Any, sender: Any, **arguments: Any) -> None:
        calls.append(arguments)

    signals.variant_created.connect(receiver)
    signals.variant_failed.connect(receiver)
    yield calls
    signals.variant_created.disconnect(receiver)
    signals.variant_failed.disconnect(receiver)


@pytest.fixture
def original() -> None:
    storages["default"].save(ORIGINAL, ContentFile(jpeg(4000, 3000)))


def stages(response: Any) -> dict[str, float]:
    """Return the milliseconds of each stage, by the grammar of the header."""
    parts = [part.split(";dur=") for part in response["Server-Timing"].split(", ")]
    assert all(re.fullmatch(r"[a-z]+", name) and re.fullmatch(r"\d+\.\d", ms) for name, ms in parts)
    return {name: float(ms) for name, ms in parts}


def test_of_a_variant_that_is_made(original: None) -> None:
    found = stages(Client().get(f"/images/v/{KEY}"))
    assert list(found) == [*MADE, "total"]
    assert found["decode"] > 1
    assert sum(found[stage] for stage in MADE) <= found["total"] + 1


def test_of_a_redirect(original: None, delivery: Callable[..., None]) -> None:
    delivery("redirect")
    response = Client().get(f"/images/resizer?key={KEY}")
    assert response.status_code == 301
    assert list(stages(response)) == [*MADE, "total"]


def test_of_a_variant_that_exists(original: None) -> None:
    Client().get(f"/images/v/{KEY}")
    assert list(stages(Client().get(f"/images/v/{KEY}"))) == ["read", "total"]


@pytest.mark.parametrize("path", ["v/a/999w/b.jpg", "v/..", "resizer", "nothing", "health?live"])
def test_of_what_asks_no_storage(path: str) -> None:
    assert list(stages(Client().get(f"/images/{path}"))) == ["total"]


def test_of_a_method_that_is_refused() -> None:
    assert list(stages(Client().post("/images/resizer"))) == ["total"]


def test_of_an_engine_that_does_not_measure(
    original: None,
    lazy: Callable[..., None],
    received: list[dict[str, Any]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    lazy(ENGINE=f"{__name__}.SilentEngine")
    found = stages(Client().get(f"/images/v/{KEY}"))
    assert list(found) == ["read", "wait", "decode", "render", "store", "total"]  # decode: the probe
    (line,) = [message for message in caplog.messages if message.startswith("rendered")]
    assert float(re.findall(r"render_ms=([\d.]+)", line)[0]) >= 1


def test_the_log_line(original: None, caplog: pytest.LogCaptureFixture) -> None:
    Client().get(f"/images/v/{KEY}")
    (line,) = [message for message in caplog.messages if message.startswith("rendered")]
    ms = {name: float(value) for name, value in re.findall(r"(\w+)_ms=([\d.]+)", line)}
    assert list(ms) == ["wait", "read", "decode", "resize", "encode", "render", "store"]
    assert ms["render"] == pytest.approx(ms["decode"] + ms["resize"] + ms["encode"], abs=0.2)
    assert ms["decode"] > 1


def test_the_signal_of_a_variant(original: None, received: list[dict[str, Any]]) -> None:
    Client().get(f"/images/v/{KEY}")
    (call,) = received
    assert sorted(call["seconds"]) == sorted(MADE)
    assert 0 < call["seconds"]["decode"] < 60
    assert (call["format"].name, call["width"], call["height"]) == ("jpeg", 360, 270)


@pytest.mark.parametrize(
    ("content", "reason", "timed"),
    [
        (None, "missing", ["read", "wait"]),
        (b"no image", "unsupported", ["decode", "read", "wait"]),
        (jpeg()[:5000], "corrupt", ["decode", "read", "render", "wait"]),
    ],
)
def test_the_signal_of_a_failure(
    content: bytes | None, reason: str, timed: list[str], received: list[dict[str, Any]]
) -> None:
    if content is not None:
        storages["default"].save(ORIGINAL, ContentFile(content))
    Client().get(f"/images/v/{KEY}")
    (call,) = received
    assert (call["reason"], call["error"].reason) == (reason, reason)
    assert sorted(call["seconds"]) == timed


def test_the_signal_of_a_put_that_failed(
    original: None, received: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **options: Any) -> None:
        time.sleep(0.05)
        raise StorageUnavailable("no")

    monkeypatch.setattr(storage, "put_variant", refuse)
    assert Client().get(f"/images/v/{KEY}").status_code == 200
    (call,) = received
    assert call["reason"] == "storage"
    assert call["seconds"]["store"] >= 0.05


def test_what_is_remembered_is_sent_once(received: list[dict[str, Any]]) -> None:
    for _ in range(5):
        Client().get(f"/images/v/{KEY}")
    assert len(received) == 1


def test_a_stage_inside_of_another_stops_it(stop_clock: Callable[..., Clock]) -> None:
    clock = stop_clock(stopwatch)
    watch = Stopwatch()
    with watch.stage("outer"):
        clock.sleep(1)
        with watch.stage("inner"):
            clock.sleep(20)
        clock.sleep(300)
    clock.sleep(4000)
    assert watch.seconds == {"outer": pytest.approx(301), "inner": pytest.approx(20)}
    assert watch.total == pytest.approx(4321)
