"""What there is to say of a purge: in sentences, and as figures for JSON."""

from itertools import islice
from typing import Any

from lazyimages import conf
from lazyimages.operations.journal import Journal
from lazyimages.operations.purge import Purge
from lazyimages.operations.purging import choosing
from lazyimages.operations.tables import shown, size

_MOST_NAMES = 10_000  # in JSON, which is made in memory
_FREE = "CloudFront takes the first 1,000 paths of a month for nothing; a wildcard counts as one."


def figures(purge: Purge) -> dict[str, Any]:
    """Return what was found, as JSON has it."""
    totals = purge.totals
    found: dict[str, Any] = {
        "variants": [
            {"size": size, "format": format, "keys": count, "bytes": totals.bytes_by[size, format]}
            for (size, format), count in sorted(totals.by.items())
        ],
        "paths_to_invalidate": len(purge.paths),
        "left_alone": {
            "strangers": totals.strangers,
            "orphans": totals.orphans,
            "file_missing": totals.missed,
        },
    }
    if purge.choice.orphans and purge.selection:
        names = [name for name, _ in islice(purge.selection.unneeded(), _MOST_NAMES)]
        found["originals_without_a_row"] = {
            "count": totals.unneeded,
            "bytes": totals.unneeded_bytes,
            "old_enough": totals.doomed,
            "of_other_names": totals.foreign,
            "names": names,
        }
    return found


def done(purge: Purge, journal: Journal, kind: str) -> str:
    """Say in a sentence what became of it; `kind` is do, look or enqueue."""
    if kind == "enqueue":
        return f"Enqueued {_number(journal.figures['tasks'], 'task')} for {_number(journal.items, 'file')}."
    if not purge.choice.listed:
        verb = "Would ask" if kind == "look" else "Asked"
        asked = f"{verb} to delete up to {_number(journal.done, 'key')}"
        return f"{asked}: nobody looked which of them are there."
    verb, originals = "Would delete" if kind == "look" else "Deleted", journal.figures["originals"]
    deleted = f"{verb} {_number(journal.done - originals, 'variant')} ({size(journal.figures['bytes'])})"
    return f"{deleted} and {_number(originals, 'original')}." if originals else f"{deleted}."


def table(purge: Purge) -> list[str]:
    """Return a line for each size and format."""
    totals = purge.totals
    return [
        f"  {name:>9}  {format:<5} {count:>11,}  {size(totals.bytes_by[name, format]):>9}"
        for (name, format), count in sorted(totals.by.items())
        if purge.choice.listed
    ]


def originals(purge: Purge, *, names: bool) -> list[str]:
    """Say which originals no row points to, if that was asked for; with their names, if those were."""
    totals, choice = purge.totals, purge.choice
    if not choice.orphans:
        return []
    lines = []
    if totals.unneeded:
        days = f"{choice.grace / choosing.DAY:g} days"
        lines.append(
            f"Originals that no row points to: {totals.unneeded:,} ({size(totals.unneeded_bytes)}), "
            f"{totals.doomed:,} of them older than {days}."
            + ("" if choice.delete_originals else " --delete-originals deletes those.")
        )
        if names and purge.selection:
            lines += [f"  {shown(name)}" for name, _ in purge.selection.unneeded()]
    if totals.foreign:
        lines.append(
            f"Left alone: {_number(totals.foreign, 'image')} that no row points to, with names that "
            "lazyimages did not give. Name those that are yours by --original."
        )
    return lines


def left(purge: Purge) -> list[str]:
    """Say which variants were left alone and why, and which sizes nobody has."""
    totals, lines = purge.totals, []
    if totals.orphans:
        lines.append(
            f"Left alone: {_number(totals.orphans, 'variant')} whose original is gone. --orphans deletes "
            "those."
        )
    if totals.missed:
        lines.append(
            f"Left alone: {_number(totals.missed, 'variant')} whose original is gone though a row points to "
            "it. Bring the file back, or name it by --original."
        )
    if totals.strangers:
        noun = "looks like a variant" if totals.strangers == 1 else "look like variants"
        lines.append(
            f"Left alone: {totals.strangers:,} that {noun}, of no known original, such as "
            f"{shown(totals.stranger)}. Name the original by --original if that is yours."
        )
    there, allowed = {name for name, _ in totals.by}, list(map(str, conf.settings().whitelist))
    unknown = [name for name in purge.choice.sizes if name not in there and name not in allowed]
    if unknown and purge.choice.listed:
        lines.append(
            f"Note: there was nothing in {', '.join(unknown)}, and LAZYIMAGES has no such size. It allows "
            f"{' '.join(allowed)}."
        )
    return lines


def cdn(purge: Purge, kind: str, paths: int) -> list[str]:
    """Say what the CDN knows of it, or will."""
    settings = conf.settings()
    if not (purge.totals.count or paths):
        return []
    if settings.distribution_id is None:
        if settings.delivery == "local":
            return []
        return [
            "Note: a CDN keeps what it has until it expires, for LAZYIMAGES has no DISTRIBUTION_ID. With "
            "it, this command tells CloudFront."
        ]
    if kind == "look":
        return [f"{told(len(purge.paths), kind)} {_FREE}"]
    if kind == "enqueue":
        typed = " ".join(f'"{path}"' for path in purge.paths)
        return [
            "The tasks do not tell CloudFront. Once they are done, run:",
            f"  python manage.py lazyimages_purge --invalidate {typed}",
        ]
    return [told(paths, kind)] if paths else []


def told(paths: int, kind: str) -> str:
    """Say that CloudFront was told, or would be."""
    return f"CloudFront {'would be' if kind == 'look' else 'was'} told to forget {_number(paths, 'path')}."


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
