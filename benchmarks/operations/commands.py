"""The commands that are measured, and the fewest requests to S3 with which each could do its work."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.operations.layout import DROPPED, DROPPED_SHARE, SIZES, Layout

_PAGE = 1000  # names of a listing, and keys of a DeleteObjects

Figures = dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A command with its arguments.

    `fewest` are the requests that it cannot do without. `expects` are figures of its JSON, which show that
    it has done its work. `sizes` join those of the settings. With `changes`, files are not what they were
    before. At more keys than `most` on disk, or `most_on_s3`, it takes too long to be measured.
    """

    name: str
    arguments: tuple[str, ...]
    fewest: Callable[[Layout], Figures]
    expects: Callable[[Layout], Figures]
    sizes: str = ""
    changes: bool = False
    most: int = 10**9
    most_on_s3: int = 10**9


def _pages(layout: Layout) -> int:
    """Return the requests that it takes to list all there is."""
    return max(1, _parts(layout.originals + layout.variants))


def _parts(number: int) -> int:
    return -(-number // _PAGE)


def _dropped(layout: Layout) -> int:
    return round(layout.originals * DROPPED_SHARE)


def _missing(layout: Layout) -> int:
    return layout.originals - _dropped(layout)


COMMANDS = (
    Measured(
        name="measure",
        arguments=("lazyimages_measure", "--format", "json"),
        fewest=lambda layout: {"GetObject": layout.originals},
        expects=lambda layout: {"done": layout.originals},
    ),
    Measured(
        name="warm, all there",
        arguments=("lazyimages_warm", "--sizes", " ".join(SIZES), "--format", "json"),
        fewest=lambda layout: {"ListObjectsV2": _pages(layout)},
        expects=lambda layout: {"done": 0, "existing": len(SIZES) * layout.originals},
    ),
    Measured(
        name="warm, making",
        arguments=("lazyimages_warm", "--sizes", DROPPED, "--format", "json"),
        fewest=lambda layout: {
            "ListObjectsV2": _pages(layout),
            "GetObject": _missing(layout),
            "PutObject": _missing(layout),
        },
        expects=lambda layout: {"done": _missing(layout), "existing": _dropped(layout)},
        sizes=DROPPED,
        changes=True,
        most=100_000,
        most_on_s3=30_000,
    ),
    Measured(
        name="purge --dropped",
        arguments=("lazyimages_purge", "--dropped", "--format", "json"),
        fewest=lambda layout: {
            "ListObjectsV2": _pages(layout),
            "DeleteObjects": _parts(_dropped(layout)),
        },
        expects=lambda layout: {"done": _dropped(layout)},
        changes=True,
    ),
    Measured(
        name="purge --orphans",
        arguments=("lazyimages_purge", "--orphans", "--dry-run", "--format", "json"),
        fewest=lambda layout: {"ListObjectsV2": _pages(layout)},
        expects=lambda layout: {"done": layout.orphans},
    ),
    Measured(
        name="report",
        arguments=("lazyimages_report", "--format", "json"),
        fewest=lambda layout: {"ListObjectsV2": _pages(layout)},
        expects=lambda layout: {},
    ),
    Measured(
        name="report --adopt",
        arguments=("lazyimages_report", "--adopt", "--format", "json"),
        fewest=lambda layout: {"ListObjectsV2": _pages(layout)},
        expects=lambda layout: {},
    ),
)
