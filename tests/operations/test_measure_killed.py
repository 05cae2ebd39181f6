"""A run in a process of its own that ends in the middle, by kill -9 or Ctrl-C, and goes on with --resume."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import jpeg, wait_until

ROOT = Path(__file__).resolve().parents[2]
ROWS = 2_400  # so that no slow machine is through before it is stopped
BATCH = 500


class Shop:
    """A project in a directory: its database, originals, and what commands put among temporary files."""

    def __init__(self, home: Path) -> None:
        self.home, self.database = home, home / "db.sqlite3"
        self.temporary = home / "tmp"
        self.temporary.mkdir(parents=True)
        self.environment = {
            **os.environ,
            "DATA_DIR": str(home),
            "DATABASE_URL": f"sqlite:///{self.database}",
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DELIVERY": "local",
            "REDIS_URL": "",
            "TMPDIR": str(self.temporary),
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def filled(self) -> int:
        with sqlite3.connect(self.database) as rows:
            query = "SELECT count(*) FROM host_blurred WHERE width = 60 AND placeholder <> ''"
            found: int = rows.execute(query).fetchone()[0]
            return found

    def lines(self) -> list[str]:
        return [
            line for path in self.temporary.rglob("*.journal") for line in path.read_text().splitlines(True)
        ]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database with rows that know nothing of their images."""
    shop = Shop(tmp_path_factory.mktemp("shop") / "empty")
    migrate = shop.start("migrate", "--run-syncdb", "--verbosity", "0")
    assert migrate.communicate()[1] == ""
    with sqlite3.connect(shop.database) as rows:
        rows.executemany(
            "INSERT INTO host_blurred (title, image, placeholder) VALUES ('', ?, '')",
            [(f"b/{number}.jpg",) for number in range(ROWS)],
        )
    return shop.database


@pytest.fixture
def shop(empty: Path, tmp_path: Path) -> Shop:
    made = Shop(tmp_path / "shop")
    shutil.copy(empty, made.database)
    folder = made.home / "originals" / "b"
    folder.mkdir(parents=True)
    (folder / "0.jpg").write_bytes(jpeg(60, 40))
    for number in range(1, ROWS):
        (folder / f"{number}.jpg").hardlink_to(folder / "0.jpg")
    return made


COMMAND = ("lazyimages_measure", "--fields", "host.Blurred", "--placeholder", "--format", "json")


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT], ids=lambda end: end.name)
def test_at_most_one_batch_is_done_again(shop: Shop, end: signal.Signals) -> None:
    process = shop.start(*COMMAND)
    wait_until(lambda: bool(shop.lines()) or process.poll() is not None)
    process.send_signal(end)
    errors = process.communicate()[1]
    assert process.returncode == (-9 if end is signal.SIGKILL else 128 + end), errors
    assert ("--resume" in errors) is (end is not signal.SIGKILL)
    written, filled = len(shop.lines()) * BATCH, shop.filled()
    assert filled in (written, written + BATCH), "a batch is in the database as a whole or not at all"
    assert 0 < filled < ROWS

    again = shop.start(*COMMAND, "--resume")
    out, errors = again.communicate()
    assert again.returncode == 0, errors
    found = json.loads(out)
    assert shop.filled() == ROWS
    assert found["items"] == found["done"] + found["skipped"] == ROWS
    assert found["skipped"] == filled - written, "what was done again, which no file was read for"
    assert found["files"] == found["done"]
    assert shop.lines() == [], "the run is over"
