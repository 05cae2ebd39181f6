"""The demo comes up whole, and ends whole: by Ctrl-C, by SIGTERM, and when whoever started it is gone."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest

from marketplace.demo.ports import free_port
from marketplace.demo.stack import ROOT
from tests.clock import PATIENCE

pytestmark = pytest.mark.chain


class Demo:
    """A demo below a shell, as `make demo` is below make."""

    def __init__(self, folder: Path, photos: Path, delivery: str) -> None:
        self.port, self.cdn_port = free_port(), free_port()
        self.output = folder / "output.txt"
        arguments = ["-m", "marketplace.demo", "--port", str(self.port), "--cdn-port", str(self.cdn_port)]
        arguments += ["--delivery", delivery, "--products", "3"]
        arguments += ["--data-dir", str(folder / "data"), "--photos-dir", str(photos)]
        # The shell stays in between, because there is something left for it to do.
        # As in the background of a script: SIGINT is ignored at first.
        command = ["sh", "-c", 'trap "" INT; "$@"; exit $?', "sh", sys.executable, *arguments]
        with self.output.open("w") as output:
            self.starter = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
        self.seen: set[int] = {self.starter.pid}

    def wait_for(self, text: str, seconds: float = 180) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.output.read_text():
            assert time.monotonic() < deadline, self.output.read_text()
            assert self.starter.poll() is None, self.output.read_text()
            time.sleep(0.1)

    def look(self) -> set[int]:
        """Return the processes below the starter, and remember them."""
        parents = {}
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError, IndexError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1])
        below = {self.starter.pid}
        while more := {pid for pid, parent in parents.items() if parent in below} - below:
            below |= more
        self.seen |= below
        return below

    @property
    def launcher(self) -> int:
        """The process of `marketplace.demo` itself."""
        children = Path(f"/proc/{self.starter.pid}/task/{self.starter.pid}/children")
        return int(children.read_text().split()[0])

    def left(self, seconds: float = 60) -> set[int]:
        """Return which of the processes that were seen still run after a while."""
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.starter.wait(timeout=0.1)
            running = {pid for pid in self.seen if _runs(pid)}
            if not running or time.monotonic() > deadline:
                return running


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"  # an orphan that nobody reaps, in a container without an init, has ended


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    started: list[Demo] = []

    def run(delivery: str, photos: Path = ROOT / ".cache" / "photos") -> Demo:
        started.append(Demo(tmp_path, photos, delivery))
        return started[-1]

    yield run
    for demo in started:
        for pid in demo.left(seconds=0):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


ENDINGS: dict[str, Callable[[Demo], None]] = {
    "ctrl-c": lambda demo: os.kill(demo.launcher, signal.SIGINT),
    "sigterm": lambda demo: os.kill(demo.launcher, signal.SIGTERM),
    "starter-dies": lambda demo: demo.starter.kill(),
    "launcher-is-killed": lambda demo: os.kill(demo.launcher, signal.SIGKILL),
}


def get(url: str) -> tuple[bytes, str]:
    """Return body and X-Cache of what a browser gets; redirects are followed."""
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return answer.read(), answer.headers.get("X-Cache", "")


def first_image(demo: Demo) -> str:
    """Return the address of the first picture of the first page."""
    page, _ = get(f"http://127.0.0.1:{demo.port}/")
    found = re.search(rb'<img [^>]*src="([^"]+)"', page)
    assert found
    return urljoin(f"http://127.0.0.1:{demo.port}/", found[1].decode())


@pytest.mark.parametrize(
    ("ending", "delivery"),
    [
        ("ctrl-c", "redirect"),
        ("sigterm", "failover"),
        ("starter-dies", "redirect"),
        ("launcher-is-killed", "local"),
    ],
)
def test_ready_and_ended(start: Callable[..., Demo], ending: str, delivery: str) -> None:
    demo = start(delivery)
    demo.wait_for(f"Marketplace ready: http://127.0.0.1:{demo.port}/\n")
    image = first_image(demo)
    (made, missed), (kept, hit) = get(image), get(image)
    assert made.startswith(b"\xff\xd8")
    assert kept == made
    if delivery != "local":
        # Whatever the CDN knows of bucket and shop, it has from the distribution that the setup wrote.
        assert image.startswith(f"http://127.0.0.1:{demo.cdn_port}/")
        assert (missed, hit) == ("Miss from cloudfront", "Hit from cloudfront")
    # Shell, launcher, gunicorn and its two workers; and S3, CloudFront's API and the CDN.
    assert len(demo.look()) >= (5 if delivery == "local" else 8)
    ENDINGS[ending](demo)
    assert not demo.left()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{demo.port}/", timeout=2)


@pytest.mark.parametrize("ending", ["sigterm", "launcher-is-killed"])
def test_ended_while_drawing(start: Callable[..., Demo], tmp_path: Path, ending: str) -> None:
    demo = start("local", tmp_path / "empty")
    demo.wait_for("Photos and products")
    deadline = time.monotonic() + PATIENCE
    while len(demo.look()) < 5 and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)
    assert len(demo.look()) >= 5, "no picture is being drawn"
    ENDINGS[ending](demo)
    assert not demo.left()


def test_a_taken_port_is_named(start: Callable[..., Demo]) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "marketplace.demo", "--port", str(port)]
        result = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    assert result.returncode == 1
    assert "DEMO_PORT=" in result.stderr
