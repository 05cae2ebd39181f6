"""What a purge is about when a listing of the bucket tells: variants by any filter, and what no row needs."""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from os.path import commonprefix

from lazyimages import conf, formats, keys, needs, sizes, storage
from lazyimages.operations import rows
from lazyimages.operations.inventory import Inventory, can_have_variants, room
from lazyimages.operations.purging.choosing import Choice, UnclearChoice
from lazyimages.operations.purging.paths import Paths
from lazyimages.storage import INCOMING

_SAMPLE = 20  # rows whose originals are looked for
_LAST = "\U0010ffff"  # after every other character
_PART_OF_SIZE = re.compile(r"[1-9][0-9]{0,3}(?:[wh]|x[0-9]{0,4})?")
# A name whose last directory looks like a size; in the words of regular expressions that all databases have.
_LIKE_KEY = "(^|/)[1-9][0-9]{0,3}([wh]|x[1-9][0-9]{0,3})/[^/]+$"
_LISTED = "EXISTS (SELECT 1 FROM originals o WHERE o.name = v.original)"
_POINTED = "EXISTS (SELECT 1 FROM rows r WHERE r.name = v.original)"
_NAMED = "EXISTS (SELECT 1 FROM named n WHERE n.name = v.original)"
_DOOMED = "EXISTS (SELECT 1 FROM doomed d WHERE d.name = v.original)"
_UNPOINTED = "NOT EXISTS (SELECT 1 FROM rows r WHERE r.name = o.name) AND can_have_variants(o.name)"
_OURS = "(is_own(o.name) OR EXISTS (SELECT 1 FROM named n WHERE n.name = o.name))"


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """A key to delete; `bytes` is None where no listing has told, `position` what comes after it."""

    key: str
    bytes: int | None
    position: object


@dataclass(kw_only=True, slots=True)
class Totals:
    """What was found: variants by size and format, and what was left alone, and why.

    `strangers` look like variants of an original that nobody knows, `orphans` are variants whose original
    is gone, where those were not asked for, and `missed` such that a row still points to. `unneeded` are
    originals that no row points to, and `doomed` those of them that are deleted.
    """

    count: int = 0
    bytes: int = 0
    by: Counter[tuple[str, str]] = field(default_factory=Counter)
    bytes_by: Counter[tuple[str, str]] = field(default_factory=Counter)
    strangers: int = 0
    stranger: str = ""
    orphans: int = 0
    missed: int = 0
    unneeded: int = 0
    unneeded_bytes: int = 0
    doomed: int = 0
    doomed_bytes: int = 0
    foreign: int = 0


