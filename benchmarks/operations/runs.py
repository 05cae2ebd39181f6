"""Running a command in a process of its own, on local disk or against the small S3, and what it cost."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.operations import tiny_s3, tree
from benchmarks.operations.commands import Measured
from benchmarks.operations.layout import DROPPED, Layout

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one run took: seconds from Django's start on, MiB at the most, the load of the machine after it.

    `calls` are the requests to S3, by operation, and `fewest` those that the command needs; on disk both are
    empty.
    """

    command: str
    keys: int
    wall: float
    processor: float
    peak_mib: float
    load: float
    calls: dict[str, int]
    fewest: dict[str, int]


class Results:
    """All runs, also in a file, so that they can be made in parts: a line for each."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        lines = path.read_text().splitlines() if path and path.exists() else []
        self._costs = [Cost(**json.loads(line)) for line in lines]

    def add(self, cost: Cost) -> Cost:
        """Add a run, and return it."""
        self._costs.append(cost)
        if self._path:
            with self._path.open("a") as file:
                file.write(f"{json.dumps(asdict(cost))}\n")
        return cost

    def of(self, *, s3: bool) -> list[Cost]:
        """Return the runs against S3, or those on disk."""
        return [cost for cost in self._costs if bool(cost.fewest) == s3]


def on_disk(folder: Path, measured: Measured, layout: Layout) -> Cost:
    """Run a command over files, and put back what it has changed."""
    tree.rows(folder, layout)
    cost = _run(folder, measured, layout)
    if measured.changes:
        tree.restore(folder, layout, DROPPED)
    return cost


def on_s3(folder: Path, measured: Measured, layout: Layout) -> Cost:
    """Run a command over a bucket of its own."""
    tree.rows(folder, layout)
    bucket = tiny_s3.Bucket(layout, tree.tiny_jpeg())
    with tiny_s3.serving(bucket) as url:
        return _run(folder, measured, layout, s3=url, calls=bucket.calls)


def _run(
    folder: Path, measured: Measured, layout: Layout, *, s3: str = "", calls: Counter[str] | None = None
) -> Cost:
    figures, temporary = folder / "figures.json", folder / "temporary"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {
        "DJANGO_SETTINGS_MODULE": "benchmarks.operations.settings",
        "SCALE_FOLDER": str(folder),
        "SCALE_SIZES": measured.sizes,
        "TMPDIR": str(temporary),
        **({"SCALE_S3": s3} if s3 else {}),
    }
    program = [sys.executable, "-m", "benchmarks.operations.command", str(figures), *measured.arguments]
    done = subprocess.run(program, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(
            f"{' '.join(measured.arguments)}: exit code {done.returncode}\n{done.stdout[-2000:]}{done.stderr}"
        )
    _check(measured, layout, json.loads(done.stdout))
    return Cost(
        command=measured.name,
        keys=layout.variants,
        load=os.getloadavg()[0],
        calls=dict(calls or {}),
        fewest=measured.fewest(layout) if s3 else {},
        **json.loads(figures.read_text()),
    )


def _check(measured: Measured, layout: Layout, answer: dict[str, Any]) -> None:
    """End when a command has not done what it was measured for."""
    expected = measured.expects(layout)
    found = {name: answer.get(name) for name in expected}
    if found != expected or answer.get("failed"):
        sys.exit(f"{measured.name} at {layout.variants:,} keys: expected {expected}, but it says {answer}")
