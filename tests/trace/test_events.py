"""The event log: whole lines from several processes, bounded, and read past whatever is no event."""

import multiprocessing
import time
from pathlib import Path

import pytest

from marketplace.trace.events import CDN, Event, EventLog

PROCESSES, EACH = 6, 200


def event(number: int = 0, **values: object) -> Event:
    return Event(
        **{"hop": CDN, "key": f"p/360x270/{number}.jpg", "at": 1000.0 + number, "status": 200} | values
    )


def _write(path: Path, process: int, max_bytes: int) -> None:
    log = EventLog(path, max_bytes=max_bytes)
    for number in range(EACH):
        log.write(event(number, request=f"{process}-{number}", key="k" * 700))


def write_together(path: Path, max_bytes: int) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=_write, args=(path, process, max_bytes)) for process in range(PROCESSES)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0


def test_comes_back_as_it_went(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "trace.jsonl")
    written = event(
        1, request="ab", method="HEAD", ms=12.5, bytes=7, cache="miss", stages={"read": 1.5, "encode": 2.0}
    )
    log.write(written)
    (found,) = log.read()
    assert {**found.__dict__, "place": ""} == written.__dict__
    assert found.place


def test_processes_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    write_together(path, 2**30)
    lines = path.read_bytes().splitlines()
    assert len(lines) == PROCESSES * EACH
    found = EventLog(path).read()
    assert len(found) > 200  # those of the last 256 KiB, whole each
    assert all(one.key == "k" * 700 for one in found)


def test_size_is_bounded_and_nothing_late_is_lost(tmp_path: Path) -> None:
    path, limit = tmp_path / "trace.jsonl", 100_000
    write_together(path, limit)
    sizes = [one.stat().st_size for one in tmp_path.iterdir()]
    assert len(sizes) == 2
    # A line that was on its way when the file was renamed may be on top, one for each process.
    assert all(size < limit + (PROCESSES + 1) * 1000 for size in sizes)
    last = [f"{process}-{EACH - 1}" for process in range(PROCESSES)]
    found = EventLog(path, max_bytes=limit).read()
    order = {process: [] for process in range(PROCESSES)}
    for one in found:
        process, number = one.request.split("-")
        order[int(process)].append(int(number))
    # Of each process the end of its series, without gaps.
    for numbers in order.values():
        assert numbers == list(range(EACH))[EACH - len(numbers) :]
    assert set(last) & {one.request for one in found}


@pytest.mark.parametrize(
    "damage",
    [
        b'{"hop":"cdn","key":"a/480h/b.jpg","at":1',
        b"\xff\xfe\n",
        b"[]\n",
        b"{}\n",
        b'{"hop":"moon"}\n',
        b"\n\n",
        b'{"hop":"cdn","key":"k","at":"x","request":"","method":"","status":200,"ms":0,"bytes":0,"cache":"","stages":{}}\n',
        b'{"hop":"cdn","key":"k","at":1,"request":"","method":"","status":200,"ms":0,"bytes":0,"cache":"","stages":[]}\n',
    ],
)
def test_reads_past_damage(tmp_path: Path, damage: bytes) -> None:
    log = EventLog(tmp_path / "trace.jsonl")
    log.write(event(1))
    with (tmp_path / "trace.jsonl").open("ab") as file:
        file.write(damage)
    assert [one.at for one in log.read()] == [1001]
    log.write(event(2))
    log.write(event(3))
    assert [one.at for one in log.read()][-1] == 1003


def test_an_end_without_newline_waits(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "trace.jsonl")
    log.write(event(1))
    whole = (tmp_path / "trace.jsonl").read_bytes()
    (tmp_path / "trace.jsonl").write_bytes(whole * 2 + whole[:-1])
    assert len(log.read()) == 2
    (tmp_path / "trace.jsonl").write_bytes(whole * 3)
    assert len(log.read()) == 3


def test_places_are_unique_over_a_turn(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "trace.jsonl", max_bytes=2_000)
    for number in range(20):
        log.write(event(number))
    places = [one.place for one in log.read()]
    assert len(set(places)) == len(places) > 10


def test_a_disk_that_refuses_stops_nobody(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "missing" / "trace.jsonl")
    log.write(event())
    assert log.read() == []


def test_hostile_keys_are_bounded_and_printable(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "trace.jsonl")
    log.write(event(key="\udcff\n</script>" + "x" * 5000, request="y" * 5000))
    assert (tmp_path / "trace.jsonl").stat().st_size < 10_000
    (found,) = log.read()
    assert found.key.encode()  # no lone surrogates
    assert "\n" in found.key


def test_reading_a_full_log_is_quick(tmp_path: Path) -> None:
    """What a page asks for each second is bounded by the tail, however long the log is."""
    log = EventLog(tmp_path / "trace.jsonl", max_bytes=2**30)
    for number in range(3000):
        log.write(event(number))
    began = time.perf_counter()
    assert 500 < len(log.read()) < 3000
    print(f"read in {1000 * (time.perf_counter() - began):.1f} ms")
