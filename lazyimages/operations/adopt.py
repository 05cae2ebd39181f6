"""Adopting a bucket: what its files are by their names, and which settings fit what is there."""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lazyimages import conf, formats, keys, sizes, storage
from lazyimages.exceptions import RefusedName
from lazyimages.operations import report
from lazyimages.operations.inventory import Inventory, Say, room
from lazyimages.operations.report import Count, FieldNames, total
from lazyimages.operations.reporting import survey
from lazyimages.operations.reporting.as_json import Streamed
from lazyimages.operations.tables import counted

_DIRECTORIES = 50  # of copies, by name

TWO_EXTENSIONS, SIZE_DIRECTORY, HOSTILE = "two_extensions", "size_directory", "hostile"
# A file with the same name as one in the directory above, which is no variant: `produs_1/thumb/img.jpg`.
_COPIES = "originals o JOIN originals p ON p.name = twin(o.name) WHERE trouble(o.name) = ''"


@dataclass(frozen=True, kw_only=True, slots=True)
class Adoption:
    """What a bucket holds.

    `sizes` and `formats` are those of variants whose originals are there, `without_original` the sizes of
    those whose are not; `copies` are by the directory's own name, `unfit` originals by what is wrong with
    their names. `examples` has a name for each directory of copies.
    """

    together: bool
    originals: Count
    variants: Count
    sizes: Mapping[str, Count]
    formats: Mapping[str, Count]
    without_original: Mapping[str, Count]
    copies: Mapping[str, Count]
    examples: Mapping[str, str]
    unfit: Mapping[str, Count]
    others: Count
    extensions: Mapping[str, Count]
    fields: tuple[FieldNames, ...]
    allowed: tuple[str, ...]
    allowed_formats: tuple[str, ...]
    storages: Mapping[str, str]

    @property
    def lacking(self) -> tuple[str, ...]:
        """Return the sizes that are there and that the settings do not allow."""
        return tuple(size for size in self.sizes if size not in self.allowed)


def collect(inventory: Inventory, *, say: Say = lambda what, number: None) -> Adoption:
    """Read the names in all rows, list the storages, and sort what is there. On S3 a request for 1,000."""
    settings = conf.settings()
    survey.fill(inventory, say)
    db = inventory.db
    for name, function in (("twin", twin), ("trouble", trouble), ("own_directory", own_directory)):
        db.create_function(name, 1, function, deterministic=True)
    db.create_function("extension", 1, report.extension, deterministic=True)
    say("sums", 0)
    with room():
        known = f"{survey.VARIANTS} WHERE o.name IS NOT NULL"
        copies = _counts(
            db, "own_directory(o.name), count(*), sum(o.bytes), min(o.name)", _COPIES, _DIRECTORIES
        )
        by_trouble = _counts(db, "trouble(o.name), count(*), sum(o.bytes), ''", "originals o")
        by_size = _counts(db, "v.size, count(*), sum(v.bytes), ''", known)
        return Adoption(
            together=storage.are_together(),
            originals=total(count for count, _ in by_trouble.values()),
            variants=total(count for count, _ in by_size.values()),
            sizes=_only(by_size),
            formats=_only(
                _counts(db, "v.format, count(*), sum(v.bytes), ''", f"{known} AND NOT {report.NATIVE}")
            ),
            without_original=_only(
                _counts(db, "v.size, count(*), sum(v.bytes), ''", f"{survey.VARIANTS} WHERE o.name IS NULL")
            ),
            copies=_only(copies),
            examples={directory: example for directory, (_, example) in copies.items()},
            unfit={why: count for why, (count, _) in by_trouble.items() if why},
            others=total(
                count for count, _ in _counts(db, "'', count(*), sum(o.bytes), ''", "others o").values()
            ),
            extensions=report.extensions(db),
            fields=report.fields(db),
            allowed=tuple(str(size) for size in settings.whitelist),
            allowed_formats=tuple(output.name for output in settings.formats),
            storages={"ORIGINALS": settings.originals, "VARIANTS": settings.variants},
        )