class Listed:
    """Lists the bucket once, into an inventory on disk, and selects from that.

    `began` is when the run began, in seconds since the epoch: what is newer is left alone, since it may have
    come while the bucket was listed.
    """

    def __init__(self, choice: Choice, began: float, say: Callable[[str], None]) -> None:
        self.totals = Totals()
        self.inventory = Inventory()
        self._choice, self._began, self._say = choice, began, say
        self._paths = Paths()

    def read(self, *, exact: bool) -> None:
        """List, and sum up; `exact` asks for the paths of single variants."""
        db = self.inventory.db
        for name, function in (
            ("native", _native),
            ("is_own", keys.is_own),
            ("can_have_variants", can_have_variants),
        ):
            db.create_function(name, 1, function, deterministic=True)
        # `named` are named by a person, and so known; `wanted` are what a filter lets through.
        for table in ("named", "wanted", "doomed"):
            db.execute(f"CREATE TABLE {table} (name TEXT PRIMARY KEY) WITHOUT ROWID")
        self._put_names()
        self.inventory.take(
            self._prefix(), say=lambda what, number: self._say(f"{number:,} {what} listed so far")
        )
        self._where, self._values = self._filters()
        if self._choice.orphans or self._has_unlisted():
            self._say("asking the rows for their names")
            self.inventory.put_rows(rows.all_names(list(needs.file_fields())))
            defaults = {name: "" for each in needs.file_fields() if (name := default_of(each))}
            self.inventory.put_rows([defaults])
        else:
            put_like_keys(self.inventory)
        if self._choice.orphans:
            self._read_originals()
        self._sum_up(exact)

    def paths(self) -> list[str]:
        """Return the paths to invalidate, which are known once all is read."""
        return self._paths.result()

    def keys(self, after: object) -> Iterator[Key]:
        """Yield the variants to delete, after a position."""
        where, values = self._chosen()
        if after is not None:
            where, values = f"{where} AND v.key > ?", [*values, after]
        for found in self.inventory.select(where, values):
            yield Key(key=found.key, bytes=found.bytes, position=found.key)

    def originals(self, after: object) -> Iterator[str]:
        """Yield the originals to delete, after one of them."""
        query = "SELECT name FROM doomed WHERE name > ? ORDER BY name"
        for (name,) in self.inventory.db.execute(query, (after or "",)):
            yield name

    def unneeded(self) -> Iterator[tuple[str, int]]:
        """Yield the originals that no row points to, and their bytes."""
        where, values = self._unneeded()
        yield from self.inventory.db.execute(
            f"SELECT o.name, o.bytes FROM originals o WHERE {where} AND {_OURS} ORDER BY o.name",  # noqa: S608
            values,
        )

    def _put_names(self) -> None:
        db, choice = self.inventory.db, self._choice
        db.executemany("INSERT OR IGNORE INTO named VALUES (?)", [(name,) for name in choice.originals])
        put_wanted(db, choice)

    def _prefix(self) -> str:
        """Return what the names of all begin with that matter: of the variants and of their originals."""
        choice = self._choice
        if choice.prefix or not choice.originals or choice.model:
            return _of_originals(choice.prefix)
        # Character by character, as keys are listed.
        return commonprefix([name[: name.rfind("/") + 1] for name in choice.originals])  # noqa: RUF071

    def _filters(self) -> tuple[str, list[object]]:
        """Return the SQL for what the filters let through, known or not."""
        choice, settings = self._choice, conf.settings()
        parts = [
            "(v.modified IS NULL OR v.modified <= ?)",
            "NOT (v.key > ? AND v.key < ?)",
            "NOT EXISTS (SELECT 1 FROM rows r WHERE r.name = v.key)",  # a row's own file, whatever it is like
        ]
        values: list[object] = [self._began, INCOMING, INCOMING + _LAST]
        if choice.prefix:
            parts.append("v.key >= ? AND v.key < ?")
            values += [choice.prefix, choice.prefix + _LAST]
        if choice.older_than is not None:
            parts.append("v.modified <= ?")
            values.append(self._began - choice.older_than)
        for column, among in (("size", choice.sizes), ("format", choice.formats)):
            if among:
                parts.append(f"v.{column} IN (SELECT value FROM json_each(?))")  # noqa: S608
                values.append(json.dumps(among))
        if choice.dropped:
            parts.append(
                "(v.size NOT IN (SELECT value FROM json_each(?)) OR (v.format <> native(v.original) "
                "AND v.format NOT IN (SELECT value FROM json_each(?))))"
            )
            values.append(json.dumps([str(size) for size in settings.whitelist]))
            values.append(json.dumps([each.name for each in settings.formats]))
        if choice.originals or choice.model:
            parts.append("EXISTS (SELECT 1 FROM wanted w WHERE w.name = v.original)")
        return " AND ".join(parts), values

    def _chosen(self) -> tuple[str, list[object]]:
        if self._choice.orphans:
            gone = f"NOT {_LISTED} AND NOT {_POINTED} AND (is_own(v.original) OR {_NAMED})"
            return f"{self._where} AND (({gone}) OR {_DOOMED})", self._values
        return f"{self._where} AND ({_LISTED} OR {_POINTED} OR {_NAMED})", self._values

    def _has_unlisted(self) -> bool:
        query = f"SELECT 1 FROM variants v WHERE {self._where} AND NOT {_LISTED} LIMIT 1"  # noqa: S608
        return self.inventory.db.execute(query, self._values).fetchone() is not None

    def _unneeded(self) -> tuple[str, list[object]]:
        where, values = _UNPOINTED, list[object]()
        if self._choice.prefix:
            where += " AND o.name >= ? AND o.name < ?"
            values += [self._choice.prefix, self._choice.prefix + _LAST]
        if self._choice.originals:
            where += " AND EXISTS (SELECT 1 FROM wanted w WHERE w.name = o.name)"
        return where, values

    def _read_originals(self) -> None:
        db, totals = self.inventory.db, self.totals
        where, values = self._unneeded()
        count = "SELECT COUNT(*), COALESCE(SUM(o.bytes), 0) FROM originals o WHERE"
        query = f"{count} {where} AND {_OURS}"
        totals.unneeded, totals.unneeded_bytes = db.execute(query, values).fetchone()
        totals.foreign = db.execute(f"{count} {where} AND NOT {_OURS}", values).fetchone()[0]
        old = f"{where} AND {_OURS} AND o.modified <= ?"
        aged = [*values, self._began - self._choice.grace]
        totals.doomed, totals.doomed_bytes = db.execute(f"{count} {old}", aged).fetchone()
        if self._choice.delete_originals and totals.doomed:
            self._check_rows()
            db.execute(f"INSERT INTO doomed SELECT o.name FROM originals o WHERE {old}", aged)  # noqa: S608

    def _check_rows(self) -> None:
        """Refuse a database whose rows are not of this bucket: to it every original would be needless."""
        query = "SELECT 1 FROM rows r JOIN originals o ON o.name = r.name LIMIT 1"
        if self._choice.originals or self.inventory.db.execute(query).fetchone():
            return
        some = "SELECT name FROM rows WHERE can_have_variants(name) ORDER BY random() LIMIT ?"
        names = sorted(name for (name,) in self.inventory.db.execute(some, (_SAMPLE,)))
        if next(iter(storage.find_originals(names)), None) is None:
            raise UnclearChoice(
                "--delete-originals: no row has an image that is stored here, so the database and the bucket "
                "do not seem to belong together. Look at DATABASES and STORAGES, or name what is to go by "
                "--original"
            )

    def _sum_up(self, exact: bool) -> None:
        db, totals, self._paths = self.inventory.db, self.totals, Paths(exact=exact)
        where, values = self._chosen()
        for found in self.inventory.select(where, values):
            totals.count += 1
            totals.bytes += found.bytes
            totals.by[found.size, found.format] += 1
            totals.bytes_by[found.size, found.format] += found.bytes
            if not self._paths.full:
                self._paths.add(found.key, found.original)
        unknown = f"FROM variants v WHERE {self._where} AND NOT {_LISTED} AND NOT {_NAMED}"
        nobodys = f"{unknown} AND NOT {_POINTED} AND NOT is_own(v.original)"
        totals.strangers, stranger = db.execute(f"SELECT COUNT(*), MIN(v.key) {nobodys}", values).fetchone()
        totals.stranger = stranger or ""
        if self._choice.orphans:
            query = f"SELECT COUNT(*) {unknown} AND {_POINTED}"
            totals.missed = db.execute(query, values).fetchone()[0]
        else:
            query = f"SELECT COUNT(*) {unknown} AND NOT {_POINTED} AND is_own(v.original)"
            totals.orphans = db.execute(query, values).fetchone()[0]


