"""Single flight: flights of one machine, and leases among machines."""

import os
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.cache.backends.base import BaseCache
from django.core.exceptions import ImproperlyConfigured

from lazyimages import leases, locks
from lazyimages.exceptions import Busy
from lazyimages.leases import Lease
from lazyimages.locks import Flight
from tests.clock import PATIENCE, Clock
from tests.conftest import wait_until


class Thing:
    """Something that is to be made once: `made` counts, `looks` counts the looks."""

    def __init__(self) -> None:
        self.made = 0
        self.looks = 0
        self.value: str | None = None

    def look(self) -> str | None:
        self.looks += 1
        return self.value

    def make(self) -> str:
        self.made += 1
        time.sleep(0.05)
        self.value = "made"
        return self.value


@pytest.fixture
def clock(stop_clock: Callable[..., Clock]) -> Clock:
    """Have those who wait for a lock or a lease sleep by a clock of the test's."""
    return stop_clock(locks, leases)


def get(thing: Thing, name: str = "key", deadline: float | None = None) -> str:
    with Flight(name) as flight:
        found = thing.look()
        if found is not None:
            return found
        until = time.monotonic() + PATIENCE if deadline is None else deadline
        with flight.turn(thing.look, deadline=until) as found:
            if found is not None:
                return found
            made = thing.make()
            flight.finished()
            return made


def test_of_thirty_threads_one_makes_it() -> None:
    thing = Thing()
    with ThreadPoolExecutor(30) as pool:
        assert set(pool.map(lambda _: get(thing), range(30))) == {"made"}
    assert thing.made == 1
    # Everybody looks before, and those who waited once more: none looks while nothing has changed.
    assert thing.looks <= 60


def test_nobody_waits_for_what_is_there() -> None:
    thing = Thing()
    thing.value = "there"
    with Flight("key") as holder, holder.turn(thing.look, deadline=0):
        assert get(thing, deadline=0) == "there"


def test_alone_one_looks_once() -> None:
    thing = Thing()
    get(thing)
    assert (thing.looks, thing.made) == (1, 1)


def test_a_failed_maker_lets_the_next_try() -> None:
    with (
        pytest.raises(ZeroDivisionError),
        Flight("key") as flight,
        flight.turn(lambda: None, deadline=0),
    ):
        raise ZeroDivisionError
    assert get(Thing(), deadline=0) == "made"


def test_patience_ends_in_busy(clock: Clock) -> None:
    thing = Thing()
    with Flight("key") as holder, holder.turn(thing.look, deadline=0):
        with pytest.raises(Busy):
            get(thing, deadline=clock.monotonic() + 0.2)
        assert 0.2 <= clock.slept < 0.3


def test_a_forked_child_does_not_keep_the_lock() -> None:
    thing = Thing()
    with Flight("key") as flight, flight.turn(thing.look, deadline=0):
        child = os.fork()
        if child == 0:
            time.sleep(PATIENCE)
            os._exit(0)
    try:
        assert get(thing, deadline=0) == "made"
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


def test_no_file_descriptor_is_left() -> None:
    thing = Thing()
    get(thing)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for number in range(50):
        get(thing, f"key{number}")
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_lock_directory_is_ones_own(tmp_path: Path) -> None:
    Flight("key").__exit__()
    (directory,) = tmp_path.glob("lazyimages-*")
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    directory.chmod(0o777)
    with pytest.raises(ImproperlyConfigured, match="TMPDIR"):
        Flight("key")


