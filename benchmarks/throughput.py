"""Requests a second of three servers that make thumbnails: ours, sharp's in node, and thumbor.

Each has two workers, which are kept busy by four clients on 127.0.0.1. Every request is for a variant that
nobody has asked for: each server reads the original from the disk, makes the variant, stores and sends it.
"""

import http.client
import itertools
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from statistics import median

from PIL import Image

from benchmarks import originals, peers, tables
from lazyimages import sizes
from marketplace.cloud.children import Child, start_child
from marketplace.demo.ports import free_port

ROUNDS = 5
WORKERS = 2
CLIENTS = 4
TIMEOUT = 60  # seconds, of one request
SIZES = ("360x270", "480h", "1280w")
QUALITY = 80
REQUIREMENTS = Path(__file__).with_name("requirements-thumbor.txt")
ROOT = Path(__file__).resolve().parents[1]
OURS, SHARP, THUMBOR = "lazyimages", "sharp, node", "thumbor"

# How many of 20 originals are of which kind; each is asked for in the three sizes.
MIX = {"baseline": 12, "phone": 5, "progressive": 2, "png": 1}

THUMBOR_SETTINGS = f"""\
SECURITY_KEY = "of no use outside of this benchmark"
LOADER = "thumbor.loaders.file_loader"
FILE_LOADER_ROOT_PATH = {{originals!r}}
STORAGE = "thumbor.storages.no_storage"
RESULT_STORAGE = "thumbor.result_storages.file_storage"
RESULT_STORAGE_FILE_STORAGE_ROOT_PATH = {{variants!r}}
RESULT_STORAGE_STORES_UNSAFE = True
QUALITY = {QUALITY}
RESPECT_ORIENTATION = True
PROGRESSIVE_JPEG = False
"""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that runs: where it is, and the path of a variant's URL."""

    name: str
    version: str
    port: int
    child: Child
    path: Callable[[str, str], str]


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One request: an original's name, the size, and the dimensions that have to come back."""

    original: str
    size: str
    sides: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Round:
    """What a server did in one round. Milliseconds of its processes' CPU time are the less noisy figure."""

    requests_a_second: float
    cpu_ms: float


def run() -> str:
    """Return the table as Markdown, without a server that cannot be installed. Progress goes to stderr."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        place = Place(Path(folder))
        servers = []
        for server in _started(place):
            stack.enter_context(server.child)
            servers.append(server)
        measured: dict[str, list[Round]] = {server.name: [] for server in servers}
        for server in servers:
            _ask_all(server, place.asks())  # warm
        for number in range(ROUNDS):
            peers.say(f"Throughput: round {number + 1} of {ROUNDS}")
            for position in range(len(servers)):
                server = servers[(position + number) % len(servers)]
                measured[server.name].append(_measured(server, place.asks()))
        return f"{_table(servers, measured)}\n\n{NOTES}"


class Place:
    """A directory of originals, of which each is asked for once, and the servers' variants beside them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.originals = folder / "originals"
        self._kinds = {
            "baseline": originals.baseline(12),
            "phone": originals.phone(),
            "progressive": originals.progressive(),
            "png": originals.png(12),
        }
        self._sides = {kind: _upright_sides(path) for kind, path in self._kinds.items()}
        self._numbers = itertools.count()

    def asks(self) -> list[Ask]:
        """Return the requests of a round, for originals that have not been asked for, in a mixed order."""
        found = []
        for kind in (kind for kind, share in MIX.items() for _ in range(share)):
            for size in SIZES:
                name = f"{next(self._numbers):05d}/{kind}{self._kinds[kind].suffix}"
                (self.originals / name).parent.mkdir(parents=True)
                _link(self._kinds[kind], self.originals / name)
                plan = sizes.parse(size).plan(*self._sides[kind])
                found.append(Ask(original=name, size=size, sides=(plan.width, plan.height)))
        random.Random(1).shuffle(found)
        return found

    def variants(self, name: str) -> Path:
        """Return a new directory for a server's variants."""
        path = self.folder / name
        path.mkdir()
        return path


def _link(original: Path, name: Path) -> None:
    try:
        name.hardlink_to(original)
    except OSError:  # on another file system
        name.write_bytes(original.read_bytes())