def put_like_keys(inventory: Inventory) -> None:
    """Put in the rows whose own files have names like keys, as thumbnails of an earlier shop may have."""
    inventory.put_rows(rows.all_names(list(needs.file_fields()), like=_LIKE_KEY))


def put_wanted(db: sqlite3.Connection, choice: Choice) -> None:
    """Put the originals that a choice names into the table `wanted`: by name, by rows, or what has both."""
    with room():
        for names in _wanted(choice):
            db.execute("BEGIN")
            db.executemany("INSERT OR IGNORE INTO wanted VALUES (?)", [(name,) for name in names])
            db.execute("COMMIT")


def _wanted(choice: Choice) -> Iterator[Iterable[str]]:
    if not choice.model:
        yield choice.originals
        return
    field, named = rows.find(choice.model), set(choice.originals)
    for page in rows.pages(rows.chosen(field, choice.lookups), [field.attname]):
        yield [name for _, name in page if not named or name in named]


def default_of(field: object) -> str:
    """Return the file that rows of a field have when nothing is uploaded, such as one for a missing image."""
    return str(field.get_default() or "") if field.has_default() else ""  # type: ignore[attr-defined]


def _native(original: str) -> str:
    own = formats.by_extension(original)
    return own.name if own and own.browsers else formats.JPEG.name


def _of_originals(prefix: str) -> str:
    """Return what the names of variants with a prefix begin with, and the names of their originals too."""
    *directories, last = prefix.split("/")
    for number, name in enumerate(directories):
        if sizes.is_size(name):
            return "".join(f"{each}/" for each in directories[:number])
    if last and _PART_OF_SIZE.fullmatch(last):
        return "".join(f"{each}/" for each in directories)
    return prefix
