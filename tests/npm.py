"""Programs from npm that tests run, each set installed once below .cache from a lock file."""

import fcntl
import functools
import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = ("package.json", "package-lock.json")


@functools.cache
def installed(folder: Path, name: str) -> Path:
    """Return `node_modules` with what the files in `folder` name, kept in `.cache/NAME`.

    Nothing that a package brings is run. Skips the test when it cannot be had.
    """
    if missing := [program for program in ("node", "npm") if shutil.which(program) is None]:
        pytest.skip(f"{name} is missing: apt install npm (no {' and no '.join(missing)})")
    cache = ROOT / ".cache" / name
    cache.mkdir(parents=True, exist_ok=True)
    wanted = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    stamp = cache / "installed"
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            for file in FILES:
                shutil.copy(folder / file, cache)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]
            done = subprocess.run(
                command, cwd=cache, capture_output=True, text=True, timeout=180, check=False
            )
            if done.returncode:
                pytest.skip(f"{name} is missing: npm could not install it: {done.stderr[-300:]}")
            stamp.write_text(wanted)
    return cache / "node_modules"
