"""The report: what is in the storages, what of it is asked for, what is left over, and what it costs."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lazyimages import conf, formats, keys, storage
from lazyimages.conf import Settings
from lazyimages.exceptions import RefusedName
from lazyimages.operations.inventory import Inventory, Say, room
from lazyimages.operations.reporting import costs, requested, survey
from lazyimages.operations.reporting.costs import Estimate, Kind, Prices
from lazyimages.operations.reporting.requested import Requested
from lazyimages.storage import INCOMING

_EXTENSIONS = 12  # of other files that are named
_ALLOWED = "allowed"

# Whether a variant is in its original's native format: its key has no extension more, or it is the JPEG of
# one that browsers do not show.
NATIVE = (
    "(length(v.key) = length(v.original) + length(v.size) + 1 OR (v.format = 'jpeg' AND ("
    + " OR ".join(
        f"lower(v.original) LIKE '%.{extension}'"
        for one in formats.BY_NAME.values()
        if not one.browsers
        for extension in one.extensions
    )
    + ")))"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Count:
    """Some files, and their bytes together."""

    files: int
    bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """The variants of a size and format that the settings do not want, or whose originals are gone."""

    size: str
    format: str
    files: int
    bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldNames:
    """How many names the rows of a field have, and of how many of them there is no file."""

    field: str
    names: int
    missing: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """All figures of a report. The names stay in the inventory, for they may be many.

    `kinds` are what the settings allow; `dropped` are variants of sizes and formats that they do not. Of
    variants whose original is not there, `lost` ones have a row that still points to it, `orphans` have none,
    and `strangers` neither a row nor a name of our own form. `unused` originals are those that no row points
    to, of which `own` have such a name; `unfit` ones have names that can have no variants.
    """

    at: datetime  # when it began
    originals_storage: str
    variants_storage: str
    together: bool
    originals: Count
    formats: Mapping[str, Count]
    unfit: int
    unused: Count
    own: Count
    fields: tuple[FieldNames, ...]
    kinds: tuple[Kind, ...]
    dropped: tuple[Group, ...]
    lost: tuple[Group, ...]
    orphans: tuple[Group, ...]
    strangers: tuple[Group, ...]
    others: Count
    extensions: Mapping[str, Count]
    incoming: Count
    estimate: Estimate
    requested: Requested | None

    @property
    def wanted(self) -> Count:
        """Return the variants that the settings allow, of originals that are there."""
        return total(self.kinds)

    @property
    def possible(self) -> int:
        """Return how many variants the settings allow for the originals that are there."""
        return sum(kind.possible for kind in self.kinds)

    @property
    def missing(self) -> int:
        """Return how many names in rows there is no file of."""
        return sum(field.missing for field in self.fields)

    @property
    def everything(self) -> Count:
        """Return all files that were listed."""
        return total([self.originals, *self.kinds, *self.dropped, *self.without_original, self.others])

    @property
    def without_original(self) -> tuple[Group, ...]:
        """Return all variants whose original is not there."""
        return (*self.lost, *self.orphans, *self.strangers)


def collect(
    inventory: Inventory,
    *,
    prices: Prices,
    logs: Sequence[Path] = (),
    say: Say = lambda what, number: None,
) -> Report:
    """Read the names in all rows, list the storages, and add up. On S3 that is a request for 1,000 names.

    `logs` are files that `requests` reads. `say` gets what is being read, and how much of it so far.
    """
    settings = conf.settings()
    began = survey.fill(inventory, say)
    db = inventory.db
    db.create_function("fitness", 1, fitness, deterministic=True)
    db.create_function("extension", 1, extension, deterministic=True)
    say("sums", 0)
    with room():
        originals = _originals(db)
        states = _variants(db, settings)
        allowed = {(one.size, one.format): one for one in states.pop(_ALLOWED)}
        kinds = tuple(_kinds(settings, originals, allowed))
        able = sum(count.files for (_, native), count in originals.items() if native)
        return Report(
            at=datetime.fromtimestamp(began, UTC),
            originals_storage=settings.originals,
            variants_storage=storage.variants_alias(),
            together=storage.are_together(),
            originals=total(originals.values()),
            formats=_by_format(originals),
            unfit=sum(count.files for (_, native), count in originals.items() if not native),
            unused=_count(db, f"originals o WHERE {survey.UNUSED}", began),
            own=_count(db, f"originals o WHERE {survey.UNUSED} AND is_own(o.name)", began),
            fields=fields(db),
            kinds=kinds,
            dropped=states[survey.KNOWN],
            lost=states[survey.LOST],
            orphans=states[survey.ORPHAN],
            strangers=states[survey.STRANGER],
            others=_count(db, "others o WHERE 1"),
            extensions=extensions(db),
            incoming=_count(db, f"others o WHERE o.name GLOB '{INCOMING}*'"),
            estimate=costs.estimate(kinds, originals=able, prices=prices),
            requested=requested.read(db, logs, total(kinds).files, say) if logs else None,
        )


def total(counts: Iterable[Any]) -> Count:
    """Add up whatever has files and bytes."""
    counts = list(counts)
    return Count(files=sum(one.files for one in counts), bytes=sum(one.bytes for one in counts))


def fitness(name: str) -> str:
    """Return an original's own format and that of its variants, "tiff jpeg"; the latter is empty for none."""
    own = formats.by_extension(name)
    try:
        keys.check_original(name)
        return f"{own.name if own else ''} {keys.native_format(name).name}"
    except RefusedName:
        return f"{own.name if own else ''} "


