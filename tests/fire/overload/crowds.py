"""A shop with thousands of photos, and crowds that ask it for what is there, missing, or to be made."""

import json
import os
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.fire.herd.shops import ROOT, Files, Shop, variant_of
from tests.fire.overload.generator import PATIENCE

SIZE = "1280w"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Stream:
    """What one crowd asks for, in turn: at a rate a second, or by so many clients without a pause."""

    paths: Sequence[str]
    rate: float | None = None
    clients: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Status 0 is no answer, or not a whole one."""

    status: int
    seconds: float
    retry_after: str
    cache_control: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a stream, in how many seconds, for how many seconds of the generator's processor."""

    sent: int
    answers: list[Answer]
    seconds: float
    cpu: float

    @property
    def statuses(self) -> Counter[int]:
        return Counter(answer.status for answer in self.answers)

    def percentile(self, percent: int) -> float:
        """Return the milliseconds within which so many percent were answered."""
        seconds = [answer.seconds for answer in self.answers]
        return 1000 * statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1]


class Crowd:
    """Streams that are under way, in a process of their own."""

    def __init__(self, shop: Shop, seconds: float, streams: dict[str, Stream]) -> None:
        place = urlsplit(shop.child.url)
        plans = [
            {"name": name, "paths": list(stream.paths), "rate": stream.rate, "clients": stream.clients}
            for name, stream in streams.items()
        ]
        plan = {"host": place.hostname, "port": place.port, "seconds": seconds, "streams": plans}
        self._limit = seconds + PATIENCE + 20
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fire.overload.generator"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(plan))
        self._process.stdin.close()
        self._process.stdin = None

    def outcomes(self) -> dict[str, Outcome]:
        """Wait for the end."""
        told, _ = self._process.communicate(timeout=self._limit)
        found: dict[str, Any] = json.loads(told)
        return {
            name: Outcome(
                stream["sent"], [Answer(*row) for row in stream["rows"]], found["seconds"], found["cpu"]
            )
            for name, stream in found["streams"].items()
        }

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def crowd(shop: Shop, seconds: float, **streams: Stream) -> Iterator[Crowd]:
    """Have streams run for so many seconds, all from one process."""
    going = Crowd(shop, seconds, streams)
    try:
        yield going
    finally:
        going.end()


def ask(shop: Shop, seconds: float, **streams: Stream) -> dict[str, Outcome]:
    """Run streams and return what became of them."""
    with crowd(shop, seconds, **streams) as going:
        return going.outcomes()


class Photos(Files):
    """Files with one photo under as many names as are wanted."""

    def __init__(self, folder: Path, data: bytes) -> None:
        super().__init__(folder)
        self._made = 0
        self.put_original("produs_0/first.AZ70KuRzw9.jpg", data)
        self._first = folder / "originals" / "produs_0" / "first.AZ70KuRzw9.jpg"

    def cold(self, number: int) -> list[str]:
        """Return paths of variants that nobody has asked for, each of an original of its own."""
        names = [f"produs_1/p{self._made + index}.AZ70KuRzw9.jpg" for index in range(number)]
        self._made += number
        folder = self.folder / "originals" / "produs_1"
        folder.mkdir(exist_ok=True)
        for name in names:
            (self.folder / "originals" / name).hardlink_to(self._first)
        return [self.path_to(variant_of(name, SIZE)) for name in names]


def memory(pids: Iterable[int]) -> float:
    """Return the resident memory of processes in MiB."""
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def processor(pids: Iterable[int]) -> float:
    """Return the seconds of processor that processes have used."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS
