"""The variants that a warm-up is to make, by original: a list on disk, for it may have a million keys."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from lazyimages import storage
from lazyimages.exceptions import StorageUnavailable
from lazyimages.keys import VariantKey
from lazyimages.operations import run
from lazyimages.operations.inventory import database, room
from lazyimages.storage import Entry

_PORTION = 2000  # of what is put in, taken out or asked for together
_COUNTED = 50_000  # keys in memory while a log is read
_SCHEMA = """
CREATE TABLE requested (key TEXT PRIMARY KEY, original TEXT, times INTEGER) WITHOUT ROWID;
CREATE TABLE originals (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE wanted (original TEXT, key TEXT, refusal TEXT);
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """What is to be made of one original; `refusal` says why nothing can be."""

    original: str
    keys: list[str]
    refusal: str | None


class Wanted:
    """Fill it by `add_requests` or `add_originals`, strike out what is there, and take the groups."""

    def __init__(self) -> None:
        self._db = database(_SCHEMA)

    def __enter__(self) -> "Wanted":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._db.close()

    def add_requests(self, keys: Iterable[VariantKey], top: int | None, after: str) -> None:
        """Put in the keys that are most often among these, of originals after a name."""
        waiting = iter(keys)
        with room():
            while True:
                counts: Counter[VariantKey] = Counter()
                for key in waiting:
                    counts[key] += 1
                    if len(counts) >= _COUNTED:
                        break
                if not counts:
                    break
                self._put(
                    "INSERT INTO requested VALUES (?, ?, ?) "
                    "ON CONFLICT (key) DO UPDATE SET times = times + excluded.times",
                    sorted((str(key), key.original, times) for key, times in counts.items()),
                )
            self._db.execute(
                "INSERT INTO wanted SELECT original, key, NULL FROM "
                "(SELECT * FROM requested ORDER BY times DESC, key LIMIT ?) "
                "WHERE original > ? ORDER BY original, key",
                (-1 if top is None else top, after),
            )
            self._index()

    def add_originals(
        self, names: Iterable[str], keys_of: Callable[[str], tuple[list[str], str | None]], after: str
    ) -> None:
        """Put in what `keys_of` returns of each name after one, that is its keys or why there are none."""
        waiting = iter(names)
        with room():
            while portion := list(islice(waiting, _PORTION)):
                self._put("INSERT OR IGNORE INTO originals VALUES (?)", sorted((name,) for name in portion))
            last = after
            while portion := self._column("SELECT name FROM originals WHERE name > ? ORDER BY name", last):
                rows: list[tuple[str, str | None, str | None]] = []
                for name in portion:
                    keys, refusal = keys_of(name)
                    rows += [(name, key, None) for key in keys]
                    if refusal:
                        rows.append((name, None, refusal))
                self._put("INSERT INTO wanted VALUES (?, ?, ?)", rows)
                last = portion[-1]
            self._index()

    def strike_out_stored(self, say: Callable[[int], None]) -> int:
        """Take out the variants that are stored, by listing, and return how many they were.

        `say` gets how many of them were found so far.
        """
        found, struck = self._stored(), 0
        with room():
            while portion := list(islice(found, _PORTION)):
                self._put("DELETE FROM wanted WHERE key = ?", [(key,) for key in portion])
                struck += len(portion)
                say(struck)
        return struck

    def totals(self) -> tuple[int, int]:
        """Return how many keys, and of how many originals."""
        (found,) = self._db.execute("SELECT COUNT(key), COUNT(DISTINCT original) FROM wanted")
        return int(found[0]), int(found[1])

    def groups(self) -> Iterator[Group]:
        """Yield what is to be made, by originals in the order of their names."""
        # They were put in by originals, so that their numbers have the same order.
        last, original, keys, refusal = 0, "", list[str](), None
        query = "SELECT rowid, original, key, refusal FROM wanted WHERE rowid > ? ORDER BY rowid LIMIT ?"
        while rows := self._db.execute(query, (last, _PORTION)).fetchall():
            last = rows[-1][0]
            for _, name, key, why in rows:
                if name != original:
                    if keys or refusal:
                        yield Group(original=original, keys=keys, refusal=refusal)
                    original, keys, refusal = name, [], None
                keys += [key] if key else []
                refusal = refusal or why
        if keys or refusal:
            yield Group(original=original, keys=keys, refusal=refusal)

    def _stored(self) -> Iterator[str]:
        """Yield the wanted keys that are stored. A listing that breaks off goes on where it was."""
        last = ""

        def asked() -> Iterator[str]:
            nonlocal last
            query = "SELECT key FROM wanted WHERE key >= ? ORDER BY key"
            while portion := self._column(query, last):
                query = "SELECT key FROM wanted WHERE key > ? ORDER BY key"
                for key in portion:
                    last = key  # a listing asks for the next when it knows about this one
                    yield key

        found = storage.find(asked())

        def following() -> Entry | None:
            nonlocal found
            while True:
                begun_at = last
                try:
                    return next(found, None)
                except StorageUnavailable:
                    found = storage.find(asked())
                    if last == begun_at:
                        raise

        while (entry := run.patiently(following)) is not None:
            yield entry.name

    def _index(self) -> None:
        # Afterwards, for SQLite sorts a million keys once in less time than it puts them in one by one.
        self._db.execute("CREATE INDEX by_key ON wanted (key) WHERE key IS NOT NULL")

    def _column(self, query: str, *values: object) -> list[str]:
        return [value for (value,) in self._db.execute(f"{query} LIMIT {_PORTION}", values)]

    def _put(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        self._db.execute("BEGIN")
        self._db.executemany(statement, rows)
        self._db.execute("COMMIT")
