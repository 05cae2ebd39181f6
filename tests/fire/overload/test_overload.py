"""Ten times more than two processors can render: what is there, or can never be, is answered all the same."""

import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import takewhile
from pathlib import Path

import pytest

from lazyimages.locks import Flight
from tests.fire.herd.shops import Shop, open_shop, photo, say, wait_for
from tests.fire.load import ask as ask_once
from tests.fire.overload.crowds import SIZE, Answer, Outcome, Photos, Stream, ask, crowd, memory, processor

pytestmark = pytest.mark.chain

WORKERS, THREADS, FREE = 2, 8, 2
SOAK = os.environ.get("SOAK") == "1"
SECONDS = 60 if SOAK else 9  # of overload
ROUNDS = 2 if SOAK else 1
TIMES = 10  # what can be rendered
PROBES = 15  # a second, of each kind
HANGS = 3.0  # seconds; a hundred times what it takes on a machine that does nothing else
UNKNOWN = "/images/v/produs_1/999w/p0.AZ70KuRzw9.jpg"
MISSING = f"/images/v/produs_1/{SIZE}/none.AZ70KuRzw9.jpg"


@pytest.fixture(scope="module")
def original() -> bytes:
    """Draw a photo of 12 megapixels."""
    return photo()


def shares(workers: int) -> dict[str, str]:
    """Tell the marketplace about the web server: see its settings."""
    return {"WEB_THREADS": str(THREADS), "WEB_CONCURRENCY": str(workers)}


def test_two_threads_stay_free(original: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of twenty that want what is being made elsewhere, six wait; nobody else notices."""
    photos = Photos(tmp_path / "files", original)
    stored, wanted = photos.cold(2)
    with open_shop(photos, tmp_path / "host", workers=1, threads=THREADS, **shares(1)) as shop:
        key = wanted.removeprefix("/images/v/")
        there, made = f"{shop.child.url}{stored}", f"{shop.child.url}{wanted}"
        assert ask_once(there).status == 200
        monkeypatch.setattr("tempfile.tempdir", str(shop.folder))
        with ThreadPoolExecutor(20) as pool:
            flight = Flight(key)
            with flight, flight.turn(lambda: None, deadline=time.monotonic() + 5) as found:
                assert found is None
                asked = [pool.submit(ask_once, made) for _ in range(20)]
                wait_for(lambda: sum(one.done() for one in asked) == 20 - THREADS + FREE)
                for _ in range(5):
                    assert ask_once(there).status == 200
                    assert ask_once(f"{shop.child.url}{UNKNOWN}").status == 404
                assert ask_once(made).status == 503
            statuses = Counter(one.result().status for one in asked)
        assert statuses == {200: THREADS - FREE, 503: 20 - THREADS + FREE}
        assert {one.result().headers["retry-after"] for one in asked if one.result().status == 503} == {"1"}
        assert shop.renders()[key] == 1


def test_ten_times_too_much(original: bytes, tmp_path: Path) -> None:
    """Cold variants are asked for at ten times the rate of renders, beside what is there, or unknown."""
    photos = Photos(tmp_path / "files", original)
    environment = {**shares(WORKERS), "DJANGO_SETTINGS_MODULE": "marketplace.settings"}
    with open_shop(photos, tmp_path / "host", workers=WORKERS, threads=THREADS, **environment) as shop:
        wait_for(lambda: len(shop.workers()) == WORKERS)
        stored = photos.cold(5)
        ask(shop, 2, warm=Stream(stored, clients=4))
        ask(shop, 2, warm=Stream(photos.cold(400), rate=150))  # so that memory is as it will be
        for _ in range(ROUNDS):
            # What is measured by the clock gets three tries, for others want the processors too.
            tries = (_one_round(shop, photos, stored) for _ in range(3))
            found = list(takewhile(bool, tries))
            assert len(found) < 3, found


def _one_round(shop: Shop, photos: Photos, stored: list[str]) -> list[str]:
    """Return what took too long; what has nothing to do with the clock is asserted."""
    probes = {
        "stored": Stream(stored, rate=PROBES),
        "unknown": Stream([UNKNOWN], rate=PROBES),
        "missing": Stream([MISSING], rate=PROBES),
    }
    idle = ask(shop, max(3, SECONDS / 4), **probes)
    alone = ask(shop, max(4, SECONDS / 4), cold=Stream(photos.cold(60 * max(4, SECONDS // 4)), clients=4))[
        "cold"
    ]
    assert set(alone.statuses) == {200}
    peak = alone.statuses[200] / alone.seconds

    pids = shop.workers()
    used, before, most = processor(pids), memory(pids), 0.0
    flood = photos.cold(int(TIMES * peak * (SECONDS + 2)))
    began = time.monotonic()
    with crowd(shop, SECONDS, cold=Stream(flood, rate=TIMES * peak)) as going:
        time.sleep(1)
        with crowd(shop, SECONDS - 2, **probes) as probing:
            while time.monotonic() < began + SECONDS:
                most = max(most, memory(pids))
                time.sleep(0.2)
            loaded = probing.outcomes()
        cold = going.outcomes()["cold"]
    used = processor(pids) - used
    rendered = cold.statuses[200] / cold.seconds

    say(
        f"alone {peak:.1f} renders/s; asked for {TIMES * peak:.0f}/s: {rendered:.1f}/s",
    )
    say(f"{rendered / peak:.0%} of the peak; {cold.sent} cold: {dict(cold.statuses)}")
    say(f"processors: crowd {cold.cpu / cold.seconds:.2f}, workers {used / cold.seconds:.2f}")
    for name in probes:
        times = loaded[name].percentile(95) / idle[name].percentile(95)
        say(f"{name}: {_told(idle[name])} idle; {_told(loaded[name])} loaded, {times:.1f} ×")
        say(f"{name}: {dict(loaded[name].statuses)}")
    say(f"memory of the workers: {before:.0f} MiB, at most {most:.0f}, after {memory(pids):.0f}")

    assert shop.workers() == pids
    assert set(cold.statuses) == {200, 503}
    assert {(one.retry_after, one.cache_control) for one in _busy(cold)} == {("1", "no-store")}
    assert set(loaded["stored"].statuses) == {200}
    assert set(loaded["unknown"].statuses) == {404}
    # Known for ten seconds; then it takes a place to find out again, and there may be none.
    assert set(loaded["missing"].statuses) <= {404, 503}
    for name in probes:
        assert len(loaded[name].answers) == loaded[name].sent
    assert most < before + 64

    halves = {name: loaded[name].percentile(50) for name in probes}
    late = [f"half of {name}: {half:.0f} ms" for name, half in halves.items() if half >= 1000 * HANGS]
    if rendered <= 0.3 * peak:
        late.append(f"{rendered:.1f} renders/s of {peak:.1f}")
    if cold.statuses[503] <= cold.statuses[200]:
        late.append(f"no overload: {dict(cold.statuses)}")
    return late


def _busy(outcome: Outcome) -> list[Answer]:
    return [answer for answer in outcome.answers if answer.status == 503]


def _told(outcome: Outcome) -> str:
    return f"p50 {outcome.percentile(50):.1f} p95 {outcome.percentile(95):.1f} ms"
