"""`python -m benchmarks.operations`: the commands for many images, from 10,000 to 1,000,000 keys.

On local disk for time and memory, each run in a process of its own; then against a small S3 (`tiny_s3`) for
the number of requests. With --write, tables and plot take the place of those in docs.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.__main__ import _with
from benchmarks.operations import curve, runs, tree
from benchmarks.operations.commands import COMMANDS, Measured
from benchmarks.operations.layout import GROUP, GROUP_VARIANTS, Layout
from benchmarks.operations.runs import ROOT, Cost, Results
from benchmarks.peers import say

DOCUMENT, PLOT = "operations.md", "operations-scale.svg"
POINTS = (10_000, 30_000, 100_000, 300_000, 1_000_000)
_REPEATED = 30_000  # keys; up to so many a run is short, and the median of several counts
_TIMES = 3


def main() -> None:
    """Measure what was asked for, and print it; 1 as the exit code when anything is beyond its limits."""
    names = [one.name for one in COMMANDS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.operations", description=__doc__)
    parser.add_argument("--points", type=int, nargs="+", default=POINTS, help="of the curve: keys")
    parser.add_argument("--only", choices=["disk", "s3"], help="one of the two parts")
    parser.add_argument("--commands", nargs="+", choices=names, default=names, metavar="NAME")
    parser.add_argument("--folder", type=Path, help="where the files are made (the temporary directory)")
    parser.add_argument("--write", action="store_true", help=f"write into {DOCUMENT} and {PLOT}")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="the folder of these two")
    parser.add_argument(
        "--results", type=Path, metavar="FILE", help="add every run to this file, and count those in it too"
    )
    options = parser.parse_args()
    document = options.docs / DOCUMENT
    if options.write and not document.exists():
        parser.error(f"there is no {document} with places for the tables")
    chosen = [one for one in COMMANDS if one.name in options.commands]
    results = Results(options.results)
    tables, troubles = {}, []
    with tempfile.TemporaryDirectory(prefix="scale-", dir=options.folder) as folder:
        if options.only != "s3":
            costs = _on_disk(Path(folder), chosen, sorted(options.points), results)
            tables["times"] = f"{curve.times(costs)}\n\n{_machine(costs)}"
            troubles += curve.beyond(costs)
            if options.write:
                (options.docs / PLOT).write_text(curve.plot(costs))
        if options.only != "disk":
            costs = _on_s3(Path(folder), chosen, max(options.points), results)
            tables["requests"] = curve.requests(costs)
            troubles += curve.too_many(costs)
    for table in tables.values():
        print(f"\n{table}")
    if options.write:
        document.write_text(_with(document.read_text(), tables))
    for trouble in troubles:
        print(f"Over the limits: {trouble}", file=sys.stderr)
    sys.exit(1 if troubles else 0)


def _layout(keys: int) -> Layout:
    return Layout(originals=keys // GROUP_VARIANTS * GROUP)


def _on_disk(folder: Path, chosen: Sequence[Measured], points: Sequence[int], results: Results) -> list[Cost]:
    """Measure at all points, from nothing on: what a run over nothing takes is no cost of a key."""
    for keys in [0, *points]:
        layout = _layout(keys)
        say(f"{layout.originals:,} originals and {layout.variants:,} variants on disk")
        tree.grow(folder, layout)
        for measured in chosen:
            if keys > measured.most:
                continue
            for _ in range(_TIMES if keys <= _REPEATED else 1):
                _tell(results.add(runs.on_disk(folder, measured, layout)))
    return results.of(s3=False)


def _on_s3(folder: Path, chosen: Sequence[Measured], most: int, results: Results) -> list[Cost]:
    """Count the requests of each command, at as many keys as it can be measured with."""
    for measured in chosen:
        layout = _layout(min(most, measured.most_on_s3))
        (folder / "rows.sqlite3").unlink(missing_ok=True)
        _tell(results.add(runs.on_s3(folder, measured, layout)))
    return results.of(s3=True)


def _tell(cost: Cost) -> None:
    say(
        f"{cost.keys:9,} keys  {cost.command:26} {cost.processor:8.2f} s of processor time, "
        f"{cost.wall:8.2f} s, {cost.peak_mib:4.0f} MiB, load {cost.load:.1f}"
    )


def _machine(costs: Sequence[Cost]) -> str:
    return f"Load average: {curve.load(costs)} on {os.cpu_count()} processors."


if __name__ == "__main__":
    main()
