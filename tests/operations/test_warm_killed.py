"""Real processes that warm: killed, interrupted, and two at the same time."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lazyimages import keys, render
from tests.conftest import jpeg, wait_until

ROOT = Path(__file__).resolve().parents[2]
NAMES = [f"produs_{number:02}/img.jpg" for number in range(40)]
SIZES = ["480h", "1280w"]
BATCH = 10  # keys, of five originals
BLOCKED_AFTER = 33  # variants

PROGRAM = """
import itertools, os, sys, time
from pathlib import Path
import django
from django.conf import settings
place = Path(sys.argv[1])
location = lambda name: {{
    "BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {{"location": place / name}}
}}
settings.configure(
    STORAGES={{"default": location("originals"), "lazyimages": location("variants")}},
    LAZYIMAGES={{"SIZES": {sizes}}},
    INSTALLED_APPS=["lazyimages"],
    ROOT_URLCONF="__main__",
    USE_TZ=True,
)
django.setup()
from django.urls import include, path
urlpatterns = [path("images/", include("lazyimages.urls"))]
from django.core.management import execute_from_command_line
from lazyimages import signals
from lazyimages.operations import warm
warm.KEYS = {batch}
made = itertools.count(1)

def note(key, **arguments):
    with (place / "made").open("a") as file:
        file.write(key + "\\n")
    if next(made) >= {after} and sys.argv[2] == "block":
        (place / "blocked").touch()
        while (place / "blocked").exists():
            time.sleep(0.01)

signals.variant_created.connect(note)
execute_from_command_line(["manage.py", "lazyimages_warm", *sys.argv[3:]])
"""
CODE = PROGRAM.format(sizes=SIZES, batch=BATCH, after=BLOCKED_AFTER)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Put forty originals in a place, and a list of all their variants."""
    for name in NAMES:
        path = tmp_path / "originals" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(jpeg(700, 525))
    keys = [f"{name.replace('/', f'/{size}/')}\n" for name in NAMES for size in SIZES]
    (tmp_path / "list").write_text("".join(keys))
    return tmp_path


@pytest.fixture
def start(place: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started = []

    def begin(mode: str, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", CODE, str(place), mode, "--from", str(place / "list"), *arguments],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(place)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def made(place: Path) -> Counter[str]:
    return Counter((place / "made").read_text().split())


def wait_until_blocked(process: subprocess.Popen[str], place: Path) -> None:
    wait_until(lambda: (place / "blocked").exists() or process.poll() is not None)
    assert process.poll() is None, process.communicate()


def finish(process: subprocess.Popen[str], code: int) -> tuple[str, str]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, err
    return out, err


def test_killed_in_the_middle(place: Path, start: Any, lazy: Callable[..., None]) -> None:
    killed = start("block", "--concurrency", "2")
    wait_until_blocked(killed, place)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    (place / "blocked").unlink()
    told = set(made(place))
    assert BLOCKED_AFTER <= len(told) < 40
    stored = {str(path.relative_to(place / "variants")) for path in (place / "variants").rglob("*.jpg")}
    assert stored >= told
    out, _ = finish(start("go", "--resume", "--format", "json"), 0)
    answer = json.loads(out)
    # What was there of the batch in which it was killed is not made again.
    assert (answer["items"] + answer["existing"], answer["failed"]) == (80, {})
    twice = [key for key, times in made(place).items() if times > 1]
    assert len(stored | set(made(place))) == 80, "one may be stored and not told when the kill comes"
    assert len(twice) <= BATCH
    lazy(SIZES=SIZES, PRESETS={})
    by_warming = {path: path.read_bytes() for path in (place / "variants").rglob("*.jpg")}
    assert len(by_warming) == 80
    for path, data in by_warming.items():
        path.unlink()
        assert render.get_or_make(keys.parse(str(path.relative_to(place / "variants")))).data == data


def test_interrupted(place: Path, start: Any) -> None:
    process = start("block", "--concurrency", "2")
    wait_until_blocked(process, place)
    process.send_signal(signal.SIGINT)
    (place / "blocked").unlink()
    while process.poll() is None:  # every further variant is held up as well
        (place / "blocked").unlink(missing_ok=True)
    _, err = finish(process, 130)
    assert "Interrupted. 30 are done in 3 batches. Run the same command with --resume to go on" in err
    out, _ = finish(start("go", "--resume"), 0)
    assert "were made of" in out
    assert len(made(place)) == 80
    _, err = finish(start("go", "--resume"), 0)
    assert "There is no interrupted run with these options" in err


def test_two_operators(place: Path, start: Any) -> None:
    first = start("block", "--concurrency", "2")
    wait_until_blocked(first, place)
    _, err = finish(start("go"), 1)
    assert f"lazyimages_warm is running already on this machine, by process {first.pid}" in err
    while first.poll() is None:
        (place / "blocked").unlink(missing_ok=True)
    finish(first, 0)
    assert set(made(place).values()) == {1}
    assert len(made(place)) == 80