def setting(found: Adoption) -> str:
    """Return LAZYIMAGES as Python has it, with the sizes and formats that are there or were set before."""
    lines = ["LAZYIMAGES = {", '    "SIZES": [']
    for size, count in found.sizes.items():
        lines.append(f'        "{size}",  # {counted(count.files, "file")}')
    lines += [
        f'        "{size}",  # set already, no files' for size in found.allowed if size not in found.sizes
    ]
    names = dict.fromkeys([*found.formats, *found.allowed_formats])
    offered = ", ".join(f'"{name}"' for name in names)
    lines += ["    ],", f'    "FORMATS": [{offered}],']
    defaults = conf.Settings()
    for key, alias in found.storages.items():
        if alias != getattr(defaults, key.lower()):
            lines.append(f"    {key!r}: {alias!r},".replace("'", '"'))
    return "\n".join([*lines, "}"])


def unfit(inventory: Inventory) -> Iterator[tuple[str, str]]:
    """Yield the names of originals that can have no variants, and what is wrong with each."""
    yield from inventory.db.execute(
        "SELECT name, trouble(name) FROM originals WHERE trouble(name) <> '' ORDER BY name"
    )


def without_original(inventory: Inventory) -> Iterator[str]:
    """Yield what looks like a variant of an original that is not there."""
    query = f"SELECT v.key FROM {survey.VARIANTS} WHERE o.name IS NULL ORDER BY v.key"  # noqa: S608
    return (key for (key,) in inventory.db.execute(query))


def as_json(found: Adoption, inventory: Inventory) -> dict[str, Any]:
    """Return it as JSON has it; long lists of names are read from the inventory when written."""

    def counts(some: Mapping[str, Count]) -> dict[str, Any]:
        return {name: asdict(count) for name, count in some.items()}

    return {
        "command": "lazyimages_report --adopt",
        "together": found.together,
        "originals": {
            **asdict(found.originals),
            "unfit": counts(found.unfit),
            "unfit_names": Streamed(
                lambda: ({"name": name, "trouble": why} for name, why in unfit(inventory))
            ),
            "copies": {
                name: {**asdict(count), "example": found.examples[name]}
                for name, count in found.copies.items()
            },
        },
        "variants": {
            **asdict(found.variants),
            "by_size": counts(found.sizes),
            "by_added_format": counts(found.formats),
        },
        "without_original": {
            "by_size": counts(found.without_original),
            "keys": Streamed(lambda: without_original(inventory)),
        },
        "others": {**asdict(found.others), "by_extension": counts(found.extensions)},
        "rows": {
            "fields": [asdict(one) for one in found.fields],
            "missing": Streamed(
                lambda: ({"name": name, "field": field} for name, field in survey.missing(inventory))
            ),
        },
        "settings": {
            "SIZES": list(dict.fromkeys([*found.sizes, *found.allowed])),
            "FORMATS": list(dict.fromkeys([*found.formats, *found.allowed_formats])),
        },
    }


def twin(name: str) -> str | None:
    """Return the name that a file would have in the directory above; None at the top."""
    directory, _, filename = name.rpartition("/")
    parent, slash, _ = directory.rpartition("/")
    return f"{parent}{slash}{filename}" if directory else None


def own_directory(name: str) -> str:
    """Return the last directory of a name."""
    return name.rpartition("/")[0].rpartition("/")[2]


def trouble(name: str) -> str:
    """Return why an original can have no variants; empty when it can."""
    try:
        keys.check_original(name)
    except RefusedName:
        *directories, filename = name.split("/")
        if any(map(sizes.is_size, directories)):
            return SIZE_DIRECTORY
        return TWO_EXTENSIONS if formats.by_extension(filename.rpartition(".")[0]) else HOSTILE
    return ""


def _counts(db: sqlite3.Connection, what: str, where: str, most: int = -1) -> dict[str, tuple[Count, str]]:
    """Return counts by the first of four columns, the most frequent first, with an example."""
    query = f"SELECT {what} FROM {where} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?"  # noqa: S608
    return {
        name: (Count(files=files, bytes=length), example)
        for name, files, length, example in db.execute(query, (most,))
    }


def _only(counts: Mapping[str, tuple[Count, str]]) -> dict[str, Count]:
    return {name: count for name, (count, _) in counts.items()}
