"""`python -m benchmarks`: measure lazyimages beside its peers, and print the tables.

With --write they take the place of those in docs/performance.md.
"""

import argparse
import os
import platform
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import formats, page, peers, processes, speed, throughput
from benchmarks.browser import pages

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "performance.md"

WITH_SHARP: dict[str, Callable[[], str]] = {
    "speed": speed.run,
    "formats": formats.run,
    "processes": processes.run,
    "throughput": throughput.run,
}
WITHOUT: dict[str, Callable[[], str]] = {"page": page.run, "browser": pages.run}


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = [*WITH_SHARP, *WITHOUT]
    parser.add_argument("parts", nargs="*", choices=[*names, []], metavar="PART", help=", ".join(names))
    parser.add_argument("--write", action="store_true", help="write the tables into docs/performance.md")
    options = parser.parse_args()
    wanted = options.parts or names
    tables = {"machine": _machine()}
    if set(wanted) & set(WITH_SHARP) and peers.sharp_folder() is None:
        print("sharp is not there, so nothing is compared with it.", file=sys.stderr)
        wanted = [name for name in wanted if name in WITHOUT]
    for name in wanted:
        tables[name] = (WITH_SHARP | WITHOUT)[name]()
        print(f"\n## {name}\n\n{tables[name]}\n", flush=True)
    if options.write:
        DOCUMENT.write_text(_with(DOCUMENT.read_text(), tables))


def _machine() -> str:
    processor = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    packages = [f"{name} {version(name)}" for name in ("Pillow", "cykooz-resizer", "pyvips", "Django")]
    parts = [
        f"Measured on {datetime.now(UTC):%Y-%m-%d}",
        f"{processor[1] if processor else platform.machine()}, {os.cpu_count()} processors, shared",
        platform.system(),
        f"Python {platform.python_version()}",
        *packages,
    ]
    if peers.sharp_folder() is not None:
        parts.append(f"sharp {peers.sharp_version()}")
    return "; ".join(parts) + "."


def _with(document: str, tables: dict[str, str]) -> str:
    """Return the document with each table between the marks of its name."""
    for name, table in tables.items():
        marks = f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, _, rest = document.partition(marks[0])
        _, _, after = rest.partition(marks[1])
        document = f"{before}{marks[0]}\n{table}\n{marks[1]}{after}"
    return document


if __name__ == "__main__":
    main()
