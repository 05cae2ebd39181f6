"""Draw one page with lazyimages, with plain `ImageField`s, and with other thumbnail libraries.

24 products with three sizes each, from templates. All variants are there and everything is warm: what is
measured is the cost of a page that thousands have asked for before.
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import peers, tables

ROUNDS = 60
SECONDS = 300
ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = Path(__file__).with_name("requirements-page.txt")
NOTHING, PLAIN = "no images", "plain .url"

NOTES = """\
"72 addresses" is the time of the template alone, from rows that were just loaded, less that of the same
template without images; "whole page" is both, with the query. Medians; ratios are to plain `.url`. Calls are
without those they make themselves; `url` reads nothing. The cache is Django's LocMemCache.
sorl-thumbnail has its default store, the database behind the cache; easy-thumbnails its defaults;
django-imagekit the strategy Optimistic, which checks nothing; django-pictures a grid of three widths, so that
each `<picture>` holds three variants, and the original as `src`."""

HEADER = (
    "library",
    "version",
    "72 addresses, ms",
    "ratio",
    "whole page, ms",
    "ratio",
    "SQL",
    "cache",
    "storage",
)


def run() -> str:
    """Return the table as Markdown, or a line that says why there is none. Progress goes to stderr."""
    python = peers.venv("page", REQUIREMENTS)
    if python is None:
        return "The page was not drawn: its libraries could not be installed."
    peers.say(f"Drawing a page of 24 products, {ROUNDS} times with each library")
    return f"{table(_drawn(python))}\n\n{NOTES}"


def _drawn(python: Path) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as media:
        done = subprocess.run(
            [str(python), "-m", "benchmarks.page_project.draw", str(ROUNDS)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "BENCHMARK_MEDIA": media},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=SECONDS,
        )
    result: list[dict[str, Any]] = json.loads(done.stdout)
    return result


def table(cases: list[dict[str, Any]]) -> str:
    """Return the table of what `benchmarks.page_project.draw` prints."""
    spent = {case["name"]: case["spent"] for case in cases}
    nothing = spent[NOTHING]["images"]
    rows = []
    for case in cases:
        row = [case["name"], case["version"]]
        if case["name"] == NOTHING:
            row += ["", ""]
        else:
            addresses = _without(case["spent"]["images"], nothing)
            row += [f"{addresses:.2f}", f"{addresses / _without(spent[PLAIN]['images'], nothing):.2f}"]
        page = median(case["spent"]["page"])
        row += [f"{page:.2f}", f"{page / median(spent[PLAIN]['page']):.2f}"]
        row += [str(case["calls"]["sql"]), _calls(case["calls"]["cache"]), _calls(case["calls"]["storage"])]
        rows.append(row)
    return tables.markdown(HEADER, rows)


def _without(spent: list[float], nothing: list[float]) -> float:
    """Return the median of the differences within a round, in which both have the same neighbours."""
    return median(one - other for one, other in zip(spent, nothing, strict=True))


def _calls(counted: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counted.items()) or "0"


if __name__ == "__main__":
    print(run())