def extension(name: str) -> str:
    """Return what stands after the last dot of a file's name, in lower case; empty without one."""
    stem, dot, ending = name.rpartition("/")[2].rpartition(".")
    return ending.lower() if stem and dot else ""


def extensions(db: sqlite3.Connection) -> dict[str, Count]:
    """Return the most frequent extensions of what is neither original nor variant; needs `extension`."""
    found = db.execute(
        "SELECT extension(name), count(*), sum(bytes) FROM others GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?",
        (_EXTENSIONS,),
    )
    return {ending: Count(files=files, bytes=length) for ending, files, length in found}


def _originals(db: sqlite3.Connection) -> dict[tuple[str, str], Count]:
    """Return how many originals there are by their own format and that of their variants."""
    found = db.execute("SELECT fitness(name), count(*), sum(bytes) FROM originals GROUP BY 1 ORDER BY 1")
    counts = {}
    for both, files, length in found:
        own, _, native = both.partition(" ")
        counts[own, native] = Count(files=files, bytes=length)
    return counts


def _by_format(originals: Mapping[tuple[str, str], Count]) -> dict[str, Count]:
    counts: dict[str, list[Count]] = defaultdict(list)
    for (own, _), count in originals.items():
        counts[own].append(count)
    added = {own: total(each) for own, each in counts.items()}
    return dict(sorted(added.items(), key=lambda item: -item[1].files))


def _variants(db: sqlite3.Connection, settings: Settings) -> dict[str, tuple[Group, ...]]:
    """Return the variants of each state; those that are known and allowed are under `_ALLOWED`."""
    counts: dict[tuple[str, str, str], list[Count]] = defaultdict(list)
    sizes = {str(size) for size in settings.whitelist}
    asked_for = {output.name for output in settings.formats}
    for state, native, size, output, files, length in db.execute(
        f"SELECT {survey.STATE}, {NATIVE}, v.size, v.format, count(*), sum(v.bytes) "  # noqa: S608
        f"FROM {survey.VARIANTS} GROUP BY 1, 2, 3, 4"
    ):
        allowed = state == survey.KNOWN and size in sizes and (native or output in asked_for)
        counts[_ALLOWED if allowed else state, size, output].append(Count(files=files, bytes=length))
    groups: dict[str, list[Group]] = {
        state: [] for state in (_ALLOWED, survey.KNOWN, survey.LOST, survey.ORPHAN, survey.STRANGER)
    }
    for (state, size, output), found in counts.items():
        count = total(found)
        groups[state].append(Group(size=size, format=output, files=count.files, bytes=count.bytes))
    return {
        state: tuple(sorted(found, key=lambda one: (-one.files, one.size, one.format)))
        for state, found in groups.items()
    }


def _kinds(
    settings: Settings,
    originals: Mapping[tuple[str, str], Count],
    stored: Mapping[tuple[str, str], Group],
) -> Iterator[Kind]:
    """Yield what the settings allow, size by size: native formats first."""
    able: dict[str, int] = defaultdict(int)
    for (_, native), count in originals.items():
        if native:
            able[native] += count.files
    possible = dict(sorted(able.items(), key=lambda item: -item[1]))
    possible |= {output.name: sum(able.values()) for output in settings.formats}
    for size in settings.whitelist:
        for output, number in possible.items():
            found = stored.get((str(size), output), Count(files=0, bytes=0))
            yield Kind(size=size, format=output, files=found.files, bytes=found.bytes, possible=number)


def _count(db: sqlite3.Connection, where: str, *values: object) -> Count:
    files, length = db.execute(f"SELECT count(*), coalesce(sum(o.bytes), 0) FROM {where}", values).fetchone()  # noqa: S608
    return Count(files=files, bytes=length)


def fields(db: sqlite3.Connection) -> tuple[FieldNames, ...]:
    """Return the fields for images, with their names and how many of these are of no file."""
    found = db.execute(
        f"SELECT i.field, count(r.name), coalesce(sum({survey.MISSING}), 0) "  # noqa: S608
        "FROM image_fields i LEFT JOIN rows r ON r.field = i.field GROUP BY 1 ORDER BY 1"
    )
    return tuple(FieldNames(field=field, names=names, missing=gone) for field, names, gone in found)
