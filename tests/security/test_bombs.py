"""Decompression bombs of every kind, over HTTP in a process that the kernel measures."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import upload
from tests.host.models import Photo
from tests.security import bombs
from tests.security.test_uploads import PhotoForm

ROOT = Path(__file__).resolve().parents[2]
MOST = 150  # MiB above what the process needs anyhow


def measured(folder: Path, files: dict[str, bytes]) -> dict[str, tuple[int, float, int]]:
    """Return status, seconds of processor, and the most memory so far above the start in MiB, for each."""
    for name, data in {**bombs.warm_files(), **files}.items():
        (folder / name).write_bytes(data)
    done = subprocess.run(
        [
            *(sys.executable, "-c", bombs.PROGRAM, str(folder)),
            *(json.dumps([*files]), json.dumps([*bombs.warm_files()])),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {name: (status, seconds, memory) for name, status, seconds, memory in rows}


@pytest.fixture(scope="module")
def everything() -> dict[str, tuple[bytes, set[int]]]:
    return bombs.everything()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_bombs_over_http(
    tmp_path: Path, everything: dict[str, tuple[bytes, set[int]]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused, or a right picture; in no time worth mentioning, and in little memory."""
    names = {f"{number}.jpg": name for number, name in enumerate(everything)}
    found = measured(tmp_path, {file: everything[name][0] for file, name in names.items()})
    assert len(found) == len(everything) > 20
    for file, (status, seconds, memory) in found.items():
        with capsys.disabled():
            print(f"\n{names[file]:45} {status} {seconds:7.3f} s, at most {memory:4} MiB so far", end="")
        assert status in everything[names[file]][1], names[file]
        assert memory < MOST, names[file]
        assert seconds < 20, names[file]
        if status == 200:
            assert bombs.is_small_and_whole((tmp_path / "64w" / file).read_bytes()), names[file]


@pytest.mark.django_db
def test_bombs_as_uploads(everything: dict[str, tuple[bytes, set[int]]], tmp_path: Path) -> None:
    """What HTTP refuses, a form refuses too, and stores nothing of it."""
    refused = {name: data for name, (data, statuses) in everything.items() if 200 not in statuses}
    assert len(refused) > 10
    for name, data in refused.items():
        form = PhotoForm(files={"image": upload(data)})
        assert list(form.errors) == ["image"], name
    assert not Photo.objects.exists()
    assert not (tmp_path / "originals").exists()
