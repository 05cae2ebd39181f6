"""SIGTERM to gunicorn with renders in flight, others in the queue, and more to come."""

import http.client
import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import numpy
import pytest
from PIL import Image

from marketplace.cloud.children import Child, start_child
from tests.clock import PATIENCE
from tests.fire.held import held
from tests.fire.herd.shops import wait_for
from tests.processes import sockets

pytestmark = pytest.mark.chain

ROOT = Path(__file__).resolve().parents[3]
LIMIT = 60  # seconds from SIGTERM to the end, which takes one or two
THREADS = 4
PHOTOS = 16  # four times the threads: most requests wait for a thread, and some of the others for a slot


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One answer; `status` is 0 when there was none, and `error` says why."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    error: str = ""
    seconds: float = 0


def ask(connection: http.client.HTTPConnection, path: str) -> Answer:
    started = time.monotonic()
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        seconds = time.monotonic() - started
        return Answer(status=response.status, headers=dict(response.getheaders()), body=body, seconds=seconds)
    except (OSError, http.client.HTTPException) as error:
        return Answer(status=0, error=type(error).__name__, seconds=time.monotonic() - started)


def noisy_png() -> bytes:
    """Make a picture that takes a good part of a second to render, on any machine."""
    pixels = numpy.random.default_rng(1).integers(0, 256, (3000, 4000, 3), dtype="uint8")
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


@contextmanager
def open_shop(folder: Path) -> Iterator[Child]:
    """Run the marketplace on one worker, with files in place of S3."""
    originals = folder / "originals"
    originals.mkdir()
    (originals / "photo0.png").write_bytes(noisy_png())
    for number in range(1, PHOTOS + 2):
        (originals / f"photo{number}.png").hardlink_to(originals / "photo0.png")
    values = {
        "DJANGO_SETTINGS_MODULE": "tests.fire.patient",
        "DATA_DIR": str(folder),
        "TMPDIR": str(folder),
        "DELIVERY": "local",
    }
    with start_child(
        [
            *(sys.executable, "-m", "gunicorn", "--config", "python:marketplace.gunicorn"),
            *("--bind", "127.0.0.1:0", "--workers", "1", "--threads", str(THREADS)),
            *("--keep-alive", str(PATIENCE), "--graceful-timeout", str(LIMIT), "marketplace.wsgi"),
        ],
        ready="Listening at:",
        env={**os.environ, **values},
        cwd=ROOT,
        log=folder / "gunicorn.log",
    ) as child:
        yield child


def test_sigterm_drains(tmp_path: Path) -> None:
    """gunicorn takes up what comes within a second of SIGTERM, which a slow test may miss: three tries."""
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        with open_shop(folder) as shop:
            if _drains(shop, folder):
                return
    raise AssertionError("somebody was left without an answer")


def _drains(shop: Child, folder: Path) -> bool:
    """Assert that every answer is right; return whether everybody had one, also who kept a connection."""
    parts = urlsplit(shop.url)

    def connect() -> http.client.HTTPConnection:
        return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)

    reference = ask(connect(), "/images/v/480h/photo0.png")
    assert reference.status == 200
    kept = connect()
    assert ask(kept, "/images/health?live").status == 200

    with ThreadPoolExecutor(PHOTOS + 2) as pool:
        paths = [f"/images/v/480h/photo{number}.png" for number in range(1, PHOTOS + 1)]
        with held(folder):
            asked = [pool.submit(ask, connect(), path) for path in paths]
            # One socket listens, and one is kept.
            wait_for(lambda: locks_held(folder) >= 2 and len(sockets(worker(shop))) >= PHOTOS + 2)
            signalled = time.monotonic()
            os.kill(shop.pid, signal.SIGTERM)
            wait_for((folder / "draining").exists)
            kept_asked = pool.submit(ask, kept, f"/images/v/480h/photo{PHOTOS + 1}.png")
            too_late = pool.submit(ask, connect(), f"/images/v/480h/photo{PHOTOS + 1}.png")
            time.sleep(0.2)  # for both to arrive; when they do not, they are too late as well
        answers = [future.result() for future in asked]
        while shop.running and time.monotonic() - signalled < 2 * LIMIT:
            time.sleep(0.01)
        seconds = time.monotonic() - signalled
        over_kept, late = kept_asked.result(), too_late.result()

    statuses = sorted(answer.status for answer in answers)
    print(
        f"SIGTERM: {statuses}; kept-alive connection: {over_kept.status}{over_kept.error}; new connection: "
        f"{late.status}{late.error} after {late.seconds:.1f} s; exit after {seconds:.1f} s"
    )
    assert not shop.running
    assert seconds < LIMIT
    assert shop.stop() == 0

    # Who was being served is served.
    assert {200, 503} <= set(statuses) <= {0, 200, 503}
    assert statuses.count(200) >= 2
    assert all(answer.body == reference.body for answer in answers if answer.status == 200)
    refused = [answer for answer in (*answers, over_kept) if answer.status == 503]
    assert over_kept.status in (0, 503)
    for answer in refused:
        assert answer.headers["Retry-After"]
        assert answer.headers["Cache-Control"] == "no-store"
    assert late.status in (0, 503)

    # Every picture that was answered is stored, whole, and nothing else is.
    variants = [path for path in (folder / "variants").rglob("*") if path.is_file()]
    assert all(path.read_bytes() == reference.body for path in variants)
    made = {path for path, answer in zip(paths, answers, strict=True) if answer.status == 200}
    assert {f"/images/v/480h/{path.name}" for path in variants} == {*made, "/images/v/480h/photo0.png"}
    return over_kept.status == 503 and 0 not in statuses


def worker(shop: Child) -> int:
    """Return gunicorn's only worker."""
    return int(Path(f"/proc/{shop.pid}/task/{shop.pid}/children").read_text().split()[0])


def locks_held(folder: Path) -> int:
    """Return how many requests have a lock, by the kernel's list (proc(5), /proc/locks)."""
    inodes = {str(path.stat().st_ino) for path in folder.glob("lazyimages-*/*.lock")}
    lines = Path("/proc/locks").read_text().splitlines()
    return sum(" WRITE " in line and line.split()[5].rpartition(":")[2] in inodes for line in lines)