def _upright_sides(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        turned = image.getexif().get(0x0112, 1) >= 5  # EXIF: Orientation
        return (image.height, image.width) if turned else image.size


def _started(place: Place) -> Iterator[Server]:
    yield _ours(place)
    if folder := peers.sharp_folder():
        yield _sharp(place, folder)
    if python := peers.venv("thumbor", REQUIREMENTS):
        yield _thumbor(place, python)


def _ours(place: Place) -> Server:
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "benchmarks.throughput_site:application"]
    options = ["--bind", f"127.0.0.1:{port}", "--workers", str(WORKERS), "--worker-class", "gthread"]
    child = start_child(
        [*command, *options, "--threads", str(CLIENTS // WORKERS)],
        ready="Listening at:",
        env={**os.environ, "BENCHMARK_MEDIA": str(place.originals)},
        cwd=ROOT,
    )
    version = f"gunicorn {peers.version(Path(sys.executable), 'gunicorn')}"

    def path(original: str, size: str) -> str:
        folder, _, file = original.partition("/")
        suffix = "" if file.endswith(".jpg") else ".jpg"
        return f"/images/v/{folder}/{size}/{file}{suffix}"

    return Server(name=OURS, version=version, port=port, child=child, path=path)


def _sharp(place: Place, folder: Path) -> Server:
    port = free_port()
    variants = place.variants("sharp")
    child = start_child(
        ["node", *map(str, (folder / "http_server.mjs", place.originals, variants, port, WORKERS))],
        ready="ready:",
    )
    return Server(
        name=SHARP,
        version=peers.sharp_version(),
        port=port,
        child=child,
        path=lambda original, size: f"/{size}/{original}",
    )


def _thumbor(place: Place, python: Path) -> Server:
    port = free_port()
    settings = place.folder / "thumbor.conf"
    settings.write_text(
        THUMBOR_SETTINGS.format(originals=str(place.originals), variants=str(place.variants("thumbor")))
    )
    program = str(python.with_name("thumbor"))
    command = [program, "--ip", "127.0.0.1", "--port", str(port), "--conf", str(settings)]
    child = start_child(
        [*command, "--processes", str(WORKERS), "--log-level", "info"],
        ready=f"Starting {WORKERS} processes",
    )
    words = {"360x270": "360x270", "480h": "0x480", "1280w": "1280x0"}
    return Server(
        name=THUMBOR,
        version=peers.version(python, "thumbor"),
        port=port,
        child=child,
        path=lambda original, size: f"/unsafe/{words[size]}/filters:format(jpeg)/{original}",
    )


def _measured(server: Server, asks: list[Ask]) -> Round:
    cpu = _cpu_seconds(server.child.pid)
    started = time.perf_counter()
    bodies = _ask_all(server, asks)
    seconds = time.perf_counter() - started
    cpu = _cpu_seconds(server.child.pid) - cpu
    for ask, body in zip(asks, bodies, strict=True):
        _check(server, ask, body)
    return Round(requests_a_second=len(asks) / seconds, cpu_ms=1000 * cpu / len(asks))


def _ask_all(server: Server, asks: list[Ask]) -> list[bytes]:
    """Send the requests from CLIENTS threads, each when the one before has been answered."""
    bodies: list[bytes] = [b""] * len(asks)
    errors: list[Exception] = []
    left = iter(range(len(asks)))
    lock = threading.Lock()

    def client() -> None:
        try:
            while not errors:
                with lock:
                    number = next(left, None)
                if number is None:
                    return
                bodies[number] = _get(server, asks[number])
        except Exception as error:  # raised again in the main thread
            errors.append(error)

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise RuntimeError(f"{server.name} failed; its last output:\n{server.child.output}") from errors[0]
    return bodies


def _get(server: Server, ask: Ask) -> bytes:
    # A connection a request: one that is kept would tie a client to one worker while the other is idle.
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT)
    try:
        connection.request("GET", server.path(ask.original, ask.size), headers={"Connection": "close"})
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise RuntimeError(f"{response.status} for {ask}: {body[:200]!r}")
    return body


def _check(server: Server, ask: Ask, body: bytes) -> None:
    """Raise unless the body is the JPEG that was asked for; sides may be rounded in another way."""
    with Image.open(BytesIO(body)) as image:
        image.load()
        off = max(abs(mine - other) for mine, other in zip(image.size, ask.sides, strict=True))
        if image.format != "JPEG" or off > 1:
            raise RuntimeError(f"{server.name} sent {image.format} {image.size} for {ask}")


def _cpu_seconds(group: int) -> float:
    """Return the CPU time that the processes of a group have had (proc(5): pid/stat)."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(fields[2]) == group:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _table(servers: list[Server], measured: dict[str, list[Round]]) -> str:
    ours = measured[OURS]
    rows = []
    for server in servers:
        rounds = measured[server.name]
        rows.append(
            (
                server.name,
                server.version,
                f"{median(each.requests_a_second for each in rounds):.1f}",
                f"{max(each.requests_a_second for each in rounds):.1f}",
                _ratio(ours, rounds, lambda each: each.requests_a_second),
                f"{median(each.cpu_ms for each in rounds):.0f}",
                _ratio(rounds, ours, lambda each: each.cpu_ms),
            )
        )
    head = (
        "server",
        "version",
        "requests/s",
        "best round",
        "ours is × as fast",
        "CPU, ms a request",
        "× ours",
    )
    return tables.markdown(head, rows)


def _ratio(ones: list[Round], others: list[Round], figure: Callable[[Round], float]) -> str:
    return f"{median(figure(one) / figure(other) for one, other in zip(ones, others, strict=True)):.2f}"


NOTES = f"""\
{WORKERS} workers each, {CLIENTS} clients, {len(SIZES) * sum(MIX.values())} requests a round, {ROUNDS} rounds
in turn; medians, and of ratios the medians within a round. Requests a second suffer from whatever else the
machine does, the CPU time of a server's processes hardly does. Every answer is decoded, and its dimensions
are checked. JPEG of quality {QUALITY} comes out, also of PNG. sharp runs one thread an image and keeps no
cache. thumbor keeps no copy of originals, writes no progressive JPEG, and sends a phone's profile along,
where the two others convert to sRGB. Ours alone waits until what it stored is on the disk (fsync)."""


if __name__ == "__main__":
    print(run())
