"""The inventory of a bucket: what all its objects are. It is made by listing, for one run, and then gone.

It lies in a temporary SQLite database on disk, so that millions of names take little memory.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from urllib.parse import quote

from lazyimages import formats, keys, storage
from lazyimages.exceptions import InvalidKey, LazyImagesError, RefusedName
from lazyimages.operations import run
from lazyimages.storage import INCOMING, Entry

_PORTION = 5000  # names that are put in together
_CACHE_KIB = 16 * 1024
_SCHEMA = """
CREATE TABLE originals (name TEXT PRIMARY KEY, bytes INTEGER, modified REAL) WITHOUT ROWID;
CREATE TABLE variants (
    key TEXT PRIMARY KEY, original TEXT, size TEXT, format TEXT, bytes INTEGER, modified REAL
) WITHOUT ROWID;
CREATE TABLE others (name TEXT PRIMARY KEY, bytes INTEGER) WITHOUT ROWID;
CREATE TABLE rows (name TEXT PRIMARY KEY, field TEXT) WITHOUT ROWID;
"""

Say = Callable[[str, int], None]


class NoRoom(LazyImagesError):
    """The inventory found no room on the disk of temporary files."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A variant of the inventory; `modified` in seconds since the epoch, None when that is not known."""

    key: str
    original: str
    size: str
    format: str
    bytes: int
    modified: float | None


class Inventory:
    """Four tables: `originals`, `variants` (whatever has such a key), `others`, and `rows` by their names.

    `db` is for questions beyond those that have a method. Close it, or use it with `with`.
    """

    def __init__(self) -> None:
        self.db = database(_SCHEMA)

    def __enter__(self) -> "Inventory":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.db.close()

    def take(self, prefix: str = "", *, say: Say = lambda what, number: None) -> None:
        """List originals and variants whose names begin with `prefix`; once where both are together.

        Variants come first, so that none seems to be without its original for being made meanwhile. On S3
        it is a request for a thousand names. `say` gets what is listed and how much that is so far.
        """
        if storage.are_together():
            self._put(run.listing(storage.entries, prefix), say, "names")
            return
        self._put(run.listing(storage.entries, prefix), say, "variants", originals=False)
        self._put(run.listing(storage.original_entries, prefix), say, "originals", variants=False)

    def put_rows(self, pages: Iterable[Mapping[str, str]]) -> None:
        """Put in the names that rows have; each page is a name and the label of its field."""
        with room():
            for page in pages:
                self.db.execute("BEGIN")
                self.db.executemany("INSERT OR IGNORE INTO rows VALUES (?, ?)", page.items())
                self.db.execute("COMMIT")

    def select(self, where: str = "1", values: Iterable[object] = ()) -> Iterator[Found]:
        """Yield variants in the order of their keys; `where` is SQL about a row of `variants`, as `v`."""
        # The caller may ask for more meanwhile, which another cursor of the same connection can do.
        found = self.db.execute(f"SELECT * FROM variants v WHERE {where} ORDER BY key", tuple(values))  # noqa: S608
        for key, original, size, format, length, modified in found:
            yield Found(key=key, original=original, size=size, format=format, bytes=length, modified=modified)

    def _put(
        self, entries: Iterable[Entry], say: Say, what: str, *, originals: bool = True, variants: bool = True
    ) -> None:
        waiting, listed = iter(entries), 0
        with room():
            while portion := list(islice(waiting, _PORTION)):
                sorted_in: dict[str, list[tuple[object, ...]]] = {
                    "originals": [],
                    "variants": [],
                    "others": [],
                }
                for entry in portion:
                    table, row = _row(entry, originals=originals, variants=variants)
                    sorted_in[table].append(row)
                self.db.execute("BEGIN")
                for table, rows in sorted_in.items():
                    if rows:
                        marks = ", ".join("?" * len(rows[0]))
                        self.db.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", rows)  # noqa: S608
                self.db.execute("COMMIT")
                listed += len(portion)
                say(what, listed)


def _row(entry: Entry, *, originals: bool, variants: bool) -> tuple[str, tuple[object, ...]]:
    """Return the table that an object belongs to by its name, and its row there."""
    name, modified = entry.name, entry.modified.timestamp() if entry.modified else None
    try:
        name.encode()
    except UnicodeEncodeError:  # disks have names of any bytes; no row nor URL can have this one
        return "others", (quote(name, safe="/", errors="surrogateescape"), entry.size)
    if variants:
        try:
            key = keys.parse(name)
        except InvalidKey:
            pass
        else:
            row = (name, key.original, str(key.size), key.format.name, entry.size, modified)
            return "variants", row
    if originals and formats.by_extension(name) and not name.startswith(INCOMING):
        return "originals", (name, entry.size, modified)
    return "others", (name, entry.size)


def can_have_variants(name: str) -> bool:
    """Tell whether an original's name is one that can have variants."""
    try:
        keys.check_original(name)
    except RefusedName:
        return False
    return True


def database(schema: str) -> sqlite3.Connection:
    """Return a database on disk that nobody else sees, and that is gone with its connection."""
    # An empty name is a database of this connection's own in the directory of temporary files, which
    # SQLite deletes by itself, also when the process is killed (SQLite: "In-Memory Databases").
    db = sqlite3.connect("", isolation_level=None)
    db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    db.execute("PRAGMA journal_mode = OFF")
    db.executescript(schema)
    return db


@contextmanager
def room() -> Iterator[None]:
    """Say what to do when the disk of temporary files is full."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise NoRoom(
            f"no room for the list of names in the directory of temporary files ({error}). Set "
            "SQLITE_TMPDIR to a directory with about 250 bytes for each object of the bucket"
        ) from error