def test_a_planted_lock_directory_is_refused(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (tmp_path / f"lazyimages-{os.getuid()}").symlink_to(elsewhere)
    with pytest.raises(ImproperlyConfigured):
        Flight("key")


def test_local_caches_are_not_shared(settings: Any, tmp_path: Path) -> None:
    for backend in ("locmem.LocMemCache", "dummy.DummyCache", "filebased.FileBasedCache", "db.DatabaseCache"):
        settings.CACHES = {
            "default": {"BACKEND": f"django.core.cache.backends.{backend}", "LOCATION": str(tmp_path / "c")}
        }
        assert leases.shared_cache() is None


def test_a_cache_that_is_down_is_no_matter(
    settings: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("redis")
    monkeypatch.setattr(leases, "_ANSWER_SECONDS", PATIENCE)
    backend = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:1/0"}}
    thing = Thing()
    assert get(thing) == "made"
    assert thing.made == 1
    assert "lease skipped error=ConnectionError" in caplog.text


def test_a_cache_that_never_answers(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients of Redis wait for five seconds, or for ever; whoever makes something does not."""
    pytest.importorskip("redis")
    monkeypatch.setattr(leases, "_ANSWER_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        location = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        backend = "django.core.cache.backends.redis.RedisCache"
        settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": location}}
        started = time.monotonic()
        for number in range(20):
            assert get(Thing(), f"key{number}") == "made"
        # One second; three questions for each of them would be sixty.
        assert time.monotonic() - started < 30
    wait_until(lambda: leases._cache.ask(lambda _: True) is not None)  # the next test may need a Redis


class HidingCache(BaseCache):
    """A cache that is down, and whose client is told to hide it (django-redis: IGNORE_EXCEPTIONS)."""

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def add(self, *args: Any, **options: Any) -> bool:
        return False

    def get(self, *args: Any, **options: Any) -> None:
        return None

    set = touch = delete = get  # type: ignore[assignment]


def test_a_cache_that_hides_that_it_is_down(
    settings: Any, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setattr(leases, "_ATOMIC", (__name__,))
    settings.CACHES = {"default": {"BACKEND": f"{__name__}.HidingCache"}}
    assert leases.shared_cache() is not None
    for number in range(10):
        assert get(Thing(), f"key{number}") == "made"
    assert clock.slept == 0


def test_a_process_that_is_to_end_lets_nobody_wait(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    thing = Thing()
    with Flight("key") as holder, holder.turn(thing.look, deadline=0):
        monkeypatch.setattr("lazyimages.draining._draining", True)
        with pytest.raises(Busy):
            get(thing)
        assert clock.slept == 0


@pytest.fixture
def redis() -> Iterator[None]:
    """Share a Redis, as several machines do."""
    if not os.environ.get("REDIS_URL"):
        pytest.skip("Redis is missing: apt install redis-server, start it, and set REDIS_URL")
    cache.clear()
    yield
    cache.clear()


def hold(host: str, look: Callable[[], None], name: str = "key", deadline: float | None = None) -> bool:
    lease = Lease(name, host)
    with lease.hold(time.monotonic() + PATIENCE if deadline is None else deadline) as finished_elsewhere:
        look()
        lease.finished()
        return finished_elsewhere


@pytest.mark.usefixtures("redis")
class TestLease:
    """Leases in a real Redis."""

    @pytest.fixture(autouse=True)
    def _patient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A thread that gets no processor for some seconds loses no lease, and misses no answer."""
        monkeypatch.setattr(leases, "LEASE_SECONDS", 60)
        monkeypatch.setattr(leases, "_ANSWER_SECONDS", PATIENCE)

    def test_machines_take_turns_and_look_again(self) -> None:
        inside, most = [], []

        def look() -> None:
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.01)
            inside.pop()

        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda number: hold(f"host{number}", look), range(8)))
        assert max(most) == 1
        assert found.count(False) == 1  # the first; all others are told to look again

    def test_a_killed_holder_on_the_same_machine_is_not_waited_for(self, clock: Clock) -> None:
        cache.add("lazyimages:lease:key", "host1:dead", 60)
        hold("host1", lambda: None)
        assert clock.slept == 0

    def test_a_dead_machine_is_waited_for_no_longer_than_patience(self, clock: Clock) -> None:
        cache.add("lazyimages:lease:key", "host2:dead", 60)
        hold("host1", lambda: None, deadline=clock.monotonic() + 0.3)
        assert 0.3 <= clock.slept < 0.4
        assert cache.get("lazyimages:lease:key") == "host2:dead"

    def test_a_dead_machine_is_waited_for_until_the_process_is_to_end(self, clock: Clock) -> None:
        cache.add("lazyimages:lease:key", "host2:dead", 60)
        with Lease("key", "host1").hold(clock.monotonic() + 5, give_up=lambda: True) as finished_elsewhere:
            assert finished_elsewhere is False
        assert clock.slept == 0

    def test_found_elsewhere_once_all_look(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
    ) -> None:
        """Of those who wait on one machine, one asks for the lease, and tells the others."""
        thing = Thing()
        with ExitStack() as stack:
            first, second = (stack.enter_context(Flight("key")) for _ in range(2))
            other_machine = tmp_path / "other"
            other_machine.mkdir()
            with monkeypatch.context() as patch:
                patch.setattr("tempfile.tempdir", str(other_machine))
                assert get(thing) == "made"
            assert self._found(first, thing) == "made"
            assert cache.add(f"lazyimages:lease:{sha256(b'key').hexdigest()}", "another:alive", 60)
            assert self._found(second, thing) == "made"
        assert thing.made == 1
        assert clock.slept == 0

    def _found(self, flight: Flight, thing: Thing) -> str | None:
        with flight.turn(thing.look, deadline=time.monotonic() + PATIENCE) as found:
            return found

    def test_long_work_renews_the_lease(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Not even one that is over in half a minute is left to end while its holder is at work."""
        monkeypatch.setattr(leases, "_RENEWALS", 600)
        taken, go_on = threading.Event(), threading.Event()

        def work() -> None:
            taken.set()
            assert go_on.wait(PATIENCE)

        def seconds_left() -> int:
            left: int = cache._cache.get_client().ttl(cache.make_key("lazyimages:lease:key"))  # type: ignore[attr-defined]
            return left

        with ThreadPoolExecutor(2) as pool:
            long = pool.submit(hold, "host1", work)
            assert taken.wait(PATIENCE)
            other = pool.submit(hold, "host2", lambda: None)
            try:
                cache.touch("lazyimages:lease:key", 30)
                wait_until(lambda: seconds_left() > 40)
                assert not other.done()
            finally:
                go_on.set()
            assert other.result() is True
            long.result()

    def test_an_expired_lease_breaks_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        taken = threading.Event()

        def work() -> None:
            cache.delete("lazyimages:lease:key")  # as if it had expired in the middle
            taken.set()
            time.sleep(0.3)

        with ThreadPoolExecutor(1) as pool:
            slow = pool.submit(hold, "host1", work)
            assert taken.wait(PATIENCE)
            hold("host2", lambda: None)
            assert slow.result() is False
        assert cache.get("lazyimages:lease:key") is None
