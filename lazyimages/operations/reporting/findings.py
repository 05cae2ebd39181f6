"""What a report finds that does not fit together: what it means, what to do, and the names."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from lazyimages.operations.inventory import Inventory
from lazyimages.operations.report import Group, Report, total
from lazyimages.operations.reporting import survey
from lazyimages.operations.tables import counted, shown, size

_NAMED = 6  # kinds of variants in a sentence


def _no_names() -> Iterator[str]:
    return iter(())


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Something to look into; `grave` when visitors miss something."""

    heading: str
    told: str
    grave: bool = False
    names: Callable[[], Iterator[str]] = _no_names


def findings(report: Report, inventory: Inventory) -> Iterator[Finding]:
    """Yield what there is to look into, the gravest first."""
    yield from _lost(report, inventory)
    yield from _left_over(report, inventory)
    if report.unfit:
        yield Finding(
            heading=f"{counted(report.unfit, 'original')} that can have no variants",
            told="Their names end in two image extensions, or are in a directory that looks like a size. "
            "lazyimages_report --adopt names them, and says what to do.",
        )
    if report.others.files:
        endings = (f"{one.files:,} {_ending(name)}" for name, one in report.extensions.items())
        yield Finding(
            heading=f"{counted(report.others.files, 'other file')}, {size(report.others.bytes)}",
            told=f"By extension: {', '.join(endings)}. No command of lazyimages touches them.",
        )


def _lost(report: Report, inventory: Inventory) -> Iterator[Finding]:
    if report.missing:
        fields = ", ".join(f"{one.missing:,} in {one.field}" for one in report.fields if one.missing)
        yield Finding(
            heading=f"{counted(report.missing, 'name')} in rows of which there is no file",
            told=f"{fields}. Pages show a broken picture for each. Bring the files back from a backup, or "
            "empty the field.",
            grave=True,
            names=lambda: (f"{name} ({field})" for name, field in survey.missing(inventory)),
        )
    if report.lost:
        yield Finding(
            heading=f"{_sum(report.lost)}, whose original is not there, though a row points to it",
            told="They may be all that is left of these photos. "
            "lazyimages_purge --orphans leaves them alone.",
            grave=True,
            names=partial(survey.without_original, inventory, survey.LOST),
        )


def _left_over(report: Report, inventory: Inventory) -> Iterator[Finding]:
    if report.orphans:
        yield Finding(
            heading=f"{_sum(report.orphans)}, whose original is gone",
            told="Nobody asks for them any more. lazyimages_purge --orphans --dry-run says what would go.",
            names=partial(survey.without_original, inventory, survey.ORPHAN),
        )
    if report.dropped:
        kinds = [f"{one.files:,} {one.size} {one.format}" for one in report.dropped[:_NAMED]]
        more = " and others" if len(report.dropped) > _NAMED else ""
        yield Finding(
            heading=f"{_sum(report.dropped)}, of sizes or formats that the settings no longer have",
            told=f"They are {', '.join(kinds)}{more}. lazyimages_purge --dropped --dry-run says what would "
            "go.",
        )
    if report.strangers:
        yield Finding(
            heading=f"{_sum(report.strangers)}, of originals that nobody knows",
            told="They lie in directories that are named like sizes, but there is no such original, no row "
            "that points to one, nor a name as lazyimages makes them. lazyimages_purge leaves them alone.",
            names=partial(survey.without_original, inventory, survey.STRANGER),
        )
    if report.unused.files:
        yield Finding(
            heading=f"{counted(report.unused.files, 'original')} that no row points to, "
            f"{size(report.unused.bytes)}",
            told=f"Of these, {report.own.files:,} have names as lazyimages makes them: lazyimages_purge "
            "--orphans lists those, and deletes them with --delete-originals alone. Others may belong to "
            "another program.",
            names=lambda: survey.unused(inventory, report.at.timestamp()),
        )


def _sum(groups: Sequence[Group]) -> str:
    count = total(groups)
    return f"{counted(count.files, 'variant')}, {size(count.bytes)}"


def _ending(name: str) -> str:
    return shown(f".{name}") if name else "without one"
